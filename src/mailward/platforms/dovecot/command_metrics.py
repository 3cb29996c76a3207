"""
Command times in what `doveadm stats dump` prints.

They are there where dovecot.conf has a metric of `event=imap_command_finished` grouped by `cmd_name`. Under which name
is the administrator's affair, so it is recognised by its rows, NAME_FETCH and the like. Durations are in microseconds;
rows of further groups, NAME_FETCH_OK, say the same once more (measured with 2.3.19).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta

from mailward.model.counters import CommandTotal
from mailward.model.errors import Refused, TemporaryFailure

HOW_TO_COUNT = "metric imap_command { filter = event=imap_command_finished  group_by = cmd_name }"
_OF_DURATION = "duration"
#: RFC 9051 and its extensions as Dovecot names them; what is grouped otherwise has none of these at its end.
_COMMANDS = frozenset(
    {
        *("APPEND", "AUTHENTICATE", "CAPABILITY", "CHECK", "CLOSE", "COMPRESS", "COPY", "CREATE", "DELETE"),
        *("DELETEACL", "ENABLE", "EXAMINE", "EXPUNGE", "FETCH", "GETACL", "GETMETADATA", "GETQUOTA", "GETQUOTAROOT"),
        *("ID", "IDLE", "LIST", "LOGIN", "LOGOUT", "LSUB", "MOVE", "NAMESPACE", "NOOP", "NOTIFY", "RENAME"),
        *("SEARCH", "SELECT", "SETACL", "SETMETADATA", "SORT", "STATUS", "STORE", "SUBSCRIBE", "THREAD"),
        *("UID COPY", "UID EXPUNGE", "UID FETCH", "UID MOVE", "UID SEARCH", "UID SORT", "UID STORE", "UID THREAD"),
        *("UNSELECT", "UNSUBSCRIBE", "URLFETCH", "X-STATE", "XLIST"),
    }
)


def command_totals(text: str) -> Mapping[str, CommandTotal]:
    """
    The commands that ended since the service started, by name.

    Raises:
        TemporaryFailure: It is no such output.
        Refused: No metric of it counts commands.
    """
    found: dict[str, dict[str, CommandTotal]] = defaultdict(dict)
    for metric, total in _rows(text):
        base, _, command = metric.rpartition("_")
        if base and command in _COMMANDS:
            found[base][command] = total
    if not found:
        raise Refused(
            f"no command is counted: none has ended since the service started, or dovecot.conf lacks: {HOW_TO_COUNT}"
        )
    return found[max(found, key=lambda base: (sum(total.count for total in found[base].values()), base))]


def _rows(text: str) -> Iterator[tuple[str, CommandTotal]]:
    header, *lines = text.splitlines() or [""]
    columns = {name: place for place, name in enumerate(header.split("\t"))}
    if not {"metric_name", "field", "count", "sum"} <= columns.keys():
        raise TemporaryFailure("doveadm stats dump: its answer cannot be read")
    for line in lines:
        cells = line.split("\t")
        if len(cells) != len(columns) or cells[columns["field"]] != _OF_DURATION:
            continue
        count, microseconds = cells[columns["count"]], cells[columns["sum"]]
        if not (count.isascii() and count.isdigit() and microseconds.isascii() and microseconds.isdigit()):
            raise TemporaryFailure("doveadm stats dump: its answer cannot be read")
        took = timedelta(microseconds=min(int(microseconds), _MOST_MICROSECONDS))
        yield cells[columns["metric_name"]], CommandTotal(count=int(count), took=took)


#: A thousand years of commands; a timedelta holds not much more.
_MOST_MICROSECONDS = 1000 * 365 * 24 * 3600 * 1_000_000
