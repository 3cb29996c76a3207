import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.model.errors import Refused
from mailward.model.identity import Identity, identity_of, parse_identity, subject_of
from mailward.model.monitoring import MonitorKey


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IMAP/ImapCTPProbe", Identity(health_set="IMAP", item="ImapCTPProbe")),
        ("IMAP\\ImapCTPProbe", Identity(health_set="IMAP", item="ImapCTPProbe")),
        ("imap.protocol/imapdeeptestprobe", Identity(health_set="IMAP.Protocol", item="ImapDeepTestProbe")),
        (
            "IMAP.Protocol\\ImapDeepTestMonitor\\DB1",
            Identity(health_set="IMAP.Protocol", item="ImapDeepTestMonitor", target="DB1"),
        ),
        (
            "DiskSpace/DiskSpaceCheck/%2Fsrv%2Fmail",
            Identity(health_set="DiskSpace", item="DiskSpaceCheck", target="/srv/mail"),
        ),
        ("ImapSelfTestProbe", Identity(item="ImapSelfTestProbe")),
    ],
)
def test_slash_backslash_and_any_case_are_read(text, expected):
    assert expected == parse_identity(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("IMAP/ImapCTPProb", "did you mean 'ImapCTPProbe'"),
        ("IMAPP/ImapCTPProbe", "did you mean 'IMAP'"),
        ("xyzzy", "known: ImapCTPProbe"),
        ("IMAP/ImapDeepTestProbe", "not in the health set IMAP but in IMAP.Protocol"),
        ("IMAP/", "write HEALTHSET/ITEM"),
        ("IMAP.Protocol/ImapDeepTestProbe/a/b", "a slash in TARGET as %2F"),
        ("IMAPImapCTPProbe", "the shell seems to have eaten the backslash: write IMAP/ImapCTPProbe"),
        ("IMAP.ProtocolImapDeepTestProbe", "write IMAP.Protocol/ImapDeepTestProbe"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_write(text, says):
    with pytest.raises(Refused) as refusal:
        parse_identity(text)

    assert says in str(refusal.value)


def test_a_monitors_name_means_its_probes():
    assert ("ImapDeepTestProbe",) == parse_identity("IMAP.Protocol/ImapDeepTestMonitor").probes
    assert ("ImapDeepTestProbe",) == parse_identity("ImapDeepTestProbe").probes


def test_without_a_target_every_target_is_meant():
    assert Identity(item="ImapDeepTestProbe").has_target("DB1")
    assert Identity(item="ImapDeepTestProbe", target="db1").has_target("DB1")
    assert not Identity(item="ImapDeepTestProbe", target="DB").has_target("DB1")


def test_the_subject_of_a_monitor_names_its_server_first():
    key = MonitorKey(server="mbx1", health_set="DiskSpace", item="DiskSpaceForecastMonitor", target="/srv/mail")

    assert "mbx1/DiskSpace/DiskSpaceForecastMonitor/%2Fsrv%2Fmail" == subject_of(key)


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_target_survives_being_written_and_read(target):
    assert target == parse_identity(identity_of("IMAP", "ImapCTPProbe", target)).target
