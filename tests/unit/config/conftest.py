"""A directory to write configurations into."""

from collections.abc import Callable
from pathlib import Path

import pytest

WriteConfiguration = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteConfiguration:
    """Write a main file, and fragments by name, and return the main file's path."""

    def written(text: str, **fragments: str) -> Path:
        main = tmp_path / "mailward.toml"
        main.write_text(text)
        for name, fragment in fragments.items():
            directory = tmp_path / "conf.d"
            directory.mkdir(exist_ok=True)
            (directory / f"{name}.toml").write_text(fragment)
        return main

    return written
