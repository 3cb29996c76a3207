"""
How a command ends: its exit code, and what is said about it.

2 means that IMAP is unhealthy and nothing else, so that a script or a Nagios host can rely on it; click's own 2 for a
wrong command line becomes 3.
"""

from enum import IntEnum

from mailward.model.errors import ConfigError, MailwardError, PermanentFailure, Refused, TemporaryFailure


class ExitCode(IntEnum):
    """Every exit code of `mailward`."""

    DONE = 0
    """Done; where something was examined, it is healthy."""
    FAILED = 1
    """Refused or failed: a wrong configuration, an unknown name, a filter that matches nothing."""
    UNHEALTHY = 2
    """What was examined is unhealthy (`check`, `probe`, and reads with --exit-code)."""
    UNKNOWN = 3
    """Nothing could be learned: no manager answers, the prober was at fault, the command line was wrong."""
    INTERRUPTED = 130
    """Ended by Ctrl-C."""
    BROKEN_PIPE = 141
    """Whoever read our output went away."""


def exit_code_of(error: MailwardError) -> ExitCode:
    """Return the exit code for an error: one that may pass by itself is UNKNOWN, a no is FAILED."""
    match error:
        case TemporaryFailure():
            return ExitCode.UNKNOWN
        case ConfigError() | Refused() | PermanentFailure():
            return ExitCode.FAILED
        case _:
            return ExitCode.FAILED
