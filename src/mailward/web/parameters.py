"""
What a request asks for, read strictly: unknown names and bad values are all found before anything is answered.

A misspelt filter that is silently passed over would show everything, which looks like an answer.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import Enum
from typing import TypeVar

from mailward.model.wire import text_to_moment
from mailward.web.problems import Code, Problem

Member = TypeVar("Member", bound=Enum)
_TEXT_MAX = 500
_SHOWN = 100
"""What an error repeats of what was sent: enough to recognise it."""
_ERRORS_MOST = 20
_NEVER = datetime.min.replace(tzinfo=UTC)
"""Stands for a moment that was refused, until `finish` raises."""
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Parameters:
    """The parameters of one request; read each, then call `finish`."""

    def __init__(self, given: Mapping[str, Sequence[object]]) -> None:
        self._given = given
        self._known: set[str] = set()
        self._errors: list[dict[str, str]] = []

    def text(self, name: str) -> str | None:
        """A text of at most 500 characters without control characters, or None when absent or empty."""
        value = self._one(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self._reject(name, f"{_shown(value)} is not a text")
            return None
        if len(value) > _TEXT_MAX:
            self._reject(name, f"is longer than {_TEXT_MAX} characters")
            return None
        if not value.isprintable():
            self._reject(name, "holds control characters")
            return None
        return value or None

    def required_text(self, name: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if value is None and not self._failed(name):
            self._reject(name, "is missing")
        return value or ""

    def secret(self, name: str) -> str:
        """A text that must be there and that no error repeats."""
        value = self._one(name)
        if not isinstance(value, str) or not value:
            self._reject(name, "is missing" if value in (None, "") else "is not a text")
            return ""
        if len(value) > _TEXT_MAX or not value.isprintable():
            self._reject(name, f"is longer than {_TEXT_MAX} characters, or holds control characters")
        return value

    def named_text(self, name: str) -> str | None:
        """The name of something, or None when absent: an empty one names nothing, and must not mean everything."""
        value = self.text(name)
        if value is None and self._given.get(name, (None,))[0] == "":
            self._reject(name, "is empty; leave it out, or give a name")
        return value

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        """A whole number from *low* to *high*."""
        value = self._one(name)
        if value is None:
            return default
        try:
            number = int(str(value))
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            self._reject(name, f"{_shown(value)} is not a whole number from {low} to {high}")
            return default
        return number

    def boolean(self, name: str) -> bool | None:
        """True or false, or None when absent."""
        value = self._one(name)
        if value is None:
            return None
        if str(value).lower() not in _BOOLEANS:
            self._reject(name, f"{_shown(value)} is neither true nor false")
            return None
        return _BOOLEANS[str(value).lower()]

    def member(self, name: str, kind: type[Member]) -> Member | None:
        """One member of *kind* by its text, without regard to case."""
        value = self._one(name)
        return None if value in (None, "") else self._member(name, str(value), kind)

    def required_member(self, name: str, kind: type[Member]) -> Member:
        """One member of *kind* that must be there."""
        found = self.member(name, kind)
        if found is None and not self._failed(name):
            self._reject(name, f"is missing: one of {', '.join(str(member.value) for member in kind)}")
        return found or next(iter(kind))

    def moment(self, name: str) -> datetime | None:
        """A moment in RFC 3339, with its zone; None when absent."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return text_to_moment(text)
        except (ValueError, OverflowError):
            self._reject(name, f"{_shown(text)} is no moment with a time zone, such as 2026-11-24T03:04:05Z")
            return None

    def required_moment(self, name: str, default: datetime | None = None) -> datetime:
        """A moment that must be there, unless there is a *default*."""
        found = self.moment(name) or default
        if found is None and not self._failed(name):
            self._reject(name, "is missing")
        return found or _NEVER

    def mapping(self, name: str) -> dict[str, object]:
        """A JSON object; empty when absent."""
        value = self._one(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._reject(name, "is no JSON object")
            return {}
        return value

    def members(self, name: str, kind: type[Member]) -> tuple[Member, ...]:
        """Any number of members of *kind*: the parameter repeated, or one list with commas."""
        self._known.add(name)
        texts = [text for value in self._given.get(name, ()) for text in str(value).split(",") if text]
        found = [self._member(name, text, kind) for text in texts]
        return tuple(member for member in found if member is not None)

    def finish(self) -> None:
        """
        Refuse the request when anything about it was wrong.

        Raises:
            Problem: BAD_REQUEST, listing every mistake, or the first twenty.
        """
        for name in self._given:
            if name not in self._known and len(self._errors) < _ERRORS_MOST:
                nearest = get_close_matches(name, sorted(self._known), n=1)
                hint = f"; did you mean {nearest[0]!r}?" if nearest else f"; known: {', '.join(sorted(self._known))}"
                self._reject(name, f"is not a parameter here{hint if self._known else ''}")
        if self._errors:
            sentences = "; ".join(f"{error['parameter']}: {error['because']}" for error in self._errors)
            raise Problem(Code.BAD_REQUEST, sentences, errors=self._errors)

    def _one(self, name: str) -> object | None:
        self._known.add(name)
        values = self._given.get(name, ())
        if len(values) > 1:
            self._reject(name, "is given more than once")
        return values[0] if values else None

    def _member(self, name: str, text: str, kind: type[Member]) -> Member | None:
        for member in kind:
            if str(member.value).lower() == text.lower():
                return member
        known = [str(member.value) for member in kind]
        self._reject(name, f"{_shown(text)} is none of {', '.join(known)}")
        return None

    def _reject(self, name: str, because: str) -> None:
        if len(self._errors) < _ERRORS_MOST:
            self._errors.append({"parameter": name[:_SHOWN], "because": because})

    def _failed(self, name: str) -> bool:
        return any(error["parameter"] == name for error in self._errors)


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN]
