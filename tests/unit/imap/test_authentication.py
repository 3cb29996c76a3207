import pytest

from mailward.imap import (
    Authenticate,
    CannotAuthenticate,
    Credentials,
    LocalProtocolError,
    Login,
    choose_authentication,
)
from mailward.model.probing import Cause

WHO = Credentials(user="u1", password="secret-pw")
MASTER = Credentials(user="u1", password="secret-pw", login_as="master")
ALL = {"AUTH=PLAIN", "AUTH=SCRAM-SHA-256"}


def chosen(offered, *, who=WHO, encrypted=True, allow_plaintext=False, mechanism=None) -> str:
    command = choose_authentication(
        who,
        frozenset(offered),
        encrypted=encrypted,
        allow_plaintext=allow_plaintext,
        nonce="n" * 20,
        mechanism=mechanism,
    )
    if isinstance(command, Login):
        return "LOGIN"
    assert isinstance(command, Authenticate)
    return command.mechanism.name


@pytest.mark.parametrize(
    ("offered", "settings", "way"),
    [
        (ALL, {}, "PLAIN"),
        ({"AUTH=SCRAM-SHA-256"}, {}, "LOGIN"),
        ({"AUTH=SCRAM-SHA-256", "LOGINDISABLED"}, {}, "SCRAM-SHA-256"),
        ({"IMAP4REV1"}, {}, "LOGIN"),
        (ALL, {"encrypted": False}, "SCRAM-SHA-256"),
        (ALL, {"encrypted": False, "allow_plaintext": True}, "SCRAM-SHA-256"),
        ({"AUTH=PLAIN"}, {"encrypted": False, "allow_plaintext": True}, "PLAIN"),
        ({}, {"encrypted": False, "allow_plaintext": True}, "LOGIN"),
        (ALL, {"who": MASTER}, "PLAIN"),
        ({"AUTH=SCRAM-SHA-256"}, {"who": MASTER}, "SCRAM-SHA-256"),
        (ALL, {"mechanism": "login"}, "LOGIN"),
        (ALL, {"mechanism": "scram-sha-256"}, "SCRAM-SHA-256"),
    ],
)
def test_the_way_to_log_in_follows_from_what_is_offered(offered, settings, way):
    assert way == chosen(offered, **settings)


@pytest.mark.parametrize(
    ("offered", "settings", "cause"),
    [
        ({"AUTH=PLAIN"}, {"encrypted": False}, Cause.PROBER_FAULT),
        ({"AUTH=PLAIN", "LOGINDISABLED"}, {"encrypted": False}, Cause.LOGIN_DISABLED),
        ({"LOGINDISABLED", "AUTH=GSSAPI"}, {}, Cause.LOGIN_DISABLED),
        ({"IMAP4REV1"}, {"who": MASTER}, Cause.NO_MECHANISM),
        ({"AUTH=PLAIN"}, {"mechanism": "SCRAM-SHA-256"}, Cause.NO_MECHANISM),
    ],
)
def test_where_there_is_no_way_the_reason_is_named(offered, settings, cause):
    with pytest.raises(CannotAuthenticate) as caught:
        chosen(offered, **settings)

    assert cause == caught.value.reason.cause
    assert "secret-pw" not in str(caught.value)


def test_credentials_do_not_show_their_password():
    sasl = choose_authentication(WHO, frozenset(ALL), encrypted=True, allow_plaintext=False, nonce="n" * 20)

    assert "secret-pw" not in f"{WHO!r} {MASTER!r} {sasl!r} {Login('u1', 'secret-pw')!r}"


@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\0b"])
def test_credentials_refuse_what_no_login_can_carry(bad):
    for fields in ({"user": bad}, {"password": bad}, {"login_as": bad}):
        with pytest.raises(LocalProtocolError):
            Credentials(**{"user": "u", "password": "p", **fields})
