"""What the tests of packaging share: the scripts as an administrator runs them, in a private root."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def packaging() -> Path:
    """The folder packaging/."""
    return ROOT / "packaging"


@pytest.fixture
def private_root(tmp_path: Path) -> Path:
    """An empty "/" of one's own."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    return root


def run(script: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a script with a plain environment."""
    around = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"}
    return subprocess.run((script, *words), capture_output=True, text=True, env=around, timeout=60, check=False)


def tree(root: Path) -> dict[str, str]:
    """Every file and link below *root*, with its mode and content."""
    return {
        f"/{path.relative_to(root)}": f"-> {path.readlink()}"
        if path.is_symlink()
        else f"{path.stat().st_mode & 0o7777:o} {path.read_text(errors='replace')}"
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
