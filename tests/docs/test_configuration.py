from pathlib import Path

from mailward.config.reference import configuration_page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


def test_the_reference_page_is_what_the_schema_says():
    assert PAGE.read_text().endswith(configuration_page()), "run `make docs`"
