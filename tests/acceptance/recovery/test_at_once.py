"""What is repaired, or left alone, at once: failed and stopped services, stale and expired certificates."""

from time import monotonic

import pytest

from mailward.model.event import EventKind
from mailward.model.recovery import Gate, OperationStatus, StepName, StepOutcome

from .conftest import Acting, can_log_in, until, untouched


def test_a_killed_service_serves_again_within_five_seconds_and_nobody_else_notices(acting: Acting) -> None:
    with untouched(acting.lab, ("gustav", "be2"), ("helen", "proxy1")):
        began = monotonic()
        acting.lab.break_("service-failed@be1")
        until(lambda: can_log_in(acting.lab, "anna", "be1"), seconds=5, otherwise=acting.told)
        took = monotonic() - began
        until(lambda: acting.is_green() and not open_ones(acting), otherwise=acting.told)

    assert took < 5
    assert [(StepName.START_SERVICE, "be1")] == acting.deeds()
    assert {"be1": 1} == acting.new_starts()
    healed = next(story for story in acting.stories("be1") if story.operation.status is OperationStatus.HEALED)
    start = next(step for step in healed.steps if step.name is StepName.START_SERVICE)
    assert StepOutcome.DONE is start.outcome
    assert start.command
    assert start.premise
    kinds = [event.kind for event in acting.client.events(subject="be1", limit=500)]
    for kind in (EventKind.SERVICE_EXITED, EventKind.ACTION_INTENDED, EventKind.ACTION_ENDED):
        assert kind in kinds


def test_a_service_that_was_stopped_on_purpose_is_left_to_whoever_stopped_it(acting_box: Acting) -> None:
    acting_box.lab.break_("service-stopped@mail")

    until(lambda: Gate.STOPPED_ON_PURPOSE in acting_box.refusals(), otherwise=acting_box.told)
    until(lambda: acting_box.client.health(state="Degraded"))

    assert [] == acting_box.deeds()
    assert {} == acting_box.new_starts()
    acting_box.lab.start("mail")
    until(acting_box.is_green, otherwise=acting_box.told)
    assert {"mail": 1} == acting_box.new_starts(), "the start of a person is the only one"


@pytest.mark.usefixtures("only_with_every_kind")
def test_a_dead_proxy_is_started_while_users_are_served_by_the_other(acting: Acting) -> None:
    with untouched(acting.lab, ("anna", "proxy2"), ("gustav", "be2")):
        acting.lab.break_("service-failed@proxy1")
        until(lambda: can_log_in(acting.lab, "boris", "proxy1"), seconds=5, otherwise=acting.told)
        until(lambda: acting.is_green() and not open_ones(acting), otherwise=acting.told)

    assert [(StepName.START_SERVICE, "proxy1")] == acting.deeds()


def test_the_only_proxy_that_is_left_is_started_as_well(acting: Acting) -> None:
    """Not even the last of its role may be kept from being started when it failed (design, "Gates")."""
    acting.lab.break_("service-stopped@proxy1")
    until(lambda: Gate.STOPPED_ON_PURPOSE in acting.refusals(), otherwise=acting.told)

    acting.lab.break_("service-failed@proxy2")
    until(lambda: can_log_in(acting.lab, "boris", "proxy2"), seconds=5, otherwise=acting.told)

    assert [(StepName.START_SERVICE, "proxy2")] == acting.deeds()
    assert {"proxy2": 1} == acting.new_starts()


def test_a_renewed_certificate_is_loaded_and_sessions_stay(acting_box: Acting) -> None:
    master = acting_box.lab.status()["mail"]["pid"]
    with untouched(acting_box.lab, ("anna", "mail")):
        acting_box.lab.break_("certificate-stale@mail")
        until(lambda: acting_box.deeds() and acting_box.is_green(), otherwise=acting_box.told)
        until(lambda: not open_ones(acting_box), otherwise=acting_box.told)

    assert [(StepName.RELOAD_SERVICE, "mail")] == acting_box.deeds(), acting_box.told()
    assert {} == acting_box.new_starts()
    assert master == acting_box.lab.status()["mail"]["pid"]


def test_an_expired_certificate_is_told_to_a_person_and_nothing_is_done(acting_box: Acting) -> None:
    acting_box.lab.break_("certificate-expired@mail")

    until(lambda: escalated(acting_box), otherwise=acting_box.told)

    assert [] == acting_box.deeds()
    assert {} == acting_box.new_starts()
    until(acting_box.client.alerts)
    text = "\n".join(alert.text for alert in acting_box.client.alerts())
    assert "certificate" in text
    assert "the mail team" in text


def escalated(acting: Acting) -> bool:
    return any(one.escalated_at is not None for one in acting.client.recoveries())


def open_ones(acting: Acting) -> bool:
    return bool(acting.client.recoveries(unfinished=True))
