"""Which items a subject means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.monitors.scope import Scope, scope_of

ITEM = ("be1", "IMAP.Protocol", "ImapDeepTestProbe", "DB1")


@pytest.mark.parametrize(
    ("subject", "covers"),
    [
        ("be1/IMAP.Protocol/ImapDeepTestProbe/DB1", True),
        ("be1/IMAP.Protocol/ImapDeepTestProbe/db1", True),
        ("be1/IMAP.Protocol/ImapDeepTestProbe", True),
        ("*/IMAP.Protocol/ImapDeepTestProbe", True),
        ("be1/IMAP.Protocol/*", True),
        ("*/*/*", True),
        ("be2/IMAP.Protocol/ImapDeepTestProbe", False),
        ("be1/IMAP/ImapDeepTestProbe", False),
        ("be1/IMAP.Protocol/ImapSelfTestProbe", False),
        ("be1/IMAP.Protocol/ImapDeepTestProbe/DB2", False),
        ("be11/IMAP.Protocol/ImapDeepTestProbe", False),
    ],
)
def test_a_scope_covers_what_it_names_and_nothing_else(subject, covers):
    assert covers == scope_of(subject).covers(*ITEM)


@pytest.mark.parametrize("subject", ["", "be1", "be1/IMAP", "be1//ImapDeepTestProbe", "a/b/c/d/e", "///"])
def test_what_names_no_item_means_nothing(subject):
    assert scope_of(subject) is None


@given(st.text(min_size=1, max_size=20))
def test_any_target_survives_being_written_and_read(target):
    scope = Scope(server="be1", health_set="DiskSpace", item="DiskSpaceCheck", target=target)

    assert scope == scope_of(str(scope))
