"""A manager that watches a lab, as a process of its own: what the demo shows and the acceptance tests question."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from mailward.client.manager import ManagerClient
from mailward.model.errors import PermanentFailure, TemporaryFailure

_START_SECONDS = 60.0
_STOP_SECONDS = 6.0


class ManagerProcess:
    """
    Runs `mailward run` on a configuration while the `with` block lasts.

    Its standard input is ours, so that it ends with us however we end.
    """

    def __init__(self, configuration: Path, *, demo_lab: Path | None = None) -> None:
        """
        Nothing is started yet; the log and the socket will stand beside *configuration*.

        With *demo_lab*, the directory of a lab, whoever is on this machine may break and repair it in the dashboard.
        """
        self._demo = () if demo_lab is None else ("--demo-lab", str(demo_lab))
        self._configuration = configuration
        self.log = configuration.parent / "manager.log"
        self.client = ManagerClient(configuration.parent / "state" / "api.sock")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the manager is no longer running."""
        return self._process is None or self._process.poll() is not None

    @property
    def pid(self) -> int:
        """The manager's process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def last_words(self) -> str:
        """The last lines of its log, for an error."""
        with suppress(OSError):
            return " / ".join(self.log.read_text(errors="replace").splitlines()[-3:])
        return "it left no log"

    def start(self) -> None:
        """
        Start it, again if it has ended, and wait until it answers.

        Raises:
            PermanentFailure: It ended or did not answer in time; the text holds its last words.
        """
        self.stop()
        command = [sys.executable, "-m", "mailward.cli.main", "run", "--config", str(self._configuration)]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, *self._demo, "--until-stdin-closes"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = monotonic() + _START_SECONDS
        while not self._answers():
            if self.has_ended or monotonic() > deadline:
                raise PermanentFailure(f"the manager did not start: {self.last_words}")
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)

    def stop(self) -> None:
        """End it as an administrator would; a manager that does not end in time is killed."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def __enter__(self) -> Self:
        """Start it."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.stop()

    def _answers(self) -> bool:
        with suppress(TemporaryFailure):
            self.client.status()
            return True
        return False
