"""
Hiding secrets in everything that is shown.

Two rules. What we send is shown only through a form made beside it, in which a secret was never written. What a server
sends is searched for every secret it could know, in each form we ever sent it, so that an echo shows nothing either.
"""

from base64 import b64encode

MASK = "***"


class Masking:
    """The secrets of one conversation, and the means to take them out of a text."""

    def __init__(self) -> None:
        self._secrets: list[str] = []

    def keep_secret(self, secret: str) -> None:
        """Hide *secret* from now on, as it is, as an IMAP quoted string would write it, and in base64."""
        if not secret:
            return
        encoded = b64encode(secret.encode("utf-8", "replace")).decode("ascii").rstrip("=")
        quoted = secret.replace("\\", "\\\\").replace('"', '\\"')
        forms = {*self._secrets, secret, encoded, quoted, printable(secret)}
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
            text = text.replace(secret, MASK)
        text = printable(text)
        if not any(secret in text for secret in self._secrets):
            return text
        # The cuts or the escapes made a secret anew: nothing of the text is shown.
        return "" if any(secret in MASK for secret in self._secrets) else MASK


def printable(text: str) -> str:
    """Return *text* with every control character escaped: a server's words must not steer a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
