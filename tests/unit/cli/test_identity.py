"""What the shell does to Exchange's backslashes."""

import pytest

from mailward.cli.identity import explanation, mended
from mailward.model.items import MONITORS, PROBES

ITEMS = [(known, item.name) for item in (*PROBES, *MONITORS) for known in item.health_sets]


@pytest.mark.parametrize(("health_set", "item"), ITEMS)
@pytest.mark.parametrize("target", ["", "DB1", "imap.example.org"])
def test_every_identity_without_its_backslashes_is_recognised(health_set, item, target):
    meant = "/".join(part for part in (health_set, item, target) if part)

    assert meant == mended(meant.replace("/", ""))


@pytest.mark.parametrize("identity", ["IMAP/ImapCTPProbe", r"IMAP\ImapCTPProbe", "ImapCTPProbe", "IMAP", "", "IMAPX"])
def test_what_nobody_ate_from_is_left_alone(identity):
    assert mended(identity) is None


def test_case_does_not_matter():
    assert "IMAP/ImapCTPProbe/db1" == mended("imapimapctpprobedb1")


def test_the_explanation_shows_what_was_typed_and_what_to_type():
    said = explanation("IMAPImapCTPProbe", "IMAP/ImapCTPProbe")

    assert r"made IMAPImapCTPProbe of IMAP\ImapCTPProbe" in said
    assert r"'IMAP\ImapCTPProbe'" in said
