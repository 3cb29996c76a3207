"""Every `mailward` command and option that the documentation names exists, and what only reads is really run."""

import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import click
import pytest
from click.testing import CliRunner

from mailward.cli.main import cli

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`((?:[\w./]*/)?mailward [^`\n]+)`")
_END = frozenset({"|", "||", "&&", ";", "&", "#", ">", ">>", "2>", "<"})
_AS_WHOM = re.compile(r"^(?:sudo (?:-u \w+ )?|[A-Z_]+=\S+ )+")
_WORD = re.compile(r"[a-z][a-z-]*")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A command as a page shows it."""

    page: str
    words: tuple[str, ...]
    """What follows `mailward`."""
    output: str = ""
    """What the page says it prints."""


def test_every_command_and_option_named_in_the_documentation_exists(pages: dict[str, str]) -> None:
    wrong = [
        f"{one.page}: mailward {' '.join(one.words)}: {why}" for one in named(pages) if (why := mistake(one.words))
    ]

    assert [] == wrong


def test_the_documentation_names_commands_at_all(pages: dict[str, str]) -> None:
    used = {one.words[0] for one in named(pages) if one.words}

    assert {"check", "health", "run", "config", "accounts", "lab", "demo"} <= used


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("helth",), "no command 'helth'"),
        (("lab", "brake"), "no command 'brake'"),
        (("lab", "up|brake"), "no command 'brake'"),
        (("lab", "up|down"), ""),
        (("health", "--watchful"), "no option --watchful"),
        (("check", "-x"), "no option -x"),
        (("health", "--state", "ill"), "'ill' is no value of --state"),
        (("health", "--state=healthy"), ""),
        (("--socket", "S", "health", "be1", "--watch"), ""),
    ],
)
def test_a_command_that_does_not_exist_is_noticed(words: tuple[str, ...], why: str) -> None:
    assert why == mistake(words)


def test_commands_that_only_explain_run_and_print_what_the_page_shows(pages: dict[str, str]) -> None:
    shown = [one for one in named(pages) if is_harmless(one.words)]
    wrong = []
    for one in shown:
        result = CliRunner().invoke(cli, list(one.words), prog_name="mailward")
        if result.exit_code != 0 or (one.output and one.output.split() != result.output.split()):
            wrong.append((one.page, one.words, result.exit_code, result.output))

    assert shown
    assert [] == wrong


def is_harmless(words: tuple[str, ...]) -> bool:
    """Whether a command can be run anywhere: it only explains."""
    if any(word.isupper() or word.startswith(("[", "{")) for word in words):
        return False
    return words[:2] == ("items", "help") or words[-1:] in (("--help",), ("--version",)) or words[:1] == ("completion",)


def named(pages: dict[str, str]) -> Iterator[Shown]:
    """Every command in a console block, and every one in the running text."""
    for page, text in pages.items():
        for match in _BLOCK.finditer(text):
            if match[1] == "console":
                yield from _of_block(page, match[2])
        for match in _SPAN.finditer(_BLOCK.sub("", text)):
            yield Shown(page=page, words=_words(match[1]) or ())


def _of_block(page: str, block: str) -> Iterator[Shown]:
    for prompt in re.split(r"^(?=[$#] )", block.replace("\\\n", " "), flags=re.MULTILINE):
        line, _, output = prompt.partition("\n")
        words = _words(line[2:]) if line.startswith(("$ ", "# ")) else None
        if words is not None:
            yield Shown(page=page, words=words, output=output.strip())


def _words(line: str) -> tuple[str, ...] | None:
    """What follows `mailward` in a shell's line; None when another program is called."""
    words = shlex.split(_AS_WHOM.sub("", line), comments=True)
    if not words or words[0].rpartition("/")[2] != "mailward":
        return None
    stop = next((place for place, one in enumerate(words) if one in _END), len(words))
    return tuple(words[1:stop])


def mistake(words: tuple[str, ...]) -> str:
    """What is wrong with a command line, or nothing; arguments in capitals stand for anything."""
    command: click.Command = cli
    context = click.Context(cli, info_name="mailward")
    options = _options(command, context)
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("-") and word != "-":
            name, _, value = word.partition("=")
            if name not in options:
                return f"no option {name}"
            option = options[name]
            if not option.is_flag and not option.count:
                value = value or (rest.pop(0) if rest else "")
                if not _fits(option, value):
                    return f"{value!r} is no value of {name}"
        elif isinstance(command, click.Group) and "|" in word:
            return next((why for one in word.split("|") if (why := _missing(command, context, one))), "")
        elif isinstance(command, click.Group):
            found = _member(command, context, word)
            if found is None:
                return _missing(command, context, word)
            context = click.Context(found, info_name=word, parent=context)
            command, options = found, {**_options(found, context)}
    return ""


def _missing(group: click.Group, context: click.Context, name: str) -> str:
    """What is wrong with a name in the place of a command; nothing when it only stands for one, such as COMMAND."""
    is_there = _member(group, context, name) is not None or not _WORD.fullmatch(name)
    return "" if is_there else f"no command {name!r}"


def _member(group: click.Group, context: click.Context, name: str) -> click.Command | None:
    """A command of the group; None also for one that is listed and has no module."""
    with suppress(ModuleNotFoundError):
        return group.get_command(context, name) if name in group.list_commands(context) else None
    return None


def _options(command: click.Command, context: click.Context) -> dict[str, click.Option]:
    return {
        name: parameter
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option)
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


def _fits(option: click.Option, value: str) -> bool:
    if not isinstance(option.type, click.Choice) or value.isupper():
        return True
    return value.lower() in {str(choice).lower() for choice in option.type.choices}
