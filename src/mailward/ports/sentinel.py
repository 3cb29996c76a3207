"""A sentinel keeps one idle session to a server; its end or silence is a hint to probe at once, never a verdict."""

from typing import Protocol

from mailward.model.target import ProbeTarget


class Sentinel(Protocol):
    """Keeps watch on one server."""

    async def watch(self, target: ProbeTarget) -> str:
        """
        Log in, send NOOP every few seconds, and return why the session ended or fell silent.

        Returns only when there is something to look at; cancelled by the caller otherwise.
        """
        ...
