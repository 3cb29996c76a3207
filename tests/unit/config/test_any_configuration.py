"""A configuration that is nearly right: one or a few settings of the schema hold something else."""

import json
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mailward.config.check import check, concerns_in_words, cost_in_words
from mailward.config.keys import every_key
from mailward.config.load import load
from mailward.config.mistakes import WrongConfiguration
from mailward.config.show import show

RIGHT: dict[str, Any] = {
    "organization": {"name": "example"},
    "health_mailboxes": {"user": "health-{name}", "password_file": "secrets/{name}"},
    "templates": {"debian": {"platform": "dovecot"}},
    "groups": {"all": {"servers": ["*"], "template": "debian"}},
    "servers": {"be1": {"roles": ["mailbox"]}, "be2": {"roles": ["mailbox"]}, "proxy1": {"roles": ["proxy"]}},
    "access_points": {"mail.example.org": {"servers": ["proxy1"]}},
    "databases": {"DB1": {"copies": ["be1", "be2"]}, "DB2": {"copies": ["be2"]}},
    "recovery": {"mode": "approve"},
    "notify": {
        "oncall": {"kind": "smtp", "host": "relay", "sender": "a@example.org", "recipients": ["b@example.org"]},
        "hook": {"kind": "webhook", "url": "https://example.org/hook"},
    },
}
CHOSEN = {
    "SERVER": ["be1", "be2", "proxy1", "BE1", "new"],
    "GROUP": ["all", "other"],
    "TEMPLATE": ["debian", "other"],
    "NAME": ["mail.example.org", "be1", "x y"],
    "CHANNEL": ["oncall", "hook", "Hook", "other"],
    "DATABASE": ["DB1", "DB2", "db1", "a/b"],
}
PATHS = st.sampled_from([(*key.table, key.key) for key in every_key()]).flatmap(
    lambda path: st.tuples(*(st.sampled_from(CHOSEN.get(part, [part])) for part in path))
)
LEAVES = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=6),
    st.integers(-2, 70000),
    st.booleans(),
    st.sampled_from(["be1", "BE2", "proxy", "mailbox", "proxy1", "all", "debian", "1s", "0s", "99999d", "1ms", "imap"]),
    st.sampled_from(["{name}", "{x}", "plain", "starttls", "*", "[", "be?", "127.0.0.1", "::1", "~", "~x/y", "/", "."]),
    st.sampled_from(
        ["command", "haproxy:x", "health-page", "local", "ssh:u@h", "act", "dead-man", "a@b", "http://[::1"]
    ),
    st.sampled_from(["systemd:x", "supervisor:~x", "pidfile:", "192.0.2.7", "fe80::1%eth0", "TLSv1", "a" * 5000]),
)
VALUES = LEAVES | st.lists(LEAVES, max_size=3)
CHANGES = st.lists(st.tuples(PATHS, VALUES), max_size=4)


@given(CHANGES)
@settings(
    max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], deadline=None
)
@example([(("servers", "be1", "health_mailbox", "password_file"), "~nobody/x")])
@example([])
def test_it_is_read_looked_over_and_shown_or_all_that_is_wrong_is_said(tmp_path, changes):
    file = written(tmp_path, changed(changes))

    checked = check(file)

    if checked.mistakes:
        with pytest.raises(WrongConfiguration):
            show(file)
        assert all(mistake.text.isprintable() for mistake in checked.mistakes)
    else:
        assert load(file) == checked.snapshot
        assert show(file)
        assert cost_in_words(checked.cost)
        assert concerns_in_words((*checked.warnings, *checked.advice))


@given(CHANGES, st.data())
@settings(
    max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], deadline=None
)
def test_it_says_the_same_in_one_file_and_in_two(tmp_path, changes, data):
    tree = changed(changes)
    apart = data.draw(st.sets(st.sampled_from(sorted(tree))))
    whole = written(tmp_path / "whole", tree)
    main = written(tmp_path / "parts", {key: value for key, value in tree.items() if key not in apart})
    (main.parent / "conf.d").mkdir(exist_ok=True)
    (main.parent / "conf.d" / "more.toml").write_text(toml({key: tree[key] for key in apart}))

    assert sorted(mistake.text for mistake in check(whole).mistakes) == sorted(
        mistake.text for mistake in check(main).mistakes
    )


def changed(changes: list[tuple[tuple[str, ...], object]]) -> dict[str, Any]:
    """What is right, with *changes* put in; one that would have to go below a value is left out."""
    tree = deepcopy(RIGHT)
    for path, value in changes:
        with suppress(TypeError):
            table = tree
            for key in path[:-1]:
                table = table.setdefault(key, {})
            table[path[-1]] = value
    return tree


def written(directory: Path, tree: dict[str, Any]) -> Path:
    directory.mkdir(exist_ok=True)
    file = directory / "mailward.toml"
    file.write_text(toml(tree))
    return file


def toml(tree: dict[str, Any], above: tuple[str, ...] = ()) -> str:
    lines = [f"{text(key)} = {text(value)}\n" for key, value in tree.items() if not isinstance(value, dict)]
    for key, value in tree.items():
        if isinstance(value, dict):
            path = (*above, key)
            lines += [f"[{'.'.join(map(text, path))}]\n", toml(value, path)]
    return "".join(lines)


def text(value: object) -> str:
    """A JSON value, which TOML reads but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
