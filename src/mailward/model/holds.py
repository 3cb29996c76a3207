"""
What operators, other requesters and installers hold in place for a while: each has an owner, a reason and an end.

Component states, maintenance, repairing, pause, overrides, announced package upgrades and blocked activation are one
kind of value, so that every surface shows who holds what, since when and until when, in one way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from mailward.model.durations import moment_words
from mailward.model.organization import Server


class HoldKind(Enum):
    """What is held."""

    COMPONENT_STATE = "component-state"
    """`subject` SERVER/COMPONENT, `value` Active, Inactive or Draining, one entry a requester; any Inactive wins."""
    MAINTENANCE = "maintenance"
    """`subject` SERVER: nothing is done to it and nobody is called for it."""
    REPAIRING = "repairing"
    """`subject` SERVER/HEALTHSET/ITEM/TARGET: somebody repairs what this monitor says (Set-ServerMonitor)."""
    PAUSE = "pause"
    """`subject` "organization" or SERVER: no action is taken; watching goes on."""
    OVERRIDE = "override"
    """`subject` SERVER/HEALTHSET/ITEM[/TARGET], SERVER "*" for all: one property of one item has another value."""
    UPGRADE = "package-upgrade"
    """`subject` SERVER: a package upgrade is at work, which starts and stops services itself."""
    ACTIVATION = "activation"
    """
    `subject` SERVER or SERVER/DATABASE, `value` "blocked": these copies may not become active. What is active stays so
    (Set-MailboxServer -DatabaseCopyAutoActivationPolicy Blocked, Suspend-MailboxDatabaseCopy -ActivationOnly).
    """


class Requester(Enum):
    """Who may ask for a component state (Set-ServerComponentState): only the one who set an entry clears it."""

    HEALTH_API = "HealthAPI"
    """mailward itself."""
    MAINTENANCE = "Maintenance"
    SIDELINED = "Sidelined"
    FUNCTIONAL = "Functional"
    DEPLOYMENT = "Deployment"


class Component(Enum):
    """What can be made inactive on a server (Set-ServerComponentState -Component)."""

    IMAP_PROXY = "ImapProxy"
    """A proxy's service to clients."""
    IMAP = "Imap"
    """A mailbox server's service to clients."""
    SERVER_WIDE_OFFLINE = "ServerWideOffline"
    """Inactive: the whole server is out of service; it overrides every other but the next two."""
    RECOVERY_ACTIONS_ENABLED = "RecoveryActionsEnabled"
    """Inactive: mailward takes no action on that server."""
    MONITORING = "Monitoring"
    """Inactive: nothing is probed on that server, and its monitors are Disabled."""


class HeldState(Enum):
    """The value of a component state: how an entry wants the component to be."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"
    DRAINING = "Draining"
    """No new sessions; those there are may go on."""


APART: frozenset[Component] = frozenset({Component.MONITORING, Component.RECOVERY_ACTIONS_ENABLED})
"""What ServerWideOffline and maintenance do not reach (managed-availability reference, section 6)."""
WHOLE_ORGANIZATION = "organization"
"""The subject of a pause that concerns every server."""
EVERY_SERVER = "*"
"""Begins the subject of an override that concerns every server."""
BLOCKED = "blocked"
"""The value of an activation: there is no other, since a copy that nobody blocks may become active."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """One thing held in place. `id` is 0 until the store has numbered it."""

    kind: HoldKind
    subject: str
    value: str
    """What is held: a component state, an override's value; "on" where there is nothing to choose."""
    owner: str
    """Who asked."""
    reason: str
    since: datetime
    """In force from here on: in the future for scheduled maintenance."""
    until: datetime | None = None
    """None: until it is taken back."""
    requester: Requester | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    """Overrides: `item_type` (probe, monitor, responder) and `property`."""
    ended_at: datetime | None = None
    ended_by: str | None = None
    id: int = 0

    def is_in_force(self, now: datetime) -> bool:
        """Whether it holds at *now*."""
        return self.ended_at is None and self.since <= now and (self.until is None or now < self.until)

    @property
    def server(self) -> str:
        """What the subject begins with: a server, or one of `WHOLE_ORGANIZATION` and `EVERY_SERVER`."""
        return self.subject.partition("/")[0]

    def is_on(self, server: str) -> bool:
        """Whether it is about that one server; the configuration may spell it otherwise since."""
        return self.server.lower() == server.lower()

    def blocks_activation(self, server: str, database: str) -> bool:
        """Whether it keeps the copy of *database* on *server* from becoming active, while it is in force."""
        which = self.subject.partition("/")[2].lower()
        return self.kind is HoldKind.ACTIVATION and self.is_on(server) and which in ("", database.lower())

    @property
    def component(self) -> Component | None:
        """The component an entry is about; None for other holds, and for one that a newer version wrote."""
        if self.kind is not HoldKind.COMPONENT_STATE:
            return None
        name = self.subject.partition("/")[2].lower()
        return next((component for component in Component if component.value.lower() == name), None)

    @property
    def state(self) -> HeldState:
        """How it wants what it is about to be; Active where it has no say in that."""
        if self.kind is HoldKind.MAINTENANCE:
            return HeldState.INACTIVE
        if self.component is None:
            return HeldState.ACTIVE
        return next((state for state in HeldState if state.value.lower() == self.value.lower()), HeldState.ACTIVE)

    @property
    def by_whom(self) -> str:
        """Who holds it, until when and why: one clause."""
        until = f" until {moment_words(self.until)}" if self.until is not None else ""
        return f"{self.owner}{until}: {self.reason}"


def components_of(server: Server) -> tuple[Component, ...]:
    """The components that exist on a server."""
    own = [
        *([Component.IMAP_PROXY] if server.is_proxy else []),
        *([Component.IMAP] if server.is_mailbox else []),
    ]
    return (*own, Component.SERVER_WIDE_OFFLINE, Component.RECOVERY_ACTIONS_ENABLED, Component.MONITORING)
