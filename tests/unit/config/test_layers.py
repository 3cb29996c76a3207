import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.config.layers import Setting, database_settings, groups_of, members, overlay, server_settings
from mailward.config.schema import Configuration

LAYERED = {
    "health_mailboxes": {"user": "health-{name}", "password_file": "secrets/{name}"},
    "templates": {"t": {"platform": "dovecot", "imap": {"port": 1, "host": "t"}, "known_as": ["t1", "t2"]}},
    "groups": {"g": {"servers": ["be*"], "template": "t", "roles": ["mailbox"], "imap": {"port": 2}}},
    "servers": {"be1": {"imap": {"port": 3}, "known_as": ["own"]}, "be2": {}, "proxy1": {"roles": ["proxy"]}},
    "databases": {"DB1": {"copies": ["be1"]}, "DB2": {"health_mailbox": {"password_environment": "X"}}},
}


def settings_of(name: str) -> dict[tuple[str, ...], object]:
    settings, _ = server_settings(Configuration.model_validate(LAYERED))
    return {key: setting.value for key, setting in settings[name].items() if key[0] != "health_mailbox"}


def test_a_server_stands_above_its_group_and_that_above_its_template():
    assert {
        ("roles",): ["mailbox"],
        ("platform",): "dovecot",
        ("imap", "port"): 3,
        ("imap", "host"): "t",
        ("known_as",): ["own"],
    } == settings_of("be1")
    assert (2, ["t1", "t2"]) == (settings_of("be2")["imap", "port"], settings_of("be2")["known_as",])
    assert {("roles",): ["proxy"]} == settings_of("proxy1")


@pytest.mark.parametrize(
    ("server", "key", "layer"),
    [
        ("be1", ("imap", "port"), ""),
        ("be2", ("imap", "port"), "group g"),
        ("be1", ("platform",), "template t"),
        ("be1", ("health_mailbox", "user"), "health_mailboxes"),
    ],
)
def test_every_setting_remembers_who_said_it(server, key, layer):
    settings, _ = server_settings(Configuration.model_validate(LAYERED))

    assert layer == settings[server][key].layer


def test_only_mailbox_servers_take_the_common_health_mailbox():
    settings, _ = server_settings(Configuration.model_validate(LAYERED))

    assert ("health_mailbox", "user") in settings["be1"]
    assert ("health_mailbox", "user") not in settings["proxy1"]


def test_a_password_somewhere_else_replaces_the_common_place():
    settings = database_settings(Configuration.model_validate(LAYERED))

    assert [("health_mailbox", "user"), ("health_mailbox", "password_environment")] == list(settings["DB2"])


@pytest.mark.parametrize(
    ("patterns", "matched"),
    [
        ([], []),
        (["*"], ["be1", "BE2", "proxy"]),
        (["be?"], ["be1", "BE2"]),
        (["Be2"], ["BE2"]),
        (["be"], []),
        (["[ab]e1"], ["be1"]),
        (["["], []),
    ],
)
def test_patterns_match_whole_names_without_regard_to_case_and_an_empty_selection_nobody(patterns, matched):
    assert matched == [name for names in members(["be1", "BE2", "proxy"], patterns).values() for name in names]


def test_groups_of_a_server_are_in_the_order_they_are_written_and_named_once():
    tree = {"servers": {"a": {}}, "groups": {"z": {"servers": ["a", "*"]}, "b": {"servers": ["A"]}, "c": {}}}

    assert {"a": ("z", "b")} == groups_of(Configuration.model_validate(tree))


def test_two_groups_that_agree_do_not_clash_and_two_templates_may_be_overruled_by_a_group():
    tree = {
        "servers": {"a": {}},
        "templates": {"t": {"sentinel": True}, "u": {"sentinel": False}},
        "groups": {
            "g": {"servers": ["a"], "template": "t", "platform": "dovecot", "sentinel": True},
            "h": {"servers": ["a"], "template": "u", "platform": "dovecot"},
        },
    }

    _, clashes = server_settings(Configuration.model_validate(tree))

    assert () == clashes


def test_a_clash_names_the_server_and_both_places():
    groups = {"g": {"servers": ["a"], "imap": {"port": 1}}, "h": {"servers": ["a"], "imap": {"port": 2}}}

    _, (clash,) = server_settings(Configuration.model_validate({"servers": {"a": {}}, "groups": groups}))

    expected = (
        "is groups.g.imap.port for server a as well, with another value; set it in servers.a or let only one group"
        " say it"
    )
    assert (expected, ("groups", "h", "imap", "port")) == (str(clash), clash.second)


KEYS = st.sampled_from([("a",), ("b", "c"), ("m", "user"), ("m", "password_file"), ("m", "password_environment")])
LAYERS = st.lists(st.dictionaries(KEYS, st.integers(), max_size=4), max_size=4)


@given(LAYERS)
def test_the_uppermost_layer_that_says_something_is_obeyed(layers):
    placed = [{key: Setting(value=value, path=key) for key, value in layer.items()} for layer in layers]

    for key, setting in overlay(layer.items() for layer in placed).items():
        assert setting.value == next(layer[key] for layer in reversed(layers) if key in layer)
