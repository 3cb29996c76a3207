"""
Mistakes within the settings of one server, access point or database, after its layers were put together.
"""

import re
from collections.abc import Iterator
from ipaddress import ip_address

from mailward.config.layers import HEALTH_MAILBOX, PASSWORDS, Settings
from mailward.config.mistakes import KeyPath, Mistake, quoted
from mailward.config.sources import Sources
from mailward.config.validation import Validated

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


class Within:
    """Looks at one thing's settings after the other; knows where everything was written and what was taken out."""

    def __init__(self, sources: Sources, validated: Validated) -> None:
        self._sources = sources
        self._validated = validated

    def mistake(self, path: KeyPath, text: str) -> Mistake:
        """Something wrong at *path*."""
        return self._sources.mistake(path, text)

    def was_given(self, path: KeyPath) -> bool:
        """Whether something wrong stood at *path*, which is said already."""
        return self._validated.was_given(path)

    def missing(self, path: KeyPath, text: str) -> Iterator[Mistake]:
        """Something that is not at *path*, unless it was there and wrong: that is said already."""
        if not self._validated.was_given(path):
            yield self.mistake(path, text)

    def endpoint(self, settings: Settings) -> Iterator[Mistake]:
        """An own address that is none, or of another kind than the server's."""
        source = settings.get(("imap", "source_address"))
        if source is None:
            return
        try:
            local = ip_address(str(source.value))
        except ValueError:
            yield self.mistake(source.path, "must be a numeric address of this host, such as 192.0.2.5")
            return
        host = settings.get(("imap", "host"))
        try:
            remote = ip_address(str(host.value)) if host is not None else None
        except ValueError:
            return
        if remote is not None and remote.version != local.version:
            yield self.mistake(source.path, f"is IPv{local.version}, but the host is an IPv{remote.version} address")

    def health_mailbox(self, path: KeyPath, settings: Settings) -> Iterator[Mistake]:
        """A user without password, a password without user, two places for one password."""
        passwords = [settings[key] for key in settings if key[0] == HEALTH_MAILBOX and key[-1] in PASSWORDS]
        user = settings.get((HEALTH_MAILBOX, "user"))
        if len(passwords) > 1:
            yield self.mistake(passwords[1].path, "is a second place for the same password; keep one")
        if user is not None and not passwords:
            text = "has no password; give password_file, password_environment or password_credential"
            yield from self.missing(user.path[:-1], text)
        if user is None and passwords and not self._validated.was_given((*path, HEALTH_MAILBOX, "user")):
            yield from self.missing((*passwords[0].path[:-1], "user"), "is missing; whose password is it?")

    def placeholders(self, settings: Settings) -> Iterator[Mistake]:
        """What looks like a placeholder and is none."""
        for key, setting in settings.items():
            # words of a command have braces of their own
            if "commands" in key:
                continue
            texts = setting.value if isinstance(setting.value, list) else [setting.value]
            for text in texts:
                unknown = (
                    [found for found in _PLACEHOLDER.findall(text) if found != "{name}"]
                    if isinstance(text, str)
                    else []
                )
                if unknown:
                    yield self.mistake(setting.path, f"has {quoted(unknown[0])}; the only placeholder is {{name}}")
