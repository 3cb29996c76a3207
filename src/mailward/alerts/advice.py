"""What a person does next, with the exact commands: the question first, then a look, then the deed."""

from collections.abc import Iterator
from dataclasses import dataclass

from mailward.alerts.language import Message, message
from mailward.alerts.matter import Matter
from mailward.alerts.urgency import Judgement
from mailward.model import items
from mailward.model.identity import identity_of
from mailward.model.monitoring import MonitorKey
from mailward.model.recovery import OperationStatus
from mailward.model.verdict import Dependency, Tier

_ADVICE = {item.name: message(item.advice) for item in items.MONITORS}
_OF_TIER = {
    Tier.NAME_SERVICE: message("Look at the name servers this host uses. Restarting IMAP services does not help."),
    Tier.NETWORK: message(
        "Look at the network between mailward and the servers. Restarting IMAP services does not help."
    ),
    Tier.DIRECTORY: message("Look at the directory that holds the users. Restarting IMAP services does not help."),
    Tier.ACCESS_POINT: message("Look at the load balancer, and whether it still has a proxy to send users to."),
    Tier.PATH: message("Both ends are well: look at the network and the firewall between proxy and mailbox server."),
    Tier.STORE: message(
        "Look at the store: permissions, space, the mount. Restarting the IMAP service does not mend a store; another"
        " copy of the database can serve it."
    ),
    Tier.MONITORING: message("Mend what mailward watches with: its accounts, its address, its own host."),
}
_OF_DEPENDENCY = {
    Dependency.CERTIFICATE: message(
        "Renew the certificate; where the one on disk is newer than the one served, reload."
    ),
    Dependency.AUTHENTICATION: message(
        "Look at the authentication service and at what it asks: passwords database, directory."
    ),
}
_OF_ITS_ITEMS = frozenset({Tier.MONITORING, Tier.UNKNOWN})
"""Where what each monitor advises says more than the tier does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """One thing to do: a sentence, a command, or both."""

    sentence: Message | None = None
    command: tuple[str, ...] = ()


def next_steps(matter: Matter, judgement: Judgement) -> Iterator[Advice]:
    """What to do, the most helpful first."""
    operation = judgement.operation
    if operation is not None and operation.status is OperationStatus.AWAITING_APPROVAL:
        number = str(operation.id)
        yield Advice(
            sentence=message("Say yes (mailward looks again before it acts):"),
            command=_mailward("recoveries", "approve", number),
        )
        yield Advice(sentence=message("or no:"), command=_mailward("recoveries", "deny", number))
    if judgement.is_at_work:
        yield Advice(sentence=message("Nothing now: mailward is at work. You are called if it does not help."))
    if operation is not None:
        yield Advice(
            sentence=message("The whole story, down to the conversation:"), command=_mailward("why", str(operation.id))
        )
    if judgement.is_at_work:
        return
    yield from _repair(matter)
    if operation is None and matter.cause.server:
        yield Advice(sentence=message("What is known of it now:"), command=_mailward("why", matter.cause.server))
    if matter.cause.server and matter.cause.tier is not Tier.MONITORING:
        yield Advice(
            sentence=message("While you work on it, keep mailward's hands and calls away:"),
            command=_mailward(
                "maintenance", "start", matter.cause.server, "--for", "1h", "--reason", "repairing by hand"
            ),
        )


def _repair(matter: Matter) -> Iterator[Advice]:
    verdict, cause = matter.verdict, matter.cause
    dependency = verdict.dependency if verdict is not None else None
    if dependency in _OF_DEPENDENCY:
        yield Advice(sentence=_OF_DEPENDENCY[dependency])
        if dependency is Dependency.CERTIFICATE and cause.server and cause.tier.runs_the_service:
            yield Advice(command=_mailward("service", "reload", cause.server))
        return
    if cause.tier in _OF_TIER:
        yield Advice(sentence=_OF_TIER[cause.tier])
    if cause.tier in _OF_ITS_ITEMS:
        shown = tuple(dict.fromkeys(status.key.item for status in matter.statuses))
        yield from (Advice(sentence=_ADVICE[item]) for item in shown[:3] if item in _ADVICE)
    if cause.tier.runs_the_service and cause.server:
        yield Advice(
            sentence=message("What the host says of the service:"), command=_mailward("service", "status", cause.server)
        )
        yield Advice(
            sentence=message("If it failed or was stopped:"), command=_mailward("service", "start", cause.server)
        )
        yield Advice(sentence=message("If it runs but hangs:"), command=_mailward("service", "restart", cause.server))
    if cause.tier is Tier.MONITORING and any(key.item == items.HEALTH_MAILBOX_MONITOR for key in matter.monitors):
        yield Advice(command=_mailward("accounts", "check"))


def probe_again(key: MonitorKey) -> tuple[str, ...]:
    """The command that looks again at what a monitor looks at."""
    return _mailward("probe", identity_of(key.health_set, key.item, key.target).rstrip("/"), "--server", key.server)


def _mailward(*words: str) -> tuple[str, ...]:
    return ("mailward", *words)
