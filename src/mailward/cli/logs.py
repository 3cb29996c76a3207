"""The manager's log on standard error: logfmt, one line a record, moments in UTC (RFC 3339)."""

import logging
from datetime import UTC, datetime
from enum import Enum

from mailward.model.wire import moment_to_text

EVENTS = "mailward.events"
"""Records of this logger are logfmt already."""


class LogLevel(Enum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Logfmt(logging.Formatter):
    """Writes records as `time=… level=… event=…` or `time=… level=… msg="…"`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; only a stack trace, which a fault of ours leaves, has more."""
        at = moment_to_text(datetime.fromtimestamp(record.created, tz=UTC))
        message = record.getMessage()
        if record.name != EVENTS:
            escaped = message.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            message = f'logger={record.name} msg="{escaped}"'
        line = f"time={at} level={record.levelname.lower()} {message}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def log_to_stderr(level: LogLevel) -> None:
    """Send our records of *level* and graver to standard error; of other libraries only warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(Logfmt())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("mailward").setLevel(level.value.upper())
