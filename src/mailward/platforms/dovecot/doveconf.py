"""
What `doveconf` prints, as a value: settings, and blocks in blocks.

2.3 and 2.4 print the same form: `name = value`, `kind name {` to `}`, comments. They differ in where a setting stands:
2.4 writes a list also as a block of `word = yes` (rootless-and-2.4 §B), which `words` hides.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_VERSION = re.compile(r"# (\d+)\.(\d+)(?:\.(\d+))?[^:]*: (.+)")
_BLOCK = re.compile(r"(\S+)(?:\s+(.*\S))?\s*\{")
#: Deeper than any Dovecot nests its blocks; beyond it the text is something else.
_DEEPEST = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A `kind name { … }`, or the whole configuration."""

    kind: str = ""
    name: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    blocks: tuple["Block", ...] = ()

    def get(self, setting: str) -> str:
        """The value of a setting; empty when it is not set here."""
        return self.settings.get(setting, "")

    def words(self, setting: str) -> tuple[str, ...]:
        """The words of a list, whether written as one line or, as 2.4 may, as a block of `word = yes`."""
        listed = tuple(self.get(setting).split())
        return listed + tuple(
            word for block in self.of_kind(setting) for word, value in block.settings.items() if value != "no"
        )

    def of_kind(self, kind: str) -> Iterator["Block"]:
        """The blocks of that kind directly in this one, in order."""
        return (block for block in self.blocks if block.kind == kind)

    def block(self, kind: str, name: str = "") -> "Block":
        """The first block of that kind and name; an empty one when there is none."""
        return next((block for block in self.of_kind(kind) if block.name == name), Block(kind=kind, name=name))


@dataclass(frozen=True, kw_only=True, slots=True)
class Doveconf:
    """A whole configuration, and the version that printed it."""

    version: tuple[int, int, int]
    file: str
    root: Block

    @property
    def is_new_style(self) -> bool:
        """Whether its configuration is written as from 2.4 on."""
        return self.version >= (2, 4)


def parse(text: str) -> Doveconf:
    """
    Read the output of `doveconf`.

    Raises:
        ValueError: It is no such output.
    """
    version = next((found for found in map(_VERSION.match, text.splitlines()[:5]) if found), None)
    if version is None:
        raise ValueError("it does not begin with Dovecot's version")
    major, minor, patch, file = version.groups()
    return Doveconf(version=(int(major), int(minor), int(patch or 0)), file=file.strip(), root=parse_named(text))


def parse_named(text: str) -> Block:
    """
    Read what `doveconf` prints of settings it was asked for by name: no version stands above them.

    Raises:
        ValueError: It is no such output.
    """
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            reader.read(line.strip())
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
    return reader.end()


@dataclass(kw_only=True)
class _Open:
    kind: str = ""
    name: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    def closed(self) -> Block:
        return Block(kind=self.kind, name=self.name, settings=self.settings, blocks=tuple(self.blocks))


class _Reader:
    """Collects blocks line by line."""

    def __init__(self) -> None:
        self._open = [_Open()]

    def read(self, line: str) -> None:
        """Take in one line."""
        if not line or line.startswith("#"):
            return
        name, equals, value = line.partition("=")
        block = _BLOCK.fullmatch(line)
        if line == "}":
            if len(self._open) == 1:
                raise ValueError("a block ends that did not begin")
            closed = self._open.pop().closed()
            self._open[-1].blocks.append(closed)
        elif block is not None and "=" not in block[1]:
            if len(self._open) > _DEEPEST:
                raise ValueError("blocks are nested too deeply")
            self._open.append(_Open(kind=block[1], name=_unquoted(block[2] or "")))
        elif equals:
            self._open[-1].settings[name.strip()] = _unquoted(value.strip())
        else:
            raise ValueError("neither a setting nor a block")

    def end(self) -> Block:
        """The whole."""
        if len(self._open) != 1:
            raise ValueError(f"the block {self._open[-1].kind!r} does not end")
        return self._open[0].closed()


def _unquoted(value: str) -> str:
    if value.startswith("# hidden"):
        return ""
    if len(value) > 1 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value
