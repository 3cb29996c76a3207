"""What every Manager does about repairs, orders by hand, holds and notices, whichever way the values travel."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model.errors import NotFound, Refused
from mailward.model.evidence import ServiceState
from mailward.model.holds import Hold, HoldKind, Requester
from mailward.model.recovery import Answer, Gate, GateAnswer, OperationStatus
from mailward.ports.manager import AlertStory
from mailward.ports.service_control import ServiceDeed
from mailward.testing.manager_values import STORIES
from mailward.testing.repair_values import ALERTS, HOLDS, NOON, NOTICES, RESOLVED_ALERT, SERVICES

HEALED, WAITING, RECOMMENDED = STORIES
LATER = NOON + timedelta(hours=1)


def a_hold(**changes) -> Hold:
    hold = Hold(
        kind=HoldKind.PAUSE, subject="mbx2", value="on", owner="", reason="looking at it", since=NOON, until=LATER
    )
    return replace(hold, **changes)


def refusing(gate: Gate) -> tuple[GateAnswer, ...]:
    return (
        GateAnswer(gate=Gate.LEASE, answer=Answer.PASSES, because="held"),
        GateAnswer(gate=gate, answer=Answer.REFUSES, because="not now"),
    )


async def test_it_lists_operations_the_newest_first(case):
    operations = tuple(story.operation for story in (RECOMMENDED, WAITING, HEALED))

    assert operations == await case.manager.recoveries()
    assert operations[:1] == await case.manager.recoveries(limit=1)
    assert (WAITING.operation,) == await case.manager.recoveries(unfinished=True)
    assert (WAITING.operation,) == await case.manager.recoveries(server="PROXY1")


async def test_a_story_is_told_to_the_last_field(case):
    assert HEALED == await case.manager.recovery(1)


async def test_a_recovery_that_is_not_there_is_not_found(case):
    with pytest.raises(NotFound, match="no recovery 99"):
        await case.manager.recovery(99)


async def test_a_server_is_explained_by_its_recoveries_and_a_number_by_its_own(case):
    assert (RECOMMENDED, HEALED) == await case.manager.why("mbx2")
    assert (WAITING,) == await case.manager.why("2")
    with pytest.raises(NotFound, match="'mbx2'"):
        await case.manager.why("mbx3")


async def test_a_yes_lets_an_operation_go_on_and_says_who(case):
    approved = await case.manager.approve(2, actor="root", reason="go on")

    assert OperationStatus.RUNNING is approved.status
    assert approved.approved_by
    assert [("approve", 2, "go on")] == [said[1:] for said in case.behind.decisions]
    assert approved == (await case.manager.recovery(2)).operation


@pytest.mark.parametrize(("word", "status"), [("deny", OperationStatus.DENIED), ("abort", OperationStatus.ABORTED)])
async def test_a_no_ends_an_operation(case, word, status):
    ended = await getattr(case.manager, word)(2, actor="root", reason="not at night")

    assert status is ended.status
    assert ended.ended_at is not None
    assert () == await case.manager.recoveries(unfinished=True)


@pytest.mark.parametrize("word", ["approve", "deny", "abort"])
async def test_what_is_over_can_neither_be_approved_nor_ended(case, word):
    with pytest.raises(Refused, match="recovery 1 .*healed") as caught:
        await getattr(case.manager, word)(1, actor="root")

    assert not isinstance(caught.value, NotFound)


async def test_a_service_is_shown_as_its_host_says(case):
    assert SERVICES["mbx2"] == await case.manager.service("MBX2")


async def test_a_service_whose_host_is_not_reached_is_refused_and_not_unknown(case):
    case.behind.server_names.append("mbx9")

    with pytest.raises(Refused, match="not reached") as caught:
        await case.manager.service("mbx9")

    assert not isinstance(caught.value, NotFound)


async def test_a_rehearsal_shows_the_command_of_the_deed_and_does_nothing(case):
    rehearsed = await case.manager.control_service(
        "proxy1", ServiceDeed.RESTART, actor="root", reason="try", dry_run=True
    )
    assert [] == case.behind.orders
    done = await case.manager.control_service("proxy1", ServiceDeed.RESTART, actor="root", reason="try")

    assert (False, True) == (rehearsed.done, done.done)
    assert rehearsed.command == done.command
    assert ServiceState.RUNNING is (await case.manager.service("proxy1")).state
    assert [("restart", "proxy1", "try")] == [order[1:] for order in case.behind.orders]


async def test_a_gate_that_advises_gives_way_to_force_and_no_other_does(case):
    case.behind.gates = refusing(Gate.THROTTLE)
    refused = await case.manager.control_service("mbx2", ServiceDeed.STOP, actor="root")
    forced = await case.manager.control_service("mbx2", ServiceDeed.STOP, actor="root", force=True)
    case.behind.gates = refusing(Gate.CONFIGURATION_INVALID)
    certain = await case.manager.control_service("mbx2", ServiceDeed.RESTART, actor="root", force=True)

    assert (False, False) == (refused.allowed, refused.done)
    assert (True, True) == (forced.allowed, forced.done)
    assert (False, False) == (certain.allowed, certain.done)
    assert case.behind.gates == certain.answers
    assert "not now" in certain.because


async def test_a_server_is_restarted_through_the_same_gates(case):
    case.behind.gates = refusing(Gate.NOT_RESTARTABLE)
    assert not (await case.manager.restart_server("mbx2", actor="root", force=True)).done
    case.behind.gates = ()

    assert not (await case.manager.restart_server("mbx2", actor="root", dry_run=True)).done
    assert (await case.manager.restart_server("mbx2", actor="root", reason="kernel")).done
    assert [("restart-server", "mbx2", "kernel")] == [order[1:] for order in case.behind.orders]


async def test_holds_are_shown_by_subject_and_what_is_part_of_it(case):
    assert HOLDS == await case.manager.holds()
    assert HOLDS[:2] == await case.manager.holds(subject="proxy1")


async def test_what_is_held_is_numbered_owned_and_shown(case):
    held = await case.manager.hold(
        a_hold(kind=HoldKind.COMPONENT_STATE, subject="MBX2/Imap", value="Inactive", requester=Requester.FUNCTIONAL),
        actor="root",
    )

    assert ("mbx2/Imap", "Inactive", Requester.FUNCTIONAL) == (held.subject, held.value, held.requester)
    assert (NOON, LATER) == (held.since, held.until)
    assert held.id
    assert held.owner
    assert held in await case.manager.holds()


async def test_the_facts_of_a_hold_arrive_with_it(case):
    facts = {"item_type": "probe", "property": "interval"}

    held = await case.manager.hold(
        a_hold(kind=HoldKind.OVERRIDE, subject="*/IMAP/ImapCTPProbe", value="5m", data=facts), actor="root"
    )

    assert facts == held.data


async def test_a_second_hold_of_the_same_kind_ends_the_first(case):
    first = await case.manager.hold(a_hold(), actor="root")
    second = await case.manager.hold(a_hold(reason="still looking"), actor="root")

    assert [second] == [hold for hold in await case.manager.holds(subject="mbx2") if hold.kind is HoldKind.PAUSE]
    ended = [hold for hold in await case.manager.holds(subject="mbx2", ended=True) if hold.id == first.id]
    assert ended[0].ended_by


async def test_a_hold_that_would_end_before_it_begins_is_refused(case):
    with pytest.raises(Refused, match="before it begins"):
        await case.manager.hold(a_hold(until=NOON), actor="root")


async def test_a_hold_of_an_unknown_server_is_not_found(case):
    with pytest.raises(NotFound, match="'mbx2'"):
        await case.manager.hold(a_hold(subject="mbx7"), actor="root")


async def test_a_hold_is_released_once(case):
    released = await case.manager.release(1, actor="root")

    assert released.ended_by
    assert released not in await case.manager.holds()
    with pytest.raises(Refused, match="ended already"):
        await case.manager.release(1, actor="root")
    with pytest.raises(NotFound):
        await case.manager.release(99, actor="root")


async def test_alerts_and_the_outbox_are_shown(case):
    assert ALERTS == await case.manager.alerts()
    assert NOTICES[::-1] == await case.manager.notices()
    assert NOTICES[1:] == await case.manager.notices(limit=1)


async def test_what_was_resolved_lately_is_shown_when_it_is_asked_for(case):
    assert (*ALERTS, RESOLVED_ALERT) == await case.manager.alerts(resolved=True)


async def test_an_alert_is_found_by_its_key_also_when_it_is_resolved(case):
    assert AlertStory(alert=ALERTS[0], notices=NOTICES[::-1]) == await case.manager.alert(ALERTS[0].key)
    assert AlertStory(alert=RESOLVED_ALERT) == await case.manager.alert(RESOLVED_ALERT.key)


async def test_an_unknown_alert_is_refused(case):
    with pytest.raises(NotFound):
        await case.manager.alert("proxy/nowhere")


async def test_a_test_says_how_each_channel_went(case):
    case.behind.channels = {"mail": "", "pager": "connection refused"}

    tested = await case.manager.test_channels(actor="root")

    assert [("mail", ""), ("pager", "connection refused")] == [(one.channel, one.last_error) for one in tested]
    assert ["pager"] == [one.channel for one in await case.manager.test_channels("pager", actor="root")]
    with pytest.raises(NotFound, match="known: mail, pager"):
        await case.manager.test_channels("fax", actor="root")


async def test_what_would_have_been_done_is_told_since_a_moment(case):
    assert (RECOMMENDED,) == await case.manager.would_have(since=NOON - timedelta(days=7))
    assert () == await case.manager.would_have(since=NOON)


async def test_a_backup_says_what_was_written_and_overwrites_nothing(case):
    assert "/var/backups/a.db" in await case.manager.backup("/var/backups/a.db", actor="root")
    with pytest.raises(Refused, match="exists already"):
        await case.manager.backup("/var/backups/a.db", actor="root")


async def test_a_probe_says_who_asked(case):
    await case.manager.probe("ImapCTPProbe", server="proxy1", actor="root")

    assert [True] == [bool(who) for who in case.behind.probed_by]
