"""The lab's state file: the few facts its blueprint follows from, so that another process can attach."""

import json
from pathlib import Path

from mailward.lab.blueprint import Blueprint, Ports, Shape, draw
from mailward.lab.files import write_private
from mailward.model.errors import Refused


def write_state(blueprint: Blueprint) -> None:
    """Write the state file."""
    known = {
        "schema": 1,
        "shape": blueprint.shape.value,
        "network": blueprint.network,
        "port_base": blueprint.ports.base,
        "rootless": blueprint.rootless,
        "user": blueprint.user,
        "group": blueprint.group,
        "balanced": blueprint.balancer is not None,
        "more_users": blueprint.more_users,
    }
    write_private(blueprint.state_file, json.dumps(known, indent=1))


def read_blueprint(directory: Path) -> Blueprint:
    """
    The blueprint of the lab in *directory*.

    Raises:
        Refused: There is no lab there.
    """
    try:
        known = json.loads((directory / "lab.json").read_text())
        return draw(
            Shape(known["shape"]),
            directory.absolute(),
            network=known["network"],
            ports=Ports(base=known["port_base"]),
            rootless=known["rootless"],
            user=known["user"],
            group=known["group"],
            balanced=known.get("balanced", False),
            more_users=known.get("more_users", 0),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(f"there is no lab in {directory}: {error}") from error
