"""A runner that runs nothing: it notes what it was given, and answers as told."""

from collections.abc import Callable, Sequence

import pytest

from mailward.platforms.commands import Finished


class RecordingRunner:
    """Plays answers, the last one again and again; an exception among them is raised."""

    def __init__(self, *answers: Finished | Exception) -> None:
        self.argvs: list[tuple[str, ...]] = []
        self.given: list[bytes] = []
        self.answers = list(answers) or [Finished(status=0, output="", errors="")]

    async def run(self, argv: Sequence[str], *, timeout: float, given: bytes = b"") -> Finished:
        """Note *argv* and what it reads, and play the next answer."""
        self.argvs.append(tuple(argv))
        self.given.append(given)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def recording() -> type[RecordingRunner]:
    """The runner."""
    return RecordingRunner


@pytest.fixture
def ended() -> Callable[..., Finished]:
    """How a program ended."""

    def made(status: int = 0, output: str = "", errors: str = "") -> Finished:
        return Finished(status=status, output=output, errors=errors)

    return made
