"""
The languages people can be told in: one catalogue a file, `catalogue/TAG.toml`, with English on the left.

English has no file: it stands in the code. A catalogue's sections are for its reader; what is said is looked up by its
English words alone.
"""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Literal

from mailward.alerts.language import SOURCE, Language

LanguageTag = Literal["en", "pt-BR"]


def languages(tags: Iterable[str]) -> dict[str, Language]:
    """The languages of those tags, English apart, which needs no words."""
    return {tag: _language(tag) for tag in tags if tag != SOURCE}


@cache
def _language(tag: str) -> Language:
    text = (files("mailward.config") / "catalogue" / f"{tag}.toml").read_text(encoding="utf-8")
    sections: dict[str, dict[str, str]] = tomllib.loads(text)
    return Language(tag=tag, words={english: own for words in sections.values() for english, own in words.items()})
