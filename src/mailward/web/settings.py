"""Where the dashboard and the API are served over TCP."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class WebSettings:
    """The `[web]` table."""

    host: str = "127.0.0.1"
    """An IP address of this machine."""
    port: int = 8143
    public_url: str = ""
    """Under which address people reach it, without a slash at its end; "": by the address it listens on."""
