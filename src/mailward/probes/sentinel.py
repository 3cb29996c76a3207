"""
The sentinel: one idle session to a server, with a NOOP every few seconds.

Its end, or a NOOP that stays unanswered, is a hint to probe at once. It proves little: sessions outlive the death of
Dovecot's master (field notes, "Later measurements").
"""

import asyncio
from datetime import timedelta

from mailward.imap import Limits
from mailward.model.errors import MailwardError
from mailward.model.probing import Cause, Phase
from mailward.model.target import ProbeTarget
from mailward.probes.dialogue import Dialogue
from mailward.probes.equipment import Equipment
from mailward.probes.failure import PhaseFailed
from mailward.probes.stopwatch import Stopwatch

#: Years of NOOPs; a hostile server is still bounded, line by line and command by command.
_LONG_LIVED = Limits(conversation_bytes=1 << 40)


class ImapSentinel:
    """Keeps watch on one server."""

    def __init__(
        self,
        equipment: Equipment,
        *,
        every: timedelta = timedelta(seconds=5),
        answer_within: timedelta = timedelta(seconds=3),
    ) -> None:
        """
        Args:
            equipment: Ports and settings.
            every: Between two NOOPs.
            answer_within: How long an answer may take before the session counts as silent.
        """
        self._equipment = equipment
        self._every = every
        self._answer_within = answer_within

    async def watch(self, target: ProbeTarget) -> str:
        """
        Log in, send NOOP every few seconds, and return why the session ended or fell silent.

        Logging in has the target's time-out. While our own event loop is late, silence is not held against the server.
        """
        loop = asyncio.get_running_loop()
        watch = Stopwatch(
            time=loop.time,
            loop_lag=self._equipment.network.loop_lag,
            limits=self._equipment.settings.phase_limits,
            deadline=loop.time() + target.timeout.total_seconds(),
        )
        talk = Dialogue(target, self._equipment, watch, limits=_LONG_LIVED)
        try:
            await talk.open(ask_capabilities=False)
            if target.account is not None:
                await talk.log_in()
                await talk.introduce_ourselves()
            return await self._keep_asking(talk)
        except PhaseFailed as failed:
            return f"{failed.phase.value}: {talk.transcript.masked(failed.detail)}"
        except MailwardError as error:
            return f"the sentinel itself failed: {error}"
        finally:
            watch.deadline = loop.time() + self._answer_within.total_seconds()
            await talk.part()

    async def _keep_asking(self, talk: Dialogue) -> str:
        while True:
            until = talk.watch.now() + self._every.total_seconds()
            while (left := until - talk.watch.now()) > 0:
                if not await talk.hear_anything(timeout=left):
                    break
            talk.watch.deadline = talk.watch.now() + self._answer_within.total_seconds()
            try:
                await talk.noop()
            except PhaseFailed as failed:
                silent = failed.cause is Cause.TIMEOUT
                if silent and talk.watch.is_overloaded(Phase.AUTH):
                    return "the prober itself was too busy to hear an answer"
                how = (
                    f"NOOP was not answered within {self._answer_within.total_seconds():g} s"
                    if silent
                    else failed.detail
                )
                return f"the session of {talk.address} ended: {talk.transcript.masked(how)}"
