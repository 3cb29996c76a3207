"""The one shape in which a vendor's habitual texts are written down."""

from collections.abc import Iterable
from dataclasses import dataclass

from mailward.model.probing import Cause, Phase


@dataclass(frozen=True, slots=True)
class Saying:
    """Words a server is known to refuse with, and what they mean."""

    words: str
    """In lower case; found anywhere in the text, without regard to case."""
    cause: Cause
    phases: frozenset[Phase] = frozenset()
    """The phases in which the words mean this; empty means all."""
    code: str | None = None
    """
    The response code the words come with, where the vendor uses it for something else than its RFC says. Such a saying
    overrules the code; one without a code only explains replies whose code says nothing by itself.
    """

    def fits(self, phase: Phase, text: str) -> bool:
        """Whether *text* (lower case), said in *phase*, is this saying."""
        return self.words in text and (not self.phases or phase in self.phases)


LOGIN = frozenset({Phase.AUTH})
MAILBOX = frozenset({Phase.SELECT, Phase.APPEND, Phase.FETCH, Phase.IDLE, Phase.EXPUNGE})


def first_fitting(sayings: Iterable[Saying], phase: Phase, text: str) -> Cause | None:
    """The cause of the first saying that fits, or None."""
    lower = text.lower()
    return next((saying.cause for saying in sayings if saying.fits(phase, lower)), None)
