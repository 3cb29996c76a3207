#!/usr/bin/env python3
"""
Write packaging/runtime.lock: the part of requirements.lock that a service needs, without developers' tools.

    scripts/runtime_lock.py

It goes by what the installed distributions say that they require, so it is run in the environment of `make setup`;
`tests/unit/packaging/test_runtime_lock.py` compares the committed file with what this gives now. hatchling is in it
because it builds mailward itself.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
RUNTIME = ROOT / "packaging" / "runtime.lock"
HEAD = "# Written by scripts/runtime_lock.py from requirements.lock: `make docs` writes it anew.\n"
BUILDS_US = "hatchling"
#: Where mailward runs; a distribution that is required in one of them is in the lock.
PLACES = tuple(
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "python_version": version,
     "python_full_version": f"{version}.0", "platform_machine": machine, "implementation_name": "cpython",
     "platform_python_implementation": "CPython"}
    for version in ("3.11", "3.12", "3.13")
    for machine in ("x86_64", "aarch64")
)  # fmt: skip
EXTRAS = ("mysql", "postgres")
"""Of ours: small, and only tried for when they are missing at night."""


def runtime_lock() -> str:
    """The text of packaging/runtime.lock."""
    wanted = {canonicalize_name(name) for name in closure(wishes())}
    entries = locked(LOCK.read_text())
    missing = wanted - entries.keys()
    if missing:
        raise LookupError(f"requirements.lock has no {', '.join(sorted(missing))}")
    return HEAD + "".join(text for name, text in entries.items() if name in wanted)


def wishes() -> Iterator[Requirement]:
    """What mailward itself asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for text in (*project["dependencies"], *(one for extra in EXTRAS for one in extras[extra]), BUILDS_US):
        yield Requirement(text)


def closure(wished: Iterator[Requirement]) -> set[str]:
    """The names of what is wished for, and of all that needs in turn."""
    names: set[str] = set()
    waiting = [(one.name, frozenset(one.extras)) for one in wished]
    seen = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        names.add(name)
        for text in requires(name) or ():
            needed = Requirement(text)
            if _applies(needed, extras):
                waiting.append((needed.name, frozenset(needed.extras)))
    return names


def _applies(needed: Requirement, extras: frozenset[str]) -> bool:
    if needed.marker is None:
        return True
    return any(needed.marker.evaluate({**place, "extra": extra}) for place in PLACES for extra in (*extras, ""))


def locked(lock: str) -> Mapping[str, str]:
    """The entries of a lock by name, each with its hashes."""
    blocks: Sequence[str] = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    return {canonicalize_name(re.split(r"[=\[ ]", block, maxsplit=1)[0]): block for block in blocks if block.strip()}


if __name__ == "__main__":
    text = runtime_lock()
    if not RUNTIME.exists() or RUNTIME.read_text() != text:
        RUNTIME.write_text(text)
        sys.stdout.write(f"written: {RUNTIME.relative_to(ROOT)}\n")
