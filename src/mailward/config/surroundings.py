"""
What this machine has to do with a configuration: files that must be there and private, addresses probes come from.

Looks at files and addresses of this machine, never at the network.
"""

import socket
import stat
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from mailward.config.concerns import Concern, endpoints, mailboxes
from mailward.model.errors import TemporaryFailure
from mailward.model.organization import Organization, SecretKind, Security
from mailward.platforms.local.file_secrets import FileSecrets


def surroundings(organization: Organization) -> Iterator[Concern]:
    """Every concern about this machine."""
    yield from _certificates(organization)
    yield from _secrets(organization)
    yield from _source_addresses(organization)


def advice(organization: Organization) -> Iterator[Concern]:
    """What to set up elsewhere so that probing does no harm."""
    words = " ".join(_sources(organization)) or "ADDRESS-THIS-MACHINE-PROBES-FROM"
    yield Concern(
        about="fail2ban",
        text="on every server that bans addresses, keep the prober from being banned, for example in"
        " /etc/fail2ban/jail.d/mailward.local",
        lines=("[DEFAULT]", f"ignoreip = 127.0.0.1/8 ::1 {words}"),
    )


def _certificates(organization: Organization) -> Iterator[Concern]:
    for about, endpoint in endpoints(organization):
        policy = endpoint.tls
        if endpoint.security is Security.PLAIN:
            continue
        if policy.ca_file is not None and not _readable(policy.ca_file):
            text = f"cannot be read: {policy.ca_file}; every handshake would fail"
            yield Concern(about=f"{about}.imap.tls.ca_file", text=text)
        if policy.verify and policy.expected_name is None and _is_address(endpoint.host):
            text = f"is the address {endpoint.host}: its certificate must carry that address, or give tls.expected_name"
            yield Concern(about=f"{about}.imap.host", text=text)
    for server in organization.servers.values():
        if server.host.certificate_file is not None and not _readable(server.host.certificate_file):
            text = f"cannot be read: {server.host.certificate_file}; a certificate that was not loaded stays unnoticed"
            yield Concern(about=f"servers.{server.name}.host.certificate_file", text=text)


def _secrets(organization: Organization) -> Iterator[Concern]:
    """Each password file as `mailward run` would meet it; variables and credentials only exist for the manager."""
    secrets = FileSecrets()
    for mailbox in mailboxes(organization):
        if mailbox.password.kind is not SecretKind.FILE:
            continue
        about = f"health mailbox {mailbox.user}"
        try:
            secrets.reveal(mailbox.password)
        except TemporaryFailure as failure:
            yield Concern(about=about, text=str(failure))
            continue
        directory = Path(mailbox.password.name).parent
        mode = directory.stat().st_mode
        # in a sticky directory such as /tmp nobody can replace what others put there
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            text = f"everybody can write in {directory} and put another password there"
            yield Concern(about=about, text=text, lines=(f"chmod o-w {directory}",))


def _source_addresses(organization: Organization) -> Iterator[Concern]:
    for address in _sources(organization):
        if not _is_local(address):
            text = f"the source address {address} is not an address of this machine, so nothing could be probed from it"
            yield Concern(about="source_address", text=text)
    for about, endpoint in endpoints(organization):
        if endpoint.source_address is None:
            yield Concern(
                about=about,
                text="is probed from this machine's ordinary address: after one rejected password Dovecot delays every"
                " login from there by up to 15 s (auth penalty), users of this machine included; an address of its own"
                " as imap.source_address keeps them apart",
            )


def _sources(organization: Organization) -> tuple[str, ...]:
    given = (endpoint.source_address for _, endpoint in endpoints(organization))
    return tuple(dict.fromkeys(address for address in given if address is not None))


def _is_local(address: str) -> bool:
    family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _readable(file: str) -> bool:
    try:
        with Path(file).open("rb"):
            return True
    except OSError:
        return False
