"""The account that mailward logs in with, as its README has it installed: it cannot give itself more rights."""

import re
from pathlib import Path

README = Path(__file__).parents[3] / "packaging" / "mailward-host" / "README.md"
HOME = "/var/lib/mailward-host"


def test_its_home_is_roots_and_so_are_its_keys():
    commands = re.findall(r"^# (.+)$", README.read_text(), re.MULTILINE)

    (account,) = [line for line in commands if line.startswith("useradd")]
    below_home = [line for line in commands if line.startswith("install") and HOME in line]
    assert "--no-create-home" in account.split()
    assert {"install -d -o root -g root -m 755", "install -o root -g root -m 644"} == {
        line[: re.search(r" -m \d+", line).end()] for line in below_home
    }
    assert {HOME, f"{HOME}/.ssh", f"{HOME}/.ssh/authorized_keys"} == {
        word for line in below_home for word in line.split() if word.startswith(HOME)
    }
