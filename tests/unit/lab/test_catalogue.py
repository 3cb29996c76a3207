from collections.abc import Iterable

import pytest

from mailward.lab.blueprint import Shape
from mailward.lab.faults import FAULTS, Fault, Remedy, catalogue
from mailward.model.verdict import Dependency, Tier

BOTH = [*FAULTS.values(), *catalogue(Shape.ONE_BOX).values()]


def kinds(faults: Iterable[Fault]) -> set[str]:
    return {fault.kind for fault in faults}


def test_names_are_unique_and_say_kind_and_place() -> None:
    for shape in Shape:
        for name, fault in catalogue(shape).items():
            assert name == fault.name == (f"{fault.kind}@{fault.place}" if fault.place else fault.kind)
            assert shape is fault.shape


@pytest.mark.parametrize("fault", BOTH, ids=lambda fault: f"{fault.shape.value} {fault.name}")
def test_a_sentence_for_people_names_the_place(fault: Fault) -> None:
    assert "{" not in fault.sentence
    assert fault.place is None or fault.place in fault.sentence


@pytest.mark.parametrize("fault", BOTH, ids=lambda fault: f"{fault.shape.value} {fault.name}")
def test_a_truth_is_coherent(fault: Fault) -> None:
    truth = fault.truth

    assert (truth.tier is Tier.MONITORING) == (truth.remedy is Remedy.NOTHING)
    assert (truth.tier is Tier.MONITORING) == (truth.dependency is Dependency.MONITORING)
    if truth.tier in {Tier.PROXY, Tier.MAILBOX_SERVER, Tier.STORE, Tier.PATH, Tier.NETWORK}:
        assert truth.server is not None
    if truth.remedy is Remedy.MOVE:
        assert Tier.STORE is truth.tier
        assert Shape.TWO_TIER is fault.shape, "one box has nowhere to move to"
    if truth.remedy is Remedy.RELOAD:
        assert Dependency.CERTIFICATE is truth.dependency


def test_one_box_has_every_fault_that_needs_no_second_tier() -> None:
    assert {"map-missing", "map-corrupt", "map-locked", "map-hung", "path-cut", "authorities-wrong"} == kinds(
        FAULTS.values()
    ) - kinds(catalogue(Shape.ONE_BOX).values())


@pytest.mark.parametrize("kind", ["service-failed", "auth-hung", "certificate-expired", "network-cut", "garbage"])
def test_faults_of_a_host_strike_each_host_and_its_own_tier(kind: str) -> None:
    struck = {fault.place: fault.truth for fault in FAULTS.values() if fault.kind == kind}

    assert {"proxy1", "proxy2", "be1", "be2"} == set(struck)
    assert all(truth.server == place for place, truth in struck.items())
    if kind != "network-cut":
        assert (Tier.PROXY, Tier.MAILBOX_SERVER) == (struck["proxy1"].tier, struck["be1"].tier)


def test_a_database_is_struck_where_its_active_copy_is() -> None:
    assert "be1" == FAULTS["database-unreadable@DB1"].truth.server
    assert "be2" == FAULTS["database-replaced@DB4"].truth.server


def test_what_is_there_to_be_diagnosed_is_in_the_catalogue() -> None:
    wanted = {
        *("service-failed", "master-killed", "service-stopped", "service-hung", "login-hung"),
        *("service-dead", "service-flapping", "configuration-broken", "host-exhausted"),
        *("auth-hung", "auth-broken", "map-missing", "map-corrupt", "map-locked", "map-hung"),
        *("directory-missing", "directory-unreadable", "probe-password", "probe-account-missing"),
        *(
            "certificate-expired",
            "certificate-untrusted",
            "certificate-misnamed",
            "certificate-stale",
            "authorities-wrong",
        ),
        *("store-unreadable", "store-read-only", "store-full", "database-unreadable", "database-replaced"),
        *("over-quota", "connection-limit", "process-limit", "queue-full", "store-slow"),
        *("network-cut", "path-cut", "prober-banned", "garbage"),
    }

    assert wanted == kinds(FAULTS.values())


def test_only_a_mistake_on_disk_is_felt_by_nobody() -> None:
    assert {"configuration-broken"} == kinds(fault for fault in BOTH if fault.is_latent)
