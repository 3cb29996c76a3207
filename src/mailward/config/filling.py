"""File names, places of secrets and `{name}` in the words of a configuration."""

from pathlib import Path
from typing import Any

from mailward.model.organization import SecretKind, SecretRef


def file_name(directory: Path, name: str) -> str:
    """*name* as an absolute path; relative ones start in the configuration's directory."""
    return str(directory / Path(name).expanduser())


def in_place(text: str, name: str) -> str:
    """*text* with `{name}` filled in: the name of the server or database in lower case."""
    return text.replace("{name}", name.lower())


def filled(text: str | None, name: str) -> str | None:
    """The same for what may be absent."""
    return None if text is None else in_place(text, name)


def located(directory: Path, text: str) -> str:
    """*text* such as "supervisor:FILE" with the file as an absolute path; words without a file stay."""
    kind, colon, path = text.partition(":")
    return f"{kind}:{file_name(directory, path)}" if colon else text


def secret(directory: Path, kind: SecretKind, name: str) -> SecretRef:
    """Where a secret is kept, a file of it with its absolute path."""
    return SecretRef(kind=kind, name=file_name(directory, name) if kind is SecretKind.FILE else name)


def given(**settings: Any) -> dict[str, Any]:
    """Only what was given; the rest keeps its default."""
    return {key: value for key, value in settings.items() if value is not None}
