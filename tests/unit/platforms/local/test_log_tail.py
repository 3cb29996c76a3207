import os
from datetime import UTC, datetime, timedelta

import pytest

from mailward.platforms.local.log_tail import moment_of, newest_lines

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def rfc3339(moment, text):
    return f"{moment.isoformat(timespec='microseconds')} be1 dovecot: {text}"


def classic(moment, text):
    return f"{moment.astimezone():%b %d %H:%M:%S} {text}"


def write(path, lines, *, until=NOON):
    path.write_text("".join(f"{line}\n" for line in lines))
    os.utime(path, (until.timestamp(), until.timestamp()))


@pytest.mark.parametrize("form", [rfc3339, classic])
def test_lines_since_a_moment_the_oldest_first(form, tmp_path):
    log = tmp_path / "dovecot.log"
    write(log, [form(NOON - timedelta(minutes=minutes), f"line {minutes}") for minutes in (9, 3, 2, 1)])

    found = newest_lines(log, since=NOON - timedelta(minutes=3), limit=50)

    assert ["line 3", "line 2", "line 1"] == [text[-6:] for _, text in found]
    assert NOON - timedelta(minutes=3) == found[0][0]


def test_only_lines_that_mention_one_of_the_words_whatever_the_case(tmp_path):
    log = tmp_path / "dovecot.log"
    write(log, [rfc3339(NOON, "user=<Anna>"), rfc3339(NOON, "user=<boris>"), rfc3339(NOON, "session=<XYZ>")])

    found = newest_lines(log, since=NOON, mentioning=("anna", "xyz"), limit=50)

    assert 2 == len(found)


def test_the_newest_lines_win_when_there_are_too_many(tmp_path):
    log = tmp_path / "dovecot.log"
    write(log, [rfc3339(NOON, f"line {number:03}") for number in range(200)])

    found = newest_lines(log, since=NOON, limit=3)

    assert ["line 197", "line 198", "line 199"] == [text[-8:] for _, text in found]


def test_a_line_that_begins_otherwise_belongs_to_the_one_before_it(tmp_path):
    log = tmp_path / "dovecot.log"
    write(log, [rfc3339(NOON, "Panic: file x.c"), "\tat frame 1", "\tat frame 2"])

    found = newest_lines(log, since=NOON, limit=50)

    assert ({NOON}, 3) == ({at for at, _ in found}, len(found))


def test_a_log_that_was_just_rotated_is_read_on_in_its_predecessor(tmp_path):
    log = tmp_path / "dovecot.log"
    write(tmp_path / "dovecot.log.1", [rfc3339(NOON - timedelta(hours=1), "old"), rfc3339(NOON, "before")])
    write(log, [rfc3339(NOON + timedelta(seconds=1), "after")], until=NOON + timedelta(seconds=1))

    found = newest_lines(log, since=NOON - timedelta(minutes=1), limit=50)

    assert ["before", "after"] == [text.split()[-1] for _, text in found]


def test_a_log_nobody_wrote_to_since_is_not_even_opened(tmp_path):
    log = tmp_path / "dovecot.log"
    write(log, [rfc3339(NOON, "x")])

    assert [] == newest_lines(log, since=NOON + timedelta(minutes=1), limit=50)


def test_a_huge_log_costs_no_more_than_its_end(tmp_path):
    log = tmp_path / "dovecot.log"
    with log.open("wb") as stream:
        stream.truncate(3_000_000_000)  # a hole: reading it whole would take seconds and gigabytes
        stream.seek(0, os.SEEK_END)
        stream.write(f"\n{rfc3339(NOON, 'the newest')}\n".encode())

    found = newest_lines(log, since=NOON, limit=1)

    assert ["the newest"] == [text[-10:] for _, text in found]


def test_what_is_no_text_does_no_harm(tmp_path):
    log = tmp_path / "dovecot.log"
    log.write_bytes(rfc3339(NOON, "user=<\xff>").encode("latin-1") + b"\n\xfe\xff\0\n")

    assert 2 == len(newest_lines(log, since=NOON, limit=50))


def test_a_missing_log_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        newest_lines(tmp_path / "nosuch", since=NOON, limit=50)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026-11-24T12:00:00.5+00:00 x", NOON + timedelta(milliseconds=500)),
        ("2026-11-24T13:00:00+01:00 x", NOON),
        ("2026-11-24 12:00:00Z x", NOON),
        ("Nov 31 12:00:00 x", None),
        ("2026-99-24T12:00:00Z x", None),
        ("hello", None),
        ("", None),
    ],
)
def test_the_moment_of_a_line(line, expected):
    assert expected == moment_of(line, near=NOON)


def test_around_new_year_the_closest_year_is_meant():
    new_year = datetime(2027, 1, 1, 0, 0, 5, tzinfo=UTC).astimezone()
    line = f"{new_year - timedelta(seconds=10):%b %d %H:%M:%S} x"

    assert new_year - timedelta(seconds=10) == moment_of(line, near=new_year)
