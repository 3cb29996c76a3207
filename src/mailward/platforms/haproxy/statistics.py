"""
What `show stat` says of the servers of one backend: CSV, read by its header and never by position.

Columns and words: HAProxy's management guide 2.6, 9.1, and measured. Two words mislead: a server of weight 0 without a
check is shown as "no check", not as DRAIN; "UP 1/2" is still up, about to go down.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.haproxy.runtime_socket import excerpt
from mailward.ports.access_point_control import Member, Membership

_SERVER_TYPE = "2"
_NEEDED = frozenset({"pxname", "svname", "type", "status", "weight", "scur"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerRow:
    """One server of a backend."""

    name: str
    status: str
    """UP, DOWN, MAINT, DRAIN, NOLB or "no check", some with more words behind."""
    weight: int | None
    sessions: int | None
    check: str
    """What its last health check found, as "L4CON Connection refused"; "" without a check."""

    @property
    def is_in_maintenance(self) -> bool:
        """Whether an order keeps clients and checks away from it, by hand or because another server's was."""
        return self.status.startswith("MAINT")

    @property
    def is_draining(self) -> bool:
        """Whether it gets no new clients while it keeps those it has."""
        return not self.is_in_maintenance and (self.status.startswith("DRAIN") or self.weight == 0)

    @property
    def was_ordered(self) -> bool:
        """Whether somebody's order keeps it out or draining: not its agent's word, nor a name that is not found."""
        is_away = self.is_in_maintenance or self.is_draining
        return is_away and not self.status.endswith(("(agent)", "(resolution)"))


def servers_of(backend: str, answer: str) -> tuple[ServerRow, ...]:
    """
    Read the answer to `show stat BACKEND 4 -1`.

    Raises:
        Refused: It is a sentence instead: no such backend, permission denied.
        TemporaryFailure: It is neither.
    """
    if not answer.startswith("# "):
        sentence = excerpt(answer)
        if sentence and "," not in sentence:
            raise Refused(f"HAProxy does not show backend {backend!r}: {sentence}")
        raise TemporaryFailure(f"HAProxy does not answer `show stat` with statistics: {sentence!r}")
    try:
        rows = list(csv.DictReader(answer.removeprefix("# ").split("\n"), strict=True))
    except csv.Error as error:
        raise TemporaryFailure(f"HAProxy's statistics cannot be read: {error}") from error
    _refuse_torn(rows)
    return tuple(_row(row) for row in rows if row["pxname"] == backend and row["type"] == _SERVER_TYPE)


def member(server: str, row: ServerRow) -> Member:
    """What *row* means for the clients of *server*, as mailward calls it."""
    membership, because, was_ordered = _meaning(row)
    return Member(server=server, membership=membership, because=because, sessions=row.sessions, was_ordered=was_ordered)


def _meaning(row: ServerRow) -> tuple[Membership, str, bool]:
    if row.is_in_maintenance:
        return Membership.OUT, f"HAProxy holds it in maintenance ({row.status})", row.was_ordered
    found = f": its check says {row.check}" if row.check else ""
    if row.status.startswith("DOWN"):
        return Membership.OUT, f"HAProxy's own check finds it {row.status}{found}", False
    if row.is_draining:
        how = "its weight is 0" if row.weight == 0 else row.status
        return Membership.DRAINING, f"HAProxy sends it no new clients ({how})", row.was_ordered
    if row.status.startswith("NOLB"):
        return Membership.DRAINING, f"its check asks HAProxy for no new clients ({row.status}){found}", False
    if row.status.startswith("UP") or row.status == "no check":
        return Membership.IN, f"HAProxy sends it clients ({row.status})", False
    return Membership.UNKNOWN, f"HAProxy says {excerpt(row.status)!r}, which mailward does not know", False


def _refuse_torn(rows: Iterable[Mapping[str | None, object]]) -> None:
    for row in rows:
        if not row.keys() >= _NEEDED:
            missing = ", ".join(sorted(_NEEDED - {name for name in row if name}))
            raise TemporaryFailure(f"HAProxy's statistics lack {missing}")
        if None in row or None in row.values():
            raise TemporaryFailure("HAProxy's statistics hold a line that does not fit its header")


def _row(row: Mapping[str, str]) -> ServerRow:
    words = (row.get("check_status", ""), row.get("last_chk", ""))
    return ServerRow(
        name=row["svname"],
        status=row["status"],
        weight=_number(row["weight"]),
        sessions=_number(row["scur"]),
        check=excerpt(" ".join(word for word in words if word)),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None
