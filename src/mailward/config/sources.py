"""
The files a configuration is made of, read and put together into one tree that remembers where everything stood.

Tables of several files are united; a key that is set in two files is a mistake, whatever the values.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mailward.config.lines import line_of, lines_of_keys
from mailward.config.mistakes import KeyPath, Mistake, spelled

MAIN_FILE = "mailward.toml"
FRAGMENTS = "conf.d"
#: More than any honest configuration; a device or a log given by mistake must not fill the memory.
FILE_BYTES_MAX = 32 * 1024 * 1024
#: Deeper than any section of the schema; refused before anything walks down it.
DEPTH_MAX = 12


@dataclass(frozen=True)
class Source:
    """One file as read."""

    file: Path
    text: str
    tree: Mapping[str, Any]

    @cached_property
    def lines(self) -> Mapping[KeyPath, int]:
        """The line of every key."""
        return lines_of_keys(self.text)

    def depth_of(self, path: KeyPath) -> int:
        """How many keys of *path* this file has."""
        value: Any = self.tree
        for depth, key in enumerate(path):
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return depth
        return len(path)


@dataclass(frozen=True, kw_only=True)
class Sources:
    """All files, and the tree they make."""

    directory: Path
    """Where the main file lies; relative file names in the configuration start here."""
    files: tuple[Source, ...]
    tree: dict[str, Any] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()

    def where(self, path: KeyPath) -> tuple[Path, int]:
        """The file and line of *path*, or of the nearest thing above it."""
        best = max(self.files, key=lambda source: source.depth_of(path), default=None)
        if best is None:
            return self.directory / MAIN_FILE, 0
        depth = best.depth_of(path)
        return best.file, line_of(path[: max(depth, 1)], best.lines) if depth else 0

    def place(self, path: KeyPath) -> str:
        """File name and line of *path*, short: "mailward.toml:12"."""
        file, line = self.where(path)
        return f"{file.name}:{line}" if line else file.name

    def mistake(self, path: KeyPath, text: str) -> Mistake:
        """A mistake at *path*; *text* follows the spelled key."""
        file, line = self.where(path)
        return Mistake(file=file, line=line, text=f"{spelled(path)} {text}" if path else text)


def read_sources(paths: Path | Sequence[Path]) -> Sources:
    """
    Read every file of a configuration: each path is a main file, with `conf.d/*.toml` beside it, or its directory.

    Never raises for what is in the files: what could not be read is among the mistakes.
    """
    given = [paths] if isinstance(paths, Path) else list(paths)
    mistakes: list[Mistake] = []
    sources: list[Source] = []
    for file in _files(given):
        source = _read(file, mistakes)
        if source is not None:
            sources.append(source)
    union = _Union(mistakes=mistakes)
    for source in sources:
        union.add(source)
    directory = _main_file(given[0]).parent if given else Path()
    return Sources(directory=directory.absolute(), files=tuple(sources), tree=union.tree, mistakes=tuple(mistakes))


def _files(given: Sequence[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for path in given:
        main = _main_file(path)
        fragments = sorted(main.parent.joinpath(FRAGMENTS).glob("*.toml"))
        for file in (main, *fragments):
            if file not in seen:
                seen.add(file)
                yield file


def _main_file(path: Path) -> Path:
    return path / MAIN_FILE if path.is_dir() else path


def _read(file: Path, mistakes: list[Mistake]) -> Source | None:
    text: str | None = None
    line, problem = 0, ""
    try:
        with file.open("rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
        if len(content) > FILE_BYTES_MAX:
            problem = "is too large to be a configuration"
        else:
            text = content.decode("utf-8").replace("\r\n", "\n")
            tree = tomllib.loads(text)
            if not _too_deep(tree, DEPTH_MAX):
                return Source(file=file, text=text, tree=tree)
            problem = f"is nested more than {DEPTH_MAX} tables deep"
    except OSError as error:
        problem = f"cannot be read: {error.strerror or 'unknown reason'}"
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text (byte {error.start})"
    except tomllib.TOMLDecodeError as error:
        line, problem = _line_in(error), f"is not TOML: {_without_values(str(error))}"
    except (ValueError, RecursionError):
        problem = "is not TOML: a number is too long or tables are nested too deeply"
    mistakes.append(Mistake(file=file, line=line, text=problem))
    return None


def _line_in(error: tomllib.TOMLDecodeError) -> int:
    words = str(error).partition("(at line ")[2].partition(",")[0]
    return int(words) if words.isdigit() else 0


def _without_values(text: str) -> str:
    """The parser's words without the place, which stands in front of them."""
    return text.partition(" (at ")[0].replace("\n", " ")


def _too_deep(value: object, left: int) -> bool:
    children = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return left < 0 or any(_too_deep(child, left - 1) for child in children if isinstance(child, dict | list))


@dataclass(frozen=True, kw_only=True)
class _Union:
    """Many trees becoming one."""

    tree: dict[str, Any] = field(default_factory=dict)
    owners: dict[KeyPath, Source] = field(default_factory=dict)
    """Which file set a path first."""
    mistakes: list[Mistake] = field(default_factory=list)

    def add(self, source: Source) -> None:
        """Take in a whole file."""
        self._take(source, source.tree, self.tree, ())

    def _take(self, source: Source, tree: Mapping[str, Any], into: dict[str, Any], above: KeyPath) -> None:
        for key, value in tree.items():
            path = (*above, key)
            if key not in into:
                self.owners[path] = source
                into[key] = {} if isinstance(value, dict) else value
            elif not (isinstance(value, dict) and isinstance(into[key], dict)):
                self.mistakes.append(self._twice(path, source))
                continue
            if isinstance(value, dict):
                self._take(source, value, into[key], path)

    def _twice(self, path: KeyPath, source: Source) -> Mistake:
        first = self.owners[path]
        place = f"{first.file}:{line_of(path, first.lines)}"
        text = f"{spelled(path)} is set already in {place}; keep one of the two"
        return Mistake(file=source.file, line=line_of(path, source.lines), text=text)
