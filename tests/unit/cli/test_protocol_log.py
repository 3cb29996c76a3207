"""`mailward protocol-log`: what is asked before, what is said, and how a search without a hit ends."""

import json

import pytest

from mailward.model.wire import answer, listing
from mailward.testing.protocol_log_values import LOGGED_SESSIONS, PROTOCOL_LOGS


def test_on_says_what_is_logged_until_when_and_by_whom_it_was_ordered(ask, served):
    ran = ask("protocol-log", "on", "mbx1", "--for", "5m", "--yes", "--reason", "slow logins")

    assert (0, "") == (ran.code, ran.err)
    assert ran.out.startswith("done: on for health-db2 until 2026-11-24 12:05")
    assert [("on", "mbx1", "slow logins")] == [order[1:] for order in served.fake.log_orders]


def test_off_says_that_it_is_off(ask):
    assert "done: off\n" == ask("protocol-log", "off", "mbx2", "--yes").out


@pytest.mark.parametrize(
    ("deed", "server", "said"),
    [("on", "mbx1", "would log health-db2"), ("off", "mbx2", "would remove what was logged of health-db2")],
)
def test_a_rehearsal_says_what_would_be_done_and_does_nothing(ask, served, deed, server, said):
    ran = ask("protocol-log", deed, server, "--dry-run")

    assert 0 == ran.code
    assert said in ran.out
    assert "(--dry-run: nothing was done)" in ran.out
    assert [] == served.fake.log_orders


@pytest.mark.parametrize("deed", ["on", "off"])
def test_where_nobody_can_be_asked_yes_must_be_given(ask, served, deed):
    ran = ask("protocol-log", deed, "mbx1")

    assert 3 == ran.code
    assert "give --yes" in ran.err
    assert [] == served.fake.log_orders


def test_too_long_and_nonsense_times_are_refused(ask, served):
    assert 1 == ask("protocol-log", "on", "mbx1", "--for", "2h", "--yes").code
    assert 3 == ask("protocol-log", "on", "mbx1", "--for", "soon", "--yes").code
    assert [] == served.fake.log_orders


def test_where_shows_how_it_stands_in_three_forms(ask):
    listed = ask("protocol-log", "where", "mbx2")
    table = ask("protocol-log", "where", "mbx2", "--format", "table")

    assert "State     : on" in listed.out
    assert "Directory : /run/mailward-rawlog" in listed.out
    assert ["mbx2", "on", "health-db2"] == table.out.splitlines()[2].split()[:3]
    assert answer(PROTOCOL_LOGS[1]) == json.loads(ask("protocol-log", "where", "mbx2", "--format", "json").out)


@pytest.mark.parametrize("form", ["list", "table", "json"])
def test_where_it_is_not_available_it_says_why_and_fails(ask, form):
    ran = ask("protocol-log", "where", "archive1", "--format", form)

    assert 1 == ran.code
    assert "not available over ssh" in " ".join(ran.out.split())


def test_find_names_the_mailbox_server_of_each_session(ask):
    ran = ask("protocol-log", "find", "health-db2", "--since", "36500d")
    _, _, *rows = ran.out.splitlines()

    assert 0 == ran.code
    assert ["mbx1", "mbx2"] == [row.split()[4] for row in rows]
    assert "--format list shows what was said" in ran.err


def test_find_shows_what_was_said_in_a_list_and_everything_as_json(ask):
    listed = ask("protocol-log", "find", "health-db2", "--since", "36500d", "--format", "list").out
    as_json = ask("protocol-log", "find", "health-db2", "--since", "36500d", "--format", "json").out

    assert "12:00:01.123 C: a1 SELECT INBOX" in listed
    assert "12:00:02.123 S: a1 NO [SERVERBUG] ***" in listed
    assert "-- proxy1: imap-login: Info: proxy(" in listed
    assert listing(LOGGED_SESSIONS) == json.loads(as_json)


def test_find_without_a_hit_says_so_and_fails(ask, served):
    served.fake.logged.clear()

    for form in ("table", "list", "json"):
        ran = ask("protocol-log", "find", "health-db2", "--since", "1h", "--format", form)
        assert 1 == ran.code
        assert "no log has a session of health-db2 within the last 1 h" in ran.err


def test_a_person_is_not_looked_for(ask):
    ran = ask("protocol-log", "find", "anna")

    assert (1, "") == (ran.code, ran.out)
    assert "no health mailbox 'anna'" in ran.err


EXCHANGE = (
    "#Fields: dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context\r\n"
    "2026-01-02T03:04:05.006Z,00AB,2,192.0.2.1:993,198.51.100.7:50002,ana,210,48,24,login,ana sesame,"
    '"R=OK;Msg=""Proxy:mbx2.example.net:1993:SSL;ProxySuccess"""\r\n'
)


def test_exchanges_own_log_names_the_mailbox_server_and_no_password(ask, tmp_path):
    file = tmp_path / "IMAP420260102-1.LOG"
    file.write_text(EXCHANGE)

    ran = ask("protocol-log", "read", str(file), "--server", "cas1", "--format", "json")

    assert (0, "") == (ran.code, ran.err)
    (session,) = json.loads(ran.out)["items"]
    assert ("cas1", "mbx2.example.net", "ana") == (session["proxy"], session["mailbox_server"], session["user"])
    assert "sesame" not in ran.out


def test_a_back_ends_log_is_that_of_who_served(ask, tmp_path):
    file = tmp_path / "IMAP4BE20260102-1.LOG"
    file.write_text(EXCHANGE.replace("Proxy:mbx2.example.net:1993:SSL;ProxySuccess", "fine"))

    (session,) = json.loads(ask("protocol-log", "read", str(file), "--server", "mbx9", "--format", "json").out)["items"]

    assert "mbx9" == session["mailbox_server"]


def test_a_file_that_is_no_such_log_is_said(ask, tmp_path):
    file = tmp_path / "mail.log"
    file.write_text("nothing of the kind\n")

    ran = ask("protocol-log", "read", str(file))

    assert 0 != ran.code
    assert "Traceback" not in ran.err
