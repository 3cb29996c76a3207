import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.diagnosis.replies import cause_of_reply
from mailward.model.probing import Cause, Phase

DOVECOT = [
    (Phase.AUTH, "NO", "AUTHENTICATIONFAILED", "Authentication failed.", Cause.AUTH_REJECTED),
    (
        Phase.AUTH,
        "NO",
        "UNAVAILABLE",
        "Temporary authentication failure. [vm:2026-11-24 03:04:05]",
        Cause.AUTH_UNAVAILABLE,
    ),
    (Phase.AUTH, "NO", "UNAVAILABLE", "Account is temporarily unavailable.", Cause.BACKEND_UNAVAILABLE),
    (
        Phase.AUTH,
        "NO",
        "LIMIT",
        "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
        Cause.LIMIT,
    ),
    (Phase.AUTH, "NO", "UNAVAILABLE", "Maximum number of connections from user+IP exceeded (x=1)", Cause.LIMIT),
    (
        Phase.AUTH,
        "NO",
        "PRIVACYREQUIRED",
        "Plaintext authentication disallowed on non-secure (SSL/TLS) connections.",
        Cause.LOGIN_DISABLED,
    ),
    (
        Phase.SELECT,
        "NO",
        "SERVERBUG",
        "Internal error occurred. Refer to server log for more information.",
        Cause.STORE_ERROR,
    ),
    (
        Phase.APPEND,
        "NO",
        "SERVERBUG",
        "Internal error occurred. Refer to server log for more information.",
        Cause.STORE_ERROR,
    ),
    (Phase.APPEND, "NO", "OVERQUOTA", "Quota exceeded (mailbox for user is full)", Cause.OVER_QUOTA),
    (Phase.APPEND, "NO", "OVERQUOTA", "Not enough disk space", Cause.STORE_ERROR),
    (Phase.SELECT, "NO", "NONEXISTENT", "Mailbox doesn't exist: x", Cause.MAILBOX_MISSING),
    (Phase.SELECT, "NO", "INUSE", "Timeout while waiting for lock", Cause.IN_USE),
    (Phase.IDLE, "BYE", None, "Server shutting down.", Cause.BYE),
    (Phase.GREETING, "BYE", None, "Disconnected: Too many connections", Cause.LIMIT),
]

OTHERS = [
    (Phase.AUTH, "NO", None, "Invalid login or password", Cause.AUTH_REJECTED),
    (Phase.AUTH, "BAD", None, "internal server error", Cause.BACKEND_UNAVAILABLE),
    (Phase.AUTH, "NO", None, "Login failed: authentication failure", Cause.AUTH_REJECTED),
    (Phase.AUTH, "NO", None, "Login failed: generic failure", Cause.AUTH_UNAVAILABLE),
    (Phase.SELECT, "NO", None, "Server(s) unavailable to complete operation", Cause.BACKEND_UNAVAILABLE),
    (Phase.SELECT, "NO", None, "System I/O error", Cause.STORE_ERROR),
    (Phase.AUTH, "NO", None, "LOGIN failed.", Cause.AUTH_REJECTED),
    (Phase.SELECT, "BAD", None, "User is authenticated but not connected.", Cause.BACKEND_UNAVAILABLE),
    (Phase.AUTH, "NO", None, "Server Unavailable. 15", Cause.BACKEND_UNAVAILABLE),
    (
        Phase.AUTH,
        "BYE",
        "ALERT",
        "Fatal error: Account's mailbox directory is not owned by the correct uid or gid",
        Cause.STORE_ERROR,
    ),
    (Phase.AUTH, "BYE", None, "Temporary problem, please try again later", Cause.AUTH_UNAVAILABLE),
    (Phase.AUTH, "NO", "OVERQUOTA", "Account exceeded command or bandwidth limits. (Failure)", Cause.LIMIT),
    (Phase.AUTH, "NO", "ALERT", "Too many simultaneous connections. (Failure)", Cause.LIMIT),
]

NOBODY_KNOWS = [
    (Phase.AUTH, "NO", None, "nein", Cause.AUTH_REJECTED),
    (Phase.AUTH, "NO", "UNAVAILABLE", "nix geht", Cause.AUTH_UNAVAILABLE),
    (Phase.AUTH, "NO", "EXPIRED", "password of 2019", Cause.AUTH_EXPIRED),
    (Phase.AUTH, "NO", "AUTHORIZATIONFAILED", "not you", Cause.AUTH_REJECTED),
    (Phase.AUTH, "NO", "CONTACTADMIN", "call us", Cause.AUTH_REJECTED),
    (Phase.AUTH, "BAD", None, "what?", Cause.COMMAND_REJECTED),
    (Phase.AUTH, "OK", None, "fine", Cause.PROTOCOL_VIOLATION),
    (Phase.TLS, "NO", None, "no TLS today", Cause.STARTTLS_UNAVAILABLE),
    (Phase.GREETING, "NO", None, "hello", Cause.PROTOCOL_VIOLATION),
    (Phase.GREETING, "BYE", "UNAVAILABLE", "come back tomorrow", Cause.BYE),
    (Phase.SELECT, "NO", None, "nope", Cause.STORE_ERROR),
    (Phase.SELECT, "NO", "UNAVAILABLE", "nope", Cause.STORE_ERROR),
    (Phase.FETCH, "NO", "CORRUPTION", "nope", Cause.STORE_ERROR),
    (Phase.APPEND, "NO", "NOPERM", "nope", Cause.STORE_READ_ONLY),
    (Phase.APPEND, "NO", "TRYCREATE", "nope", Cause.MAILBOX_MISSING),
    (Phase.IDLE, "NO", None, "nope", Cause.COMMAND_REJECTED),
    (Phase.CAPABILITY, "BAD", None, "what?", Cause.COMMAND_REJECTED),
]


@pytest.mark.parametrize(("phase", "condition", "code", "text", "cause"), [*DOVECOT, *OTHERS, *NOBODY_KNOWS])
def test_a_refusal_is_placed(phase: Phase, condition: str, code: str | None, text: str, cause: Cause) -> None:
    assert cause == cause_of_reply(phase, condition, code, text)


def test_a_code_that_says_something_is_believed_whatever_the_words_are() -> None:
    assert Cause.AUTH_REJECTED == cause_of_reply(
        Phase.AUTH, "NO", "AUTHENTICATIONFAILED", "Account is temporarily unavailable."
    )


def test_case_does_not_matter() -> None:
    assert Cause.LIMIT == cause_of_reply(Phase.AUTH, "no", "limit", "")


@given(
    st.sampled_from(Phase),
    st.sampled_from(["NO", "BAD", "BYE", "OK", "PREAUTH", ""]),
    st.none() | st.text(max_size=20),
    st.text(),
)
def test_every_reply_has_a_cause(phase: Phase, condition: str, code: str | None, text: str) -> None:
    assert isinstance(cause_of_reply(phase, condition, code, text), Cause)
