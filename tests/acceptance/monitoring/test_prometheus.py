"""
What administrators run beside mailward: Prometheus scrapes it, its rules fire, and Alertmanager hears of both.

One lab, one manager, one outage for all tests of this file: an outage takes its minute until it is Unhealthy.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.error import URLError

import pytest

from mailward.client.credentials import CredentialsClient
from mailward.lab.lab import Lab
from mailward.lab.manager_process import ManagerProcess
from mailward.lab.watch_configuration import Timings
from mailward.metrics.described import METRICS
from mailward.model.credentials import Role
from mailward.model.errors import TemporaryFailure
from mailward.model.health import MonitorHealth
from mailward.model.items import NOTIFICATION_MONITOR, NOTIFICATIONS
from mailward.model.monitoring import AlertValue

from .programs import alertmanager, free_port, get, missing, post, prometheus, status_of

PACKAGING = Path(__file__).parents[3] / "packaging" / "prometheus"


@dataclass
class Monitored:
    """A watched lab with what watches the watcher."""

    lab: Lab
    manager: ManagerProcess
    web: str
    prometheus: str
    alertmanager: str

    def query(self, expression: str) -> dict[tuple[str, ...], float]:
        """The values of an expression by the values of its labels, sorted by name and without job and instance."""
        found = get(f"{self.prometheus}/api/v1/query", query=expression)["data"]["result"]
        own = ("__name__", "instance", "job")
        return {
            tuple(value for name, value in sorted(one["metric"].items()) if name not in own): float(one["value"][1])
            for one in found
        }

    def firing(self) -> dict[str, dict[str, Any]]:
        """What Prometheus says fires, by its name."""
        alerts = get(f"{self.prometheus}/api/v1/alerts")["data"]["alerts"]
        return {one["labels"]["alertname"]: one for one in alerts if one["state"] == "firing"}

    def received(self) -> set[tuple[str, str, str]]:
        """What Alertmanager has: name, server and severity of each alert."""
        labels = [one["labels"] for one in get(f"{self.alertmanager}/api/v2/alerts")]
        return {(one["alertname"], one.get("server", ""), one["severity"]) for one in labels}

    def notification(self) -> MonitorHealth:
        """What Alertmanager says of the server, as its monitor has it."""
        rows = self.manager.client.health(server="mail", health_set=NOTIFICATIONS)
        return next(row for row in rows if row.name == NOTIFICATION_MONITOR)

    def is_green(self) -> bool:
        rows = self.manager.client.health()
        return bool(rows) and all(row.alert_value is AlertValue.HEALTHY for row in rows)


@pytest.fixture(scope="module")
def monitored(one_box: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    if missing():
        pytest.skip(f"this machine has no {', '.join(missing())}")
    directory, host = tmp_path_factory.mktemp("monitoring"), one_box.blueprint.prober
    web, alerts = f"{host}:{free_port(host)}", f"{host}:{free_port(host)}"
    shutil.copy(PACKAGING / "mailward.rules.yml", directory)
    with ExitStack() as stack:
        configuration = one_box.write_configuration(timings=Timings.SHORT, listen=web, more=MORE.format(alerts=alerts))
        manager = stack.enter_context(ManagerProcess(configuration))
        tokens = {role: token_in(directory, manager, role) for role in (Role.VIEWER, Role.OPERATOR)}
        stack.enter_context(alertmanager(directory, alerts, alertmanager_configuration(web, tokens[Role.OPERATOR])))
        scrapes = prometheus_configuration(web, alerts, tokens[Role.VIEWER])
        metrics = stack.enter_context(prometheus(directory, host, scrapes))
        one = Monitored(lab=one_box, manager=manager, web=web, prometheus=metrics, alertmanager=f"http://{alerts}")
        until(one.is_green)
        yield one


MORE = """
[escalation]
group_wait = "1s"

[notify.am]
kind = "alertmanager"
url = "http://{alerts}"

[probes.NotificationCheck]
interval = "1s"
"""


def token_in(directory: Path, manager: ManagerProcess, role: Role) -> dict[str, object]:
    """What a program of these is told of its token: the file it stands in."""
    issued = CredentialsClient(manager.client.socket).add_token(f"a-{role.value}", role, lasting=None)
    file = directory / f"{role.value}.token"
    file.write_text(issued.secret)
    return {"authorization": {"credentials_file": str(file)}}


def alertmanager_configuration(web: str, token: dict[str, object]) -> dict[str, object]:
    hook = {"url": f"http://{web}/api/v1/alertmanager", "send_resolved": True, "http_config": token}
    return {
        "route": {"receiver": "mailward", "group_by": ["..."], "group_wait": "1s", "group_interval": "1s"},
        "receivers": [{"name": "mailward", "webhook_configs": [hook]}],
    }


def prometheus_configuration(web: str, alerts: str, token: dict[str, object]) -> dict[str, object]:
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["mailward.rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alerts]}]}]},
        "scrape_configs": [
            {"job_name": "mailward", **token, "static_configs": [{"targets": [web]}]},
            {
                "job_name": "mailward-probe",
                **token,
                "metrics_path": "/probe",
                "params": {"module": ["ImapSelfTestProbe"]},
                "static_configs": [{"targets": ["mail"]}],
                "relabel_configs": [
                    {"source_labels": ["__address__"], "target_label": "__param_target"},
                    {"source_labels": ["__param_target"], "target_label": "instance"},
                    {"target_label": "__address__", "replacement": web},
                ],
            },
        ],
    }


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = monotonic() + seconds
    while True:
        with suppress(TemporaryFailure, URLError, OSError):
            if condition():
                return
        assert monotonic() < deadline, "it never came"
        sleep(0.1)


def test_prometheus_scrapes_everything_that_the_reference_promises(monitored: Monitored) -> None:
    until(lambda: monitored.query('up{job="mailward"} == 1'))
    until(lambda: monitored.query('mailward_health_set_state{server="mail", state="Healthy"} == 1'))

    known = set(get(f"{monitored.prometheus}/api/v1/label/__name__/values")["data"])

    not_yet = ("probe_failures", "actions", "actions_withheld", "throttle_remaining")
    promised = [one for one in METRICS if one.name.removeprefix("mailward_") not in not_yet]
    assert {name for one in promised for name in one.sample_names} <= known
    assert 0 < monitored.query('sum(mailward_probe_results_total{probe="ImapDeepTestProbe",result="Succeeded"})')[()]


def test_every_panel_of_the_dashboard_gets_an_answer(monitored: Monitored) -> None:
    board = json.loads((PACKAGING.parent / "grafana" / "mailward.json").read_text())
    asked = [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel["targets"]]
    while_all_is_well = {
        "Health sets that were not well",
        "Failures",
        "Actions",
        "Withheld",
        "Left of the day's limits",
        "Monitors",
    }

    def empty() -> set[str]:
        """Panels without an answer; an expression that cannot be evaluated raises."""
        return {title for title, expression in asked if not monitored.query(filled_in(expression))}

    until(lambda: empty() <= while_all_is_well)


def filled_in(expression: str) -> str:
    """An expression as Grafana would ask it."""
    for name, value in {"$server": ".*", "$probe": ".*", "$__rate_interval": "10s", "$__range": "1m"}.items():
        expression = expression.replace(name, value)
    return expression


def test_a_single_probe_is_scraped_as_from_blackbox_exporter(monitored: Monitored) -> None:
    until(lambda: monitored.query('probe_success{instance="mail"} == 1'))

    assert 0 < monitored.query('probe_duration_seconds{instance="mail"}')[()] < 10
    assert 0 < monitored.query('probe_ssl_earliest_cert_expiry{instance="mail"} - time()')[()]
    assert {("TLS 1.3",)} == set(monitored.query('probe_tls_version_info{instance="mail"}'))
    assert {"connect", "tls", "auth"} <= {
        labels[0] for labels in monitored.query('probe_imap_phase_duration_seconds{instance="mail"}')
    }


def test_an_outage_reaches_alertmanager_by_the_rules_and_from_mailward_itself_and_so_does_its_end(
    monitored: Monitored,
) -> None:
    until(lambda: not monitored.received())

    monitored.lab.break_("service-stopped@mail")
    until(lambda: monitored.query('probe_success{instance="mail"} == 0'), seconds=40)
    until(lambda: "MailwardHealthSetUnhealthy" in monitored.firing(), seconds=120)
    told = monitored.firing()["MailwardHealthSetUnhealthy"]
    assert "mail" == told["labels"]["server"]
    assert told["annotations"]["runbook_url"].startswith("docs/reference/health-sets/IMAP")

    until(lambda: ("MailwardHealthSetUnhealthy", "mail", "critical") in monitored.received())
    until(lambda: any(name.startswith("Imap") for name, *of in monitored.received() if of == ["mail", "critical"]))
    assert monitored.query('mailward_probe_failures_total{phase="connect", cause="refused"} > 0')

    monitored.lab.heal()
    until(monitored.is_green)
    until(lambda: not monitored.received(), seconds=90)
    until(lambda: monitored.query('probe_success{instance="mail"} == 1'), seconds=40)


def test_what_others_say_of_a_server_is_a_monitors_word_until_it_is_resolved_and_repairs_nothing(
    monitored: Monitored,
) -> None:
    until(monitored.is_green)
    disk = {"labels": {"alertname": "DiskFull", "instance": "mail:9100"}, "annotations": {"summary": "/srv is full"}}

    post(f"{monitored.alertmanager}/api/v2/alerts", [disk])
    until(lambda: monitored.notification().alert_value is AlertValue.UNHEALTHY)
    assert "DiskFull, /srv is full" in monitored.notification().because
    others = [row for row in monitored.manager.client.health() if row.name != NOTIFICATION_MONITOR]
    assert {AlertValue.HEALTHY} == {row.alert_value for row in others}
    assert () == monitored.manager.client.recoveries(unfinished=True)

    post(f"{monitored.alertmanager}/api/v2/alerts", [{**disk, "endsAt": "2020-01-01T00:00:00Z"}])
    until(lambda: monitored.notification().alert_value is AlertValue.HEALTHY)


def test_nobody_scrapes_without_a_token_once_there_is_one(monitored: Monitored) -> None:
    assert [401, 401, 200] == [status_of(f"http://{monitored.web}{path}") for path in ("/metrics", "/probe", "/livez")]
