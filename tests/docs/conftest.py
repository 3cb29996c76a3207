"""What all tests of the documentation share: the pages, and the generator."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def pages(root: Path) -> dict[str, str]:
    """Every page a reader may meet: its path below the checkout, and its text."""
    files = [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
    return {str(file.relative_to(root)): file.read_text() for file in sorted(files)}


@pytest.fixture(scope="session")
def generator(root: Path) -> ModuleType:
    """scripts/generate_docs.py as a module."""
    spec = spec_from_file_location("generate_docs", root / "scripts" / "generate_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
