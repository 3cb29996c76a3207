"""What HOST[:PORT] and the options beside it mean."""

from mailward.model.errors import Refused
from mailward.model.organization import ImapEndpoint, Security, TlsPolicy

PORTS = {Security.TLS: 993, Security.STARTTLS: 143, Security.PLAIN: 143}


def endpoint_of(
    target: str,
    *,
    port: int | None = None,
    security: Security | None = None,
    ca_file: str | None = None,
    expected_name: str | None = None,
    allow_plaintext_auth: bool = False,
) -> ImapEndpoint:
    """
    Return the endpoint *target* names: HOST, HOST:PORT, an IPv6 address, or one in brackets with its port.

    Without a word about security port 143 means STARTTLS and every other port TLS from the first byte (RFC 8314).

    Raises:
        Refused: It is no host and port.
    """
    host, given_port = _split(target)
    if given_port and port and given_port != port:
        raise Refused(f"two ports are given: {given_port} and {port}")
    number = given_port or port
    chosen = security or (Security.STARTTLS if number == PORTS[Security.STARTTLS] else Security.TLS)
    return ImapEndpoint(
        host=host,
        port=number or PORTS[chosen],
        security=chosen,
        tls=TlsPolicy(ca_file=ca_file, expected_name=expected_name),
        allow_plaintext_auth=allow_plaintext_auth,
    )


def _split(target: str) -> tuple[str, int | None]:
    if "://" in target:
        raise Refused(f"{target!r} is a URL; give the host, such as imap.example.org or imap.example.org:993")
    if target.startswith("["):
        host, bracket, rest = target[1:].partition("]")
        port_text = rest.removeprefix(":") if bracket and rest[:1] in ("", ":") else "?"
    elif target.count(":") == 1:
        host, _, port_text = target.partition(":")
        port_text = port_text or "?"
    else:  # a name, or a bare IPv6 address
        host, port_text = target, ""
    if not host or any(character.isspace() or not character.isprintable() for character in host) or "/" in host:
        raise Refused(f"{target!r} is no host; give one such as imap.example.org, 192.0.2.1:143 or [2001:db8::1]:993")
    if not port_text:
        return host, None
    if not (port_text.isascii() and port_text.isdigit() and 1 <= int(port_text) <= 65_535):
        raise Refused(f"the port in {target!r} is not a number from 1 to 65535")
    return host, int(port_text)
