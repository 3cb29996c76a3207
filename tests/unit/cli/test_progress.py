"""Saying that something is still going on."""

import io
import sys
from time import monotonic

from mailward.cli.progress import progress


class Tty(io.StringIO):
    def isatty(self):
        return True


def test_nobody_is_told_where_nobody_looks(capsys):
    with progress("working"):
        pass

    assert "" == capsys.readouterr().err


def test_what_takes_less_than_a_second_is_not_announced(monkeypatch):
    stream = Tty()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress("working"):
        pass

    assert "" == stream.getvalue()


def test_what_takes_longer_is_announced_and_wiped_away(monkeypatch):
    stream = Tty()
    monkeypatch.setattr(sys, "stderr", stream)
    deadline = monotonic() + 30
    with progress("working", after=0):
        while "working" not in stream.getvalue() and monotonic() < deadline:
            pass

    assert "working … 0 s" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_a_failure_goes_through():
    try:
        with progress("working"):
            raise KeyError("x")
    except KeyError:
        return
    raise AssertionError("it was swallowed")
