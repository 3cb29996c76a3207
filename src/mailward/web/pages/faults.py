"""The demo's panel: break something, watch what mailward does about it, and heal it again."""

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from mailward.ports.faults import Faults, KnownFault
from mailward.ports.manager import Manager
from mailward.web.pages.rendering import back_to, page
from mailward.web.requests import asked, form
from mailward.web.routes import Routes

_CHOSEN = "the one you choose"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """Faults that differ only in where they strike."""

    name: str
    sentence: str
    """What happens, whichever place is chosen."""
    faults: tuple[KnownFault, ...]
    """Those that can be had here and do not last."""
    why_not: str | None
    """Why none can be had here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Kinds that an experienced administrator would mend in the same way."""

    remedy: str
    kinds: tuple[Kind, ...]


def groups(known: Iterable[KnownFault]) -> tuple[Group, ...]:
    """Put faults together by remedy and kind, in the order in which they come."""
    kinds: dict[str, list[KnownFault]] = {}
    for fault in known:
        kinds.setdefault(fault.kind, []).append(fault)
    found: dict[str, list[Kind]] = {}
    for faults in kinds.values():
        found.setdefault(faults[0].remedy, []).append(_kind(faults))
    return tuple(Group(remedy=remedy, kinds=tuple(own)) for remedy, own in found.items())


def _kind(faults: list[KnownFault]) -> Kind:
    first = faults[0]
    is_anywhere = len(faults) > 1 and first.place is not None
    return Kind(
        name=first.kind,
        sentence=first.sentence.replace(first.place or "", _CHOSEN) if is_anywhere else first.sentence,
        faults=tuple(fault for fault in faults if fault.why_not is None and not fault.is_active),
        why_not=first.why_not,
    )


def reads(faults: Faults) -> Routes:
    """The panel for what can be broken by *faults*."""

    async def show(manager: Manager, request: Request) -> Response:
        given = asked(request)
        given.text("said")
        given.finish()
        known = await faults.known()
        active = [fault for fault in known if fault.is_active]
        return await page(manager, request, "faults.html", active=active, groups=groups(known))

    return {"/faults": show}


def changes(faults: Faults) -> Routes:
    """What its buttons do."""

    async def break_(_manager: Manager, request: Request) -> Response:
        given = await form(request)
        name = given.required_text("name")
        given.finish()
        fault = await faults.break_(name)
        return back_to("/faults", f"Broken: {fault.sentence}.")

    async def heal(_manager: Manager, request: Request) -> Response:
        given = await form(request)
        name = given.text("name")
        given.finish()
        healed = await faults.heal(name)
        return back_to("/faults", f"Healed: {', '.join(healed)}." if healed else "Nothing was broken.")

    return {"/faults/break": break_, "/faults/heal": heal}
