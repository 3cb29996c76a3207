"""Names on the command line: an empty one, as from a variable that was not set, must not mean everything."""

import pytest

from mailward.cli import held
from mailward.model.errors import Refused


@pytest.mark.parametrize(
    "words",
    [
        ("activation", "allow", "mbx1", ""),
        ("activation", "allow", "", "DB1"),
        ("activation", "block", "mbx1", "", "--reason", "r"),
        ("copies", "--server", ""),
        ("copies", "--database", " "),
        ("database", "move", "DB1", "--to", "", "--yes"),
        ("database", "move", "", "--yes"),
        ("server", "drain", "", "--yes"),
        ("server", "undrain", ""),
        ("maintenance", "start", "", "--reason", "r"),
        ("maintenance", "stop", ""),
        ("pause", "", "--reason", "r"),
        ("resume", ""),
        ("health", ""),
        ("recoveries", "--server", ""),
        ("why", ""),
    ],
)
def test_an_empty_name_is_a_mistake_and_changes_nothing(ask, served, words):
    before = (list(served.fake.held), list(served.fake.copied))

    ran = ask(*words)

    assert (3, "") == (ran.code, ran.out)
    assert "the name is empty" in ran.err
    assert before == (served.fake.held, served.fake.copied)
    assert [] == served.fake.orders


def test_an_empty_server_is_not_the_first_one_the_manager_knows():
    with pytest.raises(Refused, match="the name of a server is missing"):
        held.known_server("")
