"""Long lists in pages: which part is shown, and how many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

Row = TypeVar("Row")
ROWS_A_PAGE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Part(Generic[Row]):
    """The rows of one page of a list."""

    rows: tuple[Row, ...]
    page: int
    pages: int
    total: int


def part_of(rows: Sequence[Row], page: int, *, size: int = ROWS_A_PAGE) -> Part[Row]:
    """Return the rows of *page*, counted from 1; of the nearest page where there is no such one."""
    pages = max(1, -(-len(rows) // size))
    number = min(max(1, page), pages)
    return Part(rows=tuple(rows[(number - 1) * size : number * size]), page=number, pages=pages, total=len(rows))


def address(path: str, **asked: object) -> str:
    """Return *path* with what is *asked* of it; what is None or "" is left out."""
    given = {name: value for name, value in asked.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path
