"""The file that stops every action."""

import os

import pytest

from mailward.platforms.local.stop_file import why_stopped


def test_without_the_file_nothing_is_stopped(tmp_path):
    assert why_stopped(str(tmp_path / "STOP")) is None


def test_without_a_configuration_file_there_is_no_stop_file():
    assert why_stopped("") is None


def test_an_empty_file_stops_everything_and_says_how_to_go_on(tmp_path):
    (tmp_path / "STOP").touch()

    because = why_stopped(str(tmp_path / "STOP"))

    assert str(tmp_path / "STOP") in because
    assert "remove it" in because


def test_its_first_line_is_told_along(tmp_path):
    (tmp_path / "STOP").write_text("ana: new switch, until noon\nmore\n")

    because = why_stopped(str(tmp_path / "STOP"))

    assert "ana: new switch, until noon" in because
    assert "more" not in because.replace("remove", "")


def test_a_pipe_in_its_place_stops_everything_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "STOP")

    assert "is there" in why_stopped(str(tmp_path / "STOP"))


def test_a_link_that_leads_nowhere_counts_as_being_there(tmp_path):
    (tmp_path / "STOP").symlink_to("nosuch")

    assert "leads nowhere; remove it" in why_stopped(str(tmp_path / "STOP"))


@pytest.mark.parametrize("made", ["directory", "link"])
def test_what_cannot_be_read_counts_as_being_there(tmp_path, made):
    path = tmp_path / "STOP"
    if made == "directory":
        path.mkdir()
    else:
        path.symlink_to("STOP")  # a link to itself

    assert "cannot be looked for" in why_stopped(str(path))
