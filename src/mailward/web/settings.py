"""Where the dashboard and the API are served over TCP."""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True, slots=True)
class WebSettings:
    """The `[web]` table."""

    host: str = "127.0.0.1"
    """An IP address of this machine."""
    port: int = 8143
    public_url: str = ""
    """Under which address people reach it, without a slash at its end; "": by the address it listens on."""
    certificate_file: Path | None = None
    key_file: Path | None = None
    """With both it is served by TLS; without them a reverse proxy does that, or nobody."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    session_lasts: timedelta = timedelta(hours=12)
    session_idle: timedelta = timedelta(hours=2)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return ip_address(self.host).is_loopback

    @property
    def is_secure(self) -> bool:
        """Whether people reach it by https, so that no password travels readable."""
        return self.certificate_file is not None or urlsplit(self.public_url).scheme == "https"

    @property
    def names(self) -> tuple[str, ...]:
        """Under which names and addresses people reach it, in lower case."""
        public = urlsplit(self.public_url).hostname
        return (self.host.lower(), *((public.lower(),) if public else ()))
