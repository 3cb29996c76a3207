"""A word that people meet stands in the glossary."""

import re
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import mailward.model
from mailward.lab.faults.fault import Remedy
from mailward.model.items import HEALTH_SETS, MONITORS, PROBES
from mailward.model.recovery import Gate
from mailward.monitors.transitions import MonitorEvent


def test_every_public_word_of_the_model_stands_in_the_glossary(root: Path) -> None:
    missing = [f"{kind.__name__}: {word}" for kind, word in _words() if f"`{word}`" not in _page(root)]

    assert [] == missing


def test_the_list_of_gates_names_no_other(root: Path) -> None:
    listed = next(line for line in _page(root).splitlines() if line.startswith("| **gate** |"))
    _, _, gates = listed.partition("The gates:")

    assert {gate.value for gate in Gate} == set(re.findall(r"`(.+?)`", gates))


def test_every_probe_monitor_and_health_set_stands_in_the_glossary(root: Path) -> None:
    names = [*(one.name for one in PROBES), *(one.name for one in MONITORS), *(one.name for one in HEALTH_SETS)]

    assert [] == [name for name in names if f"`{name}`" not in _page(root)]


def test_the_words_of_the_glossary_stand_in_order(root: Path) -> None:
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", _page(root), re.MULTILINE)

    assert words
    assert sorted(words, key=str.lower) == words


def _words() -> Iterator[tuple[type[Enum], str]]:
    found = {MonitorEvent, Remedy}
    for module in iter_modules(mailward.model.__path__, "mailward.model."):
        values = vars(import_module(module.name)).values()
        found |= {
            value for value in values if isinstance(value, type) and issubclass(value, Enum) and value is not Enum
        }
    for kind in sorted(found, key=lambda kind: kind.__name__):
        yield from ((kind, str(member.value)) for member in kind)


def _page(root: Path) -> str:
    return (root / "docs/reference/glossary.md").read_text()
