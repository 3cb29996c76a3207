r"""
The identity of a probe or monitor as people type it: HEALTHSET/ITEM[/TARGET], with a slash or Exchange's backslash.

An unquoted backslash is eaten by the shell: IMAP\ImapCTPProbe arrives as IMAPImapCTPProbe. That is recognised, because
nobody sees what is wrong with a name that looks right in his own command.
"""

from mailward.model.items import MONITORS, PROBES


def mended(identity: str) -> str | None:
    r"""
    Return HEALTHSET/ITEM[/TARGET] when *identity* is one whose backslashes the shell ate, else None.

    What follows the item's name is its target; the longest health set and item that fit are meant.
    """
    if "/" in identity or "\\" in identity:
        return None
    probes = [(health_set, item.name) for item in PROBES for health_set in item.health_sets]
    monitors = [(health_set, item.name) for item in MONITORS for health_set in item.health_sets]
    for health_set, item in sorted((*probes, *monitors), key=lambda pair: -len("".join(pair))):
        eaten = f"{health_set}{item}"
        if identity.lower().startswith(eaten.lower()):
            target = identity[len(eaten) :]
            return f"{health_set}/{item}/{target}" if target else f"{health_set}/{item}"
    return None


def explanation(identity: str, meant: str) -> str:
    """Return the sentences that tell what the shell did."""
    typed = meant.replace("/", "\\")
    return (
        f"the shell ate the backslash and made {identity} of {typed}\n"
        f"taken as {meant}; next time write it with a slash, or in quotes: '{typed}'"
    )
