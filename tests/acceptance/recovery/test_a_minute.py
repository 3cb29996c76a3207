"""
What needs the patience of a minute before a running service may be touched: all of it at once, each in its own lab.

By default the cases that differ most; `--every-kind` and `--default-timings` take all of them.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from mailward.lab.blueprint import Shape
from mailward.model.alerting import Urgency
from mailward.model.evidence import ServiceState
from mailward.model.recovery import Gate, OperationStatus, StepName, StepOutcome
from mailward.platforms.local.system_clock import SystemClock

from .conftest import Acting, can_log_in, new_lab, until, untouched

PATIENCE = timedelta(seconds=60)
WELL_OVER = timedelta(seconds=78)
"""After that, whoever wants to restart something has had its chance."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Faults of a lab of its own."""

    shape: Shape
    faults: tuple[str, ...]
    by_default: bool = False
    elsewhere: tuple[tuple[str, str], ...] = ()
    """Users with a session that must stay, and on which host."""


CASES: Mapping[str, Case] = {
    "hung": Case(
        shape=Shape.TWO_TIER,
        faults=("service-hung@be1", "service-hung@proxy2"),
        by_default=True,
        elsewhere=(("gustav", "be2"), ("helen", "proxy1")),
    ),
    "mistake": Case(shape=Shape.ONE_BOX, faults=("configuration-broken@mail", "login-hung@mail"), by_default=True),
    "directory": Case(
        shape=Shape.TWO_TIER,
        faults=("directory-unreadable@be1", "directory-unreadable@be2"),
        by_default=True,
        elsewhere=(("anna", "be1"), ("gustav", "be2"), ("helen", "proxy1")),
    ),
    "banned": Case(shape=Shape.ONE_BOX, faults=("prober-banned@mail",), by_default=True, elsewhere=(("anna", "mail"),)),
    "dead": Case(shape=Shape.ONE_BOX, faults=("service-dead@mail",), by_default=True),
    "flapping": Case(shape=Shape.ONE_BOX, faults=("service-flapping@mail",), by_default=True),
    "password": Case(shape=Shape.ONE_BOX, faults=("probe-password@mail",), elsewhere=(("anna", "mail"),)),
    "cut": Case(shape=Shape.ONE_BOX, faults=("network-cut@mail",)),
    "database": Case(
        shape=Shape.TWO_TIER,
        faults=("database-unreadable@DB1",),
        elsewhere=(("dora", "be1"), ("gustav", "be2"), ("helen", "proxy1")),
    ),
    "exhausted": Case(
        shape=Shape.TWO_TIER,
        faults=("host-exhausted@proxy1",),
        by_default=True,
        elsewhere=(("anna", "proxy2"), ("gustav", "be2")),
    ),
    "last": Case(
        shape=Shape.TWO_TIER,
        faults=("service-stopped@proxy1", "host-exhausted@proxy2"),
        elsewhere=(("anna", "be1"), ("gustav", "be2")),
    ),
}


class Minute:
    """All cases, broken at about the same time."""

    def __init__(self, names: tuple[str, ...]) -> None:
        """Nothing is broken yet."""
        self._stack = ExitStack()
        self._acting: dict[str, Acting] = {}
        self._skipped: dict[str, str] = {}
        self._broke_at: dict[str, datetime] = {}
        self._untouched: dict[str, ExitStack] = {}
        try:
            for deed in (self._bring_up, self._break):
                with ThreadPoolExecutor(max_workers=len(names)) as pool:
                    list(pool.map(deed, [name for name in names if name not in self._skipped]))
        except BaseException:
            self.close()
            raise

    def case(self, name: str) -> Acting:
        """One of them; skipped where its faults cannot be had, or were not asked for."""
        if name in self._skipped:
            pytest.skip(self._skipped[name])
        if name not in self._acting:
            pytest.skip("only with --every-kind")
        return self._acting[name]

    def since(self, name: str) -> timedelta:
        """How long it has been broken."""
        return SystemClock().now() - self._broke_at[name]

    def broke_at(self, name: str) -> datetime:
        """The moment its last fault had taken effect."""
        return self._broke_at[name]

    def await_patience(self, name: str) -> Acting:
        """Return once everything that is ever done to a running service would have been done."""
        case = self.case(name)
        until(lambda: self.since(name) > WELL_OVER, seconds=WELL_OVER.total_seconds() + 10)
        return case

    def sessions_are_well(self, name: str) -> None:
        """Nobody elsewhere was touched."""
        self._untouched.pop(name).close()

    def close(self) -> None:
        """Take everything down."""
        for left in self._untouched.values():
            left.pop_all()  # their test has failed already
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda acting: acting.manager.stop(), self._acting.values()))
        self._stack.close()

    def _bring_up(self, name: str) -> None:
        case = CASES[name]
        lab = self._stack.enter_context(new_lab(case.shape))
        reasons = [lab.why_not(lab.faults[fault]) for fault in case.faults]
        if any(reasons):
            self._skipped[name] = next(reason for reason in reasons if reason)
            return
        self._acting[name] = acting = Acting(lab)
        acting.__enter__()

    def _break(self, name: str) -> None:
        case, acting = CASES[name], self._acting[name]
        self._untouched[name] = ExitStack()
        self._untouched[name].enter_context(untouched(acting.lab, *case.elsewhere))
        for fault in case.faults:
            acting.lab.break_(fault)
        self._broke_at[name] = SystemClock().now()


@pytest.fixture(scope="module")
def minute(request: pytest.FixtureRequest) -> Iterator[Minute]:
    """Everything is broken; what is done about it is to be seen in the next minute and a half."""
    option = request.config.getoption
    every = option("--every-kind") or option("--default-timings")
    running = Minute(tuple(name for name, case in CASES.items() if every or case.by_default))
    yield running
    running.close()


def test_a_service_that_does_not_come_back_is_told_to_a_person_with_everything(minute: Minute) -> None:
    case = minute.case("dead")
    until(lambda: has_escalated(case, OperationStatus.ESCALATED), seconds=240, otherwise=case.told)
    until(case.client.alerts, otherwise=case.told)

    text = "\n".join(alert.text for alert in case.client.alerts())
    assert "DB1" in text, "whose mail is affected"
    assert "start the IMAP service" in text, "what was tried"
    assert "Failed to start listeners" in text, "and what came of it"
    assert "mailward why" in text, "what to do next"
    assert text.index("https://wiki.lab.example/mail-at-night") < text.index("the mail team, +49 30 555")
    assert {(StepName.START_SERVICE, "mail")} == set(case.deeds()), "what failed is not restarted, stopped or moved"


def test_a_service_that_was_healed_twice_and_breaks_again_is_left_to_a_person(minute: Minute) -> None:
    case = minute.case("flapping")
    until(lambda: Gate.INEFFECTIVE in case.refusals(), seconds=240, otherwise=case.told)
    until(lambda: has_escalated(case), otherwise=case.told)

    assert {"mail": 2} == case.new_starts()
    assert [(StepName.START_SERVICE, "mail")] * 2 == case.deeds()


def test_a_hung_service_is_restarted_once_when_a_minute_has_passed(minute: Minute) -> None:
    case = minute.case("hung")
    until(lambda: {"be1", "proxy2"} <= case.new_starts().keys(), seconds=240, otherwise=case.told)
    until(lambda: is_over(case), seconds=240, otherwise=case.told)

    assert {"be1": 1, "proxy2": 1} == case.new_starts(), case.told()
    restarts = [
        step
        for story in case.stories()
        for step in story.steps
        if step.name is StepName.RESTART_SERVICE and step.outcome is StepOutcome.DONE
    ]
    assert {"be1", "proxy2"} == {step.server for step in restarts}
    for step in restarts:
        assert step.started - minute.broke_at("hung") >= PATIENCE - timedelta(seconds=2), case.told()
    minute.sessions_are_well("hung")
    assert can_log_in(case.lab, "anna", "proxy2")


def test_after_a_hung_proxy_was_restarted_clients_are_sent_to_it_again(minute: Minute) -> None:
    case = minute.case("hung")
    if case.lab.blueprint.balancer is None:
        pytest.skip("this machine has no haproxy: scripts/servers installs it")
    until(lambda: "proxy2" in case.new_starts(), seconds=240, otherwise=case.told)
    until(lambda: is_over(case), seconds=240, otherwise=case.told)

    taken_out = [server for name, server in case.deeds() if name is StepName.TAKE_OUT]
    assert taken_out == [server for name, server in case.deeds() if name is StepName.PUT_BACK]
    before = served_by(case, "proxy2")
    until(lambda: case.lab.log_in("anna", on="balancer") and served_by(case, "proxy2") > before)


def test_a_mistake_in_the_configuration_on_disk_forbids_the_restart_until_it_is_mended(minute: Minute) -> None:
    case = minute.await_patience("mistake")

    assert [] == case.deeds(), case.told()
    assert {} == case.new_starts()
    assert Gate.CONFIGURATION_INVALID in case.refusals()
    assert ServiceState.HUNG is case.client.service("mail").state
    case.lab.heal("configuration-broken@mail")
    until(lambda: case.new_starts() == {"mail": 1}, seconds=240, otherwise=case.told)
    until(case.is_green, otherwise=case.told)
    assert [(StepName.RESTART_SERVICE, "mail")] == case.deeds()


def test_a_directory_that_is_out_everywhere_is_no_reason_to_restart_anything(minute: Minute) -> None:
    nothing_was_done(minute, "directory")


def test_a_banned_prober_restarts_nothing(minute: Minute) -> None:
    nothing_was_done(minute, "banned")


def test_a_wrong_probe_password_restarts_nothing(minute: Minute) -> None:
    nothing_was_done(minute, "password")


def test_a_server_that_is_cut_off_is_not_restarted(minute: Minute) -> None:
    nothing_was_done(minute, "cut")


def test_the_store_of_one_database_is_no_reason_to_restart_a_server(minute: Minute) -> None:
    nothing_was_done(minute, "database")


def test_a_proxy_whose_host_needs_it_is_emptied_restarted_as_a_whole_and_put_back(minute: Minute) -> None:
    case = minute.case("exhausted")
    until(lambda: (StepName.RESTART_SERVER, "proxy1") in case.deeds(), seconds=240, otherwise=case.told)
    until(lambda: is_over(case), seconds=240, otherwise=case.told)

    deeds = case.deeds()
    assert 1 == deeds.count((StepName.RESTART_SERVICE, "proxy1")), case.told()
    assert 1 == deeds.count((StepName.RESTART_SERVER, "proxy1")), case.told()
    assert {"proxy1"} == {server for _, server in deeds}
    if case.lab.blueprint.balancer is not None:
        names = [name for name, _ in deeds]
        assert names.index(StepName.TAKE_OUT) < names.index(StepName.RESTART_SERVER) < names.index(StepName.PUT_BACK)
    minute.sessions_are_well("exhausted")


def test_the_last_proxy_is_restarted_and_neither_taken_out_nor_restarted_as_a_whole(minute: Minute) -> None:
    case = minute.case("last")
    until(lambda: Gate.LAST_HEALTHY in case.refusals(), seconds=240, otherwise=case.told)
    until(
        lambda: any(alert.urgency is Urgency.CRITICAL for alert in case.client.alerts()),
        seconds=240,
        otherwise=case.told,
    )

    assert [(StepName.RESTART_SERVICE, "proxy2")] == case.deeds(), case.told()
    assert {"proxy2": 1} == case.new_starts()
    assert Gate.STOPPED_ON_PURPOSE in case.refusals()
    minute.sessions_are_well("last")


def nothing_was_done(minute: Minute, name: str) -> None:
    case = minute.await_patience(name)
    assert not case.is_green(), "it is broken"
    assert [] == case.deeds(), case.told()
    assert {} == case.new_starts()
    minute.sessions_are_well(name)


def is_over(case: Acting) -> bool:
    """Whether all is well again, and nothing more is going to be done."""
    return case.is_green() and not case.client.recoveries(unfinished=True)


def has_escalated(case: Acting, status: OperationStatus | None = None) -> bool:
    return any(one.escalated_at is not None and status in (None, one.status) for one in case.client.recoveries())


def served_by(case: Acting, proxy: str) -> int:
    """How many users that proxy has let in."""
    return case.lab.blueprint.host(proxy).log.read_text().count("Started proxying")
