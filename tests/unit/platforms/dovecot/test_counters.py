"""The counters of a Dovecot, from what its programs print (2.3.19, measured)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.model.counters import CommandTotal, RunningCommand
from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.commands import Finished
from mailward.platforms.dovecot import running_commands as titles
from mailward.platforms.dovecot.command_metrics import command_totals
from mailward.platforms.dovecot.counters import DovecotCounters
from mailward.platforms.linux.listening_sockets import parse
from mailward.platforms.linux.processes import Process
from mailward.testing.platform import SetClock

HEADER = "metric_name\tfield\tcount\tsum\tmin\tmax\tavg\tmedian\tstddev\t%95\n"
DUMP = f"""{HEADER}imap_command\tduration\t6\t5708738\t122\t5703439\t951456.33\t506\t2125151.68\t5703439
imap_command_APPEND\tduration\t2\t5707422\t3983\t5703439\t2853711.00\t2853711\t2849728.00\t5703439
imap_command_APPEND_OK\tduration\t2\t5707422\t3983\t5703439\t2853711.00\t2853711\t2849728.00\t5703439
imap_command_UID FETCH\tduration\t1\t122\t122\t122\t122.00\t122\t0.00\t122
imap_command_UID FETCH_OK\tduration\t1\t122\t122\t122\t122.00\t122\t0.00\t122
imap_command_IDLE\tduration\t1\t8008949\t1\t1\t1.00\t1\t0.00\t1
auth_request_yes\tduration\t1\t71\t71\t71\t71.00\t71\t0.00\t71
"""


class TestCommandTotals:
    def test_each_command_once(self):
        assert {
            "APPEND": CommandTotal(count=2, took=timedelta(microseconds=5707422)),
            "UID FETCH": CommandTotal(count=1, took=timedelta(microseconds=122)),
            "IDLE": CommandTotal(count=1, took=timedelta(microseconds=8008949)),
        } == command_totals(DUMP)

    def test_of_two_metrics_of_commands_one_is_taken(self):
        twice = DUMP + "\n".join(
            line.replace("imap_command", "other", 1) for line in DUMP.splitlines() if line.startswith("imap_command")
        )

        assert command_totals(DUMP) == command_totals(twice)

    def test_without_a_metric_of_commands_it_says_what_to_configure(self):
        with pytest.raises(Refused, match="metric imap_command . filter = event=imap_command_finished"):
            command_totals(HEADER + "imap_command\tduration\t6\t5708738\t1\t1\t1\t1\t1\t1\n")

    @pytest.mark.parametrize("text", ["", "Fatal: no", HEADER + DUMP.splitlines()[2].replace("5707422", "many")])
    def test_another_output_is_no_answer(self, text):
        with pytest.raises(TemporaryFailure, match="cannot be read"):
            command_totals(text)

    @given(st.text(alphabet="metric_nameFETCH\t\n0123456789 durationcountsum", max_size=400))
    def test_whatever_it_prints_ends_in_an_answer_or_a_named_error(self, text):
        for printed in (text, HEADER + text):
            try:
                found = command_totals(printed)
            except (Refused, TemporaryFailure):
                continue
            assert all(total.count >= 0 for total in found.values())


def a_process(pid, name="imap"):
    return Process(pid=pid, name=name, state="S", parent=1, started_ticks=1)


@pytest.fixture
def sessions(monkeypatch):
    """Sets the titles of a master's children."""

    def set_titles(**by_pid):
        shown = {int(pid[1:]): title for pid, title in by_pid.items()}
        monkeypatch.setattr(titles, "children", lambda _master: tuple(a_process(pid) for pid in shown))
        monkeypatch.setattr(titles, "cpu_ticks", lambda pid: 7 if pid in shown else None)
        monkeypatch.setattr(Process, "title", property(lambda process: shown[process.pid]))

    return set_titles


class TestRunningCommands:
    def test_what_a_session_does_stands_in_its_title(self, sessions):
        sessions(
            p1="dovecot-be1/imap [anna 127.0.0.5 APPEND]",
            p2="dovecot/imap [bob@example.org 2001:db8::1 UID FETCH]",
            p3="dovecot/imap [carol 127.0.0.5]",
            p4="dovecot/imap [dave 127.0.0.5 IDLE]",
            p5="dovecot/imap [erin 127.0.0.5 FETCH - 4096 bytes waiting]",
            p6="dovecot/imap",
        )

        assert (
            RunningCommand(pid=1, name="APPEND", cpu_ticks=7),
            RunningCommand(pid=2, name="UID FETCH", cpu_ticks=7),
        ) == titles.running_commands(1)

    def test_titles_that_say_nothing_are_not_idle(self, sessions):
        sessions(p1="dovecot/imap", p2="dovecot/imap [7 connections]")

        assert titles.running_commands(1) is None

    def test_without_sessions_nothing_runs(self, sessions):
        sessions()

        assert () == titles.running_commands(1)


STATUS = (
    '[{"name":"imap","process_count":"5","process_avail":"0","process_limit":"5","client_limit":"1",'
    '"last_drop_warning":"1795731022","listen_pending":"y","listening":"n"},'
    '{"name":"imap-login","process_count":"1","process_limit":"100","last_drop_warning":"0","listen_pending":"n"},'
    '{"name":"lmtp","process_count":"1","process_limit":"1","last_drop_warning":"0","listen_pending":"y"}]'
)


class Printed:
    """A doveadm that prints what a test wants."""

    def __init__(self, output, status=0, errors=""):
        self._finished = Finished(status=status, output=output, errors=errors)

    def words(self, *request):
        return ("doveadm", *request)

    async def run(self, *request, mailboxes=()):
        return self._finished


def counters(doveadm, *, address="192.0.2.1", listening="LISTEN 4 100 192.0.2.1:993 0.0.0.0:*"):
    async def sockets():
        return parse(listening)

    return DovecotCounters(doveadm, address=address, ports=(993, 143), sockets=sockets, clock=SetClock())


class TestQueue:
    async def test_limits_of_what_users_need(self):
        queue = await counters(Printed(STATUS)).queue()

        imap, login = queue.limits
        assert ("imap", 5, 5, True) == (imap.service, imap.used, imap.limit, imap.waiting)
        assert datetime(2026, 11, 26, 22, 10, 22, tzinfo=UTC) == imap.dropped_at
        assert ("imap-login", False, None) == (login.service, login.waiting, login.dropped_at)
        assert [4] == [one.waiting for one in queue.listening]

    @pytest.mark.parametrize(
        ("address", "listening", "waiting"),
        [
            ("192.0.2.1", "LISTEN 4 9 192.0.2.1:993 *:*\nLISTEN 5 9 192.0.2.2:993 *:*", [4]),
            ("192.0.2.1", "LISTEN 4 9 *:993 *:*\nLISTEN 5 9 192.0.2.2:993 *:*", [4]),
            ("mail.example", "LISTEN 4 9 192.0.2.9:143 *:*\nLISTEN 5 9 192.0.2.9:25 *:*", [4]),
        ],
    )
    async def test_the_sockets_are_its_own(self, address, listening, waiting):
        queue = await counters(Printed(STATUS), address=address, listening=listening).queue()

        assert waiting == [one.waiting for one in queue.listening]

    @pytest.mark.parametrize("listening", ["", "LISTEN 5 9 192.0.2.2:993 *:*"])
    async def test_where_nothing_of_its_own_listens_it_says_so(self, listening):
        with pytest.raises(Refused, match="nothing listens at 192.0.2.1 on the ports 143, 993"):
            await counters(Printed(STATUS), listening=listening).queue()

    @pytest.mark.parametrize(
        "doveadm", [Printed("[]", 75, "Fatal: not running"), Printed("no"), Printed('[{"name":"imap"}]')]
    )
    async def test_what_cannot_be_read_is_unknown_and_never_idle(self, doveadm):
        with pytest.raises(TemporaryFailure):
            await counters(doveadm).queue()


async def test_commands_come_with_their_moment():
    found = await counters(Printed(DUMP)).commands()

    assert 2 == found.finished["APPEND"].count
    assert found.running is None, "nothing shows them here"


async def test_a_dovecot_that_does_not_answer_is_unknown():
    with pytest.raises(TemporaryFailure, match="doveadm stats dump: .*refused"):
        await counters(Printed("", 75, "Fatal: connection refused")).commands()
