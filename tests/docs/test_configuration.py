from pathlib import Path

from mailward.config.explain import configuration_page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


def test_the_reference_page_is_what_the_schema_says():
    assert configuration_page() == PAGE.read_text(), "run `make docs`"
