"""Orders on the pages: shown first, done once somebody agrees, and never by a viewer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model.holds import HoldKind
from mailward.model.recovery import Answer, Gate, GateAnswer
from mailward.testing.repair_values import NOON
from mailward.web.pages.orders import CHANGES


async def test_a_restart_is_shown_before_it_is_done(pages, text, fake):
    fake.gates = (GateAnswer(gate=Gate.THROTTLE, answer=Answer.PASSES, because="nothing was done lately"),)

    shown = text(await pages.post("/servers/mbx2/service", deed="restart", reason="slow"))

    assert "Restart the IMAP service of mbx2?" in shown
    assert "systemctl restart dovecot.service" in shown
    assert "nothing was done lately" in shown
    assert 'name="agreed" value="yes"' in shown
    assert [] == fake.orders


async def test_a_restart_somebody_agreed_to_is_done_and_said(pages, fake):
    answered = await pages.post("/servers/mbx2/service", deed="restart", reason="slow", agreed="yes")

    assert (303, [("root", "restart", "mbx2", "slow")]) == (answered.status, fake.orders)
    assert answered.headers["location"].startswith("/servers/mbx2?said=")


async def test_what_a_gate_refuses_cannot_be_agreed_to(pages, text, fake):
    fake.gates = (GateAnswer(gate=Gate.PAUSE, answer=Answer.REFUSES, because="root paused it"),)

    for agreed in ("", "yes"):
        shown = text(await pages.post("/servers/mbx2/service", deed="restart", agreed=agreed))
        assert "Refused: the gate pause says: root paused it" in shown
        assert 'name="agreed"' not in shown
    assert [] == fake.orders


async def test_a_move_shows_which_copy_was_chosen_and_why_not_the_others(pages, text, fake):
    shown = text(await pages.post("/databases/DB2/move", to="", reason="new disks"))

    assert "Move DB2 to mbx1?" in shown
    assert "✓ chosen" in shown
    assert "it is Failed: doveadm sync: No space left on device" in shown
    assert 'name="to" value="mbx1"' in shown
    assert 'name="only_planned" value="true"' in shown
    assert [] == fake.orders


async def test_a_move_somebody_agreed_to_leads_to_its_recovery(pages, fake):
    answered = await pages.post("/databases/DB2/move", to="mbx1", reason="new disks", agreed="yes", only_planned="true")

    assert (303, [("root", "move", "mbx2", "new disks")]) == (answered.status, fake.orders)
    assert answered.headers["location"].startswith("/recoveries/")


async def test_a_planned_move_that_became_a_forced_one_is_not_done(pages, text, fake):
    fake.must_force = True

    answered = await pages.post("/databases/DB2/move", to="mbx1", agreed="yes", only_planned="true")

    assert (409, []) == (answered.status, fake.orders)
    assert "would have to be moved by force now" in text(answered)


async def test_a_forced_move_says_so_before_it_is_agreed_to(pages, text, fake):
    fake.must_force = True

    shown = text(await pages.post("/databases/DB2/move", to="mbx1"))

    assert "This move is forced" in shown
    assert 'name="only_planned"' not in shown


async def test_draining_is_shown_then_done(pages, text, fake):
    assert "DB2" in text(await pages.post("/servers/mbx2/drain", reason="new disks"))
    assert [] == fake.orders

    await pages.post("/servers/mbx2/drain", reason="new disks", agreed="yes")

    assert [("root", "drain", "mbx2", "new disks")] == fake.orders


async def test_undraining_ends_the_block_once_agreed(pages, text, fake):
    await pages.post("/servers/mbx2/drain", reason="new disks", agreed="yes")

    assert "Ends the block by root: new disks" in text(await pages.post("/servers/mbx2/undrain", reason="done"))
    await pages.post("/servers/mbx2/undrain", reason="done", agreed="yes")

    assert ("root", "undrain", "mbx2", "done") == fake.orders[-1]


async def test_maintenance_has_an_owner_a_reason_and_an_end(pages, fake):
    await pages.post("/servers/mbx2/maintenance", reason="new disks", lasts="4 hours")

    held = fake.held[-1]
    assert (HoldKind.MAINTENANCE, "mbx2", "root", "new disks") == (held.kind, held.subject, held.owner, held.reason)
    assert NOON + timedelta(hours=4) == held.until


@pytest.mark.parametrize("form", [{"reason": "", "lasts": "1 hour"}, {"reason": "x", "lasts": "for ever"}])
async def test_maintenance_without_reason_or_with_no_known_end_is_refused(pages, fake, form):
    before = list(fake.held)

    assert (await pages.post("/servers/mbx2/maintenance", **form)).status in (400, 409)
    assert before == fake.held


async def test_what_is_held_can_be_ended(pages, fake):
    answered = await pages.post("/servers/proxy1/release", id="1")

    assert (303, "root") == (answered.status, fake.held[0].ended_by)


async def test_a_probe_runs_and_its_outcome_is_said(pages, fake):
    answered = await pages.post("/servers/mbx2/probe", identity="ImapDeepTestProbe/DB2")

    assert (303, ["root"]) == (answered.status, fake.probed_by)
    assert "self%20test%20of%20mbx2" in answered.headers["location"]


@pytest.mark.parametrize("path", CHANGES)
async def test_a_viewer_orders_nothing(pages, fake, path):
    before = (list(fake.held), list(fake.copied))
    where = path.replace("{server}", "mbx2").replace("{database}", "DB2")

    answered = await pages.post(where, viewer=True, deed="restart", agreed="yes", reason="x", lasts="1 hour", id="1")

    assert (403, [], []) == (answered.status, fake.orders, fake.probed_by)
    assert before == (fake.held, fake.copied)


async def test_hostile_words_in_a_preview_are_text(pages, text, fake):
    hostile = "<script>alert(1)</script>"
    fake.copied = [replace(one, because=hostile) for one in fake.copied]
    fake.source_because = hostile

    shown = text(await pages.post("/databases/DB2/move", to="", reason=hostile))

    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown
