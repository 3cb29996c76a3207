"""
What a planned move costs its users: 1,000 mailboxes, 40 of whose users write all the time.

The peer is what the same users meet when their session merely ends and they come back to the same server: two proxies
restarted one after the other would do the same to them.
"""

import sys
from statistics import median
from time import monotonic, sleep

from mailward.lab.lab import Lab
from mailward.lab.manager_process import ManagerProcess
from mailward.lab.traffic import Traffic
from mailward.lab.watch_configuration import Timings
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import StepName

USERS, WRITERS = 1000, 40
PAUSE_S = 0.25
"""Between two messages of one writer; it is part of every gap, of the peer's as well."""


def main() -> None:
    """Measure once and print."""
    with Lab.up(more_users=USERS) as lab, ManagerProcess(lab.write_configuration(timings=Timings.SHORT)) as manager:
        client = manager.client
        while not (client.status().leads and _is_green(client.health())):
            sleep(0.2)
        writers = tuple(f"user{number:04}" for number in range(1, WRITERS + 1))
        with Traffic(lab.blueprint, writers, idles=False, delivers=False, pause_s=PAUSE_S) as traffic:
            bare = _ended_once(lab, traffic)
            began = monotonic()
            intention = client.move_database("DB1", reason="benchmark")
            (number,) = intention.operations
            while not client.recovery(number).operation.status.is_over:
                sleep(0.1)
            whole = monotonic() - began
            traffic.every_writer_is_served("be2", seconds=30)
        story = client.recovery(number)
        switched = next(step for step in story.steps if step.name is StepName.SWITCH_OVER)
        gaps = sorted(record.gaps[-1] for record in traffic.records if record.gaps)
        account = traffic.account(lab.blueprint.host("be2"))
        print(f"{story.operation.status.value}: {USERS + 4} mailboxes, {WRITERS} users writing, {whole:.1f} s in all")
        print(f"  interruption: median {median(gaps):.2f} s, longest {gaps[-1]:.2f} s")
        print(f"  of the same users when their session merely ends: median {bare:.2f} s")
        print(f"  ratio of the medians: {median(gaps) / bare:.1f}")
        print(f"  the last mail, for which nobody waits: {switched.evidence.get('caught_up')}")
        print(f"  acknowledged {account.acknowledged}, lost {len(account.lost)}, doubled {len(account.doubled)}")


def _ended_once(lab: Lab, traffic: Traffic) -> float:
    """The median gap of the writers when their sessions end once and nothing else happens."""
    for proxy in lab.blueprint.proxies:
        lab.stop(proxy.name)
        lab.start(proxy.name)
    traffic.every_writer_is_served("be1", seconds=30)
    return median(record.gaps[-1] for record in traffic.records if record.gaps)


def _is_green(rows: object) -> bool:
    assert isinstance(rows, tuple)
    return bool(rows) and all(row.alert_value is AlertValue.HEALTHY for row in rows)


if __name__ == "__main__":
    sys.exit(main())
