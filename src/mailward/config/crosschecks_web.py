"""Mistakes in how the dashboard is served: half a certificate, and passwords that anybody on the way could read."""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from mailward.config.fields import read_listen
from mailward.config.mistakes import Mistake
from mailward.config.schema import WebTable
from mailward.config.within import Within


def web_mistakes(within: Within, table: WebTable) -> Iterator[Mistake]:
    """Mistakes between the keys of `[web]`."""
    for key, other in (("certificate_file", "key_file"), ("key_file", "certificate_file")):
        if getattr(table, key) is not None and getattr(table, other) is None:
            yield from within.missing(("web", other), f"is missing; {key} needs it")
    if table.listen is None or table.certificate_file is not None or table.key_file is not None:
        return
    is_https = urlsplit(table.public_url or "").scheme == "https" or within.was_given(("web", "public_url"))
    if not ip_address(read_listen(table.listen)[0]).is_loopback and not is_https:
        yield within.mistake(
            ("web", "listen"),
            "is open to others without encryption, and passwords would travel readable: give certificate_file and"
            " key_file, or listen on 127.0.0.1 behind a reverse proxy, or, where one on another host does TLS, say its"
            ' address: public_url = "https://…"',
        )
