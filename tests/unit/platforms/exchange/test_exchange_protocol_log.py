"""Exchange's two layouts of CSV; the shapes are those of the public documentation and of logs people have published."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.model.errors import Refused
from mailward.model.protocol_log import Speaker
from mailward.platforms.exchange.protocol_log import sessions

PRACTISED = (
    "#Software: Microsoft Exchange Server\r\n#Log-type: IMAP4 Protocol Log\r\n"
    "#Fields: dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid\r\n"
    "2026-01-02T03:04:05.001Z,00AB,1,192.0.2.1:993,198.51.100.7:50002,,3,0,60,OpenSession,,,\r\n"
    "2026-01-02T03:04:05.006Z,00AB,2,192.0.2.1:993,198.51.100.7:50002,ana,210,48,24,login,ana *****,"
    '"R=OK;Msg=""Proxy:mbx2.example.net:1993:SSL;ProxySuccess""",\r\n'
    "2026-01-02T03:04:06.000Z,00AB,3,192.0.2.1:993,198.51.100.7:50002,ana,1,9,9,search,"
    '"SUBJECT ""my divorce""",R=OK,\r\n'
    "2026-01-02T03:04:07.000Z,00AC,1,192.0.2.1:993,198.51.100.8:50003,bob,1,9,9,noop,,R=OK,\r\n"
)
DOCUMENTED = (
    "#Software: Microsoft Exchange Server\r\n"
    "#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\r\n"
    "2026-01-02T03:04:05.001Z,,00AB,0,192.0.2.1:993,198.51.100.7:50002,+,,\r\n"
    "2026-01-02T03:04:05.002Z,,00AB,1,192.0.2.1:993,198.51.100.7:50002,>,* OK ready,\r\n"
    "2026-01-02T03:04:05.003Z,,00AB,2,192.0.2.1:993,198.51.100.7:50002,<,a1 LOGIN ana sesame,\r\n"
    "2026-01-02T03:04:05.004Z,,00AB,3,192.0.2.1:993,198.51.100.7:50002,>,a1 OK done,_Mbx:mbx2.example.net\r\n"
    "2026-01-02T03:04:05.005Z,,00AB,4,192.0.2.1:993,198.51.100.7:50002,-,,Local\r\n"
)


def read(text: str, *, is_back_end: bool = False):
    return sessions("cas1", text.encode(), is_back_end=is_back_end)


def test_the_layout_that_exchange_writes_names_who_served_after_proxy():
    first, second = read(PRACTISED)

    assert ("ana", "00AB", "mbx2.example.net", "cas1") == (
        first.user,
        first.session,
        first.mailbox_server,
        first.proxy,
    )
    assert datetime(2026, 1, 2, 3, 4, 5, 1000, UTC) == first.opened
    assert ("bob", None) == (second.user, second.mailbox_server)
    assert "names no mailbox server" in second.because


def test_what_was_said_is_masked_and_the_outcome_of_each_command_follows_it():
    lines = [(line.speaker, line.text) for line in read(PRACTISED)[0].lines]

    assert [
        (Speaker.CLIENT, "OpenSession"),
        (Speaker.CLIENT, "login ***"),
        (Speaker.LOG, 'R=OK;Msg="Proxy:mbx2.example.net:1993:SSL;ProxySuccess"'),
        (Speaker.CLIENT, 'search SUBJECT "***"'),
        (Speaker.LOG, "R=OK"),
    ] == lines


def test_the_documented_layout_names_who_served_after_mbx():
    (one,) = read(DOCUMENTED)

    assert ("ana", "mbx2.example.net") == (one.user, one.mailbox_server)
    assert [
        (Speaker.SERVER, "* OK ready"),
        (Speaker.CLIENT, "a1 LOGIN ***"),
        (Speaker.SERVER, "a1 OK done"),
        (Speaker.LOG, "_Mbx:mbx2.example.net"),
        (Speaker.LOG, "Local"),
    ] == [(line.speaker, line.text) for line in one.lines]


@pytest.mark.parametrize(
    "text",
    [
        PRACTISED.replace('"R=OK;Msg=""Proxy:mbx2.example.net:1993:SSL;ProxySuccess"""', "R=OK").replace(
            "ana *****", "Proxy:evil.example.net"
        ),
        DOCUMENTED.replace(",_Mbx:mbx2.example.net", ",").replace("ana sesame", "_Mbx:evil.example.net x"),
        PRACTISED.replace("mbx2.example.net:1993", "../../etc:1993"),
    ],
)
def test_what_a_client_sent_or_no_host_is_called_names_no_server(text):
    assert read(text)[0].mailbox_server is None


def test_a_back_end_serves_its_sessions_itself():
    first, _ = read(PRACTISED, is_back_end=True)

    assert ("cas1", None) == (first.mailbox_server, first.proxy)


def test_fields_may_stand_in_another_order_and_change_on_the_way():
    text = "#Fields: user,sessionId,context,dateTime\nana,1,_Mbx:mbx1,2026-01-02T03:04:05Z\n"
    text += "#Fields: sessionId,user\n2,bob\n"

    assert [("ana", "mbx1"), ("bob", None)] == [(one.user, one.mailbox_server) for one in read(text)]


@pytest.mark.parametrize("text", ["", "#Software: x\n", "a,b,c\n", "2026-01-02T03:04:05Z,1\n" * 3])
def test_what_is_no_such_log_is_refused(text):
    with pytest.raises(Refused, match="no IMAP protocol log of cas1"):
        read(text)


def test_lines_that_are_cut_or_too_short_are_left_out_or_read_as_far_as_they_go():
    (one,) = read('#Fields: dateTime,sessionId,user,command\nnonsense\n,,,\nyesterday,7,ana\n"unended,7\n')

    assert ("7", "ana", None, ()) == (one.session, one.user, one.opened, one.lines)


def test_a_long_session_and_many_of_them_are_bounded():
    head = "#Fields: sessionId,command\n"
    (long,) = read(head + "1,noop\n" * 1000)
    many = read(head + "".join(f"{number},noop\n" for number in range(3000)))

    assert (401, "(600 lines left out)") == (len(long.lines), long.lines[-1].text)
    assert 2000 == len(many)


PIECES = st.sampled_from(
    [
        "#Fields: ",
        "sessionId,",
        "command,context,user\n",
        '"',
        '""',
        ",",
        "\n",
        "\r",
        "\0",
        "1,login,",
        "_Mbx:",
        "Proxy:a",
        "2026-01-02T03:04:05Z",
        "<",
        "é",
    ]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=60).map("".join))
def test_whatever_stands_there_is_read_or_refused_and_can_be_shown(text):
    try:
        found = read(text)
    except Refused:
        return
    assert all(line.text.isprintable() for one in found for line in one.lines)
    assert all(one.user.isprintable() and one.session.isprintable() for one in found)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_text_raise_nothing_else(data):
    with suppress(Refused):
        sessions("cas1", b"#Fields: sessionId,command,context\n" + data, is_back_end=False)
