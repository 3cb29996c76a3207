"""Which mailbox server served a session, from its reply to ID after login: Exchange's `_Mbx`."""

from collections.abc import Mapping, Sequence


def serving_server(
    identity: Mapping[str, str],
    *,
    known: Sequence[tuple[str, str]],
    backend_keys: Sequence[str],
    hint_keys: Sequence[str],
) -> str | None:
    """
    Return the mailbox server an ID reply names: by our own name for it where *known* has one, else as it says itself.

    Args:
        identity: The fields of the reply, keys in lower case.
        known: (name as shown by a server, our name of it) pairs, the first in lower case.
        backend_keys: Fields that exist to name the server; believed as they are.
        hint_keys: Fields that often hold something else; believed only when they hold a known name.
    """
    for key in backend_keys:
        if identity.get(key):
            return _resolve(identity[key], known) or identity[key]
    for key in hint_keys:
        if name := _resolve(identity.get(key, ""), known):
            return name
    return None


def _resolve(shown: str, known: Sequence[tuple[str, str]]) -> str | None:
    """Our name of the server, by the shown name or its first label."""
    wanted = shown.strip().lower()
    for candidate in (wanted, wanted.partition(".")[0]):
        for name, ours in known:
            if candidate and candidate == name:
                return ours
    return None
