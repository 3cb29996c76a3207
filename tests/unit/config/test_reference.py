import re
import tomllib
from datetime import timedelta

import pytest

from mailward.config.explain import Explained, every_key
from mailward.config.reference import EXAMPLES, configuration_page, example_of
from mailward.config.schema import Configuration, leaf_keys, table_at
from mailward.model.channels import Channel, ChannelKind
from mailward.model.durations import read_duration
from mailward.model.organization import AccessPoint, HostAccess, ImapEndpoint, Organization, Server


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    """The page, cut at its headings."""
    return dict(re.findall(r"^## `\[(.+?)\]`\n(.*?)(?=^## |\Z)", configuration_page(), re.MULTILINE | re.DOTALL))


def row_of(key: Explained, sections: dict[str, str]) -> str | None:
    """The row of a key: in its own section, or in the one this section says it repeats."""
    section = sections[".".join(key.table)]
    repeated = re.findall(r"The keys (?:and tables )?of `\[(.+?)\]`", section)
    for text in (section, *(sections[name] for name in repeated)):
        for row in text.splitlines():
            if row.startswith(f"| `{key.key}` |"):
                return row
    return None


def test_every_section_of_the_schema_is_in_the_page(sections):
    assert set(Configuration.model_fields) == {name.partition(".")[0] for name in sections}


def test_every_key_of_the_schema_is_in_the_page_with_kind_example_and_meaning(sections):
    for key in every_key():
        row = row_of(key, sections)
        assert row is not None, key
        _, kind, _, example, meaning = (cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1])
        assert (key.kind, f"`{example_of(key)}`") == (kind, example)
        assert meaning


def test_the_keys_of_the_schema_are_all_explained():
    explained = {(*key.table, key.key) for key in every_key()}
    named = {"groups": "GROUP", "servers": "SERVER", "access_points": "NAME", "databases": "DATABASE"}
    named["notify"] = "CHANNEL"
    for section in Configuration.model_fields:
        if section == "templates":
            continue
        path = (section, named[section]) if section in named else (section,)
        wanted = {(*path, *key) for key in leaf_keys(table_at(path))}
        below_servers = {key for key in wanted if section == "groups" and len(key) > 3}
        assert wanted - below_servers <= explained


@pytest.mark.parametrize("key", every_key(), ids=lambda key: ".".join((*key.table, key.key)))
def test_every_example_is_accepted(key):
    tree = tomllib.loads(f"{key.key} = {example_of(key)}")
    for table in reversed(key.table):
        tree = {table: tree}

    assert tree.keys() == Configuration.model_validate(tree).model_fields_set


def test_there_is_no_example_for_a_key_that_does_not_exist():
    names = {
        name for key in every_key() for name in (key.key, f"{key.table[0]}.{key.key}", ".".join((*key.table, key.key)))
    }

    assert set() == EXAMPLES.keys() - names


SERVER = Server(name="{name}", roles=frozenset(), imap=ImapEndpoint(host="{name}"))
CHANNEL = Channel(name="x", kind=ChannelKind.SMTP)
ACCESS_POINT = AccessPoint(name="{name}", imap=ImapEndpoint(host="{name}"))


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("servers.SERVER.platform", SERVER.platform),
        ("servers.SERVER.sentinel", SERVER.sentinel),
        ("servers.SERVER.backend_timeout", SERVER.backend_timeout),
        ("servers.SERVER.imap.security", SERVER.imap.security.value),
        ("servers.SERVER.imap.proxy_protocol", SERVER.imap.proxy_protocol),
        ("servers.SERVER.imap.allow_plaintext_auth", SERVER.imap.allow_plaintext_auth),
        ("servers.SERVER.imap.tls.verify", SERVER.imap.tls.verify),
        ("servers.SERVER.imap.tls.minimum_version", SERVER.imap.tls.minimum_version),
        ("servers.SERVER.restartable", SERVER.restartable),
        ("servers.SERVER.host.reach", HostAccess().reach),
        ("notify.CHANNEL.tls", CHANNEL.tls),
        ("notify.CHANNEL.urgent_only", CHANNEL.urgent_only),
        ("notify.CHANNEL.timeout", CHANNEL.timeout),
        ("notify.CHANNEL.interval", CHANNEL.interval),
        ("notify.CHANNEL.is_watched_mail", CHANNEL.is_watched_mail),
        ("organization.identity", Organization(name="x", servers={}).identity),
    ],
)
def test_a_default_in_words_is_the_default_in_force(key, default, sections):
    (explained,) = [known for known in every_key() if key == ".".join((*known.table, known.key))]

    row = row_of(explained, sections)

    shown = tomllib.loads(f"x = {row.split(' | ')[2].strip('`')}")["x"]
    assert default == (read_duration(shown) if isinstance(default, timedelta) else shown)


def test_what_is_required_says_so(sections):
    required = {key.key for key in every_key() if " | required | " in (row_of(key, sections) or "")}

    assert {"name", "roles", "servers", "copies", "kind", "map", "base"} == required
