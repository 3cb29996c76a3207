"""The accounts probes use on one Dovecot, as mailward's own configuration names them."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from mailward.model.errors import ConfigError, TemporaryFailure
from mailward.model.organization import HealthMailbox, Organization, SecretKind
from mailward.platforms.dovecot.detection import Detected

#: The directory beside users' mail in which probes' mail is: on the same file system, in nobody's way.
HOMES = "mailward-health"
_LOOPBACK = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One account of a probe, and where mailward keeps its password."""

    user: str
    home: Path
    password_file: Path
    allow_nets: tuple[str, ...]
    """Networks it may log in from; every other address is refused."""
    quota: str = "1G"
    is_local: bool = False
    """Whether it is the server's own, outside every database."""

    @property
    def next_password_file(self) -> Path:
        """The password to come, while it is being changed."""
        return self.password_file.with_name(f"{self.password_file.name}.new")

    @property
    def former_password_file(self) -> Path:
        """The password that went, as long as it may have to come back."""
        return self.password_file.with_name(f"{self.password_file.name}.old")


def accounts_for(
    organization: Organization, detected: Detected, *, server: str | None = None, allow_nets: tuple[str, ...] = ()
) -> tuple[Account, ...]:
    """
    Return the accounts one Dovecot needs: its server's own, and one for each database it holds a copy of.

    Args:
        organization: As configured.
        detected: The Dovecot.
        server: Which server of the organization it is; found by its pid file, or as the only one, by default.
        allow_nets: Further networks probes come from, such as the address of a manager elsewhere.

    Raises:
        ConfigError: Which server it is cannot be told, its mail is nowhere to be found, or a password has no file.
    """
    name = server or server_of(organization, detected)
    if name not in organization.servers:
        raise ConfigError(f"there is no server {name} in the configuration")
    if not detected.stores:
        raise ConfigError(f"{detected.config} does not say where mail is (no mail_home, no home in a userdb)")
    own = organization.servers[name].health_mailbox
    copies = (database for database in organization.databases.values() if name in database.copies)
    mailboxes = [own, *(database.health_mailbox for database in copies)]
    nets = tuple(dict.fromkeys((*_nets(organization, detected, name), *allow_nets)))
    return tuple(
        Account(
            user=mailbox.user,
            home=detected.stores[0] / HOMES / mailbox.user,
            password_file=_password_file(mailbox),
            allow_nets=nets,
            is_local=mailbox == own,
        )
        for mailbox in dict.fromkeys(mailboxes)
        if mailbox is not None
    )


def server_of(organization: Organization, detected: Detected) -> str:
    """
    Which server of the organization a Dovecot is.

    Raises:
        ConfigError: It cannot be told.
    """
    service = f"pidfile:{detected.base_dir / 'master.pid'}"
    found = [name for name, server in organization.servers.items() if server.host.service == service]
    names = found or list(organization.servers)
    if len(names) != 1:
        raise ConfigError(f"which of {', '.join(names)} is the Dovecot of {detected.config}? Name it: --server NAME")
    return names[0]


def read_secret(path: Path) -> str:
    """
    Return the password in *path*.

    Raises:
        TemporaryFailure: It cannot be read.
    """
    try:
        return path.read_text().strip()
    except OSError as error:
        raise TemporaryFailure(f"the password file {path} cannot be read: {error.strerror or error}") from error


def _nets(organization: Organization, detected: Detected, server: str) -> Iterator[str]:
    """Where probes on this host come from: the configured source addresses, else the host's own ones."""
    endpoints = [organization.servers[server].imap, *(point.imap for point in organization.access_points.values())]
    for source in dict.fromkeys(endpoint.source_address for endpoint in endpoints):
        if source is not None:
            yield _net(source)
        else:
            yield from (*_LOOPBACK, *(_net(address) for address in detected.addresses if not _is_loopback(address)))


def _net(address: str) -> str:
    return f"{address}/{ip_address(address).max_prefixlen}"


def _is_loopback(address: str) -> bool:
    return ip_address(address).is_loopback


def _password_file(mailbox: HealthMailbox) -> Path:
    if mailbox.password.kind is not SecretKind.FILE:
        raise ConfigError(
            f"the password of {mailbox.user} is not in a file, so it cannot be made or changed here; use password_file"
        )
    return Path(mailbox.password.name)
