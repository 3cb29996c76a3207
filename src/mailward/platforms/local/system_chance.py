"""The machine's randomness."""

import random
import secrets


class SystemChance:
    """Jitter from a fast generator, tokens from the kernel's."""

    def __init__(self) -> None:
        self._random = random.Random()  # noqa: S311 - spreads probes in time, guards nothing

    def between(self, low: float, high: float) -> float:
        """A number from *low* to *high*, evenly spread."""
        return self._random.uniform(low, high)

    def token(self) -> str:
        """A token nobody can guess: 128 bits as 32 hexadecimal digits."""
        return secrets.token_hex(16)
