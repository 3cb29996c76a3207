"""The page on reverse proxies shows what the acceptance test runs, and nothing else; the programs take it."""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
import trustme

PAGE = "docs/how-to/reverse-proxy.md"


@pytest.fixture(scope="module")
def examples(root: Path) -> ModuleType:
    """How the acceptance test reads the page."""
    spec = spec_from_file_location("reverse_proxies", root / "tests" / "acceptance" / "reverse_proxies.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_example_is_run(examples: ModuleType) -> None:
    assert examples.sections_with_an_example() == [proxy.name for proxy in examples.ALL]


def test_the_page_says_what_was_run_and_with_which_versions(examples: ModuleType, pages: dict[str, str]) -> None:
    (told,) = re.findall(r"^\*\*How far this is tested\.\*\*.*$", pages[PAGE], re.MULTILINE)

    assert all(re.search(rf"\b{proxy.name} \d+\.\d+\.\d+", told) for proxy in examples.ALL)


def test_what_the_page_has_mailward_listen_on_is_where_the_examples_ask(
    examples: ModuleType, pages: dict[str, str]
) -> None:
    assert f'listen = "{examples.MANAGER}"' in pages[PAGE]
    assert f'public_url = "https://{examples.NAME}"' in pages[PAGE]
    assert all(examples.MANAGER in proxy.example() for proxy in examples.ALL)


@pytest.mark.parametrize("name", ["nginx", "Caddy", "HAProxy"])
def test_each_program_takes_its_example_without_a_warning(examples: ModuleType, name: str, tmp_path: Path) -> None:
    (proxy,) = (one for one in examples.ALL if one.name == name)
    if proxy.program() is None:
        pytest.skip(f"{name} is not installed: apt-get install {proxy.package}")
    issued = trustme.CA().issue_cert(examples.NAME)
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "mailward.pem")
    issued.private_key_pem.write_to_path(tmp_path / "mailward.key")
    place = examples.Place(directory=tmp_path, address="127.0.76.4", port=18443, manager_port=18143)

    assert (0, []) == proxy.complaints(proxy.write(place))
