"""What a log line says about a session, in Dovecot's words as measured with 2.3.19, and 2.4's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.diagnosis.wording.logins import session_line
from mailward.model.evidence import LogLine

PROXY = (
    "Nov 26 22:08:29 imap-login: Info: proxy(health-db1,127.141.7.21:13993): Started proxying to <127.141.7.21> from"
    " 127.141.7.11 (0.059 secs): user=<health-db1>, method=PLAIN, rip=127.141.7.5, lip=127.141.7.11, TLS,"
    " session=<Ut39LjVhE4t/jQcF>"
)
LOGIN = (
    "Nov 26 22:08:29 imap-login: Info: Login: user=<health-db1>, method=PLAIN, rip=127.141.7.5, lip=127.141.7.11,"
    " mpid=22539, TLS, session=<Ut39LjVhE4t/jQcF>"
)
END = "Nov 26 22:08:29 imap(health-db1)<22539><Ut39LjVhE4t/jQcF>: Info: Disconnected: Logged out in=170 out=1223"


def read(text: str):
    return session_line(LogLine(server="be1", text=text))


def test_a_proxy_s_line_says_where_it_sent_the_session_and_from_where():
    seen = read(PROXY)

    assert ("Ut39LjVhE4t/jQcF", "health-db1") == (seen.session, seen.user)
    assert ("127.141.7.21", "127.141.7.11", None) == (seen.sent_to, seen.sent_from, seen.process)
    assert seen.opens


def test_a_mailbox_server_s_login_says_which_process_serves_it():
    seen = read(LOGIN)

    assert ("Ut39LjVhE4t/jQcF", 22539, None, "127.141.7.5") == (seen.session, seen.process, seen.sent_to, seen.client)
    assert seen.opens


def test_the_end_of_a_session_belongs_to_it_by_the_beginning_of_the_line():
    seen = read(END)

    assert ("Ut39LjVhE4t/jQcF", "health-db1", 22539) == (seen.session, seen.user, seen.process)
    assert not seen.opens


@pytest.mark.parametrize(
    "text",
    [
        LOGIN.replace("Info: Login:", "Info: Logged in:"),
        f"2026-11-26T22:08:29.123456+00:00 be1 dovecot: {LOGIN[16:]}",
        f"Nov 26 22:08:29 be1 dovecot: {LOGIN[16:].replace('Info: ', '')}",
    ],
)
def test_2_4_and_syslog_say_it_too(text):
    assert ("Ut39LjVhE4t/jQcF", 22539, True) == (read(text).session, read(text).process, read(text).opens)


def test_2_4_names_no_address_after_started_proxying_but_the_proxy_does():
    seen = read(PROXY.replace("<127.141.7.21> from 127.141.7.11", "remote host"))

    assert ("127.141.7.21", None) == (seen.sent_to, seen.sent_from)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nov 26 22:08:29 auth: Debug: client passdb out: OK user=<health-db1> pass=sesame session=<x>",
        "Nov 26 22:08:29 imap-login: Debug: user=<health-db1>, session=<x>",
        "Nov 26 22:08:29 imap-login: Info: Disconnected: no auth attempts: user=<>, rip=127.0.0.1, session=<x>",
        "Nov 26 22:08:29 lmtp(health-db1)<1><x>: Info: saved",
    ],
)
def test_other_lines_are_not_about_a_user_s_session(text):
    assert read(text) is None


@given(st.text(max_size=300), st.sampled_from(["", "imap-login: ", "imap(u)<", "imap-login: proxy(u,h:1): user=<u>"]))
def test_whatever_stands_in_a_log_nothing_is_raised(text, beginning):
    read(beginning + text)
