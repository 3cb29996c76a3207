"""Every read against a manager: three forms, one set of values, and a word when nothing matches."""

import json
from dataclasses import replace

import pytest

from mailward.model.items import CTP_MONITOR, MONITORS, PROBES
from mailward.model.wire import answer, listing, to_plain
from mailward.testing.manager_values import EVENTS, HEALTH, ITEMS, REPORT, ROLLUP, SUCCEEDED

READS = [
    (("health",), HEALTH),
    (("health", "--health-set", "IMAP*", "--state", "degraded"), HEALTH[1:2]),
    (("health", "PROXY1"), HEALTH[1:]),
    (("report",), REPORT),
    (("report", "mbx2"), REPORT[:1]),
    (("report", "--rollup"), ROLLUP),
    (("items",), ITEMS),
    (("items", "IMAP.Protocol", "--server", "mbx2"), ITEMS[1:]),
    (("events",), EVENTS),
    (("events", "--after", "1"), EVENTS[1:]),
    (("events", "--limit", "1"), EVENTS[1:]),
    (("events", "--kind", "manager-started"), EVENTS[:1]),
    (("probe", "IMAP/ImapCTPProbe", "--server", "proxy1"), (SUCCEEDED,)),
]


@pytest.mark.parametrize(("words", "values"), READS)
def test_json_is_what_the_api_gives(ask, words, values):
    ran = ask(*words, "--format", "json")

    assert (0, "") == (ran.code, ran.err)
    assert listing(values) == json.loads(ran.out)


@pytest.mark.parametrize(("words", "values"), READS)
@pytest.mark.parametrize("form", ["table", "list"])
def test_forms_for_people_show_every_value_without_a_trace_of_colour(ask, words, values, form):
    ran = ask(*words, "--format", form)

    assert (0, "") == (ran.code, ran.err)
    assert "\x1b" not in ran.out
    for value in values:
        name = getattr(value, "name", None) or getattr(value, "subject", None) or value.health_set
        assert name in ran.out


def test_health_has_exchange_s_columns_in_its_order(ask):
    assert [
        "Server",
        "State",
        "Name",
        "TargetResource",
        "HealthSetName",
        "AlertValue",
        "ServerComponent",
    ] == ask("health").out.splitlines()[0].split()


def test_report_has_exchange_s_columns_in_its_order(ask):
    assert ["Server", "State", "HealthSet", "AlertValue", "LastTransitionTime", "MonitorCount"] == ask(
        "report"
    ).out.splitlines()[0].split()


def test_below_the_table_each_reason_stands_once_with_the_monitors_it_holds_for(ask):
    out = " ".join(ask("health").out.split())

    assert 1 == out.count("its store refuses to open the health mailbox of DB2")
    assert "fault: store of mbx2 (information store), certain" in out
    assert "mbx2 ImapDeepTestMonitor DB2; proxy1 ImapCTPMonitor DB2" in out


def test_a_long_name_is_whole_in_a_list(ask, served):
    name = "/srv/" + "x" * 300
    served.fake.monitors = (replace(HEALTH[0], target_resource=name),)

    assert name in ask("health", "--format", "list").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("health", "--health-set", "IMAP.Prox"), "no monitor of health set 'IMAP.Prox' matches"),
        (("health", "mbx2", "--state", "Repairing"), "no monitor on mbx2 is Repairing"),
        (("items", "ActiveSync"), "no item of health set 'ActiveSync' matches"),
        (("events", "--kind", "store-lost"), "no event matches"),
    ],
)
@pytest.mark.parametrize("form", ["table", "list", "json"])
def test_a_filter_that_matches_nothing_says_so_and_fails(ask, words, said, form):
    ran = ask(*words, "--format", form)

    assert 1 == ran.code
    assert said in ran.err
    assert (listing(()) == json.loads(ran.out)) if form == "json" else ran.out == ""


def test_an_unknown_server_names_the_nearest(ask):
    ran = ask("health", "mbx3")

    assert 1 == ran.code
    assert "there is no server 'mbx3'; did you mean 'mbx2'?" in ran.err


def test_reads_fail_for_what_is_unhealthy_only_where_asked(ask):
    assert 0 == ask("health").code
    assert 2 == ask("health", "--exit-code").code
    assert 0 == ask("health", "--state", "Healthy", "--exit-code").code
    assert 2 == ask("report", "--exit-code").code
    assert 2 == ask("report", "--rollup", "--exit-code").code


def test_a_rollup_is_over_groups_and_not_over_one_server(ask, served):
    assert 3 == ask("report", "mbx2", "--rollup").code
    ask("report", "--rollup", "--group-size", "3", "--minimum-online-percent", "50")
    assert [(50, 3)] == served.fake.rollups_asked


def test_a_probe_is_shown_as_a_list_with_its_conversation(ask):
    ran = ask("probe", "IMAP.Protocol/ImapDeepTestProbe/DB2", "--server", "mbx2")

    assert 2 == ran.code
    for line in (
        "ResultType     : Failed",
        "FailedPhase    : select",
        "_Mbx           : mbx2",
        "Fault          : store of mbx2 (information store), certain",
        "Transcript     : C: p2 SELECT INBOX",
        "                 S: p2 NO [SERVERBUG] Internal error occurred",
    ):
        assert line in ran.out.splitlines()


def test_a_backslash_eaten_by_the_shell_is_explained_and_what_was_meant_is_done(ask):
    ran = ask("probe", "IMAP.ProtocolImapDeepTestProbeDB2", "--server", "mbx2")

    assert 2 == ran.code
    assert r"the shell ate the backslash and made IMAP.ProtocolImapDeepTestProbeDB2 of IMAP.Protocol" in ran.err
    assert "ResultType     : Failed" in ran.out


def test_items_are_explained_without_a_manager(run):
    out = run("items", "help").out

    for item in PROBES:
        assert item.name in out
        assert ", ".join(dependency.value for dependency in item.dependencies) in out


def test_a_monitor_is_explained_by_any_form_of_its_name(run):
    said = {run("items", "help", name).out for name in ("imapctpmonitor", "IMAP/ImapCTPMonitor", "IMAPImapCTPMonitor")}

    assert 1 == len(said)
    assert "WhatToDo" in said.pop()


def test_an_item_as_json_is_what_the_api_gives(run):
    probe = run("items", "help", "ImapCTPProbe", "--format", "json").out
    monitor = run("items", "help", CTP_MONITOR, "--format", "json").out

    assert answer(PROBES[0]) == json.loads(probe)
    assert answer(MONITORS[0]).items() <= json.loads(monitor).items()


def test_a_monitor_is_explained_with_its_settings_what_is_done_about_it_and_what_is_asked_before(run):
    out = " ".join(run("items", "help", "ImapSelfTestMonitor").out.split())

    assert "[monitors.ImapSelfTestMonitor]" in out
    assert "consecutive_failures = 3" in out
    assert "Procedure : mailbox-server 1. re-probe" in out
    assert "2. start the IMAP service, if the service does not run [start: act]" in out
    assert "if the server holds active copies, later allow activation [move: approve]" in out
    assert "before server-restart: store reachable, lease, stop file, pause, maintenance" in out
    assert "docs/reference/monitors.md#imapselftestmonitor" in out


def test_of_a_monitor_nothing_is_done_about_that_is_said(run):
    assert "none: people are told, and nothing is done by itself" in run("items", "help", "ImapPushMonitor").out


def test_a_monitor_as_json_has_its_stages_and_gates(run):
    found = json.loads(run("items", "help", "ImapProxyTestMonitor", "--format", "json").out)

    assert "proxy" == found["recovery"]["procedure"]
    assert {"number": 2, "step": "start the IMAP service", "by_default": "act"}.items() <= (
        found["recovery"]["stages"][1].items()
    )
    assert "restart" in [known["action"] for known in found["recovery"]["gates"]]
    assert '"1m"' == found["settings"]["grace"]


def test_an_unknown_item_names_the_nearest(run):
    ran = run("items", "help", "ImapCPTProbe")

    assert 1 == ran.code
    assert "did you mean 'ImapCTPProbe'?" in ran.err


def test_following_gives_a_line_per_event_until_the_manager_stops(ask, served):
    def go_on():
        served.do(served.fake.record(replace(EVENTS[1], before="Degraded", after="Unhealthy")))
        served.do(served.fake.stop())

    import threading

    threading.Timer(0.3, go_on).start()
    ran = ask("events", "--follow", "--format", "json")

    assert 3 == ran.code
    assert "the manager stopped" in ran.err
    plain = [json.loads(line) for line in ran.out.splitlines()]
    assert [to_plain(event) for event in EVENTS] == plain[:2]
    assert (3, "Unhealthy") == (plain[2]["id"], plain[2]["after"])


def test_a_live_table_for_a_program_is_refused_with_what_to_use(ask):
    ran = ask("health", "--watch", "--format", "json")

    assert 3 == ran.code
    assert "events --follow --format json" in ran.err


def test_what_the_manager_cannot_say_now_is_not_an_answer(ask, served):
    served.fake.silent_because = "the store is busy"
    ran = ask("health")

    assert (3, "mailward: the store is busy\n") == (ran.code, ran.err)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_say_how_to_install_them(run, shell):
    ran = run("completion", shell)

    assert 0 == ran.code
    assert ran.out.startswith(f"# mailward completion {shell} > ")
    assert "_MAILWARD_COMPLETE" in ran.out


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("mailward health prox", "plain,proxy1\n"),
        ("mailward server drain m", "plain,mbx2\n"),
        ("mailward database move d", "plain,DB1\nplain,DB2\n"),
    ],
)
def test_servers_and_databases_are_completed_from_the_manager(process, served, words, completed):
    ran = process(
        environment={
            "MAILWARD_SOCKET": str(served.path),
            "_MAILWARD_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        }
    )

    assert completed == ran.out
