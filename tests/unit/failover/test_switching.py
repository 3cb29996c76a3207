"""The next safe step of a switch, in every situation there is."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from mailward.failover.switching import QUIET, SafeStep, Seen, next_safe_step

BEFORE = Seen(
    source="be1",
    target="be2",
    routed_to="be1",
    fenced=None,
    answers=True,
    catches_up=True,
    proxies=frozenset({"proxy1", "proxy2"}),
)
AFTER = replace(BEFORE, routed_to="be2")
FORGOTTEN = replace(AFTER, forgot=AFTER.proxies)
FENCED = replace(BEFORE, answers=False, catches_up=False, fenced="its service was stopped")
SILENT = replace(FENCED, fenced=None, may_be_silent=True)
HANGS = replace(SILENT, may_be_silent=False, must_be_fenced=True)


def step(seen: Seen, **change: object) -> SafeStep:
    return next_safe_step(replace(seen, **change)).step


def test_a_planned_switch_from_its_beginning_to_its_end():
    assert SafeStep.SWITCH is step(BEFORE)
    assert SafeStep.FORGET is step(AFTER)
    assert SafeStep.END_SESSIONS is step(FORGOTTEN, on_source=("anna",))
    assert SafeStep.LOOK_AGAIN is step(FORGOTTEN)
    assert SafeStep.SYNCHRONISE is step(FORGOTTEN, quiet_for=QUIET)
    assert SafeStep.DONE is step(FORGOTTEN, quiet_for=QUIET, synchronised=True)
    assert SafeStep.DONE is step(FORGOTTEN, quiet_for=QUIET, catches_up=False)


def test_only_the_proxies_that_remember_are_told_to_forget():
    assert ("proxy2",) == next_safe_step(replace(AFTER, forgot=frozenset({"proxy1"}))).proxies


def test_a_proxy_that_cannot_be_asked_forbids_a_planned_switch():
    found = next_safe_step(replace(BEFORE, unseen={"proxy2": "it did not answer"}))

    assert SafeStep.GIVE_UP is found.step
    assert "proxy2 could not be asked" in found.because


def test_what_is_fenced_may_be_left_although_a_proxy_cannot_be_asked():
    assert SafeStep.SWITCH is step(FENCED, unseen={"proxy2": "it did not answer"})


def test_sessions_that_live_on_without_their_master_are_writers_too():
    """A stopped service may leave sessions behind (field notes, section E): they are waited for."""
    assert SafeStep.LOOK_AGAIN is step(FENCED, on_source=("anna",))
    assert SafeStep.GIVE_UP is step(FENCED, on_source=("anna",), out_of_time=True)


def test_what_hangs_is_never_left_unfenced():
    assert SafeStep.GIVE_UP is step(HANGS)
    assert SafeStep.GIVE_UP is step(SILENT, proxies=frozenset()), "nobody's list of sessions proves nothing"


def test_what_says_nothing_is_left_only_when_no_proxy_holds_a_session_to_it():
    assert SafeStep.SWITCH is step(SILENT)
    assert SafeStep.LOOK_AGAIN is step(SILENT, on_source=("anna",))
    assert SafeStep.GIVE_UP is step(SILENT, on_source=("anna",), out_of_time=True)
    assert SafeStep.GIVE_UP is step(SILENT, unseen={"proxy1": "no answer"})


def test_logins_that_wait_for_a_silent_server_are_told_from_sessions_by_holding_new_ones():
    waiting = replace(SILENT, on_source=("anna",), can_hold=True)

    assert SafeStep.HOLD is step(waiting)
    assert SafeStep.FORGET is step(waiting, held=True)
    assert SafeStep.LOOK_AGAIN is step(waiting, held=True, forgot=AFTER.proxies)
    assert SafeStep.SWITCH is step(waiting, held=True, forgot=AFTER.proxies, on_source=())
    assert SafeStep.GIVE_UP is step(waiting, held=True, forgot=AFTER.proxies, out_of_time=True)


def test_sessions_are_never_ended_while_their_server_does_not_answer():
    """A kick while a login waits for a dead server crashes Dovecot's proxy (field notes, section B)."""
    situations = product(
        ["be1", "be2", "be3", None],
        [None, "gone"],
        [(), ("anna",)],
        [{}, {"proxy1": "no answer"}],
        [frozenset(), AFTER.proxies],
        [False, True],
        [timedelta(0), QUIET],
    )
    for routed_to, fenced, on_source, unseen, forgot, late, quiet in situations:
        seen = replace(
            SILENT,
            routed_to=routed_to,
            fenced=fenced,
            on_source=on_source,
            unseen=unseen,
            forgot=forgot,
            out_of_time=late,
            quiet_for=quiet,
        )
        assert SafeStep.END_SESSIONS is not next_safe_step(seen).step, seen


@pytest.mark.parametrize("routed_to", ["be3", None])
@pytest.mark.parametrize("seen", [BEFORE, FORGOTTEN, FENCED, SILENT])
def test_somebody_elses_change_of_the_map_ends_it(seen, routed_to):
    found = next_safe_step(replace(seen, routed_to=routed_to))

    assert SafeStep.GIVE_UP is found.step
    assert "somebody else has changed it" in found.because


def test_it_is_never_done_while_anything_is_unproven():
    situations = product(
        [(), ("anna",)],
        [{}, {"proxy1": "no answer"}],
        [frozenset(), frozenset({"proxy1"}), AFTER.proxies],
        [False, True],
        [timedelta(0), QUIET],
        [False, True],
    )
    for on_source, unseen, forgot, late, quiet, synchronised in situations:
        seen = replace(
            AFTER,
            on_source=on_source,
            unseen=unseen,
            forgot=forgot,
            out_of_time=late,
            quiet_for=quiet,
            synchronised=synchronised,
        )
        proven = not on_source and not unseen and forgot == AFTER.proxies and quiet >= QUIET and synchronised
        assert (next_safe_step(seen).step is SafeStep.DONE) == proven, seen


def test_time_that_runs_out_ends_it_with_what_is_the_case():
    assert (
        "2 mailboxes still have sessions"
        in next_safe_step(replace(FORGOTTEN, on_source=("anna", "boris"), out_of_time=True)).because
    )
    assert "is not proven" in next_safe_step(replace(AFTER, out_of_time=True)).because
