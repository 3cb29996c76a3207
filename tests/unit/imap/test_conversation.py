from datetime import timedelta

import pytest

from mailward.imap import (
    Append,
    Authenticate,
    Capability,
    CloseMailbox,
    Conversation,
    Credentials,
    Ended,
    Exists,
    Fetch,
    Greeting,
    Id,
    Idle,
    Idling,
    LocalProtocolError,
    Login,
    Logout,
    Noop,
    RemoteProtocolError,
    Select,
    StartTls,
    State,
    Status,
    UidFetch,
    Update,
    Violation,
)
from mailward.imap.sasl import Plain
from mailward.model.organization import Security

GREETING = b"* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ IDLE AUTH=PLAIN] ready\r\n"


def a_conversation(security: Security = Security.TLS, greeting: bytes = GREETING, **settings: bool) -> Conversation:
    talk = Conversation(security=security, **settings)
    talk.receive(greeting)
    return talk


def logged_in(**settings: bool) -> Conversation:
    talk = a_conversation(**settings)
    answered(talk, Login("u1", "sesame-open"), b"p1 OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE UIDPLUS] in\r\n")
    return talk


def answered(talk: Conversation, command, data: bytes):
    talk.send(command)
    talk.data_to_send()
    talk.receive(data)
    return talk.reply


def test_a_greeting_opens_the_conversation_and_tells_capabilities():
    talk = a_conversation()

    assert Greeting(Status.OK, talk.greeting.code, "ready") == talk.greeting
    assert State.NOT_AUTHENTICATED == talk.state
    assert talk.knows_capabilities
    assert "AUTH=PLAIN" in talk.capabilities


def test_a_preauth_greeting_means_logged_in():
    assert State.AUTHENTICATED == a_conversation(greeting=b"* PREAUTH welcome\r\n").state


def test_a_bye_greeting_ends_the_conversation():
    talk = a_conversation(greeting=b"* BYE [UNAVAILABLE] too busy\r\n")

    assert not talk.greeting.ok
    assert "BYE [UNAVAILABLE] too busy" == talk.greeting.summary
    assert talk.has_ended


def test_preauth_where_starttls_is_demanded_is_an_attack():
    with pytest.raises(RemoteProtocolError) as caught:
        a_conversation(Security.STARTTLS, b"* PREAUTH welcome\r\n")

    assert Violation.PREAUTH_BEFORE_TLS == caught.value.violation


def test_the_end_of_the_stream_before_a_greeting_is_a_greeting_too():
    talk = a_conversation(greeting=b"")

    assert Status.CLOSED == talk.greeting.status
    assert "the server closed the connection without a greeting" == talk.greeting.summary


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        (b"220 mail ESMTP\r\n", "SMTP"),
        (b"+OK POP3 ready\r\n", "POP3"),
        (b"SSH-2.0-OpenSSH\r\n", "SSH"),
        (b"HTTP/1.1 400 Bad Request\r\n", "web server"),
        (b"\x15\x03\x01\x00\x02\x02", "TLS"),
        (b"\xff\xfe garbage", "garbage"),
    ],
)
def test_what_is_no_imap_is_refused_at_once_and_named(said, hint):
    with pytest.raises(RemoteProtocolError, match=hint) as caught:
        a_conversation(greeting=said)

    assert Violation.NOT_IMAP == caught.value.violation


def test_a_reply_carries_all_that_was_said_for_the_command():
    reply = answered(
        logged_in(),
        Select("INBOX"),
        b"* FLAGS (\\Seen \\Deleted)\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 17] ok\r\n* OK [UIDNEXT 9] ok\r\n"
        b"* OK [PERMANENTFLAGS (\\Seen \\*)] ok\r\n"
        b"p2 OK [READ-ONLY] Select completed (0.001 + 0.000 + 0.003 secs).\r\n",
    )

    assert (3, 17, 9, True) == (
        reply.mailbox.exists,
        reply.mailbox.uid_validity,
        reply.mailbox.uid_next,
        reply.mailbox.read_only,
    )
    assert frozenset({"\\Seen", "\\*"}) == reply.mailbox.permanent_flags
    assert timedelta(milliseconds=1) == reply.server_time
    assert [Exists(3)] == reply.of(Exists)


@pytest.mark.parametrize("line", [b"p2 OK\r\n", b"p2 ok done\r\n", b"p2 OK \r\n", b"p2 OK done\n"])
def test_sloppy_tagged_replies_are_taken(line):
    assert answered(logged_in(), Noop(), line).ok


def test_unknown_untagged_responses_and_utf8_texts_are_taken():
    reply = answered(logged_in(), Noop(), "* XSERVER hallo Wörld\r\n* OK schön [x\r\np2 NO [x-ÄÖ] größe\r\n".encode())

    assert Status.NO == reply.status
    assert "größe" == reply.text


@pytest.mark.parametrize(
    ("said", "status", "summary"),
    [
        (b"* BAD internal server error\r\n", Status.BAD, "BAD internal server error"),
        (b"* BYE Server shutting down.\r\n", Status.BYE, "BYE Server shutting down."),
        (b"", Status.CLOSED, "the server closed the connection instead of answering NOOP"),
    ],
)
def test_what_makes_waiting_pointless_is_the_reply_at_once(said, status, summary):
    talk = logged_in()
    reply = answered(talk, Noop(), said)

    assert (status, False, summary) == (reply.status, reply.tagged, reply.summary)
    assert talk.has_ended


def test_an_untagged_no_is_a_warning_and_waiting_goes_on():
    talk = logged_in()

    assert answered(talk, Noop(), b"* NO disk nearly full\r\n") is None
    talk.receive(b"p2 OK done\r\n")
    assert talk.reply.ok


def test_a_server_that_leaves_between_commands_answers_the_next_one_at_once():
    talk = logged_in()

    events = talk.receive(b"* BYE idle for too long\r\n")
    talk.send(Noop())

    assert [Ended(Status.BYE, None, "idle for too long")] == events
    assert (Status.BYE, b"") == (talk.reply.status, talk.data_to_send())


def test_logout_expects_a_bye():
    talk = logged_in()
    reply = answered(talk, Logout(), b"* BYE Logging out\r\np2 OK done\r\n")

    assert reply.ok
    assert talk.has_ended


def test_logout_is_done_when_the_server_leaves_after_its_bye():
    talk = logged_in()
    answered(talk, Logout(), b"* BYE Logging out\r\n")
    talk.receive(b"")

    assert talk.reply.ok


@pytest.mark.parametrize("line", [b"p9 OK done\r\n", b"a1 OK done\r\n", b"P2 OK done\r\n"])
def test_a_wrong_tag_is_a_violation(line):
    with pytest.raises(RemoteProtocolError) as caught:
        answered(logged_in(), Noop(), line)

    assert Violation.WRONG_TAG == caught.value.violation


def test_a_tagged_reply_nobody_waits_for_is_a_violation():
    with pytest.raises(RemoteProtocolError) as caught:
        logged_in().receive(b"p1 OK again\r\n")

    assert Violation.WRONG_TAG == caught.value.violation


def test_data_behind_the_ok_to_starttls_is_an_injection():
    talk = a_conversation(Security.STARTTLS)

    with pytest.raises(RemoteProtocolError) as caught:
        answered(talk, StartTls(), b"p1 OK begin\r\n* CAPABILITY EVIL\r\n")
    assert Violation.INJECTION == caught.value.violation


def test_data_between_the_ok_to_starttls_and_the_handshake_is_an_injection():
    talk = a_conversation(Security.STARTTLS)
    answered(talk, StartTls(), b"p1 OK begin\r\n")

    with pytest.raises(RemoteProtocolError) as caught:
        talk.receive(b"*")
    assert Violation.INJECTION == caught.value.violation


def test_after_the_handshake_nothing_said_in_the_clear_counts():
    talk = a_conversation(Security.STARTTLS)
    answered(talk, StartTls(), b"p1 OK begin\r\n")
    talk.tls_established()

    assert (State.NOT_AUTHENTICATED, True, False) == (talk.state, talk.encrypted, talk.knows_capabilities)


def test_a_refused_starttls_leaves_the_conversation_in_the_clear():
    talk = a_conversation(Security.STARTTLS)

    assert not answered(talk, StartTls(), b"p1 NO not today\r\n").ok
    assert not talk.encrypted
    with pytest.raises(LocalProtocolError):
        talk.tls_established()


def test_a_password_does_not_leave_unencrypted():
    talk = a_conversation(Security.STARTTLS)

    for command in (Login("u1", "secret-pw"), Authenticate(Plain(Credentials(user="u1", password="secret-pw")))):
        with pytest.raises(LocalProtocolError, match="not encrypted"):
            talk.send(command)
    assert b"" == talk.data_to_send()


def test_a_password_leaves_unencrypted_where_that_is_allowed():
    talk = a_conversation(Security.PLAIN, allow_plaintext_auth=True)
    talk.send(Login("u1", "secret-pw"))

    assert b'p1 LOGIN u1 "secret-pw"\r\n' == talk.data_to_send()


def test_logindisabled_is_obeyed_even_over_tls():
    talk = a_conversation(greeting=b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready\r\n")

    with pytest.raises(LocalProtocolError, match="LOGINDISABLED"):
        talk.send(Login("u1", "secret-pw"))


def test_login_forgets_capabilities_unless_told_anew():
    silent = a_conversation()
    answered(silent, Login("u1", "sesame-open"), b"p1 OK in\r\n")
    telling = a_conversation()
    answered(telling, Login("u1", "sesame-open"), b"* CAPABILITY IMAP4rev1 X\r\np1 OK in\r\n")

    assert not silent.knows_capabilities
    assert frozenset({"IMAP4REV1", "X"}) == telling.capabilities


def test_plain_goes_with_the_command_where_the_server_takes_that():
    talk = a_conversation()
    talk.send(Authenticate(Plain(Credentials(user="u1", password="pw", login_as="master"))))

    assert b"p1 AUTHENTICATE PLAIN dTEAbWFzdGVyAHB3\r\n" == talk.data_to_send()


def test_plain_waits_to_be_asked_elsewhere():
    talk = a_conversation(greeting=b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n")
    talk.send(Authenticate(Plain(Credentials(user="u1", password="pw"))))
    first = talk.data_to_send()
    talk.receive(b"+ go ahead, please\r\n")
    second = talk.data_to_send()
    talk.receive(b"p1 OK in\r\n")

    assert (b"p1 AUTHENTICATE PLAIN\r\n", b"AHUxAHB3\r\n") == (first, second)
    assert State.AUTHENTICATED == talk.state


def test_a_challenge_plain_does_not_have_is_a_violation():
    talk = a_conversation()

    with pytest.raises(RemoteProtocolError) as caught:
        answered(talk, Authenticate(Plain(Credentials(user="u1", password="pw"))), b"+ bW9yZQ==\r\n")
    assert Violation.BAD_CHALLENGE == caught.value.violation


def test_a_literal_goes_along_where_the_server_takes_that():
    talk = logged_in()
    talk.send(Append("INBOX", b"Subject: x\r\n\r\nhi", flags=("\\Seen", "$Token")))

    assert b"p2 APPEND INBOX (\\Seen $Token) {16+}\r\nSubject: x\r\n\r\nhi\r\n" == talk.data_to_send()


def test_a_literal_waits_to_be_asked_elsewhere():
    talk = a_conversation(greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n")
    talk.send(Append("INBOX", b"hello"))
    first = talk.data_to_send()
    talk.receive(b"+ OK\r\n")

    assert (b"p1 APPEND INBOX {5}\r\n", b"hello\r\n") == (first, talk.data_to_send())


def test_literal_minus_takes_small_literals_only():
    talk = a_conversation(greeting=b"* PREAUTH [CAPABILITY IMAP4rev1 LITERAL-] ready\r\n")
    talk.send(Append("INBOX", b"x" * 4096))
    small = talk.data_to_send()
    talk.receive(b"p1 OK done\r\n")
    talk.send(Append("INBOX", b"x" * 4097))

    assert small.startswith(b"p1 APPEND INBOX {4096+}\r\n")
    assert b"p2 APPEND INBOX {4097}\r\n" == talk.data_to_send()


def test_a_message_refused_before_it_was_sent_is_not_sent():
    talk = a_conversation(greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n")
    reply = answered(talk, Append("INBOX", b"hello"), b"p1 NO [OVERQUOTA] full\r\n")

    assert ("OVERQUOTA", b"") == (reply.code_name, talk.data_to_send())


def test_a_continuation_out_of_place_is_a_violation():
    with pytest.raises(RemoteProtocolError) as caught:
        answered(logged_in(), Noop(), b"+ more\r\n")

    assert Violation.UNEXPECTED_CONTINUATION == caught.value.violation


def test_idle_tells_what_happens_until_it_is_done():
    talk = logged_in()
    talk.send(Idle())
    talk.data_to_send()

    assert [Idling()] == talk.receive(b"+ idling\r\n")
    assert [Update(Exists(4))] == talk.receive(b"* 4 EXISTS\r\n")
    talk.done()
    assert b"DONE\r\n" == talk.data_to_send()
    talk.receive(b"p2 OK done\r\n")
    assert [Exists(4)] == talk.reply.of(Exists)


def test_done_without_idle_is_our_fault():
    with pytest.raises(LocalProtocolError):
        logged_in().done()


def test_a_failed_select_leaves_no_mailbox_selected():
    talk = logged_in()
    answered(talk, Select("INBOX"), b"p2 OK done\r\n")
    answered(talk, Select("Other"), b"p3 NO [SERVERBUG] Internal error\r\n")

    assert State.AUTHENTICATED == talk.state


def test_closing_the_mailbox_leaves_it():
    talk = logged_in()
    answered(talk, Select("INBOX"), b"p2 OK done\r\n")
    answered(talk, CloseMailbox(), b"p3 OK done\r\n")

    assert State.AUTHENTICATED == talk.state


@pytest.mark.parametrize("command", [Select("INBOX"), UidFetch(1), Idle(), Append("INBOX", b"x")])
def test_commands_wait_for_their_state(command):
    with pytest.raises(LocalProtocolError, match="not allowed while not authenticated"):
        a_conversation().send(command)


def test_one_command_at_a_time():
    talk = a_conversation()
    talk.send(Capability())

    with pytest.raises(LocalProtocolError, match="must wait"):
        talk.send(Noop())


def test_a_message_body_is_fetched_byte_for_byte():
    talk = logged_in()
    answered(talk, Select("INBOX"), b"p2 OK done\r\n")
    reply = answered(
        talk,
        UidFetch(7),
        b"* 1 FETCH (UID 7 FLAGS (\\Seen) RFC822.SIZE 10 BODY[] {10}\r\na\r\np3 OK\0\xff)\r\np3 OK done\r\n",
    )

    assert [Fetch(1, 7, frozenset({"\\Seen"}), 10, None, {"BODY[]": b"a\r\np3 OK\0\xff"})] == reply.messages
    assert b"a\r\np3 OK\0\xff" == reply.messages[0].body


def test_id_after_login_names_the_mailbox_server():
    reply = answered(
        logged_in(),
        Id({"name": 'mail"ward'}),
        b'* ID ("name" "Dovecot" "X-Backend" "be1" "os" NIL)\r\np2 OK done\r\n',
    )

    assert {"name": "Dovecot", "x-backend": "be1"} == reply.identity


def test_id_escapes_what_it_says():
    talk = a_conversation()
    talk.send(Id({"name": 'mail"ward', "version": "1"}))

    assert b'p1 ID ("name" "mail\\"ward" "version" "1")\r\n' == talk.data_to_send()


def test_nothing_is_heard_after_the_end():
    talk = a_conversation(greeting=b"* BYE gone\r\n")

    assert [] == talk.receive(b"* OK but still\r\n")
