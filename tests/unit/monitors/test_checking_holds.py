"""What may be held, and in which words it is stored."""

from datetime import timedelta

import pytest

from mailward.model.errors import NotFound, Refused
from mailward.model.holds import Hold, HoldKind, Requester
from mailward.monitors.checking_holds import UPGRADE_LASTS, check, check_words, concerns
from mailward.monitors.coverage import cover
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.settings import MonitorSettings, ServiceMonitorSettings

HOUR = timedelta(hours=1)
KINDS = {
    HoldKind.COMPONENT_STATE: ("proxy1/ImapProxy", "Inactive", {"requester": Requester.FUNCTIONAL}),
    HoldKind.MAINTENANCE: ("mbx1", "on", {}),
    HoldKind.REPAIRING: ("mbx1/IMAP.Protocol/ImapSelfTestMonitor", "on", {}),
    HoldKind.PAUSE: ("organization", "on", {}),
    HoldKind.OVERRIDE: (
        "mbx1/IMAP.Protocol/ImapSelfTestProbe",
        "5s",
        {"data": {"item_type": "probe", "property": "interval"}},
    ),
    HoldKind.UPGRADE: ("mbx1", "on", {}),
    HoldKind.ACTIVATION: ("mbx1/DB2", "blocked", {}),
}


@pytest.fixture
def checked(two_tiers, noon):
    def check_it(hold: Hold, *, now=noon, settings=None) -> Hold:
        coverage = cover(two_tiers, ProbingSettings(), settings or MonitorSettings())
        return check(hold, organization=two_tiers, coverage=coverage, now=now)

    return check_it


@pytest.fixture
def of_kind(a_hold):
    def make(kind: HoldKind, **changes) -> Hold:
        subject, value, more = KINDS[kind]
        return a_hold(kind, changes.pop("subject", subject), changes.pop("value", value), **more, **changes)

    return make


def state(a_hold, subject, value="Inactive", **changes):
    return a_hold(HoldKind.COMPONENT_STATE, subject, value, requester=Requester.SIDELINED, **changes)


@pytest.mark.parametrize("kind", HoldKind)
def test_every_kind_may_be_held(kind, of_kind, checked):
    assert kind is checked(of_kind(kind)).kind


@pytest.mark.parametrize("kind", HoldKind)
@pytest.mark.parametrize("reason", ["", "  ", "\n\t"])
def test_nothing_is_held_without_a_reason(kind, reason, of_kind, checked):
    with pytest.raises(Refused, match="a reason is missing"):
        checked(of_kind(kind, reason=reason))


@pytest.mark.parametrize("kind", HoldKind)
def test_nothing_ends_before_it_begins_or_has_ended_already(kind, of_kind, checked, noon):
    for since, until in [(noon + HOUR, noon + HOUR), (noon - 2 * HOUR, noon - HOUR), (noon - HOUR, noon)]:
        with pytest.raises(Refused, match="it would end before it begins"):
            checked(of_kind(kind, since=since, until=until))


@pytest.mark.parametrize("kind", HoldKind)
def test_nothing_begins_before_it_is_asked_for_but_it_may_begin_later(kind, of_kind, checked, noon):
    assert noon == checked(of_kind(kind, since=noon - HOUR)).since
    assert noon + HOUR == checked(of_kind(kind, since=noon + HOUR, until=noon + 2 * HOUR)).since


def test_a_reason_is_one_line_and_no_novel(of_kind, checked):
    assert "new disks" == checked(of_kind(HoldKind.MAINTENANCE, reason=" new\n disks ")).reason
    with pytest.raises(Refused, match="longer than 500"):
        checked(of_kind(HoldKind.MAINTENANCE, reason="x" * 501))


@pytest.mark.parametrize("name", ["mbx1", "MBX1", "mbx1.example.net", "Mbx1.Example.Net"])
@pytest.mark.parametrize("kind", [HoldKind.MAINTENANCE, HoldKind.UPGRADE, HoldKind.PAUSE])
def test_a_server_is_known_by_short_name_and_fqdn_and_stored_as_the_organization_spells_it(
    kind, name, of_kind, checked
):
    assert "mbx1" == checked(of_kind(kind, subject=name)).subject


@pytest.mark.parametrize(("kind", "subject"), [(kind, subject) for kind, (subject, _, _) in KINDS.items()])
def test_an_unknown_server_is_told_with_the_nearest(kind, subject, of_kind, checked):
    _, _, rest = subject.partition("/")

    with pytest.raises(NotFound, match="there is no server 'mbx11'; did you mean 'mbx1'"):
        checked(of_kind(kind, subject=f"mbx11/{rest}" if rest else "mbx11"))


@pytest.mark.parametrize("kind", [HoldKind.MAINTENANCE, HoldKind.UPGRADE, HoldKind.REPAIRING, HoldKind.PAUSE])
def test_what_is_only_on_or_off_has_no_other_value(kind, of_kind, checked):
    with pytest.raises(Refused, match="'Inactive' means nothing here"):
        checked(of_kind(kind, value="Inactive"))


@pytest.mark.parametrize("kind", [HoldKind.MAINTENANCE, HoldKind.UPGRADE])
def test_an_empty_subject_means_no_server_and_not_every_server(kind, of_kind, checked):
    for subject in ("", " ", "*"):
        with pytest.raises(Refused):
            checked(of_kind(kind, subject=subject))


def test_a_component_state_is_stored_in_exchanges_words(a_hold, checked):
    stored = checked(state(a_hold, r"PROXY1\imapproxy", "draining"))

    assert ("proxy1/ImapProxy", "Draining", Requester.SIDELINED) == (stored.subject, stored.value, stored.requester)


@pytest.mark.parametrize(
    ("subject", "value", "said"),
    [
        ("proxy1/ImapProxi", "Inactive", "there is no component 'ImapProxi'; did you mean 'ImapProxy'"),
        ("proxy1", "Inactive", "there is no component ''"),
        ("proxy1/Imap", "Inactive", "proxy1 has no component Imap; it has ImapProxy, ServerWideOffline"),
        ("mbx1/ImapProxy", "Inactive", "mbx1 has no component ImapProxy; it has Imap, ServerWideOffline"),
        ("proxy1/ImapProxy", "Off", "there is no component state 'Off'; known: Active, Inactive, Draining"),
        ("proxy1/Monitoring", "Draining", "Monitoring serves nobody and cannot be Draining"),
        ("proxy1/RecoveryActionsEnabled", "Draining", "RecoveryActionsEnabled serves nobody and cannot be Draining"),
    ],
)
def test_a_component_state_that_cannot_be_is_refused(subject, value, said, a_hold, checked):
    with pytest.raises(Refused) as refusal:
        checked(state(a_hold, subject, value))

    assert said in str(refusal.value)


def test_a_component_state_needs_a_requester(a_hold, checked):
    with pytest.raises(Refused, match="needs a requester, who alone can clear it: one of HealthAPI"):
        checked(a_hold(HoldKind.COMPONENT_STATE, "proxy1/ImapProxy", "Inactive"))


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("mbx1/ImapSelfTestMonitor", "mbx1/IMAP.Protocol/ImapSelfTestMonitor/mbx1"),
        ("MBX1\\imap.protocol\\imapdeeptestmonitor\\db2", "mbx1/IMAP.Protocol/ImapDeepTestMonitor/DB2"),
        ("imap/IMAP/ImapCTPMonitor/DB1", "imap/IMAP/ImapCTPMonitor/DB1"),
        ("mailward/Monitoring/HealthManagerMonitor", "mailward/Monitoring/HealthManagerMonitor/mailward"),
    ],
)
def test_a_repair_is_of_one_monitor_whose_target_may_be_left_out(given, stored, of_kind, checked):
    assert stored == checked(of_kind(HoldKind.REPAIRING, subject=given)).subject


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("mbx1/ImapDeepTestMonitor", "several monitors; add the target of one: DB1, DB2"),
        (
            "mbx1/IMAP.Protocol/ImapDeepTestMonitor/DB3",
            "mbx1 has no IMAP.Protocol/ImapDeepTestMonitor/DB3; its targets",
        ),
        ("mbx1/ImapSelfTestProbe", "ImapSelfTestProbe is a probe; its monitors: ImapSelfTestMonitor"),
        ("mbx1/ImapCertificateMonitor", "write HEALTHSET/ImapCertificateMonitor"),
        ("mbx1/ImapProxyTestMonitor", "mbx1 has no IMAP.Proxy/ImapProxyTestMonitor; `mailward items` lists"),
        ("*/ImapSelfTestMonitor", "name the server"),
        ("mbx1", "names no item"),
        ("mbx1/ImapSelfTestMonitr", "did you mean 'ImapSelfTestMonitor'"),
    ],
)
def test_a_repair_of_no_or_several_monitors_is_refused(subject, said, of_kind, checked):
    with pytest.raises(Refused) as refusal:
        checked(of_kind(HoldKind.REPAIRING, subject=subject))

    assert said in str(refusal.value)


def test_a_disabled_monitor_cannot_be_under_repair(of_kind, checked):
    settings = MonitorSettings(self_test=ServiceMonitorSettings(enabled=False))

    with pytest.raises(Refused, match="is disabled in the configuration"):
        checked(of_kind(HoldKind.REPAIRING), settings=settings)


@pytest.mark.parametrize(
    ("given", "name", "value", "stored"),
    [
        (
            ("mbx1/imapselftestprobe", "Probe"),
            "INTERVAL",
            "90s",
            ("mbx1/IMAP.Protocol/ImapSelfTestProbe", "interval", "90s"),
        ),
        (("*/ImapSelfTestProbe", "probe"), "timeout", "120s", ("*/IMAP.Protocol/ImapSelfTestProbe", "timeout", "2m")),
        (
            ("mbx1/IMAP.Protocol/ImapDeepTestProbe/db1", "probe"),
            "enabled",
            "FALSE",
            ("mbx1/IMAP.Protocol/ImapDeepTestProbe/DB1", "enabled", "false"),
        ),
        (
            ("proxy1/ImapCTPMonitor", "monitor"),
            "percent.window",
            "60m",
            ("proxy1/IMAP/ImapCTPMonitor", "percent.window", "1h"),
        ),
        (
            ("mbx1/ImapSelfTestMonitor", "responder"),
            "Restart",
            "ACT",
            ("mbx1/IMAP.Protocol/ImapSelfTestMonitor", "restart", "act"),
        ),
        (("mbx1/imap.protocol/*", "responder"), "restart", "act", ("mbx1/IMAP.Protocol/*", "restart", "act")),
        (("mbx1/*", "responder"), "mode", "observe", ("mbx1/*/*", "mode", "observe")),
        (("*/*/*", "responder"), "mode", "observe", ("*/*/*", "mode", "observe")),
    ],
)
def test_an_override_is_stored_in_one_form(given, name, value, stored, an_override, checked):
    subject, item_type = given

    kept = checked(an_override(subject, item_type, name, value))

    assert stored == (kept.subject, kept.data["property"], kept.value)
    assert item_type.lower() == kept.data["item_type"]


@pytest.mark.parametrize(
    ("subject", "item_type", "name", "value", "said"),
    [
        (
            "mbx1/ImapSelfTestMonitor",
            "probe",
            "interval",
            "5s",
            "is a monitor; its probes: ImapSelfTestProbe",
        ),
        (
            "mbx1/ImapSelfTestProbe",
            "monitor",
            "grace",
            "5s",
            "is a probe; its monitors: ImapSelfTestMonitor",
        ),
        ("mbx1/ImapSelfTestProbe", "probe", "grace", "5s", "the probe ImapSelfTestProbe has no property 'grace'"),
        ("mbx1/ImapSelfTestProbe", "probe", "interval", "5", "interval is not a duration"),
        ("mbx1/ImapSelfTestProbe", "maintenance", "interval", "5s", "there is no item type 'maintenance'"),
        ("mbx1/ImapProxyTestProbe", "probe", "interval", "5s", "mbx1 has no IMAP.Proxy/ImapProxyTestProbe"),
        ("*/DiskSpace/DiskSpaceCheck", "probe", "interval", "5s", "no server has DiskSpace/DiskSpaceCheck"),
        ("mbx1/IMAP.Proxy/*", "responder", "restart", "act", "mbx1 has no IMAP.Proxy/*"),
        ("mbx1/IMAP.Protocl/*", "responder", "restart", "act", "did you mean 'IMAP.Protocol'"),
        ("mbx1/IMAP.Protocol/*", "probe", "interval", "5s", "there is no probe or monitor '*'"),
        ("mbx1/*", "responder", "stop", "act", "has no property 'stop'"),
        ("mbx1/*", "responder", "restart", "always", "is none of observe, recommend, approve, act"),
    ],
)
def test_an_override_that_would_change_nothing_is_refused(subject, item_type, name, value, said, an_override, checked):
    with pytest.raises(Refused) as refusal:
        checked(an_override(subject, item_type, name, value))

    assert said in str(refusal.value)


def test_an_override_needs_an_end(an_override, checked):
    with pytest.raises(Refused, match="belongs into the configuration"):
        checked(an_override("mbx1/ImapSelfTestProbe", "probe", "interval", "5s", until=None))


def test_the_words_of_an_override_can_be_checked_without_the_organization(an_override):
    scope, name, value = check_words(an_override("mbx9/imapselftestprobe", "probe", "Interval", "60s"))

    assert ("mbx9/IMAP.Protocol/ImapSelfTestProbe", "interval", "1m") == (str(scope), name, value)


def test_an_announced_upgrade_ends_by_itself(of_kind, checked, noon):
    assert noon + UPGRADE_LASTS == checked(of_kind(HoldKind.UPGRADE, until=None)).until


def test_an_upgrade_keeps_which_installer_announced_it_and_nothing_else(of_kind, checked):
    assert {"by": "apt"} == checked(of_kind(HoldKind.UPGRADE, data={"by": "apt", "more": 1})).data


@pytest.mark.parametrize(("subject", "stored"), [("MBX1.example.net", "mbx1"), (r"mbx2\db2", "mbx2/DB2")])
def test_activation_is_blocked_for_a_server_or_for_one_copy(subject, stored, of_kind, checked):
    hold = checked(of_kind(HoldKind.ACTIVATION, subject=subject, value="Blocked"))

    assert (stored, "blocked", {}) == (hold.subject, hold.value, hold.data)


@pytest.mark.parametrize(
    ("subject", "value", "said"),
    [
        ("proxy1", "blocked", "proxy1 is no mailbox server: it has no copies that could become active"),
        ("mbx1/DB3", "blocked", "there is no database 'DB3'; did you mean 'DB"),
        ("mbx2/DB1", "blocked", "mbx2 holds no copy of DB1; its copies are on mbx1"),
        ("mbx1/", "blocked", "the name of a database is missing in 'mbx1/'"),
        ("mbx1", "on", "'on' means nothing here: to allow it again, end the hold, as `mailward activation allow` does"),
        ("", "blocked", "the name of a server is missing"),
    ],
)
def test_activation_that_cannot_be_blocked_is_refused(subject, value, said, of_kind, checked):
    with pytest.raises(Refused) as refusal:
        checked(of_kind(HoldKind.ACTIVATION, subject=subject, value=value))

    assert said in str(refusal.value)


@pytest.mark.parametrize("by", ["x" * 101, "apt\x1b[2J", 7, {"name": "apt"}, None])
def test_an_installer_with_a_name_nobody_could_show_is_refused(by, of_kind, checked):
    with pytest.raises(Refused, match=r"data\.by must be the name of a program, of at most 100"):
        checked(of_kind(HoldKind.UPGRADE, data={"by": by}))


@pytest.mark.parametrize("item_type", ["x" * 50_000, "probe"])
def test_a_refusal_repeats_only_the_beginning_of_what_was_sent(item_type, an_override, checked):
    with pytest.raises((Refused, NotFound)) as caught:
        checked(an_override("mbx1/ImapSelfTestProbe", item_type, "y" * 50_000, "5s"))

    assert len(str(caught.value)) < 400


def test_what_somebody_else_must_remember_is_a_concern(of_kind, a_hold):
    endless = [kind for kind in HoldKind if concerns(of_kind(kind, until=None))]

    assert [
        HoldKind.COMPONENT_STATE,
        HoldKind.MAINTENANCE,
        HoldKind.REPAIRING,
        HoldKind.PAUSE,
        HoldKind.OVERRIDE,
        HoldKind.ACTIVATION,
    ] == endless
    assert () == concerns(of_kind(HoldKind.MAINTENANCE))
    assert () == concerns(state(a_hold, "proxy1/ImapProxy", "Active", until=None))
    assert ("no action is taken on any server meanwhile; watching and alerting go on",) == concerns(
        of_kind(HoldKind.PAUSE)
    )
