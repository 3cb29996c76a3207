"""Nothing in the documentation leads nowhere, or to the machine it was written on."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

_CODE = re.compile(r"^(`{3,}).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_MACHINE = re.compile(r"/work/|/root\b|/home/\w|/tmp/\w|/Users/|\.pyenv|site-packages|localhost:\d{4,}/simple")


def test_every_relative_link_leads_somewhere(root: Path, pages: dict[str, str]) -> None:
    broken = [(name, link) for name, text in pages.items() for link in links(text) if not leads(root, name, link)]

    assert [] == broken


@pytest.mark.parametrize("link", ["nowhere.md", "README.md#no-such-heading", "/etc/passwd"])
def test_a_link_that_leads_nowhere_is_noticed(root: Path, link: str) -> None:
    assert not leads(root, "README.md", link)


def test_no_page_names_a_path_of_the_machine_it_was_written_on(pages: dict[str, str]) -> None:
    found = [(name, match[0]) for name, text in pages.items() for match in _MACHINE.finditer(text)]

    assert [] == found


def test_every_page_is_reached_from_the_readme(root: Path, pages: dict[str, str]) -> None:
    reached, waiting = set[str](), ["README.md"]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [page for link in links(pages[name]) if (page := _page(root, name, link)) in pages]

    wanted = {name for name in pages if name.startswith("docs/") and not name.startswith("docs/decisions/")}

    assert [] == sorted(wanted - reached)


def links(text: str) -> Iterator[str]:
    """The links of a page that are not to the world outside."""
    for match in _LINK.finditer(_SPAN.sub("", _CODE.sub("", text))):
        if "://" not in match[1] and not match[1].startswith("mailto:"):
            yield match[1]


def leads(root: Path, name: str, link: str) -> bool:
    """Whether *link* in the page *name* leads to a file of this checkout, and to a heading of it where it says so."""
    path, _, anchor = link.partition("#")
    if path.startswith("/"):
        return False
    target = (root / name).parent / unquote(path) if path else root / name
    if not target.exists():
        return False
    page = target / "README.md" if target.is_dir() else target
    return page.exists() and (not anchor or anchor in {_slug(title) for title in _HEADING.findall(_text(page))})


def _page(root: Path, name: str, link: str) -> str:
    target = ((root / name).parent / unquote(link.partition("#")[0])).resolve()
    return str((target / "README.md" if target.is_dir() else target).relative_to(root))


def _text(page: Path) -> str:
    return _CODE.sub("", page.read_text())


def _slug(title: str) -> str:
    """A heading as its anchor: how the common forges make it."""
    bare = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).strip().lower()
    return re.sub(r"[^\w\- ]", "", bare).replace(" ", "-")
