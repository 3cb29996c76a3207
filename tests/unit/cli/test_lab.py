"""Which lab a command means; the labs themselves have their own tests."""

import json
import socket

import pytest

from mailward.cli.lab import running_labs, which_lab
from mailward.lab.blueprint import Ports, Shape, draw
from mailward.lab.state import write_state
from mailward.model.errors import Refused


@pytest.fixture
def temporary(tmp_path_factory, monkeypatch):
    """A temporary directory with a short name, for this process alone."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="mw") as name:
        monkeypatch.setattr("tempfile.tempdir", name)
        monkeypatch.delenv("MAILWARD_LAB", raising=False)
        yield tmp_path_factory.getbasetemp().__class__(name)


@pytest.fixture
def doors():
    opened = []
    yield opened
    for door in opened:
        door.close()


def a_lab(directory, doors, *, alive=True):
    (directory / "mail").mkdir(parents=True)
    write_state(
        draw(
            Shape.ONE_BOX,
            directory,
            network="127.9.9",
            ports=Ports(base=10_000),
            rootless=True,
            user="nobody",
            group="nogroup",
        )
    )
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(directory / "mail" / "control.sock"))
    if alive:
        door.listen()
    doors.append(door)
    return directory


def test_the_only_lab_is_meant(temporary, doors):
    lab = a_lab(temporary / "mailward-lab-a", doors)

    assert lab == which_lab(None)


def test_a_lab_in_which_nobody_lives_is_none(temporary, doors):
    a_lab(temporary / "mailward-lab-dead", doors, alive=False)
    lab = a_lab(temporary / "mailward-lab-b", doors)

    assert (lab,) == running_labs()


def test_of_several_one_must_be_named(temporary, doors, monkeypatch):
    first, second = a_lab(temporary / "mailward-lab-a", doors), a_lab(temporary / "mailward-lab-b", doors)

    with pytest.raises(Refused, match=r"2 labs are up[\s\S]*mailward-lab-a\n.*mailward-lab-b"):
        which_lab(None)
    assert second == which_lab(str(second))
    monkeypatch.setenv("MAILWARD_LAB", str(first))
    assert first == which_lab(None)


def test_without_a_lab_the_way_to_one_is_told(temporary, run):
    ran = run("lab", "status")

    assert 1 == ran.code
    assert "mailward lab up" in ran.err


def test_faults_are_listed_by_kind_and_one_by_one(temporary, doors, run):
    a_lab(temporary / "mailward-lab-a", doors)

    kinds, some = run("lab", "faults").out, run("lab", "faults", "service-*", "--format", "json")

    assert "service-failed" in kinds
    assert "it has now: none" in kinds
    names = [item["name"] for item in json.loads(some.out)["items"]]
    assert "service-failed@mail" in names
    assert all(name.startswith("service-") for name in names)


def test_a_pattern_without_fault_is_refused(temporary, doors, run):
    a_lab(temporary / "mailward-lab-a", doors)

    assert 1 == run("lab", "faults", "no-such-*").code


def test_an_unknown_fault_names_the_nearest(temporary, doors, run):
    a_lab(temporary / "mailward-lab-a", doors)
    ran = run("lab", "break", "service-faild@mail")

    assert 1 == ran.code
    assert "service-failed@mail" in ran.err


def test_healing_a_lab_without_faults_says_so(temporary, doors, run):
    ran = run("lab", "heal", "service-failed@mail", "--directory", str(a_lab(temporary / "mailward-lab-a", doors)))

    assert 1 == ran.code
    assert "does not have service-failed@mail" in ran.err
