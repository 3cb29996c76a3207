"""`mailward override`: dated changes of one property."""

import json
from datetime import timedelta

import pytest

from mailward.cli import held
from mailward.model.holds import Hold, HoldKind
from mailward.ports.manager import ItemInstance

ADD = ("override", "add", "IMAP.Protocol/ImapDeepTestProbe", "--server", "mbx2", "--item-type", "probe")
INTERVAL = ("--property", "interval", "--value", "5s", "--for", "1h", "--reason", "hunting")


@pytest.fixture
def fake(served):
    served.fake.now = held.now()
    served.fake.held = []
    deep_test = ItemInstance(
        identity="IMAP.Protocol/ImapDeepTestProbe/DB2",
        item_type="Probe",
        name="ImapDeepTestProbe",
        server="mbx2",
        target_resource="DB2",
    )
    served.fake.instances = (*served.fake.instances, deep_test)
    return served.fake


def put(fake, subject="mbx2/IMAP.Protocol/ImapDeepTestProbe", kind=HoldKind.OVERRIDE, **changes):
    fake.held.append(
        Hold(
            id=len(fake.held) + 1,
            kind=kind,
            subject=subject,
            value="5s",
            owner="eva",
            reason="hunting",
            since=fake.now,
            until=fake.now + timedelta(hours=1),
            data={"item_type": "probe", "property": "interval"},
            **changes,
        )
    )


def test_an_override_is_given_to_the_manager_and_said(ask, fake):
    ran = ask(*ADD, *INTERVAL)

    (kept,) = fake.held
    assert (0, "") == (ran.code, ran.err)
    assert ("mbx2/IMAP.Protocol/ImapDeepTestProbe", "5s", "hunting") == (kept.subject, kept.value, kept.reason)
    assert {"item_type": "probe", "property": "interval"} == kept.data
    assert "interval of the probe mbx2/IMAP.Protocol/ImapDeepTestProbe is 5s until" in ran.out


def test_an_override_of_every_server(ask, fake):
    words = [word if word != "mbx2" else "*" for word in ADD]

    assert 0 == ask(*words, *INTERVAL).code
    assert "*/IMAP.Protocol/ImapDeepTestProbe" == fake.held[0].subject


def test_an_override_must_end(ask, fake):
    ran = ask(*ADD, "--property", "interval", "--value", "5s", "--reason", "r")

    assert (3, []) == (ran.code, fake.held)
    assert "give --for or --until" in ran.err


def test_a_rehearsal_checks_the_words_and_says_what_would_be_replaced(ask, fake):
    put(fake)

    ran = ask(*ADD, *INTERVAL, "--dry-run")

    assert (0, 1) == (ran.code, len(fake.held))
    assert "would say that interval of the probe mbx2/IMAP.Protocol/ImapDeepTestProbe is 5s until" in ran.out
    assert "would end hold 1 by eva: hunting" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--property", "intervall", "--value", "5s"), "did you mean 'interval'"),
        (("--property", "interval", "--value", "5"), "is not a duration"),
        (("--property", "interval", "--value", "5ms"), "at least one second"),
    ],
)
def test_a_rehearsal_finds_what_is_wrong(words, said, ask, fake):
    ran = ask(*ADD, *words, "--for", "1h", "--reason", "r", "--dry-run")

    assert (1, []) == (ran.code, fake.held)
    assert said in ran.err


def test_a_rehearsal_of_what_would_meet_nothing_says_so(ask, fake):
    words = [word if word != "mbx2" else "proxy1" for word in ADD]

    ran = ask(*words, *INTERVAL, "--dry-run")

    assert (1, []) == (ran.code, fake.held)
    assert "meets nothing" in ran.err


def test_the_list_shows_what_by_whom_until_when(ask, fake):
    put(fake)
    put(fake, "mbx2", HoldKind.MAINTENANCE)

    lines = ask("override", "list").out.splitlines()

    assert ["Id", "Server", "Identity", "ItemType", "Property", "Value", "State", "Until", "By", "Reason"] == (
        lines[0].split()
    )
    assert 3 == len(lines)
    assert ["1", "mbx2", "IMAP.Protocol/ImapDeepTestProbe", "probe", "interval", "5s"] == lines[2].split()[:6]
    assert "eva" in lines[2]


def test_the_list_as_json_is_what_the_api_gives(ask, fake):
    put(fake)

    (item,) = json.loads(ask("override", "list", "--server", "mbx2", "--format", "json").out)["items"]

    assert ("override", "interval") == (item["kind"], item["data"]["property"])


def test_a_filter_that_matches_nothing_says_so_and_fails(ask, fake):
    put(fake)

    ran = ask("override", "list", "--server", "proxy1")

    assert (1, "mailward: no override of proxy1\n") == (ran.code, ran.err)
    assert 1 == len(fake.held)


def test_having_no_override_at_all_is_no_failure(ask, fake):
    ran = ask("override", "list")

    assert (0, "mailward: no override\n") == (ran.code, ran.err)
    assert [] == fake.held


def test_one_is_removed_by_its_number(ask, fake):
    put(fake)
    put(fake, "mbx2/IMAP.Protocol/ImapSelfTestProbe")

    ran = ask("override", "remove", "2")

    assert (0, [False, True]) == (ran.code, [hold.ended_at is not None for hold in fake.held])
    assert "ended: interval of the probe" in ran.out


def test_what_is_no_override_is_not_removed_here(ask, fake):
    put(fake, "mbx2", HoldKind.MAINTENANCE)

    for number, said in (("1", "hold 1 is no override but maintenance of mbx2"), ("7", "there is no override 7")):
        ran = ask("override", "remove", number)
        assert 1 == ran.code
        assert said in ran.err
    assert fake.held[0].ended_at is None


def test_a_rehearsed_removal_changes_nothing(ask, fake):
    put(fake)

    ran = ask("override", "remove", "1", "--dry-run")

    assert (0, None) == (ran.code, fake.held[0].ended_at)
    assert "would end: interval of the probe" in ran.out
