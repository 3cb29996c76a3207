"""What ends a conversation early: one phase, one cause."""

from mailward.model.probing import Cause, Certificate, Phase


class PhaseFailed(Exception):
    """A phase did not do what it should: a fact about what is probed, raised only inside this room."""

    def __init__(
        self,
        phase: Phase,
        cause: Cause,
        detail: str,
        *,
        code: str | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        super().__init__(detail)
        self.phase = phase
        self.cause = cause
        self.detail = detail
        self.code = code
        self.certificate = certificate
