"""An example of a configuration in the documentation is one that mailward accepts."""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

from mailward.config.load import read

_TOML = re.compile(r"^ *```toml\n(.*?)^ *```\s*$", re.MULTILINE | re.DOTALL)
_WHOLE = "[organization]"
AROUND_A_PIECE = """
[organization]
name = "example"

[servers.mbx1]
roles = ["mailbox"]

[servers.proxy1]
roles = ["proxy"]

[servers.proxy2]
roles = ["proxy"]

[databases.DB1]
copies = ["mbx1"]
"""
"""The least that the pieces shown on the pages can stand in."""


def test_every_whole_configuration_in_the_documentation_has_no_mistake(pages: dict[str, str], tmp_path: Path) -> None:
    whole = [(page, text) for page, text in examples(pages) if _WHOLE in text]

    assert whole
    assert [] == [(page, mistake) for page, text in whole for mistake in mistakes(text, tmp_path)]


def test_every_piece_of_a_configuration_in_the_documentation_fits_into_one(
    pages: dict[str, str], tmp_path: Path
) -> None:
    pieces = [(page, text) for page, text in examples(pages) if _WHOLE not in text]

    assert pieces
    assert [] == [(page, mistake) for page, text in pieces for mistake in mistakes(AROUND_A_PIECE, tmp_path, text)]


def examples(pages: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every block of TOML, with its page."""
    for page, all_ in pages.items():
        for text in _TOML.findall(all_):
            yield page, dedent(text)


def mistakes(text: str, directory: Path, piece: str = "") -> list[str]:
    """What mailward finds wrong in a configuration, with a *piece* of it in a file of its own."""
    (directory / "conf.d").mkdir(exist_ok=True)
    (directory / "mailward.toml").write_text(text)
    (directory / "conf.d" / "piece.toml").write_text(piece)
    return [str(mistake) for mistake in read(directory / "mailward.toml").mistakes]
