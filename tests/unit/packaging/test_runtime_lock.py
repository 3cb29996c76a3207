"""A service is installed from a part of the lock that everything else is tested with."""

import re
import subprocess
import sys
import tomllib

from .conftest import ROOT

NAME = re.compile(r"^([a-z0-9][a-z0-9-]*)==", re.MULTILINE)


def test_it_is_what_the_lock_and_the_installed_distributions_give_now(packaging):
    program = "import runtime_lock, sys; sys.stdout.write(runtime_lock.runtime_lock())"
    made = subprocess.run(
        (sys.executable, "-c", program), cwd=ROOT / "scripts", capture_output=True, text=True, timeout=60, check=True
    )

    assert made.stdout == (packaging / "runtime.lock").read_text(), "run `make docs` and commit what it writes"


def test_it_holds_what_mailward_asks_for_with_the_very_hashes_of_the_lock_and_no_developers_tools(packaging):
    whole, part = (ROOT / "requirements.lock").read_text(), (packaging / "runtime.lock").read_text()
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]

    names = set(NAME.findall(part))
    assert {re.split(r"[><=\[]", one)[0] for one in asked} <= names
    assert not names & {"pytest", "mypy", "ruff", "playwright", "hypothesis", "uvloop"}
    entries = [entry for entry in re.split(r"^(?=[a-z])", part, flags=re.MULTILINE) if NAME.match(entry)]
    assert len(names) == len(entries)
    assert [] == [entry for entry in entries if entry not in whole or "--hash=sha256:" not in entry]
