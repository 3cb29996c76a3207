"""Where passwords come from. They are read at the moment of use, so that a rotated one needs no restart."""

from typing import Protocol

from mailward.model.organization import SecretRef


class Secrets(Protocol):
    """Reveals secrets."""

    def reveal(self, ref: SecretRef) -> str:
        """
        Return the secret *ref* names, without a trailing newline.

        Raises:
            TemporaryFailure: It cannot be read; the text names the file or variable, never the content.
        """
        ...
