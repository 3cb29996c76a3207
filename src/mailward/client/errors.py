"""What can go wrong between us and a manager."""

from collections.abc import Sequence
from pathlib import Path

from mailward.model.errors import TemporaryFailure


class NoManager(TemporaryFailure):
    """No manager answers; the text names where it was looked for and the command that starts one."""

    def __init__(self, tried: Sequence[Path], because: str = "no manager is running") -> None:
        self.tried = tuple(tried)
        places = " and ".join(str(path) for path in tried)
        super().__init__(
            f"{because}: nothing answers at {places}\n"
            "start one with `mailward run`, or try `mailward demo`; a manager elsewhere is reached with --socket PATH"
        )
