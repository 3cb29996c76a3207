"""The man pages say what the command line can, and roff has nothing against them."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import click
import pytest

from mailward.cli.main import COMMANDS, cli

ROOT = Path(__file__).resolve().parents[2]
MAN = ROOT / "docs" / "man"
NAMES = ("mailward", *(f"mailward-{name}" for section in COMMANDS.values() for name in section))


def test_every_page_is_what_the_command_line_says_now_and_there_are_no_others() -> None:
    spec = spec_from_file_location("generate_man_pages", ROOT / "scripts" / "generate_man_pages.py")
    assert spec is not None
    assert spec.loader is not None
    generator = module_from_spec(spec)
    sys.modules[spec.name] = generator
    spec.loader.exec_module(generator)

    made = generator.pages()

    assert made == {file.name: file.read_text() for file in MAN.glob("*")}, "run `make docs` and commit what it writes"
    assert {f"{name}.1" for name in NAMES} == made.keys()


@pytest.mark.parametrize("name", NAMES)
def test_every_command_and_every_option_stands_in_its_page(name: str) -> None:
    text = page(name)
    missing = [words for words in words_of(name) if words not in text]

    assert [] == missing


@pytest.mark.parametrize("name", NAMES)
def test_every_page_that_is_referred_to_is_there(name: str) -> None:
    referred = set(re.findall(r"\b(mailward[a-z-]*)\s?\(1\)", page(name)))

    assert referred
    assert set() == referred - set(NAMES)


def test_an_option_that_does_not_stand_there_is_noticed() -> None:
    assert "--watchful" not in page("mailward-health")
    assert "--watch" in page("mailward-health")


@pytest.mark.skipif(shutil.which("groff") is None, reason="this machine has no groff")
@pytest.mark.parametrize("name", NAMES)
def test_roff_has_nothing_to_say_against_it(name: str) -> None:
    read = subprocess.run(
        ("groff", "-man", "-Tascii", "-P-cbou", "-ww", "-rLL=100n", MAN / f"{name}.1"),
        capture_output=True,
        timeout=30,
        check=True,
    )

    assert b"" == read.stderr
    assert b"SYNOPSIS" in read.stdout


@pytest.mark.skipif(shutil.which("groff") is None, reason="this machine has no groff")
def test_roff_does_complain_of_a_page_that_is_wrong(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.1"
    wrong.write_text(".TH X 1\n.SH NAME\n.nonsense\n")

    read = subprocess.run(("groff", "-man", "-Tascii", "-ww", wrong), capture_output=True, timeout=30, check=False)

    assert b"nonsense" in read.stderr


def page(name: str) -> str:
    """The text of a page, with roff's escapes undone."""
    return (MAN / f"{name}.1").read_text().replace("\\-", "-")


def words_of(name: str) -> Iterator[str]:
    """What a page must have: command paths, and options as they are typed."""
    root = click.Context(cli, info_name="mailward")
    if name == "mailward":
        yield from (f"mailward-{one} (1)" for section in COMMANDS.values() for one in section)
        yield from _options(cli, root)
        return
    yield from _below(cli, root, name.removeprefix("mailward-"))


def _below(group: click.Group, above: click.Context, name: str) -> Iterator[str]:
    command = group.get_command(above, name)
    assert command is not None
    context = click.Context(command, info_name=name, parent=above)
    yield context.command_path
    yield from _options(command, context)
    if isinstance(command, click.Group):
        for member in command.list_commands(context):
            yield from _below(command, context, member)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option) and not parameter.hidden and "--help" not in parameter.opts:
            yield from (*parameter.opts, *parameter.secondary_opts)
