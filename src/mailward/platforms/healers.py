"""
Who else is at work on this machine: package managers, and marks such as a cluster manager leaves.

Two healers that act on one service undo each other's work, so mailward waits while another one is busy. How package
managers show is told by the one file that also looks on other machines, mailward_host.py.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from mailward.model.errors import TemporaryFailure
from mailward.platforms.local.patient_looks import PatientLooks
from mailward.platforms.reach.mailward_host import PACKAGE_LOCKS, lock_holders, look_for, package_managers

_PROC = Path("/proc")


class Healers:
    """Everybody but mailward who may start and stop the service of a server on this machine."""

    def __init__(
        self,
        marks: Sequence[str] = (),
        *,
        whose: str = "this machine",
        packages: bool = True,
        proc: Path = _PROC,
        locks: Sequence[Path] = PACKAGE_LOCKS,
    ) -> None:
        """
        Args:
            marks: Files whose existence says that somebody is at work.
            whose: The server, named in errors.
            packages: Whether package upgrades restart this service; they do not where a supervisor of its own runs it.
            proc: The process table.
            locks: Files that package managers lock.
        """
        self._marks = tuple(marks)
        self._whose = whose
        self._looks = PatientLooks(whose)
        self._packages = packages
        self._proc = proc
        self._locks = tuple(locks)
        self._in_turn = asyncio.Lock()

    async def at_work(self) -> tuple[str, ...]:
        """
        Who is at work now, a sentence each.

        Raises:
            TemporaryFailure: A mark or the process table cannot be looked at, or does not answer.
        """
        async with self._in_turn:
            found = [f"{mark} exists: another manager is at work" for mark in self._marks if await self._exists(mark)]
            if self._packages:
                found += await self._looks.look(str(self._proc), self._package_managers)
        return tuple(found)

    async def _exists(self, mark: str) -> bool:
        return await self._looks.look(mark, lambda: look_for(mark)) is not None

    def _package_managers(self) -> list[str]:
        try:
            return [*lock_holders(self._locks, self._proc), *package_managers(self._proc)]
        except OSError as error:
            raise TemporaryFailure(f"the processes of {self._whose} cannot be looked at: {error}") from error
