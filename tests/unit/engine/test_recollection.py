from datetime import UTC, datetime, timedelta

from mailward.engine.recollection import ELSEWHERE_MOST, INVOLVED_MOST, Recollection
from mailward.model import items
from mailward.model.probing import ProbeResult, ResultType
from mailward.monitors.samples import probe_key

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def a_result(
    server: str, target: str = "", result: ResultType = ResultType.SUCCEEDED, **changes: object
) -> ProbeResult:
    fields: dict[str, object] = {
        "probe": items.DEEP_TEST_PROBE,
        "health_set": "IMAP.Protocol",
        "server": server,
        "target": target or server,
        "at": NOON,
        "took": timedelta(0),
        "result": result,
    }
    return ProbeResult(**{**fields, **changes})  # type: ignore[arg-type]


def recalled(*results: ProbeResult) -> Recollection:
    recollection = Recollection()
    for result in results:
        recollection.note(result)
    return recollection


def test_in_a_small_organization_a_failure_is_held_against_everything_else():
    results = [a_result(f"mbx{number}") for number in range(ELSEWHERE_MOST)]
    failure = a_result("mbx0", "DB1", ResultType.FAILED)

    around = recalled(*results, failure).around(failure, ("mbx0",))

    assert {probe_key(result) for result in results} == {probe_key(result) for result in around}


def test_of_a_large_one_everything_about_the_same_server_and_database_is_kept_and_the_newest_of_the_rest():
    elsewhere = [a_result(f"mbx{number}") for number in range(1000)]
    same_database = a_result("proxy1", "DB1", probe=items.CTP_PROBE)
    same_server = a_result("mbx0", "DB2")
    failure = a_result("mbx0", "DB1", ResultType.FAILED)

    around = recalled(same_database, same_server, *elsewhere, failure).around(failure, ("mbx0",))

    assert {same_database, same_server} <= set(around)
    assert elsewhere[-1] in around
    assert len(around) <= 3 + ELSEWHERE_MOST


def test_what_passed_a_server_by_way_of_another_is_about_it_too():
    through = a_result("proxy1", "DB7", probe=items.CTP_PROBE, mailbox_server="mbx0")
    silent = a_result("proxy2", "DB8", ResultType.TIMED_OUT, probe=items.CTP_PROBE)
    recollection = recalled(through)
    recollection.note(silent, about=("proxy2", "mbx0"))
    for number in range(100):
        recollection.note(a_result(f"proxy{number + 3}", probe=items.CTP_PROBE))
        recollection.note(a_result(f"proxy{number + 3}", "x", ResultType.TIMED_OUT, probe=items.CTP_PROBE))

    around = recollection.around(a_result("mbx0", "DB1", ResultType.FAILED), ("mbx0",))

    assert {through, silent} <= set(around)


def test_one_healthy_result_is_not_lost_among_thousands_of_failures():
    well = a_result("mbx9")
    failures = [a_result("mbx1", f"DB{number}", ResultType.FAILED) for number in range(5000)]

    around = recalled(well, *failures).around(failures[0], ("mbx1",))

    assert well in around
    assert len(around) <= 1 + INVOLVED_MOST + ELSEWHERE_MOST


def test_a_probe_is_known_by_its_last_result_only():
    failed, recovered = a_result("mbx1", "DB1", ResultType.FAILED), a_result("mbx1", "DB1")
    recollection = recalled(failed, recovered)

    assert recovered == recollection.latest(probe_key(failed))
    assert [recovered] == recollection.around(a_result("mbx1", "DB2"), ("mbx1",))


def test_a_verdict_that_comes_late_does_not_bring_an_old_result_back():
    failed = a_result("mbx1", "DB1", ResultType.FAILED)
    newer = a_result("mbx1", "DB1", at=NOON + timedelta(seconds=1))
    recollection = recalled(failed, newer)

    recollection.replace(failed)

    assert newer == recollection.latest(probe_key(newer))
