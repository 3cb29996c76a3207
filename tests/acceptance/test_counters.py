"""Counters of real Dovecots: a queue that is full, a limit that is reached, and a store that has become slow."""

from collections.abc import Iterator

import pytest

from mailward.client.manager import ManagerClient
from mailward.lab.lab import Lab
from mailward.lab.manager_process import ManagerProcess
from mailward.lab.traffic import Traffic
from mailward.lab.watch_configuration import Timings
from mailward.model import items
from mailward.model.health import MonitorHealth
from mailward.model.probing import ProbeResult, ResultType
from mailward.model.verdict import Dependency, Tier

from .test_catalogue import is_green, until


@pytest.fixture(scope="module")
def watched(lab: Lab) -> Iterator[ManagerClient]:
    with ManagerProcess(lab.write_configuration(timings=Timings.SHORT)) as manager:
        until(lambda: is_green(manager.client), seconds=60)
        yield manager.client


@pytest.fixture
def mended(lab: Lab, watched: ManagerClient) -> Iterator[None]:
    yield
    lab.heal()
    until(lambda: is_green(watched), seconds=90)


def monitor(client: ManagerClient, item: str, server: str) -> MonitorHealth:
    (row,) = [row for row in client.health(server=server) if row.name == item]
    return row


def probed(client: ManagerClient, item: str, server: str) -> ProbeResult:
    (result,) = client.probe(item, server=server)
    return result


def measured(client: ManagerClient, server: str) -> ProbeResult:
    """What its commands took, as soon as there are any: a mean needs two looks and a command that ended in between."""
    seen: list[ProbeResult] = []

    def succeeded() -> bool:
        seen.append(probed(client, items.COMMAND_TIME_CHECK, server))
        return seen[-1].result is ResultType.SUCCEEDED

    until(succeeded, seconds=60, otherwise=lambda: seen[-1].detail if seen else "the manager does not answer")
    return seen[-1]


def test_every_server_counts_and_is_calm(watched: ManagerClient) -> None:
    for server in ("proxy1", "proxy2", "be1", "be2"):
        result = probed(watched, items.QUEUE_CHECK, server)
        assert (ResultType.SUCCEEDED, 0.0) == (result.result, result.level), result.detail
    for server in ("be1", "be2"):
        result = measured(watched, server)
        assert 0 <= (result.level or 0) < 0.5, result.detail


@pytest.mark.usefixtures("mended")
def test_a_full_accept_queue_is_told_with_its_length(lab: Lab, watched: ManagerClient) -> None:
    server = "proxy2"
    lab.break_(f"queue-full@{server}")

    until(lambda: monitor(watched, items.QUEUE_MONITOR, server).alert_value.is_broken, seconds=60)

    row = monitor(watched, items.QUEUE_MONITOR, server)
    assert "which is all it holds: further clients get no answer" in row.because
    assert row.verdict is not None
    assert (Tier.PROXY, server) == (row.verdict.tier, row.verdict.server)
    assert (probed(watched, items.QUEUE_CHECK, server).level or 0) > 100


@pytest.mark.usefixtures("mended")
def test_clients_that_wait_for_a_process_are_told_with_the_limit(lab: Lab, watched: ManagerClient) -> None:
    lab.break_("process-limit@be2")

    until(lambda: monitor(watched, items.QUEUE_MONITOR, "be2").alert_value.is_broken, seconds=60)

    row = monitor(watched, items.QUEUE_MONITOR, "be2")
    assert "imap has all the 1 processes it may have" in row.because


@pytest.mark.usefixtures("mended")
def test_sessions_that_hang_do_not_hide_behind_probes_that_work(lab: Lab, watched: ManagerClient) -> None:
    """A command that never ends is never counted: the mean stays good, and the titles of the processes tell."""
    (database, *_) = [one for one in lab.blueprint.databases if one.copies[0] == "be1"]
    with Traffic(lab.blueprint, database.users, delivers=False, idles=False):
        lab.break_("store-slow@be1")
        until(lambda: monitor(watched, items.COMMAND_TIME_MONITOR, "be1").alert_value.is_broken, seconds=90)

        row = monitor(watched, items.COMMAND_TIME_MONITOR, "be1")
        assert "have been carrying out APPEND" in row.because
        assert row.verdict is not None
        assert (Tier.STORE, "be1", Dependency.INFORMATION_STORE) == (
            row.verdict.tier,
            row.verdict.server,
            row.verdict.dependency,
        )
        lab.heal()


def test_a_service_without_commands_has_no_data(one_box: Lab) -> None:
    """Nobody probes it, and nobody uses it, since one user logged in."""
    one_box.log_in("anna", on="mail")
    configuration = one_box.write_configuration(timings=Timings.SHORT)
    text = configuration.read_text()
    for often in ("1s", "2s", "3s"):
        text = text.replace(f'interval = "{often}"', 'interval = "10m"')
    quiet = configuration.with_name("quiet.toml")
    quiet.write_text(text)
    quiet.chmod(0o600)
    with ManagerProcess(quiet) as manager:
        seen: list[ProbeResult] = []

        def says_so() -> bool:
            seen.append(probed(manager.client, items.COMMAND_TIME_CHECK, "mail"))
            return "no command ended within" in seen[-1].detail

        until(says_so, seconds=90, otherwise=lambda: seen[-1].detail)  # what was probed at the start has to be over
        assert ResultType.NOT_APPLICABLE is seen[-1].result
