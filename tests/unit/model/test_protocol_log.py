"""A line of a session for people, and what of sessions is told to whoever is called."""

from dataclasses import replace

from mailward.model.protocol_log import LoggedLine, LoggedSession, Speaker, excerpt
from mailward.testing.protocol_log_values import LOGGED_SESSIONS
from mailward.testing.repair_values import NOON

REFUSED, SERVED = LOGGED_SESSIONS


def test_a_line_says_when_and_whose_words_it_holds():
    assert "S: * BYE" == LoggedLine(server="mbx1", speaker=Speaker.SERVER, text="* BYE").shown
    assert "12:00:00.123 C: a1 NOOP" == LoggedLine(server="mbx1", speaker=Speaker.CLIENT, text="a1 NOOP", at=NOON).shown
    assert "12:00:00.123 -- mbx1: Login" == LoggedLine(server="mbx1", speaker=Speaker.LOG, text="Login", at=NOON).shown


def test_of_sessions_the_newest_that_was_logged_is_told_with_who_served_it():
    head, *lines = excerpt([SERVED, REFUSED])

    assert "-- health-db2 through proxy1, served by mbx2: the log of mbx2 has its login" == head
    assert [line.shown for line in SERVED.lines] == lines


def test_where_none_was_logged_it_is_the_newest_and_of_no_session_nothing_is_told():
    nobody = replace(REFUSED, mailbox_server=None, proxy=None, because="no log says")

    assert excerpt([SERVED, REFUSED][1:])[0].startswith("-- health-db2 through proxy1, served by mbx1")
    assert "-- health-db2, served by nobody knows whom: no log says" == excerpt([nobody])[0]
    assert () == excerpt([])


def test_of_a_long_one_the_middle_is_left_out():
    lines = tuple(LoggedLine(server="mbx1", speaker=Speaker.CLIENT, text=f"a{n} NOOP") for n in range(10))
    long = LoggedSession(user="u", because="so", lines=lines)

    assert ["C: a0 NOOP", "C: a1 NOOP", "-- 6 lines left out", "C: a8 NOOP", "C: a9 NOOP"] == list(
        excerpt([long], most=4)[1:]
    )
