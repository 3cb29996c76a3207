"""Which mailbox server served a session, from the lines of both tiers and the protocol logs; all as measured."""

from datetime import UTC, datetime, timedelta

from mailward.diagnosis.served import served_sessions
from mailward.model.evidence import LogLine
from mailward.model.protocol_log import LoggedLine, LoggedSession, Speaker

from .test_logins import END, LOGIN, PROXY

AT = datetime(2026, 11, 26, 22, 8, 29, tzinfo=UTC)
NAMES = {"127.141.7.21": "be1", "be1": "be1", "127.141.7.22": "be2"}
#: The same session where the mailbox server does not trust the proxy.
UNTRUSTED = LOGIN.replace("rip=127.141.7.5, lip=127.141.7.11", "rip=127.141.7.11, lip=127.141.7.21").replace(
    "Ut39LjVhE4t/jQcF", "0fvrNTVh5ZR/wvQL"
)


def line(server: str, text: str, *, at: datetime | None = AT) -> LogLine:
    return LogLine(server=server, text=text, at=at)


def conversation(*, process: int = 22539, opened: datetime = AT + timedelta(milliseconds=60)) -> LoggedSession:
    said = LoggedLine(server="be1", speaker=Speaker.CLIENT, text="a1 NOOP", at=opened)
    return LoggedSession(
        user="health-db1",
        because="the protocol log of be1 has its conversation",
        mailbox_server="be1",
        process=process,
        opened=opened,
        lines=(said,),
    )


def served(lines, conversations=(), *, user: str = "health-db1", limit: int = 20):
    return served_sessions(user, lines, conversations, names=NAMES, limit=limit)


def test_a_session_of_both_tiers_is_one_by_its_id_with_its_conversation_in_the_order_of_time():
    (one,) = served([line("be1", END), line("be1", LOGIN), line("proxy1", PROXY)], [conversation()])

    assert ("be1", "proxy1", "Ut39LjVhE4t/jQcF", 22539) == (one.mailbox_server, one.proxy, one.session, one.process)
    assert "the log of be1 has its login" == one.because
    assert [("proxy1", "log"), ("be1", "log"), ("be1", "client"), ("be1", "log")] == [
        (said.server, said.speaker.value) for said in one.lines
    ]
    assert "Disconnected" in one.lines[-1].text


def test_without_the_mailbox_server_s_log_the_proxy_is_believed():
    (one,) = served([line("proxy1", PROXY)])

    assert ("be1", "proxy1") == (one.mailbox_server, one.proxy)
    assert "proxy1 sent it to 127.141.7.21, which is be1" == one.because


def test_an_address_nobody_knows_is_said_and_no_server_is_named():
    (one,) = served([line("proxy1", PROXY.replace("127.141.7.21", "192.0.2.99"))])

    assert (None, "proxy1") == (one.mailbox_server, one.proxy)
    assert "192.0.2.99 is no server known here" == one.because


def test_the_mailbox_server_s_own_log_is_believed_before_the_proxy():
    (one,) = served([line("proxy1", PROXY), line("be2", LOGIN)])

    assert "be2" == one.mailbox_server


def test_where_the_mailbox_server_trusts_no_proxy_they_are_paired_by_user_server_address_and_time():
    (one,) = served([line("proxy1", PROXY), line("be1", UNTRUSTED)], [conversation()])

    assert ("be1", "proxy1", "Ut39LjVhE4t/jQcF") == (one.mailbox_server, one.proxy, one.session)
    assert 3 == len(one.lines)


def test_two_ways_to_pair_them_are_none():
    second = PROXY.replace("Ut39LjVhE4t/jQcF", "second")

    sessions = served([line("proxy1", PROXY), line("proxy1", second), line("be1", UNTRUSTED)])

    assert 3 == len(sessions)


def test_what_does_not_fit_is_not_paired():
    for other in (
        line("be2", UNTRUSTED),
        line("be1", UNTRUSTED.replace("rip=127.141.7.11", "rip=127.141.7.12")),
        line("be1", UNTRUSTED, at=AT + timedelta(seconds=3)),
        line("be1", UNTRUSTED, at=None),
    ):
        assert 2 == len(served([line("proxy1", PROXY), other]))


def test_a_conversation_without_a_log_is_a_session_of_its_own():
    (one,) = served([], [conversation()])

    assert ("be1", None, "") == (one.mailbox_server, one.proxy, one.session)
    assert "the protocol log of be1 has its conversation" == one.because


def test_a_conversation_of_the_same_process_number_at_another_time_is_another_session():
    sessions = served([line("be1", LOGIN)], [conversation(opened=AT + timedelta(hours=1))])

    assert 2 == len(sessions)


def test_a_failed_login_at_the_proxy_names_whom_it_asked():
    text = PROXY.replace("Started proxying to <127.141.7.21> from 127.141.7.11", "connect(127.141.7.21, 13993) failed")
    (one,) = served([line("proxy1", text)])

    assert ("be1", "proxy1") == (one.mailbox_server, one.proxy)
    assert "connect(127.141.7.21, 13993) failed" in one.lines[0].text


def test_a_login_that_nobody_took_is_said_to_be_that():
    text = LOGIN.replace("mpid=22539, ", "").replace("Login:", "Disconnected: Auth failed:")
    (one,) = served([line("proxy1", text)])

    assert (None, None) == (one.mailbox_server, one.proxy)
    assert "the log of proxy1 has a login that no mailbox server has taken" == one.because


def test_other_users_are_not_shown_and_a_domain_makes_no_difference():
    lines = [line("be1", LOGIN.replace("health-db1", "anna")), line("be1", LOGIN.replace("health-db1", "health-db11"))]

    assert () == served(lines)
    assert 1 == len(served([line("be1", LOGIN.replace("health-db1", "Health-DB1@example.org"))]))


def test_the_newest_are_shown_and_the_oldest_of_them_first():
    lines = [
        line("be1", LOGIN.replace("Ut39", f"s{number}"), at=AT + timedelta(seconds=number)) for number in (3, 1, 2)
    ]

    assert ["s2LjVhE4t/jQcF", "s3LjVhE4t/jQcF"] == [one.session for one in served(lines, limit=2)]


def test_what_steers_a_terminal_is_not_passed_on():
    (one,) = served([line("be1", LOGIN + "\x1b[31m")])

    assert one.lines[0].text.isprintable()
