from pathlib import Path

import pytest

from mailward.config.sources import Sources
from mailward.config.validation import validate


def mistakes_in(tree: dict[str, object]) -> list[str]:
    validated = validate(Sources(directory=Path("/nowhere"), files=(), tree=tree))
    return [mistake.text for mistake in validated.mistakes]


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ({"servers": {"a": {"sentinel": 1}}}, "servers.a.sentinel must be true or false"),
        ({"servers": {"a": {"imap": {"port": "x"}}}}, "servers.a.imap.port must be a whole number"),
        ({"servers": {"a": {"imap": {"port": 1.5}}}}, "servers.a.imap.port must be a whole number"),
        ({"servers": {"a": {"imap": {"port": True}}}}, "servers.a.imap.port must be a whole number"),
        ({"servers": {"a": {"imap": {"port": 0}}}}, "servers.a.imap.port must be at least 1"),
        ({"servers": {"a": {"imap": {"port": 65536}}}}, "servers.a.imap.port must be at most 65535"),
        ({"servers": {"a": {"imap": {"host": ""}}}}, "servers.a.imap.host must not be empty"),
        ({"servers": {"a": {"imap": {"host": "x" * 5000}}}}, "servers.a.imap.host is too long"),
        (
            {"servers": {"a": {"imap": {"host": "a\nb"}}}},
            "servers.a.imap.host must be one line of text without control characters",
        ),
        ({"servers": {"a": {"imap": {"host": 5}}}}, "servers.a.imap.host must be text in quotation marks"),
        ({"servers": {"a": {"known_as": "x"}}}, 'servers.a.known_as must be a list, such as ["a", "b"]'),
        ({"servers": {"a": {"imap": 5}}}, "servers.a.imap must be a table"),
        ({"servers": {"a": 5}}, "servers.a must be a table"),
        ({"servers": 5}, "servers must be a table"),
        (
            {"servers": {"a": {"host": {"service": "dovecot"}}}},
            'servers.a.host.service must be "systemd:UNIT", "pidfile:FILE" or "supervisor:SOCKET"',
        ),
        ({"rollup": {"minimum_percent": float("nan")}}, None),
    ],
)
def test_what_is_not_of_its_kind_is_told_what_it_must_be(tree, text):
    (found,) = mistakes_in(tree)

    assert text is None or text == found


def test_a_server_may_be_called_like_a_secret():
    assert [] == mistakes_in({"servers": {"token": {"roles": ["proxy"]}}, "groups": {"secret": {"servers": ["token"]}}})


def test_what_is_wrong_is_taken_out_and_the_rest_is_kept():
    tree = {"servers": {"a": {"roles": ["proxy"], "imap": {"port": 0, "host": "x"}}}}

    validated = validate(Sources(directory=Path("/nowhere"), files=(), tree=tree))

    assert ("x", None) == (
        validated.configuration.servers["a"].imap.host,
        validated.configuration.servers["a"].imap.port,
    )
    assert validated.was_given(("servers", "a", "imap", "port"))
    assert not validated.was_given(("servers", "a", "imap", "host"))


def test_a_wrong_item_of_a_list_takes_the_list_with_it_and_is_said_once_for_each():
    assert 2 == len(mistakes_in({"servers": {"a": {"roles": ["prxy", "mailbox", "x"]}}}))
