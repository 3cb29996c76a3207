import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.config.explain import every_key, explain, json_schema
from mailward.model.errors import Refused


@pytest.mark.parametrize(
    ("key", "first", "word"),
    [
        ("databases.copies", "[databases.DATABASE] copies = list of text", "preferred one first"),
        ("servers.be1.imap.port", "[servers.SERVER.imap] port = whole number, 1 to 65535", "993"),
        ('servers."be1".imap', "[servers.SERVER.imap]", "source_address"),
        ("notify", "[notify.CHANNEL]", "urgent_only"),
        ("servers", "[servers.SERVER]", "restartable"),
        ("[groups.back-ends]", "[groups.GROUP]", "template"),
        ("probes.ImapDeepTestProbe.interval", "[probes.ImapDeepTestProbe] interval = duration", 'Default: "1m"'),
        ("notify.oncall.url_file", "[notify.CHANNEL] url_file = text", "nothing but the address"),
        ("notify.kind", '[notify.CHANNEL] kind = "smtp" or "webhook" or "alertmanager" or "dead-man"', "Required"),
        (
            "recovery.classes.server-restart",
            '[recovery.classes] server-restart = "observe" or "recommend" or "approve" or "act"',
            'Default: "approve"',
        ),
        ("recovery.throttles.service_restart_apart", "[recovery.throttles] service_restart_apart = duration", '"10m"'),
        ("servers.be1.host.commands.boot-id", "[servers.SERVER.host.commands] boot-id = list of text", "every boot"),
        ("access_points.members", "[access_points.NAME] members = table of text", "HAProxy"),
        ("monitors.ImapCTPMonitor.percent.window", "[monitors.ImapCTPMonitor.percent] window = duration", '"10m"'),
    ],
)
def test_a_key_is_explained_with_or_without_a_chosen_name(key, first, word):
    text = explain(key)

    assert first == text.splitlines()[0]
    assert word in text


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("servers.be1.imap.prt", "there is no key 'servers.be1.imap.prt'; did you mean \"port\"?"),
        ("server", "there is no key 'server'; did you mean \"servers\"?"),
        ("recovery.clases.restart", "there is no key 'recovery.clases.restart'; did you mean \"classes\"?"),
    ],
)
def test_a_key_that_does_not_exist_names_the_nearest(key, text):
    with pytest.raises(Refused) as caught:
        explain(key)

    assert text == str(caught.value)


def test_every_key_has_a_meaning():
    assert [] == [".".join((*key.table, key.key)) for key in every_key() if not key.meaning]


def test_no_meaning_speaks_python():
    assert [] == [key for key in every_key() if re.search(r"\b(None|True|False|timedelta)\b", key.meaning)]


def test_every_table_can_be_explained():
    for path in {key.table for key in every_key()}:
        assert f"[{'.'.join(path)}]" == explain(".".join(path)).splitlines()[0]


def test_every_key_can_be_explained():
    for key in every_key():
        assert key.meaning in explain(".".join((*key.table, key.key)))


@given(st.text(max_size=30))
def test_any_other_word_is_refused_with_a_sentence(word):
    try:
        text = explain(word)
    except Refused as refusal:
        text = str(refusal)

    assert text


def test_the_schema_is_json_and_knows_no_null():
    text = json.dumps(json_schema())

    assert "null" not in text
    assert json.loads(text)["additionalProperties"] is False
