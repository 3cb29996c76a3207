"""What every Manager does. The values come from `testing.manager_values`, whichever way they travel."""

import asyncio
from dataclasses import replace

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.event import EventKind
from mailward.model.items import PROBES
from mailward.testing.availability_values import AVAILABILITY
from mailward.testing.manager_values import (
    EVENTS,
    FAILED,
    HEALTH,
    ITEMS,
    LATENCIES,
    MEASURES,
    REPORT,
    ROLLUP,
    STATUS,
    SUCCEEDED,
)


async def test_it_tells_how_it_is_doing(case):
    assert STATUS == await case.manager.status()


async def test_it_tells_what_it_has_counted(case):
    assert MEASURES == await case.manager.measures()


async def test_it_shows_every_monitor_with_all_that_is_known(case):
    assert HEALTH == await case.manager.health()


async def test_a_health_set_without_wildcard_matches_exactly(case):
    assert (HEALTH[1],) == await case.manager.health(health_set="imap")


async def test_a_health_set_with_wildcard_matches_many(case):
    assert HEALTH == await case.manager.health(health_set="IMAP*")


async def test_monitors_can_be_had_by_server_and_state(case):
    assert (HEALTH[1],) == await case.manager.health(server="PROXY1", state="Degraded")


async def test_a_filter_that_matches_nothing_gives_nothing(case):
    assert () == await case.manager.health(health_set="ActiveSync")


async def test_an_unknown_server_is_refused_and_the_nearest_named(case):
    with pytest.raises(Refused, match="'prox1'.*'proxy1'"):
        await case.manager.health(server="prox1")


async def test_it_reports_health_sets(case):
    assert REPORT == await case.manager.report()
    assert REPORT[1:] == await case.manager.report(server="proxy1")


async def test_it_rolls_up_groups_of_the_size_asked_for(case):
    assert ROLLUP == await case.manager.rollup(minimum_online_percent=50, group_size=3)
    assert [(50, 3)] == case.behind.rollups_asked


async def test_it_tells_how_long_conversations_took(case):
    since = LATENCIES[0].since

    async def asked(target):
        return await case.manager.latencies("MBX2", probe="ImapDeepTestProbe", target=target, since=since)

    assert LATENCIES[0] == await asked("DB2")
    assert () == (await asked("DB9")).points


async def test_it_lists_its_items(case):
    assert ITEMS == await case.manager.items()
    assert ITEMS[1:] == await case.manager.items(health_set="IMAP.Protocol", server="mbx2")


async def test_it_explains_an_item(case):
    assert PROBES[0] == await case.manager.item_help("imapctpprobe")


async def test_it_knows_nothing_of_an_unknown_item(case):
    assert await case.manager.item_help("Imap/Ctp?Probe#1") is None


async def test_a_probe_gives_its_results_to_the_last_field(case):
    assert (FAILED,) == await case.manager.probe(r"IMAP.Protocol\ImapDeepTestProbe\DB2", server="mbx2")
    assert (SUCCEEDED,) == await case.manager.probe("ImapCTPProbe", server="proxy1")


async def test_a_probe_that_is_not_there_is_refused(case):
    with pytest.raises(Refused, match="ImapCTPProbe"):
        await case.manager.probe("ImapCTPProbe", server="mbx2")


async def test_results_come_newest_first_and_can_be_filtered(case):
    assert (FAILED, SUCCEEDED) == await case.manager.results()
    assert (SUCCEEDED,) == await case.manager.results(failed=False)
    assert (FAILED,) == await case.manager.results(probe="ImapDeepTestProbe", server="mbx2")
    assert (FAILED,) == await case.manager.results(limit=1)


async def test_events_can_be_read_from_any_point_in_either_direction(case):
    assert EVENTS == await case.manager.events()
    assert EVENTS[1:] == await case.manager.events(after=1)
    assert EVENTS[1:] == await case.manager.events(limit=1, newest_first=True)
    assert EVENTS[1:] == await case.manager.events(kinds=(EventKind.MONITOR_CHANGED, EventKind.STORE_LOST))
    assert EVENTS[:1] == await case.manager.events(subject="manager")


async def test_events_can_be_read_by_age_and_by_what_a_subject_holds(case):
    first, second = EVENTS

    assert (first,) == await case.manager.events(before=second.id)
    assert (second,) == await case.manager.events(since=second.at)
    assert (second,) == await case.manager.events(subject="mbx2")
    assert () == await case.manager.events(subject="mbx")


async def test_a_follower_gets_the_past_and_then_each_new_event(case):
    following = case.manager.follow(after=1)
    assert EVENTS[1] == await asyncio.wait_for(anext(following), 30)

    waiting = asyncio.ensure_future(anext(following))
    recorded = await case.behind.record(replace(EVENTS[1], before="Degraded", after="Unhealthy"))

    assert recorded == await asyncio.wait_for(waiting, 30)
    await case.behind.stop()
    assert "end" == await asyncio.wait_for(anext(following, "end"), 30)


async def test_a_reload_answers_with_the_status_and_records_who_asked(case):
    assert STATUS == await case.manager.reload(actor="root")
    assert 1 == len(case.behind.reloaded_by)


async def test_a_reload_of_a_wrong_configuration_is_refused_with_every_mistake(case):
    case.behind.configuration_mistakes = "mailward.toml:3: unknown key 'sever'\nmailward.toml:9: no such file"

    with pytest.raises(Refused, match=r"mailward.toml:3: [\s\S]*mailward.toml:9"):
        await case.manager.reload(actor="root")


async def test_what_cannot_be_answered_now_is_a_temporary_failure(case):
    case.behind.silent_because = "the store does not answer"

    with pytest.raises(TemporaryFailure, match="the store does not answer"):
        await case.manager.health()


async def test_the_availability_of_a_month_is_told_and_of_none_refused(case):
    assert AVAILABILITY == await case.manager.availability("2026-11")
    with pytest.raises(Refused):
        await case.manager.availability("November")
