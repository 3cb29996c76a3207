from base64 import b64encode

import pytest

from mailward.imap import Authenticate, Conversation, Credentials, LocalProtocolError, RemoteProtocolError, Violation
from mailward.imap.scram import ScramSha256, prepared
from mailward.model.organization import Security

# RFC 7677 §3
NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def an_exchange(user: str = "user", password: str = "pencil", login_as: str | None = None):
    return ScramSha256(Credentials(user=user, password=password, login_as=login_as), NONCE).begin()


def test_the_example_of_rfc_7677_is_reproduced():
    exchange = an_exchange()

    assert b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO" == exchange.initial()
    assert (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=" == exchange.answer(SERVER_FIRST)
    )
    assert b"" == exchange.answer(SERVER_FINAL)
    exchange.finish()


def test_a_master_user_names_whom_it_stands_for():
    assert b"n,a=boss=2C=3D,n=admin,r=" + NONCE.encode() == an_exchange("boss,=", login_as="admin").initial()


def test_a_server_with_a_wrong_signature_does_not_know_the_password():
    exchange = an_exchange()
    exchange.answer(SERVER_FIRST)

    with pytest.raises(RemoteProtocolError) as caught:
        exchange.answer(b"v=" + b64encode(bytes(32)))
    assert Violation.SERVER_NOT_PROVEN == caught.value.violation


def test_a_server_that_proves_nothing_is_not_believed():
    talk = Conversation(security=Security.PLAIN)
    talk.receive(b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256] x\r\n")
    talk.send(Authenticate(ScramSha256(Credentials(user="user", password="pencil"), NONCE)))

    with pytest.raises(RemoteProtocolError) as caught:
        talk.receive(b"p1 OK welcome\r\n")
    assert Violation.SERVER_NOT_PROVEN == caught.value.violation


@pytest.mark.parametrize(
    "challenge",
    [
        b"r=somebodyelse,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"r=" + NONCE.encode() + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        SERVER_FIRST.replace(b"i=4096", b"i=1"),
        SERVER_FIRST.replace(b"i=4096", b"i=999999999"),
        SERVER_FIRST.replace(b"i=4096", b"i=4000000"),
        SERVER_FIRST.replace(b"i=4096", b"i=x"),
        SERVER_FIRST.replace(b"s=W22Z", b"s=!!"),
        b"\xff\xfe",
        b"",
    ],
)
def test_a_first_message_that_is_none_is_refused(challenge):
    with pytest.raises(RemoteProtocolError) as caught:
        an_exchange().answer(challenge)

    assert Violation.BAD_CHALLENGE == caught.value.violation


def test_an_error_of_the_server_is_left_to_its_tagged_reply():
    exchange = an_exchange()
    exchange.answer(SERVER_FIRST)

    assert b"" == exchange.answer(b"e=invalid-proof")


def test_a_challenge_after_the_last_is_refused():
    exchange = an_exchange()
    exchange.answer(SERVER_FIRST)
    exchange.answer(SERVER_FINAL)

    with pytest.raises(RemoteProtocolError):
        exchange.answer(SERVER_FINAL)


@pytest.mark.parametrize("nonce", ["short", "x" * 20 + ",", "x" * 20 + "ä"])
def test_an_unfit_nonce_is_our_fault(nonce):
    with pytest.raises(LocalProtocolError):
        ScramSha256(Credentials(user="u", password="p"), nonce).begin()


@pytest.mark.parametrize(  # RFC 4013 §3
    ("text", "result"), [("I\u00adX", "IX"), ("user", "user"), ("USER", "USER"), ("\u00aa", "a"), ("\u2168", "IX")]
)
def test_saslprep_follows_its_examples(text, result):
    assert result == prepared(text)


@pytest.mark.parametrize("text", ["\u0007", "\u0627\u0031"])
def test_saslprep_refuses_its_examples(text):
    with pytest.raises(LocalProtocolError):
        prepared(text)
