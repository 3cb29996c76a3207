"""
Hiding secrets in everything that is shown.

Two rules. What we send is shown only through a form made beside it, in which a secret was never written. What a server
sends is searched for every secret it could know, in each form we ever sent it, so that an echo shows nothing either.
"""

import re
from base64 import b64encode
from collections.abc import Iterator

MASK = "***"
_BASE64 = "[A-Za-z0-9+/]{0,60}%s[A-Za-z0-9+/]{0,60}={0,2}"


class Masking:
    """The secrets of one conversation, and the means to take them out of a text."""

    def __init__(self) -> None:
        self._secrets: list[str] = []

    def keep_secret(self, secret: str) -> None:
        """Hide *secret* from now on, as it is, as an IMAP quoted string would write it, and in base64."""
        if not secret:
            return
        quoted = secret.replace("\\", "\\\\").replace('"', '\\"')
        forms = {*self._secrets, secret, quoted, printable(secret), *_in_base64(secret)}
        # A form that holds another needs no search of its own: cutting out the inner one spoils it.
        inner = [form for form in forms if not any(other in form for other in forms if other != form)]
        self._secrets = sorted(inner, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return *text* as one printable line that holds none of the secrets."""
        for secret in self._secrets:
            if secret in text:
                return self._cut(text)
        return text if text.isprintable() else self._cut(text)

    def hides(self, text: str) -> bool:
        """Whether *text* holds, in whatever case, a secret long enough not to be there by chance."""
        lower = text.lower()
        return any(len(secret) > 5 and secret.lower() in lower for secret in self._secrets)

    def _cut(self, text: str) -> str:
        for secret in self._secrets:
            # In base64 the letters around it hold bits of it too, or of the user and the next secret.
            pattern = _BASE64 % re.escape(secret) if _is_base64(secret) else re.escape(secret)
            text = re.sub(pattern, MASK, text)
        text = printable(text)
        if not any(secret in text for secret in self._secrets):
            return text
        # The cuts or the escapes made a secret anew: nothing of the text is shown.
        return "" if any(secret in MASK for secret in self._secrets) else MASK


def _in_base64(secret: str) -> Iterator[str]:
    """What *secret* leaves in base64, at each of the three places it can have in an encoded whole, such as PLAIN's."""
    data = secret.encode("utf-8", "replace")
    for place, first in enumerate((0, 2, 3)):
        whole = b64encode(bytes(place) + data).decode("ascii")
        core = whole[first : (place + len(data)) * 8 // 6]
        if len(core) >= 4:
            yield core


def _is_base64(text: str) -> bool:
    return text.isascii() and text.replace("+", "a").replace("/", "a").isalnum()


def printable(text: str) -> str:
    """Return *text* with every control character escaped: a server's words must not steer a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
