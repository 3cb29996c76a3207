"""What the reader of our output can see."""

import io
from datetime import timedelta

import pytest

from mailward.cli.states import duration_text, interval_text
from mailward.cli.terminal import Colour, Terminal, marked_lines, printable, terminal
from mailward.diagnosis.place import fault_text
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict


class Tty(io.StringIO):
    def isatty(self):
        return True


def test_a_pipe_has_no_width_and_no_colours():
    assert Terminal(width=None, colours=False) == terminal(io.StringIO())


@pytest.mark.parametrize(
    ("environment", "colours"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_show_on_a_terminal_that_wants_them(monkeypatch, environment, colours):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "90")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert Terminal(width=90, colours=colours) == terminal(Tty())


def test_paint_leaves_text_alone_where_colours_do_not_show():
    assert "x" == Terminal(width=80, colours=False).paint("x", Colour.BAD)
    assert "\x1b[31mx\x1b[0m" == Terminal(width=80, colours=True).paint("x", Colour.BAD)


@pytest.mark.parametrize(
    ("text", "shown"), [("Müller → ✓", "Müller → ✓"), ("a\x1b]0;x\x07", r"a\x1b]0;x\x07"), ("a\tb", r"a\tb")]
)
def test_only_what_is_harmless_is_printed(text, shown):
    assert shown == printable(text)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(microseconds=420), "0.42 ms"),
        (timedelta(milliseconds=41.5), "41.5 ms"),
        (timedelta(seconds=1.2), "1.20 s"),
        (timedelta(seconds=243), "4 min 3 s"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
    ],
)
def test_durations_read_well(duration, text):
    assert text == duration_text(duration)


@pytest.mark.parametrize(
    ("duration", "text"),
    [(None, ""), (timedelta(milliseconds=500), "500ms"), (timedelta(seconds=20), "20s"), (timedelta(minutes=5), "5m")],
)
def test_intervals_look_as_one_configures_them(duration, text):
    assert text == interval_text(duration)


@pytest.mark.parametrize(
    ("tier", "server", "dependency", "text"),
    [
        (Tier.STORE, "mbx2", Dependency.INFORMATION_STORE, "store of mbx2 (information store), certain"),
        (Tier.MAILBOX_SERVER, "mbx2", None, "mailbox server mbx2, certain"),
        (Tier.DIRECTORY, None, Dependency.DIRECTORY, "directory, certain"),
        (Tier.NAME_SERVICE, None, Dependency.NAME_SERVICE, "name service, certain"),
        (Tier.UNKNOWN, None, None, "cause unknown"),
    ],
)
def test_a_fault_is_named_once(tier, server, dependency, text):
    verdict = Verdict(tier=tier, server=server, dependency=dependency, confidence=Confidence.CERTAIN, because="x")

    assert text == fault_text(verdict)


def test_a_text_stands_below_its_mark_and_is_read_no_wider_than_people_can():
    lines = list(marked_lines("✗", "it does not\tanswer " * 20, 40, indent="  "))

    assert max(map(len, lines)) <= 40
    assert ({"  ✗ "}, {"    "}) == ({lines[0][:4]}, {line[:4] for line in lines[1:]})
    assert "\t" not in "".join(lines)
    assert (100, 100, 60) == tuple(Terminal(width=one, colours=False).reading_width for one in (None, 300, 60))
