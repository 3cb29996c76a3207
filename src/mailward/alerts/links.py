"""Where an alert stands on the dashboard: the address stays as it is when the alert is resolved."""

from urllib.parse import quote


def page_of(key: str, dashboard: str) -> str:
    """
    The address of an alert's page.

    Args:
        key: What groups the alert.
        dashboard: Under which address people reach the dashboard; "": nobody says, and there is no link.
    """
    return f"{dashboard}/alerts/{quote(key, safe='')}" if dashboard else ""
