"""Which rows of a matrix somebody wants to see: as the address of the page says, or as suits how many there are."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from mailward.web.pages.paging import Part, Row, part_of
from mailward.web.requests import asked

ALL_SHOWN_UP_TO = 60
"""So many rows are shown even when all of them are well."""
ROWS_A_PAGE = 100
_SHOW = {"wrong": True, "all": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which rows."""

    text: str = ""
    """A part of a name."""
    only_wrong: bool | None = None
    """None: as suits the number of rows."""
    page: int = 1

    def is_only_wrong(self, rows: int) -> bool:
        """Whether, of so many rows, only what is wrong is shown."""
        return rows > ALL_SHOWN_UP_TO if self.only_wrong is None else self.only_wrong

    def part_of(self, rows: Sequence[Row]) -> Part[Row]:
        """The rows of the page that is wanted."""
        return part_of(rows, self.page, size=ROWS_A_PAGE)


def wanted_by(request: Request) -> Wanted:
    """
    Read what the address asks for.

    Raises:
        Problem: There is something unknown in it.
    """
    given = asked(request)
    wanted = Wanted(
        text=given.text("q") or "",
        only_wrong=_SHOW.get(given.text("show") or ""),
        page=given.integer("page", 1, low=1, high=100_000),
    )
    given.text("said")
    given.finish()
    return wanted
