"""
The language people are told in.

English is the source: what is said stands in the code where it is said, and the catalogue of another language has its
own words for it. What a catalogue lacks is said in English, rather than not at all. Reading catalogues is `config`'s.

Names of servers, items and health sets, AlertValue, the words of verdicts, modes, procedures and gates, and commands
are the same in every language: a person types them, and looks for them. What other rooms said (a verdict's reason, a
gate's answer) is recorded once, in English, and quoted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from mailward.model import items
from mailward.model.recovery import Answer, OperationStatus, StepName, StepOutcome

SOURCE = "en"


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """Something to say, in no language yet: its English words, and what stands in its places."""

    english: str
    values: Mapping[str, object] = field(default_factory=dict)


def message(english: str, **values: object) -> Message:
    """Make one; *english* has `{name}` where a value stands."""
    return Message(english=english, values=values)


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """A language by its tag (RFC 5646), and its words."""

    tag: str = SOURCE
    words: Mapping[str, str] = field(default_factory=dict)
    """What English says -> how this language says it, with the same places for values."""

    def say(self, what: str | Message, /, **values: object) -> str:
        """
        Say *what* in this language.

        A value that is a message is said in it too. Without values nothing is a place, so that a brace in what somebody
        else wrote stays one.
        """
        if isinstance(what, Message):
            return self.say(what.english, **what.values)
        known = self.words.get(what, what)
        if not values:
            return known
        return known.format(**{name: self._said(value) for name, value in values.items()})

    def _said(self, value: object) -> object:
        return self.say(value) if isinstance(value, Message) else value


Languages = Mapping[str, Language]
"""By tag: those an organization and its channels use. What is not there is English."""
ENGLISH = Language()


def language_of(languages: Languages, tag: str) -> Language:
    """The language of that tag, or English."""
    return languages.get(tag, ENGLISH)


def words_of_the_model() -> Iterator[str]:
    """What alerts say that stands in the model: the words of steps and their ends, and what each monitor advises."""
    kinds: tuple[type[Enum], ...] = (StepName, StepOutcome, OperationStatus, Answer)
    for kind in kinds:
        yield from (member.value for member in kind)
    yield from (item.advice for item in items.MONITORS)
