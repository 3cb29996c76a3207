"""Each fault of the catalogue is felt by somebody at once, and leaves nothing when it is healed."""

import imaplib
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from mailward.lab import session
from mailward.lab.blueprint import LabHost, Shape
from mailward.lab.faults import FAULTS, Fault, catalogue
from mailward.lab.lab import Lab
from mailward.lab.supervisor import processes
from mailward.model.errors import Refused

#: Longer than anything takes that is well, shorter than anything that hangs.
_PATIENCE_S = 1.0
#: For those who ought to be well: a busy machine lets them wait as well.
_GREAT_PATIENCE_S = 20.0


def _one_of_each_kind(faults: Iterable[Fault]) -> Iterator[str]:
    seen = set()
    for fault in faults:
        if (fault.kind, fault.truth.tier) not in seen:
            seen.add((fault.kind, fault.truth.tier))
            yield fault.name


#: On one box, unless only two tiers can have it: a smaller lab breaks and heals faster.
_ON_ONE_BOX = sorted(_one_of_each_kind(catalogue(Shape.ONE_BOX).values()))
_KINDS_ON_ONE_BOX = {catalogue(Shape.ONE_BOX)[name].kind for name in _ON_ONE_BOX}
_ON_TWO_TIERS = [
    *sorted(_one_of_each_kind(fault for fault in FAULTS.values() if fault.kind not in _KINDS_ON_ONE_BOX)),
    *("service-failed@proxy1", "auth-hung@be1", "certificate-stale@proxy2", "database-replaced@DB3", "store-full@be2"),
]


@pytest.mark.parametrize("name", _ON_ONE_BOX)
def test_a_fault_of_one_box_is_felt_and_heals(one_box: Lab, name: str) -> None:
    _felt_and_healed(one_box, name)


@pytest.mark.parametrize("name", _ON_TWO_TIERS)
def test_a_fault_of_two_tiers_is_felt_and_heals(lab: Lab, name: str) -> None:
    _felt_and_healed(lab, name)


def test_another_process_can_heal_what_this_one_broke(one_box: Lab) -> None:
    one_box.break_("connection-limit@mail")
    heal = (
        "import sys; from pathlib import Path; from mailward.lab.lab import Lab; Lab.attach(Path(sys.argv[1])).heal()"
    )

    subprocess.run([sys.executable, "-c", heal, str(one_box.blueprint.directory)], check=True, timeout=30)

    assert () == one_box.active_faults
    assert set() == _complaints(one_box)


def test_several_faults_last_together_and_heal_in_reverse_order(one_box: Lab) -> None:
    one_box.break_("database-unreadable@DB1")
    one_box.break_("certificate-expired@mail")

    assert ("database-unreadable@DB1", "certificate-expired@mail") == one_box.active_faults
    healed = one_box.heal()

    assert ["certificate-expired", "database-unreadable"] == [fault.kind for fault in healed]


def test_a_fault_cannot_be_had_twice(one_box: Lab) -> None:
    one_box.break_("store-unreadable@mail")

    with pytest.raises(Refused, match="already"):
        one_box.break_("store-unreadable@mail")


def test_an_unknown_fault_names_the_nearest(one_box: Lab) -> None:
    with pytest.raises(Refused, match="did you mean 'service-failed@mail'"):
        one_box.break_("service-faild@mail")


def test_healing_what_is_not_broken_says_what_is(one_box: Lab) -> None:
    with pytest.raises(Refused, match="it has no fault"):
        one_box.heal("service-hung@mail")


def test_a_service_started_by_somebody_else_heals_without_complaint(one_box: Lab) -> None:
    one_box.break_("service-failed@mail")
    one_box.start("mail")

    assert ["service-failed"] == [fault.kind for fault in one_box.heal()]


def _felt_and_healed(lab: Lab, name: str) -> None:
    fault = lab.faults[name]
    hindrance = lab.why_not(fault)
    if hindrance:
        pytest.skip(hindrance)

    lab.break_(name)
    felt = _felt(lab, fault)
    lab.heal(name)

    assert fault.is_latent == (not felt) or fault.kind == "database-replaced", "nobody noticed"
    assert not felt or _strikes_only(lab, fault, felt)
    assert set() == _complaints(lab)
    assert [] == [
        process.title
        for process in processes.working_below(lab.blueprint.directory)
        if "mailward.lab.intruder" in process.title
    ]


def _felt(lab: Lab, fault: Fault) -> set[str]:
    """Who feels it; who should not is asked again with more patience."""
    felt = _complaints(lab, seconds=_PATIENCE_S)
    return felt if not felt or (not fault.is_latent and _strikes_only(lab, fault, felt)) else _complaints(lab)


def _strikes_only(lab: Lab, fault: Fault, felt: set[str]) -> bool:
    """Whether only those feel the fault who use what it struck."""
    if fault.truth.server is None or not lab.blueprint.proxies:
        return True
    host = lab.blueprint.host(fault.truth.server)
    if host.is_proxy:
        return all(complaint.endswith(f" on {host.name}") for complaint in felt)
    return not any(_is_served_elsewhere(lab, host, complaint) for complaint in felt)


def _is_served_elsewhere(lab: Lab, host: LabHost, complaint: str) -> bool:
    user, _, entrance = complaint.partition(" on ")
    database = lab.blueprint.database_of(user)
    if lab.blueprint.host(entrance).is_mailbox:
        return entrance != host.name
    return database is not None and database.copies[0] != host.name


def _complaints(lab: Lab, *, seconds: float = _GREAT_PATIENCE_S) -> set[str]:
    """Who, in "USER on HOST", cannot log in, open the mailbox and store a message."""
    blueprint = lab.blueprint
    asked = [(database.health_user, host) for database in blueprint.databases for host in blueprint.entrances]
    asked += [(blueprint.local_health_user(host), host) for host in blueprint.hosts]
    with ThreadPoolExecutor(max_workers=len(asked)) as pool:
        return {complaint for complaint in pool.map(lambda pair: _complaint(lab, *pair, seconds), asked) if complaint}


def _complaint(lab: Lab, user: str, host: LabHost, seconds: float) -> str | None:
    try:
        with session.logged_in(lab.blueprint, host, user, seconds=seconds) as client:
            answers = [client.select()[0], client.append("INBOX", "", "", b"Subject: test\r\n\r\ntest\r\n")[0]]
    except (OSError, imaplib.IMAP4.error):
        answers = []
    return None if answers == ["OK", "OK"] else f"{user} on {host.name}"
