"""
Which server an alert of another system is about, and whether it is one to listen to.

What mailward said itself comes back by Alertmanager as well: that is no news, and would keep itself alive for ever.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from mailward.model.notification import Notification
from mailward.model.organization import Organization
from mailward.monitors.planning import names_of_servers

NAMING = ("server", "instance", "host", "hostname", "node", "nodename")
"""The labels that name a machine, in the order in which they are believed."""
OUR_RULES = "Mailward"
"""How the names of alerts begin that are made of our own metrics, or of ourselves."""


def placed(notifications: Iterable[Notification], organization: Organization) -> tuple[Notification, ...]:
    """Each with the server or access point it names; those that name none, or come from mailward itself, name ""."""
    names = _names(organization)
    return tuple(
        replace(one, server="" if is_our_own(one, organization) else _server(one.labels, names))
        for one in notifications
    )


def is_our_own(notification: Notification, organization: Organization) -> bool:
    """Whether mailward said so itself: by a channel, or through the metrics it shows."""
    labels = notification.labels
    by_channel = labels.get("organization") == organization.name and "tier" in labels
    return by_channel or notification.name.startswith(OUR_RULES)


def _server(labels: Mapping[str, str], names: Mapping[str, str]) -> str:
    for label in NAMING:
        said = labels.get(label, "").lower()
        for name in (said, said.rpartition(":")[0], said.partition(".")[0]):
            if name in names:
                return names[name]
    return ""


def _names(organization: Organization) -> Mapping[str, str]:
    points = {name.lower(): name for name in organization.access_points}
    return {**points, **dict(names_of_servers(organization))}
