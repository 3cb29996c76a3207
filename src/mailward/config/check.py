"""
Looking a configuration over before it is used: mistakes, doubtful things, and what probing will cost.

A mistake keeps a configuration from being used; a concern is only told. Looks at this machine (files, addresses), never
at the network.
"""

import socket
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from mailward.config.durations import write_duration
from mailward.config.load import read
from mailward.config.mistakes import Mistake
from mailward.model.errors import TemporaryFailure
from mailward.model.organization import HealthMailbox, ImapEndpoint, Organization, SecretKind, Security
from mailward.monitors.cost import Cost, cost
from mailward.monitors.coverage import cover
from mailward.platforms.local.file_secrets import FileSecrets
from mailward.ports.settings import Snapshot

#: Dovecot's default mail_max_userip_connections: sessions of one account from one address.
USER_SESSIONS_MAX = 10
#: Kept free for a probe run by hand and the session that a broken connection left behind.
_SESSIONS_SPARE = 2
_MARGIN_MIN = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Concern:
    """Something that works but deserves a look."""

    about: str
    """The key or thing it is about: "servers.be1", "health mailbox health-db1"."""
    text: str
    lines: tuple[str, ...] = ()
    """Lines to copy: commands, or settings for another program."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What a look at a configuration found."""

    snapshot: Snapshot | None
    """None when there are mistakes."""
    mistakes: tuple[Mistake, ...]
    warnings: tuple[Concern, ...] = ()
    advice: tuple[Concern, ...] = ()
    """What to set up elsewhere so that probing does no harm: always worth printing."""
    cost: Cost | None = None


def check(paths: Path | Sequence[Path]) -> Checked:
    """Look a configuration over. Never raises for what is in it."""
    reading = read(paths)
    if reading.mistakes:
        return Checked(snapshot=None, mistakes=reading.mistakes)
    snapshot = reading.snapshot()
    organization = snapshot.organization
    costs = cost(cover(organization, snapshot.probing, snapshot.monitors), organization)
    return Checked(
        snapshot=snapshot,
        mistakes=(),
        warnings=(
            *_shape(organization),
            *_timeouts(snapshot),
            *_tls(organization),
            *_secrets(organization),
            *_source_addresses(organization),
            *_sessions(organization, costs),
        ),
        advice=tuple(_advice(organization)),
        cost=costs,
    )


def cost_in_words(costs: Cost) -> tuple[str, ...]:
    """What probing costs, one sentence a line."""
    return (
        *(
            f"{server.server}: {server.conversations:,} conversations and {server.log_lines:,} log lines a day"
            for server in costs.servers
        ),
        *(
            f"{account.account}: {account.conversations:,} conversations a day, at most {account.sessions_max} at once"
            for account in costs.accounts
        ),
        *(
            f"{lane.server}: {len(lane.members)} databases take turns every {write_duration(lane.interval)};"
            f" all are covered after {write_duration(lane.interval * len(lane.members))}"
            for lane in costs.lanes
        ),
    )


def _endpoints(organization: Organization) -> Iterator[tuple[str, ImapEndpoint]]:
    for name, server in organization.servers.items():
        yield f"servers.{name}", server.imap
    for name, access_point in organization.access_points.items():
        yield f"access_points.{name}", access_point.imap


def _mailboxes(organization: Organization) -> dict[str, HealthMailbox]:
    """Every health mailbox by its user."""
    found = [server.health_mailbox for server in organization.servers.values()]
    found += [database.health_mailbox for database in organization.databases.values()]
    return {mailbox.user: mailbox for mailbox in found if mailbox is not None}


def _shape(organization: Organization) -> Iterator[Concern]:
    for server in organization.mailbox_servers:
        if server.health_mailbox is None:
            text = "has no local health mailbox: its self test ends before the login and sees no authentication"
            yield Concern(about=f"servers.{server.name}", text=text)
    if not organization.databases:
        text = (
            "there is none, so no store is looked at and no touch point is probed; add a table such as [databases.DB1]"
        )
        yield Concern(about="databases", text=text)
    if not organization.access_points and organization.proxies:
        text = "there is none: the public name users connect to is not probed, only each proxy by itself"
        yield Concern(about="access_points", text=text)
    for name, access_point in organization.access_points.items():
        if not access_point.servers:
            text = "names no servers behind it, so a fault there cannot be told from one of theirs"
            yield Concern(about=f"access_points.{name}", text=text)
    for user, mailbox in _mailboxes(organization).items():
        if mailbox.login_as is not None:
            text = (
                f"logs in as master user {mailbox.login_as}, who can open every mailbox; an account of its own cannot"
            )
            yield Concern(about=f"health mailbox {user}", text=text)


def _timeouts(snapshot: Snapshot) -> Iterator[Concern]:
    organization = snapshot.organization
    if snapshot.probing.ctp_margin < _MARGIN_MIN:
        text = "leaves no time for the proxy's own answer: the probe gives up before the proxy can say what is wrong"
        yield Concern(about="probes.ImapCTPProbe.margin", text=text)
    for name, access_point in organization.access_points.items():
        for proxy in (organization.servers[server] for server in access_point.servers):
            if proxy.is_proxy and proxy.backend_timeout > access_point.backend_timeout:
                yield Concern(
                    about=f"access_points.{name}.backend_timeout",
                    text=f"is {write_duration(access_point.backend_timeout)}, but {proxy.name} waits"
                    f" {write_duration(proxy.backend_timeout)}: the probe would give up before the proxy does",
                )


def _tls(organization: Organization) -> Iterator[Concern]:
    for about, endpoint in _endpoints(organization):
        policy = endpoint.tls
        if endpoint.security is Security.PLAIN:
            text = "is not encrypted" + (
                ": the password of the health mailbox can be read on the way"
                if endpoint.allow_plaintext_auth
                else "; without allow_plaintext_auth most servers offer no way to log in then"
            )
            yield Concern(about=f"{about}.imap.security", text=text)
            continue
        if not policy.verify:
            text = "is off: anybody on the way can pretend to be this server and get the health mailbox's password"
            yield Concern(about=f"{about}.imap.tls.verify", text=text)
        if policy.minimum_version in ("TLSv1", "TLSv1.1"):
            text = f"accepts {policy.minimum_version}, which RFC 8996 has withdrawn"
            yield Concern(about=f"{about}.imap.tls.minimum_version", text=text)
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
    for user, mailbox in sorted(_mailboxes(organization).items()):
        if mailbox.password.kind is not SecretKind.FILE:
            continue
        try:
            secrets.reveal(mailbox.password)
        except TemporaryFailure as failure:
            yield Concern(about=f"health mailbox {user}", text=str(failure))
            continue
        directory = Path(mailbox.password.name).parent
        if directory.stat().st_mode & stat.S_IWOTH:
            text = f"everybody can write in {directory} and put another password there"
            yield Concern(about=f"health mailbox {user}", text=text, lines=(f"chmod o-w {directory}",))


def _source_addresses(organization: Organization) -> Iterator[Concern]:
    for address in _sources(organization):
        if not _is_local(address):
            text = f"the source address {address} is not an address of this machine, so nothing could be probed from it"
            yield Concern(about="source_address", text=text)
    without = [about for about, endpoint in _endpoints(organization) if endpoint.source_address is None]
    if without:
        yield Concern(
            about=", ".join(without[:4]) + (f" and {len(without) - 4} more" if len(without) > 4 else ""),
            text="is probed from this machine's ordinary address: after one rejected password Dovecot delays every"
            " login from there by up to 15 s (auth penalty), users of this machine included; an address of its own as"
            " imap.source_address keeps them apart",
        )


def _sessions(organization: Organization, costs: Cost) -> Iterator[Concern]:
    sentinels = {
        server.health_mailbox.user
        for server in organization.servers.values()
        if server.sentinel and server.health_mailbox is not None
    }
    for account in costs.accounts:
        most = account.sessions_max + (account.account in sentinels)
        if most > USER_SESSIONS_MAX - _SESSIONS_SPARE:
            yield Concern(
                about=f"health mailbox {account.account}",
                text=f"has up to {most} sessions at once; Dovecot allows {USER_SESSIONS_MAX} from one address"
                " by default (mail_max_userip_connections)",
            )


def _advice(organization: Organization) -> Iterator[Concern]:
    sources = _sources(organization)
    words = " ".join(sources) or "ADDRESS-THIS-MACHINE-PROBES-FROM"
    yield Concern(
        about="fail2ban",
        text="on every server that bans addresses, keep the prober from being banned, for example in"
        " /etc/fail2ban/jail.d/mailward.local",
        lines=("[DEFAULT]", f"ignoreip = 127.0.0.1/8 ::1 {words}"),
    )


def _sources(organization: Organization) -> tuple[str, ...]:
    given = (endpoint.source_address for _, endpoint in _endpoints(organization))
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


def concerns_in_words(concerns: Iterable[Concern]) -> tuple[str, ...]:
    """Concerns as lines of text, what is to be copied indented below."""
    return tuple(
        line
        for concern in concerns
        for line in (f"{concern.about}: {concern.text}", *(f"    {row}" for row in concern.lines))
    )
