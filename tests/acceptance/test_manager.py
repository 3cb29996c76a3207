"""A manager as its administrator meets it: signals, restarts, secrets, a store that is lost, on a real Dovecot."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest

from mailward.lab.lab import Lab
from mailward.lab.manager_process import ManagerProcess
from mailward.lab.watch_configuration import Timings
from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.event import EventKind
from mailward.model.monitoring import AlertValue
from mailward.model.probing import ResultType
from mailward.model.wire import to_plain


@pytest.fixture
def configuration(one_box: Lab) -> Path:
    return one_box.write_configuration(timings=Timings.SHORT)


@pytest.fixture
def manager(configuration: Path) -> Iterator[ManagerProcess]:
    with ManagerProcess(configuration) as running:
        until(lambda: is_green(running))
        yield running


def until(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = monotonic() + seconds
    while True:
        with suppress(TemporaryFailure):
            if condition():
                return
        assert monotonic() < deadline, "it never came"
        sleep(0.05)


def is_green(manager: ManagerProcess) -> bool:
    rows = manager.client.health()
    return bool(rows) and all(row.alert_value is AlertValue.HEALTHY for row in rows)


def cli(manager: ManagerProcess, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mailward.cli.main", "--socket", str(manager.client.socket), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_crash_is_an_event_within_a_second_and_probed_at_once(one_box, manager):
    since = manager.client.events(newest_first=True, limit=1)[0].id

    one_box.break_("service-failed@mail")

    until(lambda: manager.client.events(after=since, kinds=[EventKind.SERVICE_EXITED]))
    until(lambda: manager.client.results(failed=True, limit=1))
    (exited, *_) = manager.client.events(after=since, kinds=[EventKind.SERVICE_EXITED])
    first = min(manager.client.results(failed=True), key=lambda result: result.at)
    assert first.at - exited.at < timedelta(seconds=1)
    until(lambda: manager.client.health(state="Degraded"))


def test_no_secret_leaves_the_manager_whatever_goes_wrong(one_box, manager):
    secrets = {path.read_text().strip() for path in one_box.blueprint.secrets.iterdir()}
    assert len(secrets) > 2
    for fault in ("probe-password@mail", "auth-broken@mail", "garbage@mail"):
        one_box.break_(fault)
        until(lambda: manager.client.health(state="Degraded"))
        cli(manager, "probe", "ImapDeepTestProbe", "--server", "mail")
        one_box.heal(fault)
    until(lambda: is_green(manager))

    said = [
        json.dumps(to_plain(manager.client.results(limit=1000))),
        json.dumps(to_plain(manager.client.events(limit=1000))),
        json.dumps(to_plain(manager.client.health())),
        cli(manager, "probe", "ImapSelfTestProbe", "--server", "mail").stdout,
        cli(manager, "health", "--format", "json").stdout,
        manager.log.read_text(),
        *(words_of(pid) for pid in processes()),
    ]
    stored = b"".join(path.read_bytes() for path in manager.client.socket.parent.iterdir() if path.is_file())
    assert "LOGIN" in said[0] or "AUTHENTICATE" in said[0], "there is something to search in"
    for secret in secrets:
        assert not [text[:80] for text in said if secret in text]
        assert secret.encode() not in stored


def processes() -> list[str]:
    return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit() and (entry / "cmdline").exists()]


def test_sigterm_ends_it_within_five_seconds_with_everything_stored(manager):
    last = manager.client.results(limit=1)[0].at
    began = monotonic()

    os.kill(manager.pid, signal.SIGTERM)

    until(lambda: manager.has_ended, seconds=5)
    assert monotonic() - began < 5
    manager.start()
    assert manager.client.results(limit=1)[0].at >= last
    kinds = [event.kind for event in manager.client.events(newest_first=True, limit=10)]
    assert [EventKind.MANAGER_STARTED, EventKind.MANAGER_STOPPED] == [
        kind for kind in kinds if kind in (EventKind.MANAGER_STARTED, EventKind.MANAGER_STOPPED)
    ][:2]


def test_killed_and_started_again_it_goes_on_with_the_last_states(one_box, manager):
    before = manager.client.events(newest_first=True, limit=1)[0].id
    one_box.break_("service-stopped@mail")
    until(lambda: manager.client.health(state="Degraded"))
    known = {(row.name, row.target_resource): row.since for row in manager.client.health(state="Degraded")}
    until(lambda: known.keys() <= stored_degraded(manager, after=before))

    os.kill(manager.pid, signal.SIGKILL)
    until(lambda: manager.has_ended)
    manager.start()

    again = {(row.name, row.target_resource): row.since for row in manager.client.health()}
    assert known
    assert all(again[name] == since for name, since in known.items())


def stored_degraded(manager: ManagerProcess, *, after: int) -> set[tuple[object, object]]:
    changes = manager.client.events(after=after, kinds=[EventKind.MONITOR_CHANGED], limit=500)
    return {(event.data["monitor"], event.data["target"]) for event in changes if event.after == "Degraded"}


def test_a_second_manager_on_the_same_state_is_refused_in_one_line(manager, configuration):
    command = [sys.executable, "-m", "mailward.cli.main", "run", "--config", str(configuration)]

    refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)

    assert refused.returncode == 1
    assert f"process {manager.pid}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_sighup_reads_the_configuration_again_and_a_wrong_one_changes_nothing(manager, configuration):
    good = configuration.read_text()
    before = manager.client.status().configuration_loaded_at

    configuration.write_text(good.replace('name = "lab"', 'name = "renamed"'))
    os.kill(manager.pid, signal.SIGHUP)
    until(lambda: manager.client.status().organization == "renamed")
    assert manager.client.status().configuration_loaded_at > before

    configuration.write_text(good + "\n[servers.mail.imap]\nprot = 1\n")
    os.kill(manager.pid, signal.SIGHUP)
    until(lambda: manager.client.status().configuration_error)
    assert str(configuration) in (manager.client.status().configuration_error or "")
    with pytest.raises(Refused):
        manager.client.reload()
    configuration.write_text(good)
    manager.client.reload()
    assert manager.client.status().configuration_error is None


def test_every_probe_runs_by_hand_and_a_monitors_name_runs_its_own(manager):
    for item in ("IMAP.Protocol/ImapSelfTestProbe", "IMAP.Protocol\\ImapDeepTestProbe", "imapctpmonitor"):
        server = "imap.lab.example" if "ctp" in item else "mail"
        results = manager.client.probe(item, server=server)
        assert results
        assert {ResultType.SUCCEEDED} == {result.result for result in results}


def test_one_box_shows_no_proxy(manager):
    assert {"IMAP", "IMAP.Protocol", "DiskSpace", "Monitoring"} == {row.health_set for row in manager.client.report()}


def test_the_socket_is_not_for_everybody(manager):
    assert manager.client.socket.stat().st_mode & 0o777 == 0o660


def words_of(pid: str) -> str:
    """The words of a process; nothing of one that has ended meanwhile, such as a doveadm."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
