from pathlib import Path

import pytest

from mailward.lab.blueprint import Ports, Shape, draw
from mailward.lab.state import read_blueprint, write_state
from mailward.model.errors import Refused


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("shape", Shape)
def test_what_another_terminal_reads_is_the_same_lab(shape: Shape, balanced: bool, tmp_path: Path) -> None:
    blueprint = draw(
        shape,
        tmp_path,
        network="127.9.9",
        ports=Ports(base=23_000),
        rootless=True,
        user="me",
        group="us",
        balanced=balanced,
    )
    write_state(blueprint)

    assert blueprint == read_blueprint(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"shape": "hexagon"}'])
def test_a_state_file_that_makes_no_sense_is_no_lab(text: str, tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text(text)

    with pytest.raises(Refused, match="there is no lab in"):
        read_blueprint(tmp_path)
