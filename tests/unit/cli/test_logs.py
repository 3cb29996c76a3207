"""The manager's log."""

import logging

import pytest

from mailward.cli.logs import EVENTS, Logfmt


def line_of(name, message, *, exc_info=None):
    record = logging.LogRecord(name, logging.WARNING, __file__, 1, message, None, exc_info)
    record.created = 1795521600.1234
    return Logfmt().format(record)


def test_an_event_is_logfmt_already():
    assert "time=2026-11-24T12:00:00.123Z level=warning event=store-lost subject=store" == line_of(
        EVENTS, "event=store-lost subject=store"
    )


@pytest.mark.parametrize(
    ("message", "shown"), [("a word", '"a word"'), ('say "no"', r'"say \"no\""'), ("two\nlines", r'"two\nlines"')]
)
def test_whatever_else_is_said_is_one_line(message, shown):
    assert f"time=2026-11-24T12:00:00.123Z level=warning logger=mailward.web msg={shown}" == line_of(
        "mailward.web", message
    )


def test_a_fault_of_ours_shows_where():
    try:
        raise RuntimeError("oops")
    except RuntimeError as error:
        text = line_of("mailward.engine", "a loop ended", exc_info=(type(error), error, error.__traceback__))

    assert "RuntimeError: oops" in text
