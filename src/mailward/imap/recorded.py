"""
What of a conversation may be shown when it comes from somebody else's record of it, such as a server's log.

Of our own conversations we know every secret and show what was made to be shown. Here nothing is known, so it goes the
other way: a command shows its tag and its name; what follows is shown unless it may be a secret or a piece of a
message. A line that is no command may be an answer to a challenge (RFC 9051, 6.2.2), so it is never shown; nor is what
a server says that is no answer.
"""

import re

from mailward.imap.framing import Frame
from mailward.imap.masking import MASK, printable
from mailward.imap.shown import shown_response

_COMMAND = re.compile(r"([^\s(){%*\"\\+]{1,40}) ((?:UID )?[A-Za-z]{1,24})(?: (.*))?", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*(?:"|$)')
#: Whoever writes more between quotation marks than any mailbox is named may write a piece of a message.
_LONGEST_STRING = 80
#: Their arguments are secrets.
_SECRET = frozenset({"LOGIN"})
#: Of their arguments only the first is none: a mechanism.
_SECRET_BUT_ONE = frozenset({"AUTHENTICATE"})
#: What they search for may be in messages.
_CONTENTS = frozenset({"SEARCH", "SORT", "THREAD", "UID SEARCH", "UID SORT", "UID THREAD"})
_DONE = "DONE"
#: A continuation that is no challenge: Dovecot's "OK", "idling" and the like.
_CONTINUES = re.compile(r"\+(?: [A-Za-z ]{0,20})?")
_TAGGED = re.compile(r"[^\s(){%*\"\\+]{1,40} (?:OK|NO|BAD)\b", re.IGNORECASE)


def shown_command(text: str) -> str:
    """Return one command of a client, its literals already taken out, as one printable line that may be shown."""
    found = _COMMAND.fullmatch(text)
    if found is None:
        return text if text.upper() == _DONE else MASK
    tag, name, rest = found.groups()
    if rest is None:
        return f"{printable(tag)} {name}"
    return printable(f"{tag} {name} {_arguments(name.upper(), rest)}")


def shown_answer(text: str) -> str:
    """Return one response of a server, its literals already taken out, as one printable line that may be shown."""
    if text.startswith("* "):
        frame = Frame(text=text.encode("utf-8", "replace"), literals={})
        return printable(shown_response(frame, logged_in=True))
    return printable(text) if _CONTINUES.fullmatch(text) or _TAGGED.match(text) else MASK


def _arguments(name: str, rest: str) -> str:
    if name in _SECRET:
        return MASK
    if name in _SECRET_BUT_ONE:
        mechanism, blank, _ = rest.partition(" ")
        return f"{mechanism} {MASK}" if blank else mechanism
    longest = 0 if name in _CONTENTS else _LONGEST_STRING
    return _STRING.sub(lambda found: found[0] if len(found[0]) <= longest + 2 else f'"{MASK}"', rest)
