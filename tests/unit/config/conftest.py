"""A directory to write configurations into, and what is wrong with them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mailward.config.load import read

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


@pytest.fixture
def mistakes_of() -> Callable[[Path], list[str]]:
    """What is wrong in a configuration, in words without their places."""
    return lambda main: [mistake.text for mistake in read(main).mistakes]
