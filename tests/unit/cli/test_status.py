"""`mailward status` and `store`: the manager itself."""

import json
from dataclasses import replace

import pytest

from mailward.model.wire import answer
from mailward.testing.manager_values import STATUS


def test_the_status_says_how_far_mailward_goes(ask, served):
    served.fake.status_now = replace(STATUS, mode="act", leads=True)
    out = ask("status").out

    assert "Mode                  : act" in out
    assert "Acts                  : yes" in out
    assert answer(served.fake.status_now) == json.loads(ask("status", "--format", "json").out)
    assert "act" in ask("status", "--format", "table").out


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"leads": True, "mode": "recommend"}, "Mode                  : recommend"),
        ({"leads": True, "mode": "observe"}, "Mode                  : observe"),
        ({"leads": False}, "Leads                 : no"),
        ({"leads": True, "stopped": "the file STOP exists"}, "Stopped               : the file STOP exists"),
    ],
)
def test_what_keeps_mailward_from_acting_is_told(ask, served, changes, said):
    served.fake.status_now = replace(STATUS, **{"mode": "act", **changes})
    out = ask("status").out

    assert "Acts                  : no" in out
    assert said in out


def test_one_that_asks_first_acts_when_a_person_says_yes(ask, served):
    served.fake.status_now = replace(STATUS, mode="approve", leads=True)

    assert "Acts                  : when a person says yes" in ask("status").out


def test_a_backup_is_written_where_the_caller_stands(ask, served, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = ask("store", "backup", "copy.db")

    assert (0, f"{tmp_path}/copy.db: 4096 bytes\n") == (ran.code, ran.out)
    assert [str(tmp_path / "copy.db")] == [path for _, path in served.fake.backups]


def test_a_backup_overwrites_nothing(ask, tmp_path):
    path = str(tmp_path / "copy.db")
    ask("store", "backup", path)
    ran = ask("store", "backup", path)

    assert 1 == ran.code
    assert "exists already" in ran.err
