"""Who has started this process and looks after it, such as systemd."""

from datetime import timedelta
from typing import Protocol


class ServiceManager(Protocol):
    """
    Is told how the manager is doing. Each word is sent at once and never answered.

    No method raises or waits for long: whether anybody listens changes nothing about what is watched.
    """

    @property
    def every(self) -> timedelta | None:
        """How often it wants to hear `alive`; None: nobody is there to hear."""
        ...

    def ready(self, status: str) -> None:
        """It watches and can be asked, or does so again after `reloading`; *status* is one line for people."""
        ...

    def alive(self, status: str) -> None:
        """It is at work. Where this is not heard for twice `every`, the process may be ended and started again."""
        ...

    def reloading(self) -> None:
        """It reads its configuration again; `ready` follows, also when that is refused."""
        ...

    def stopping(self) -> None:
        """It has begun to end."""
        ...
