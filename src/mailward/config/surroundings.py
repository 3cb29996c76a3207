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
from mailward.model.organization import Organization, SecretKind, SecretRef, Security
from mailward.platforms.local.file_secrets import FileSecrets
from mailward.platforms.reach.ssh import LOCAL
from mailward.ports.settings import Snapshot


def surroundings(snapshot: Snapshot) -> Iterator[Concern]:
    """Every concern about this machine."""
    organization = snapshot.organization
    yield from _certificates(organization)
    yield from _channels(snapshot)
    yield from _map(organization)
    yield from _secrets(snapshot)
    yield from _source_addresses(organization)
    if snapshot.stop_file and Path(snapshot.stop_file).exists():
        text = "is there, so no action is taken whatever recovery.mode says; remove it when they may be again"
        yield Concern(about=snapshot.stop_file, text=text, lines=(f"rm {snapshot.stop_file}",))


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
        if server.host.reach != LOCAL or server.host.certificate_file is None:
            continue
        if not _readable(server.host.certificate_file):
            text = f"cannot be read: {server.host.certificate_file}; a certificate that was not loaded stays unnoticed"
            yield Concern(about=f"servers.{server.name}.host.certificate_file", text=text)


def _channels(snapshot: Snapshot) -> Iterator[Concern]:
    for channel in snapshot.channels:
        if channel.ca_file is not None and not _readable(channel.ca_file):
            text = f"cannot be read: {channel.ca_file}; nothing could be sent"
            yield Concern(about=f"notify.{channel.name}.ca_file", text=text)


def _map(organization: Organization) -> Iterator[Concern]:
    ldap = organization.routing.ldap if organization.routing is not None else None
    if ldap is not None and ldap.ca_file is not None and not _readable(ldap.ca_file):
        text = f"cannot be read: {ldap.ca_file}; the map could not be asked, and nothing moved"
        yield Concern(about="routing.ldap.ca_file", text=text)


def _secrets(snapshot: Snapshot) -> Iterator[Concern]:
    """Each secret's file as `mailward run` would meet it; variables and credentials only exist for the manager."""
    secrets = FileSecrets()
    for about, secret in _secrets_of(snapshot):
        if secret.kind is not SecretKind.FILE:
            continue
        try:
            secrets.reveal(secret)
        except TemporaryFailure as failure:
            yield Concern(about=about, text=str(failure))
            continue
        directory = Path(secret.name).parent
        mode = directory.stat().st_mode
        # in a sticky directory such as /tmp nobody can replace what others put there
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            text = f"everybody can write in {directory} and put another secret there"
            yield Concern(about=about, text=text, lines=(f"chmod o-w {directory}",))


def _secrets_of(snapshot: Snapshot) -> Iterator[tuple[str, SecretRef]]:
    for mailbox in mailboxes(snapshot.organization):
        yield f"health mailbox {mailbox.user}", mailbox.password
    for channel in snapshot.channels:
        for secret in (channel.url_secret, channel.password, channel.bearer_token):
            if secret is not None:
                yield f"notify.{channel.name}", secret
    routing = snapshot.organization.routing
    if routing is not None and routing.password is not None:
        yield "routing", routing.password


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
