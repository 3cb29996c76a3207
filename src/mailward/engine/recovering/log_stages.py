"""
The stages of a recovery that have a conversation logged: the protocol log on, what it says, and off again.

Nothing of the service is touched: for a quarter of an hour the conversations of one health mailbox are written down on
the mailbox server. It goes off on every exit of the procedure, and by its own timer on the host where none is reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailward.engine.recovering.facts import Facts
from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.noting import Noting
from mailward.engine.recovering.standing import Turn
from mailward.engine.recovering.world import World
from mailward.model.errors import MailwardError, Refused, TemporaryFailure
from mailward.model.protocol_log import LoggedSession, excerpt
from mailward.model.recovery import Mode, Operation, Step, StepName, StepOutcome
from mailward.ports.protocol_log import ProtocolLog
from mailward.recovery.next_move import log_left_on

LOGGED_FOR = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    """Whose conversations to log, by which log; or why not."""

    user: str = ""
    log: ProtocolLog | None = None
    against: str = ""


class LogStages:
    """Takes them."""

    def __init__(self, world: World, *, facts: Facts, noting: Noting) -> None:
        """Look at *world*, write down by *noting*."""
        self._world = world
        self._facts = facts
        self._noting = noting

    async def on(self, turn: Turn) -> Operation:
        """Log the health mailbox whose way is broken, where it is served; a person's own protocol log is left alone."""
        wanted = self._wanted(turn)
        if wanted.log is None:
            return await self._noting.note(turn, StepOutcome.REFUSED, wanted.against)
        standing, unseen = await bounded(wanted.log.standing())
        if standing is None or not standing.is_available:
            because = unseen if standing is None else standing.because
            return await self._noting.note(turn, StepOutcome.REFUSED, because)
        now = self._world.clock.now()
        if wanted.user in standing.users:
            because = f"it is on already, for {', '.join(standing.users)}; it stays as it is"
            return await self._noting.note(turn, StepOutcome.SKIPPED, because)
        try:
            after = await wanted.log.on((wanted.user,), until=now + LOGGED_FOR)
        except TemporaryFailure as failure:
            because = f"it is not known whether it is on: {failure}; it goes off by itself"
            return await self._noting.note(turn, StepOutcome.UNKNOWN, because, evidence={"user": wanted.user})
        except MailwardError as failure:
            return await self._noting.note(turn, StepOutcome.REFUSED, str(failure))
        because = f"the conversations of {wanted.user} are logged below {after.directory}"
        evidence = {"user": wanted.user, "until": (after.until or now + LOGGED_FOR).isoformat()}
        return await self._noting.note(turn, StepOutcome.DONE, because, evidence=evidence)

    async def off(self, turn: Turn) -> Operation:
        """Switch it off and remove what was logged; what cannot be done now the timer on the host does."""
        left_on = log_left_on(turn.operation, turn.steps)
        if left_on is None:
            return await self._noting.note(turn, StepOutcome.SKIPPED, "this recovery has not switched it on")
        turn = replace(turn, at=replace(turn.at, server=left_on.server))
        log = self._world.controls().protocol_logs.get(turn.at.server)
        if log is None:
            because = "its protocol log is not reached any more; it goes off by itself"
            return await self._noting.note(turn, StepOutcome.SKIPPED, because)
        # whom a person or another recovery has logged besides stays logged
        said, unseen = await bounded(_switched_off(log, _logged_by(turn.steps)))
        if said is None:
            return await self._noting.note(turn, StepOutcome.UNKNOWN, f"it goes off by itself: {unseen}")
        return await self._noting.note(turn, StepOutcome.DONE, said)

    async def collect(self, turn: Turn) -> Operation:
        """Which mailbox server serves the customer touch point, and what the logs of both tiers say of it."""
        sessions = await self._sessions(turn)
        named = sessions[-1].mailbox_server if sessions else None
        serving = named or self._facts.serving_server(turn.operation)
        if serving is None:
            return await self._noting.note(turn, StepOutcome.UNKNOWN, "it is not known which mailbox server serves it")
        alert = self._facts.alert_of(serving)
        because = f"{serving} serves it; its IMAP monitors say {alert.value if alert is not None else 'nothing'}"
        evidence: dict[str, object] = {"mailbox_server": serving}
        if sessions:
            because = f"{because}; {sessions[-1].because}"
            evidence["protocol_log"] = list(excerpt(sessions))
        return await self._noting.note(turn, StepOutcome.DONE, because, evidence=evidence)

    async def _sessions(self, turn: Turn) -> tuple[LoggedSession, ...]:
        """
        The sessions of the health mailbox since its protocol log was to go on, by the logs of both tiers.

        Those that came through this proxy, or through any: other probes log in to the same mailbox directly.
        """
        user = self._user(turn.operation)
        since = _asked_for(turn.steps)
        if user is None or since is None:
            return ()
        found, _ = await bounded(self._world.sessions_of(user, since))
        through = [one for one in found or () if one.proxy is not None]
        here = [one for one in through if one.proxy == turn.operation.server]
        return tuple(here or through or found or ())

    def _wanted(self, turn: Turn) -> _Wanted:
        server, user = turn.at.server, self._user(turn.operation)
        forbidden = self._world.forbidden() or self._held(server)
        if forbidden is not None:
            return _Wanted(against=forbidden)
        if user is None:
            return _Wanted(against="it is not known whose conversations are to be logged")
        log = self._world.controls().protocol_logs.get(server)
        if log is None:
            against = f"the protocol log of {server} is not reached: its configuration names no host.doveadm"
            return _Wanted(against=against)
        return _Wanted(user=user, log=log)

    def _held(self, server: str) -> str | None:
        """Why nothing is to be changed on that server: the organization only recommends, or people work there."""
        if self._world.settings().mode is Mode.RECOMMEND:
            return "it is recommended, and left to a person: mailward protocol-log on " + server
        holds = self._facts.holds_on(server)
        return f"{holds[0].subject} is held, by {holds[0].by_whom}" if holds else None

    def _user(self, operation: Operation) -> str | None:
        database = self._world.organization().databases.get(operation.cause.target) if operation.cause else None
        mailbox = database.health_mailbox if database is not None else None
        return mailbox.user if mailbox is not None else None


def _logged_by(steps: Sequence[Step]) -> tuple[str, ...]:
    """Whose conversations this operation has had logged; where that was not known for sure, whose it wanted."""
    named = [step.evidence.get("user") for step in steps if step.name is StepName.PROTOCOL_LOG_ON]
    return tuple(str(user) for user in named if user is not None)


async def _switched_off(log: ProtocolLog, users: Sequence[str]) -> str:
    """What came of it. Where something lay there that is not Dovecot's it is off all the same, and the text says so."""
    try:
        await log.off(users)
    except Refused as refusal:
        return str(refusal)
    return "nothing is logged any more"


def _asked_for(steps: Sequence[Step]) -> datetime | None:
    return next((step.started for step in reversed(steps) if step.name is StepName.PROTOCOL_LOG_ON), None)
