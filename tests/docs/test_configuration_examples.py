"""An example of a configuration in the documentation is one that mailward accepts."""

import re
from pathlib import Path

from mailward.config.load import read

_TOML = re.compile(r"^```toml\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)


def test_every_whole_configuration_in_the_documentation_has_no_mistake(pages: dict[str, str], tmp_path: Path) -> None:
    whole = [(page, text) for page, all_ in pages.items() for text in _TOML.findall(all_) if "[organization]" in text]
    mistakes = []
    for page, text in whole:
        file = tmp_path / "mailward.toml"
        file.write_text(text)
        mistakes += [(page, str(mistake)) for mistake in read(file).mistakes]

    assert whole
    assert [] == mistakes
