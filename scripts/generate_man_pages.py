#!/usr/bin/env python3
"""
Write docs/man/*.1 from the command line itself: `mailward.1`, and a page for each command with all that is below it.

    scripts/generate_man_pages.py

`tests/docs/test_man_pages.py` compares the committed pages with what this gives now. They have no date, so that they
change only with what they say.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from mailward import __version__
from mailward.cli.main import COMMANDS, cli

MAN = Path(__file__).resolve().parent.parent / "docs" / "man"
MARK = '.\\" Written by scripts/generate_man_pages.py from the code: change the code, then `make docs`.\n'
#: What is written otherwise in roff; the backslash first.
_ESCAPES = {
    "\\": "\\e", "-": "\\-", "`": "\\(ga", "~": "\\(ti", "^": "\\(ha", "…": "...", "–": "\\(en", "—": "\\(em",
    "→": "\\(->", "×": "\\(mu", "“": "\\(lq", "”": "\\(rq", "·": "\\(bu",
}  # fmt: skip

EXITS = (
    ("0", "done; where something was examined, it is healthy"),
    (
        "1",
        "refused or failed: a wrong configuration, an unknown name, nothing that a filter matches, a gate's no",
    ),
    ("2", "what was examined is unhealthy, and nothing else"),
    ("3", "nothing could be learned: no manager answers, the prober was at fault, the command line was wrong"),
    ("130, 141", "ended by Ctrl-C; the reader of the output went away"),
)
FILES = (
    ("/etc/mailward/mailward.toml", "the configuration; mailward-config(1) makes and checks it"),
    ("/etc/mailward/secrets", "passwords of health mailboxes, readable for mailward's user alone"),
    ("/etc/mailward/STOP", "while it is there, no action is taken"),
    ("/var/lib/mailward/mailward.db", "what was seen and done"),
    ("/run/mailward/api.sock", "where a running manager answers"),
)
ENVIRONMENT = (
    ("MAILWARD_CONFIG", "the configuration, or its directory"),
    ("MAILWARD_SOCKET", "where the manager is asked"),
    ("MAILWARD_SSH_KEY, MAILWARD_KNOWN_HOSTS", "the key and the host keys for servers behind ssh"),
    ("MAILWARD_TRACEBACK", "set to 1: a fault of mailward itself shows where it happened"),
    ("NO_COLOR", "set to anything: no colours"),
)


def pages() -> dict[str, str]:
    """Every page: its name below docs/man, and its text."""
    root = click.Context(cli, info_name="mailward")
    made = {"mailward.1": _overview(root)}
    for name, about in _commands():
        made[f"mailward-{name}.1"] = _page(root, name, about)
    return made


def _commands() -> Iterator[tuple[str, str]]:
    for section in COMMANDS.values():
        yield from ((name, about) for name, (_, about) in section.items())


def _overview(root: click.Context) -> str:
    lines = [
        *_head("mailward", "managed availability for IMAP"),
        *_synopsis(root.command_path, ("[OPTIONS]", "COMMAND", "[ARGUMENTS]")),
        ".SH DESCRIPTION",
        *_text(cli.help or ""),
        ".SH OPTIONS",
        *_options(cli, root),
        ".SH COMMANDS",
    ]
    for title, section in COMMANDS.items():
        lines.append(f".SS {_quoted(title)}")
        for name, (_, about) in section.items():
            lines += [".TP", f".BR mailward\\-{_plain(name)} (1)", _line(about)]
    lines += [".SH EXIT STATUS", *_defined(EXITS), ".SH FILES", *_defined(FILES)]
    lines += [".SH ENVIRONMENT", *_defined(ENVIRONMENT)]
    return MARK + "\n".join(lines) + "\n"


def _page(root: click.Context, name: str, about: str) -> str:
    command, context = _below(root, cli, name)
    lines = [*_head(f"mailward-{name}", about), *_synopsis_of(command, context), ".SH DESCRIPTION"]
    lines += _text(command.help or about)
    if options := list(_options(command, context)):
        lines += [".SH OPTIONS", *options]
    if isinstance(command, click.Group):
        lines += [".SH COMMANDS", *_members(command, context)]
    if command.epilog:
        lines += [".SH NOTES", *_text(command.epilog)]
    return MARK + "\n".join([*lines, ".SH SEE ALSO", ".BR mailward (1)"]) + "\n"


def _members(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command, below = _below(context, group, name)
        yield f".SS {_quoted(' '.join((below.command_path, *command.collect_usage_pieces(below))))}"
        yield from _text(command.help or "")
        yield from _options(command, below)
        if command.epilog:
            yield from _text(command.epilog)
        if isinstance(command, click.Group):
            yield from _members(command, below)


def _below(above: click.Context, group: click.Group, name: str) -> tuple[click.Command, click.Context]:
    command = group.get_command(above, name)
    if command is None:
        raise LookupError(f"{above.command_path} lists {name!r} and has no such command")
    return command, click.Context(command, info_name=name, parent=above)


# Parts of a page


def _head(name: str, about: str) -> Iterator[str]:
    yield f'.TH {_quoted(name.upper())} 1 "" {_quoted(f"mailward {__version__}")} "mailward"'
    yield ".SH NAME"
    yield f"{_plain(name)} \\- {_plain(about).removesuffix('.')}"


def _synopsis_of(command: click.Command, context: click.Context) -> Iterator[str]:
    yield from _synopsis(context.command_path, command.collect_usage_pieces(context))


def _synopsis(path: str, pieces: Sequence[str]) -> Iterator[str]:
    yield ".SH SYNOPSIS"
    yield f".B {_plain(path)}"
    if pieces:
        yield _line(" ".join(pieces))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Every option, and --help once for the whole page."""
    for parameter in command.get_params(context):
        if not isinstance(parameter, click.Option) or (record := parameter.get_help_record(context)) is None:
            continue
        if "--help" in parameter.opts and context.parent is not None:
            continue
        yield ".TP"
        yield f".B {_plain(record[0])}"
        yield _line(record[1]) or "\\&"


def _text(text: str) -> Iterator[str]:
    """A docstring: paragraphs are filled, a block that click must not wrap stays as it is."""
    for block in re.split(r"\n\s*\n", text.strip()):
        yield ".PP"
        if block.startswith("\b"):
            yield ".nf"
            yield from (_line(line) for line in block.removeprefix("\b").strip("\n").splitlines())
            yield ".fi"
        else:
            yield _line(" ".join(block.split()))


def _defined(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    for word, meaning in rows:
        yield from (".TP", f".B {_plain(word)}", _line(meaning))


# roff's own characters


def _line(text: str) -> str:
    """A line of text, which must not begin like a request."""
    made = _plain(text)
    return f"\\&{made}" if made.startswith((".", "'")) else made


def _quoted(text: str) -> str:
    made = _plain(text).replace('"', "\\(dq")
    return f'"{made}"'


def _plain(text: str) -> str:
    """Text that means itself."""
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text.rstrip()


def main() -> int:
    """Write all pages, remove those of commands that are gone, and say which changed."""
    made = pages()
    MAN.mkdir(exist_ok=True)
    for name, text in made.items():
        file = MAN / name
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
            print(f"written: docs/man/{name}")
    for file in MAN.glob("*.1"):
        if file.name not in made:
            file.unlink()
            print(f"removed: docs/man/{file.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
