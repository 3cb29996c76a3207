"""
Whether something may be held: names in the organization's own spelling, a reason, an end after the beginning.

What is checked here is what a person may get wrong; every refusal says what to write instead. A hold that would match
nothing is refused: an empty selection means nothing, and an override that meets no item would only look like one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from enum import Enum
from typing import TypeVar

from mailward.model.errors import NotFound, Refused
from mailward.model.holds import (
    APART,
    BLOCKED,
    EVERY_SERVER,
    WHOLE_ORGANIZATION,
    Component,
    HeldState,
    Hold,
    HoldKind,
    Requester,
    components_of,
)
from mailward.model.identity import identity_of, parse_identity
from mailward.model.items import HEALTH_SETS, MONITORS, PROBES
from mailward.model.monitoring import MonitorKey
from mailward.model.organization import Organization
from mailward.monitors.coverage import Coverage
from mailward.monitors.overrides import ITEM_TYPES, MONITOR, PROBE, RESPONDER, properties_of
from mailward.monitors.planning import MANAGER
from mailward.monitors.properties import read_value
from mailward.monitors.scope import ANY, Scope

UPGRADE_LASTS = timedelta(hours=1)
"""An announced package upgrade without an end ends by itself: an installer that died never takes it back."""
REASON_MAX = 500
WORD_MAX = 100
"""The longest word of `data`: longer than any that means something, short enough for an error to repeat."""
_MEMBERS_SHOWN = 6
Member = TypeVar("Member", bound=Enum)
_ON = "on"
_BY = "by"


def check(hold: Hold, *, organization: Organization, coverage: Coverage, now: datetime) -> Hold:
    """
    Return *hold* as it may be stored: names as the organization spells them, values in one form.

    Args:
        hold: As it was asked for.
        organization: The servers there are.
        coverage: The probes and monitors there are, before any override.
        now: Nothing begins before it.

    Raises:
        NotFound: A name that does not exist; the text names the nearest.
        Refused: Something that cannot be; the text says what to write instead.
    """
    reason = " ".join(hold.reason.split())
    if not reason:
        raise Refused("a reason is missing: whoever finds this later must know why")
    if len(reason) > REASON_MAX:
        raise Refused(f"the reason is longer than {REASON_MAX} characters")
    checked = _CHECKS[hold.kind](_Asked(hold, organization, coverage))
    checked = replace(checked, reason=reason, since=max(hold.since, now), ended_at=None, ended_by=None, id=0)
    if hold.kind is HoldKind.UPGRADE and checked.until is None:
        checked = replace(checked, until=checked.since + UPGRADE_LASTS)
    if checked.until is not None and checked.until <= checked.since:
        raise Refused("it would end before it begins")
    return checked


def check_words(hold: Hold) -> tuple[Scope, str, str]:
    """
    Check of an override what can be checked without knowing the organization.

    Returns:
        Which items are meant, the property and its value as they would be stored.

    Raises:
        NotFound: There is no item or property of that name.
        Refused: The value cannot be.
    """
    item_type = _item_type(hold)
    place, _, identity = hold.subject.strip().replace("\\", "/").partition("/")
    scope = _worded(place, identity, item_type)
    return (scope, *_value(hold, item_type, scope))


def concerns(hold: Hold) -> tuple[str, ...]:
    """What a person should be told of a hold that is allowed, and perhaps not meant."""
    found = []
    is_away = hold.kind is HoldKind.COMPONENT_STATE and hold.value != HeldState.ACTIVE.value
    if hold.until is None and (is_away or hold.kind not in (HoldKind.COMPONENT_STATE, HoldKind.UPGRADE)):
        found.append("it has no end: it stays until somebody takes it back; --for 2h would end it by itself")
    if hold.kind is HoldKind.PAUSE and hold.subject == WHOLE_ORGANIZATION:
        found.append("no action is taken on any server meanwhile; watching and alerting go on")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A hold as it was asked for, and what there is."""

    hold: Hold
    organization: Organization
    coverage: Coverage

    @property
    def subject(self) -> str:
        return self.hold.subject.strip().replace("\\", "/")

    def server(self, name: str) -> str:
        """The name of a server."""
        if not name:
            raise Refused("the name of a server is missing")
        return self.organization.server_named(name).name

    def place(self, name: str) -> str:
        """The name of a server, an access point, or mailward itself: whatever has probes."""
        others = {one.lower(): one for one in (*self.organization.access_points, MANAGER)}
        return others.get(name.lower()) or self.server(name)


def _component_state(asked: _Asked) -> Hold:
    hold = asked.hold
    name, _, rest = asked.subject.partition("/")
    server = asked.organization.servers[asked.server(name)]
    component = _member(Component, rest, "component")
    there = components_of(server)
    if component not in there:
        known = ", ".join(one.value for one in there)
        raise Refused(f"{server.name} has no component {component.value}; it has {known}")
    state = _member(HeldState, hold.value, "component state")
    if state is HeldState.DRAINING and component in APART:
        raise Refused(f"{component.value} serves nobody and cannot be Draining; write Active or Inactive")
    if hold.requester is None:
        known = ", ".join(one.value for one in Requester)
        raise Refused(f"a component state needs a requester, who alone can clear it: one of {known}")
    return replace(hold, subject=f"{server.name}/{component.value}", value=state.value, data={})


def _of_server(asked: _Asked) -> Hold:
    return _plain(asked, asked.server(asked.subject))


def _pause(asked: _Asked) -> Hold:
    whole = asked.subject.lower() == WHOLE_ORGANIZATION
    return _plain(asked, WHOLE_ORGANIZATION if whole else asked.server(asked.subject))


def _repairing(asked: _Asked) -> Hold:
    scope = _scope(asked, MONITOR)
    if scope.server == EVERY_SERVER:
        raise Refused("one monitor of one server is repaired at a time: name the server")
    met = [one for one in asked.coverage.monitors if _covers_monitor(scope, one.key)]
    if len(met) > 1:
        targets = _listed(one.key.target for one in met)
        raise Refused(f"{scope} is several monitors; add the target of one: {targets}")
    if not met[0].settings.enabled:
        raise Refused(f"{scope} is disabled in the configuration: enable it before marking it as under repair")
    key = met[0].key
    return _plain(asked, f"{key.server}/{identity_of(key.health_set, key.item, key.target)}")


def _override(asked: _Asked) -> Hold:
    hold = asked.hold
    if hold.until is None:
        raise Refused("an override needs an end; what is to stay belongs into the configuration")
    item_type = _item_type(hold)
    scope = _scope(asked, item_type)
    name, value = _value(hold, item_type, scope)
    return replace(
        hold, subject=str(scope), value=value, requester=None, data={"item_type": item_type, "property": name}
    )


def _item_type(hold: Hold) -> str:
    item_type = _word(hold, "item_type").lower()
    if item_type not in ITEM_TYPES:
        raise Refused(f"there is no item type {item_type!r}; write one of {', '.join(ITEM_TYPES)}")
    return item_type


def _word(hold: Hold, name: str) -> str:
    return str(hold.data.get(name, "")).strip()[:WORD_MAX]


def _value(hold: Hold, item_type: str, scope: Scope) -> tuple[str, str]:
    """The property and its value, in the one form that is stored."""
    known = properties_of(item_type, scope.item)
    name, value = read_value(known, _word(hold, "property"), hold.value, of=f"the {item_type} {scope.item}")
    return name, known[name].write(value)


def _activation(asked: _Asked) -> Hold:
    hold = asked.hold
    name, slash, rest = asked.subject.partition("/")
    server = asked.organization.servers[asked.server(name)]
    if not server.is_mailbox:
        raise Refused(f"{server.name} is no mailbox server: it has no copies that could become active")
    if hold.value.strip().lower() != BLOCKED:
        raise Refused(
            f"the value of {hold.kind.value} is {BLOCKED!r}; {hold.value!r} means nothing here: to allow it again, end"
            " the hold, as `mailward activation allow` does"
        )
    if slash and not rest:
        # SERVER/ would mean every copy of the server, which is not what somebody who typed a slash had in mind
        raise Refused(f"the name of a database is missing in {hold.subject!r}")
    subject = f"{server.name}/{_copy(asked.organization, server.name, rest)}" if rest else server.name
    return replace(hold, subject=subject, value=BLOCKED, requester=None, data={})


def _copy(organization: Organization, server: str, name: str) -> str:
    """The name of a database that has a copy on *server*."""
    database = organization.database_named(name)
    if server not in database.copies:
        raise Refused(f"{server} holds no copy of {database.name}; its copies are on {', '.join(database.copies)}")
    return database.name


def _plain(asked: _Asked, subject: str) -> Hold:
    """A hold that is only on or off."""
    if asked.hold.value.strip().lower() != _ON:
        raise Refused(f"the value of {asked.hold.kind.value} is {_ON!r}; {asked.hold.value!r} means nothing here")
    return replace(asked.hold, subject=subject, value=_ON, requester=None, data=_announced_by(asked.hold))


def _announced_by(hold: Hold) -> Mapping[str, object]:
    """Which program announced it, where one did; it is shown to people, and kept."""
    if _BY not in hold.data:
        return {}
    by = hold.data[_BY]
    if not isinstance(by, str) or not by.isprintable() or len(by) > WORD_MAX:
        raise Refused(f"data.{_BY} must be the name of a program, of at most {WORD_MAX} printable characters")
    return {_BY: by}


def _scope(asked: _Asked, item_type: str) -> Scope:
    """Which items are meant; refused when there is none."""
    server, _, identity = asked.subject.partition("/")
    if not identity:
        raise Refused(f"{asked.hold.subject!r} names no item: write SERVER/HEALTHSET/ITEM")
    place = EVERY_SERVER if server == EVERY_SERVER else asked.place(server)
    scope = _worded(place, identity, item_type)
    there = _met(scope, asked.coverage, item_type)
    if not there:
        raise NotFound(_meets_nothing(scope, asked.coverage, item_type))
    if scope.target is not None:
        target = next(target for target in there if target.lower() == scope.target.lower())
        return replace(scope, target=target)
    return scope


def _worded(place: str, identity: str, item_type: str) -> Scope:
    """What an identity means, whether or not there is such an item."""
    wide = _wide(place, identity) if item_type == RESPONDER else None
    return wide or _named(place, identity, item_type)


def _wide(place: str, identity: str) -> Scope | None:
    """A responder's identity with wildcards: "*", "HEALTHSET/*"; None for any other."""
    health_set, _, item = identity.partition("/")
    if identity == ANY or (health_set == ANY and item in ("", ANY)):
        return Scope(server=place, health_set=ANY, item=ANY)
    if item != ANY:
        return None
    known = {one.name.lower(): one.name for one in HEALTH_SETS}
    if health_set.lower() not in known:
        raise NotFound(f"there is no health set {health_set!r}{_hint(health_set, known)}")
    return Scope(server=place, health_set=known[health_set.lower()], item=ANY)


def _named(place: str, identity: str, item_type: str) -> Scope:
    named = parse_identity(identity)
    homes: Mapping[str, tuple[str, ...]] = {
        **({one.name: one.health_sets for one in PROBES} if item_type == PROBE else {}),
        **({one.name: one.health_sets for one in MONITORS} if item_type != PROBE else {}),
    }
    if named.item not in homes:
        if item_type == PROBE:
            raise Refused(f"{named.item} is a monitor; its probes: {', '.join(named.probes)}")
        raise Refused(f"{named.item} is a probe; its monitors: {', '.join(_monitors_of(named.item))}")
    health_set = named.health_set
    if health_set is None:
        if len(homes[named.item]) > 1:
            raise Refused(f"{named.item} is in {', '.join(homes[named.item])}: write HEALTHSET/{named.item}")
        (health_set,) = homes[named.item]
    return Scope(server=place, health_set=health_set, item=named.item, target=named.target)


def _monitors_of(probe: str) -> tuple[str, ...]:
    return next(one.monitors for one in PROBES if one.name == probe)


def _met(scope: Scope, coverage: Coverage, item_type: str) -> tuple[str, ...]:
    """The targets of the items that are meant."""
    if item_type == PROBE:
        return tuple(
            one.key.target
            for one in coverage.probes
            if scope.covers(one.key.server, one.health_set, one.key.probe, one.key.target)
        )
    return tuple(one.key.target for one in coverage.monitors if _covers_monitor(scope, one.key))


def _covers_monitor(scope: Scope, key: MonitorKey) -> bool:
    return scope.covers(key.server, key.health_set, key.item, key.target)


def _meets_nothing(scope: Scope, coverage: Coverage, item_type: str) -> str:
    where = "no server" if scope.server == EVERY_SERVER else scope.server
    has = "has" if scope.server == EVERY_SERVER else "has no"
    what = (
        identity_of(scope.health_set, scope.item, scope.target) if scope.target else f"{scope.health_set}/{scope.item}"
    )
    targets = _met(replace(scope, target=None), coverage, item_type)
    hint = f"; its targets are {_listed(targets)}" if targets else "; `mailward items` lists what there is"
    return f"{where} {has} {what}{hint}"


def _member(kind: type[Member], text: str, what: str) -> Member:
    known = {str(member.value).lower(): member for member in kind}
    if text.strip().lower() in known:
        return known[text.strip().lower()]
    spelled = {name: str(member.value) for name, member in known.items()}
    raise NotFound(f"there is no {what} {text!r}{_hint(text, spelled)}")


def _hint(text: str, known: Mapping[str, str]) -> str:
    nearest = get_close_matches(text.lower(), known, n=1, cutoff=0.5)
    return f"; did you mean {known[nearest[0]]!r}?" if nearest else f"; known: {', '.join(known.values())}"


def _listed(names: Iterable[str]) -> str:
    several = sorted(set(names))
    more = f" and {len(several) - _MEMBERS_SHOWN} more" if len(several) > _MEMBERS_SHOWN else ""
    return ", ".join(several[:_MEMBERS_SHOWN]) + more


_CHECKS: Mapping[HoldKind, Callable[[_Asked], Hold]] = {
    HoldKind.COMPONENT_STATE: _component_state,
    HoldKind.MAINTENANCE: _of_server,
    HoldKind.REPAIRING: _repairing,
    HoldKind.PAUSE: _pause,
    HoldKind.OVERRIDE: _override,
    HoldKind.UPGRADE: _of_server,
    HoldKind.ACTIVATION: _activation,
}
