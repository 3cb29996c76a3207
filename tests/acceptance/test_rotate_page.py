"""The page on rotating passwords, executed: every command of it, in its order, on a real Dovecot."""

import re
import shlex
from pathlib import Path

from .test_first_steps import Newcomer, _reload, newcomer  # noqa: F401 - newcomer is a fixture

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "rotate-probe-passwords.md"


def test_every_command_of_the_page_does_what_it_says(newcomer: Newcomer) -> None:  # noqa: F811
    made = newcomer.init()
    assert 0 == made.returncode, made.stderr
    include = next(line.split(": ", 1)[1] for line in made.stdout.splitlines() if "!include" in line)
    with newcomer.dovecot.open("a") as stream:
        stream.write(f"{include}\n")
    _reload(newcomer.dovecot)
    assert 0 == newcomer.accounts("create").returncode
    newcomer.check_until(0)

    known = [secrets(newcomer)]
    for command in re.findall(r"^\$ mailward accounts (.*)$", PAGE.read_text(), re.MULTILINE):
        verb, *words = shlex.split(command)
        if verb == "check":
            newcomer.check_until(0)
            known.append(secrets(newcomer))
            continue
        quick = ("--yes",) if "--step" in words else ("--settle", "0.1")
        done = newcomer.accounts(verb, *words, *quick)
        assert 0 == done.returncode, f"{command}: {done.stdout}{done.stderr}"
        assert not any(one in done.stdout + done.stderr for one in secrets(newcomer).values())

    first, rotated, stepped, cancelled = known
    assert all(first[name] != rotated[name] for name in first)
    assert all(rotated[name] != stepped[name] for name in rotated)
    assert stepped == cancelled, "the way back"


def secrets(newcomer: Newcomer) -> dict[str, str]:  # noqa: F811
    """The passwords that probes use now, by file."""
    files = (newcomer.home / "secrets").glob("*.password")
    return {file.name: file.read_text().strip() for file in files}
