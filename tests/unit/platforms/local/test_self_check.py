"""What is wrong with this machine before anything depends on it."""

import resource
import subprocess
import sys

import pytest

from mailward.platforms.local.self_check import descriptors

_CHECK = """
import resource
from mailward.platforms.local.self_check import descriptors
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(descriptors(500), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "said", "after"),
    [(256, 512, "raise LimitNOFILE", 256), (256, 4096, "()", 1200), (2048, 4096, "()", 2048)],
)
def test_too_few_descriptors_are_raised_where_that_is_allowed_and_told_where_not(soft, hard, said, after):
    script = _CHECK.format(soft=soft, hard=hard)

    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert said in ran.stdout
    assert ran.stdout.rstrip().endswith(f" {after}")


def test_a_small_organization_needs_nothing_raised():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    assert () == descriptors(10)
    assert before == resource.getrlimit(resource.RLIMIT_NOFILE)
