import json

import pytest

from mailward.config.explain import configuration_page, every_key, explain, json_schema
from mailward.config.schema import Configuration
from mailward.model.errors import Refused


@pytest.mark.parametrize(
    ("key", "first", "word"),
    [
        ("databases.copies", "[databases.DATABASE] copies = list of text", "preferred one first"),
        ("servers.be1.imap.port", "[servers.SERVER.imap] port = whole number, 1 to 65535", "993"),
        ('servers."be1".imap', "[servers.SERVER.imap]", "source_address"),
        ("[groups.back-ends]", "[groups.GROUP]", "template"),
        ("probes.ImapDeepTestProbe.interval", "[probes.ImapDeepTestProbe] interval = duration", 'Default: "1m"'),
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
        ("notify.mail", "there is no notify yet: this version does not notify anybody yet"),
    ],
)
def test_a_key_that_does_not_exist_names_the_nearest(key, text):
    with pytest.raises(Refused) as caught:
        explain(key)

    assert text == str(caught.value)


def test_every_key_but_the_self_evident_has_a_meaning():
    without = {f"{key.table[0]}.{key.key}" for key in every_key() if not key.meaning}

    assert {
        "probes.interval",
        "probes.timeout",
        "probes.passive_copy_timeout",
        "retention.healthy_results",
        "retention.failed_results",
        "retention.events",
        "monitors.times",
    } >= without


def test_the_page_has_every_section():
    page = configuration_page()

    assert [] == [section for section in Configuration.model_fields if f"`[{section}" not in page]


def test_the_schema_is_json_and_knows_no_null():
    text = json.dumps(json_schema())

    assert "null" not in text
    assert json.loads(text)["additionalProperties"] is False
