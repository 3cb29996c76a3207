"""What may be the name of a unit: systemd.unit(5)."""

import re

from mailward.model.errors import Refused

#: The characters it may have; it must not look like an option.
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}")


def require_unit_name(unit: str) -> None:
    """
    Let a unit's name pass.

    Raises:
        Refused: That cannot be the name of a unit.
    """
    if not _UNIT.fullmatch(unit):
        raise Refused(f"{unit!r} cannot be the name of a systemd unit")
