"""
The last result of every probe, and which of them a failure is to be held against.

Thousands of probes may fail within seconds, so a failure is never compared with all that is known, but with what is
known of the servers and the database it is about, and with the newest news of every kind from elsewhere: enough to see
whether others are well or fail alike. All of it is bounded; in a small organization nothing is left out.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from mailward.model.probing import ProbeResult, ResultType
from mailward.monitors.samples import ProbeKey, probe_key

INVOLVED_MOST = 100
"""For each server and database a failure is about: so many results of each probe and outcome, the newest ones."""
ELSEWHERE_MOST = 25
"""Of everything else: so many results of each probe and outcome, the newest ones."""

_Shelf = dict[ProbeKey, None]
_Kind = tuple[str, ResultType]


class Recollection:
    """Knows the last results, shelved by what they are about."""

    def __init__(self) -> None:
        self._latest: dict[ProbeKey, ProbeResult] = {}
        self._places: dict[ProbeKey, tuple[_Shelf, ...]] = {}
        self._shelves: dict[str, dict[_Kind, _Shelf]] = {}
        """By server or database, each probe's results by how they ended, the newest last; "" has all of them."""

    def latest(self, key: ProbeKey) -> ProbeResult | None:
        """The last result of a probe, or None."""
        return self._latest.get(key)

    def note(self, result: ProbeResult, about: Iterable[str] = ()) -> None:
        """Keep a result in place of the probe's last one; *about* names the servers it may have passed."""
        key = probe_key(result)
        self._latest[key] = result
        for shelf in self._places.get(key, ()):
            shelf.pop(key, None)
        names = {"", result.server, result.target, *about}
        if result.mailbox_server is not None:
            names.add(result.mailbox_server)
        places = tuple(self._shelf(name, (result.probe, result.result)) for name in names)
        for shelf in places:
            shelf[key] = None
        self._places[key] = places

    def replace(self, result: ProbeResult) -> None:
        """Keep the same result with more said about it; one that has been overtaken is left alone."""
        key = probe_key(result)
        known = self._latest.get(key)
        if known is not None and known.at == result.at:
            self._latest[key] = result

    def around(self, result: ProbeResult, about: Iterable[str]) -> list[ProbeResult]:
        """What to hold against *result*, which is about these servers and its target."""
        mine = probe_key(result)
        found: dict[ProbeKey, None] = {}
        for name in (result.target, *about):
            found.update(self._newest(name, INVOLVED_MOST))
        found.update(self._newest("", ELSEWHERE_MOST))
        found.pop(mine, None)
        return [self._latest[key] for key in found]

    def _newest(self, name: str, most: int) -> Iterator[tuple[ProbeKey, None]]:
        for shelf in self._shelves.get(name, {}).values():
            yield from ((key, None) for key in islice(reversed(shelf), most))

    def _shelf(self, name: str, kind: _Kind) -> _Shelf:
        return self._shelves.setdefault(name, {}).setdefault(kind, {})
