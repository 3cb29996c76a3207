"""
The catalogue: every kind of fault, where it can strike, and what is true then.

A kind is one entry in `_KINDS`; `catalogue` spreads it over the hosts or databases of a shape. Tests, demo and drills
use the result and know nothing of how a fault is done.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from mailward.lab.blueprint import Blueprint, LabDatabase, LabHost, Ports, Shape, draw
from mailward.lab.faults import directories, networks, served_certificates, services, stores
from mailward.lab.faults.deeds import Deeds
from mailward.lab.faults.fault import Fault, Memory, Remedy, Truth
from mailward.model.verdict import Dependency, Tier


class _Strikes(Enum):
    """What a kind of fault strikes."""

    EVERY_HOST = "every host"
    MAILBOX_SERVERS = "mailbox servers"
    PROXIES = "proxies"
    DATABASES = "databases, where their active copy is"
    MAP = "the map all proxies share"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kind:
    name: str
    strikes: _Strikes
    sentence: str
    """`{place}` stands for the host or database."""
    deeds: Deeds | Callable[[LabDatabase], Deeds]
    remedy: Remedy
    dependency: Dependency | None = None
    tier: Tier | None = None
    """None: the tier of the host it strikes."""
    two_tier_only: bool = False
    needs_root: bool = False
    needs_packet_filter: bool = False
    is_latent: bool = False


_KINDS = (
    _Kind(
        name="service-failed",
        strikes=_Strikes.EVERY_HOST,
        sentence="the IMAP service of {place} crashes: every process gets SIGKILL",
        deeds=services.SERVICE_FAILED,
        remedy=Remedy.START,
    ),
    _Kind(
        name="master-killed",
        strikes=_Strikes.EVERY_HOST,
        sentence="only the master of {place} crashes; open sessions go on, nobody new gets in",
        deeds=services.MASTER_KILLED,
        remedy=Remedy.START,
    ),
    _Kind(
        name="service-stopped",
        strikes=_Strikes.EVERY_HOST,
        sentence="somebody stops the IMAP service of {place} on purpose",
        deeds=services.SERVICE_STOPPED,
        remedy=Remedy.HUMAN,
    ),
    _Kind(
        name="service-dead",
        strikes=_Strikes.EVERY_HOST,
        sentence="the IMAP service of {place} crashes and cannot be started: somebody else has one of its ports",
        deeds=services.SERVICE_DEAD,
        remedy=Remedy.HUMAN,
    ),
    _Kind(
        name="service-flapping",
        strikes=_Strikes.EVERY_HOST,
        sentence="the IMAP service of {place} crashes, and again some seconds after each start",
        deeds=services.SERVICE_FLAPPING,
        remedy=Remedy.HUMAN,
    ),
    _Kind(
        name="configuration-broken",
        strikes=_Strikes.EVERY_HOST,
        sentence="the configuration on the disk of {place} has a mistake; the service runs on until it is restarted",
        deeds=services.CONFIGURATION_BROKEN,
        remedy=Remedy.HUMAN,
        is_latent=True,
    ),
    _Kind(
        name="service-hung",
        strikes=_Strikes.EVERY_HOST,
        sentence="every process of the IMAP service of {place} is stopped by a signal",
        deeds=services.SERVICE_HUNG,
        remedy=Remedy.RESTART,
    ),
    _Kind(
        name="login-hung",
        strikes=_Strikes.EVERY_HOST,
        sentence="the login processes of {place} hang: connections are accepted and never greeted",
        deeds=services.LOGIN_HUNG,
        remedy=Remedy.RESTART,
    ),
    _Kind(
        name="host-exhausted",
        strikes=_Strikes.EVERY_HOST,
        sentence="the login processes of {place} hang, and hang again after each restart, until {place} itself is"
        " restarted",
        deeds=services.HOST_EXHAUSTED,
        remedy=Remedy.RESTART_SERVER,
    ),
    _Kind(
        name="auth-hung",
        strikes=_Strikes.EVERY_HOST,
        sentence="the authentication service of {place} hangs: logins are never answered",
        deeds=services.AUTH_HUNG,
        remedy=Remedy.RESTART,
        dependency=Dependency.AUTHENTICATION,
    ),
    _Kind(
        name="auth-broken",
        strikes=_Strikes.EVERY_HOST,
        sentence="the authentication service of {place} dies whenever it is started",
        deeds=services.AUTH_BROKEN,
        remedy=Remedy.HUMAN,
        dependency=Dependency.AUTHENTICATION,
    ),
    _Kind(
        name="directory-unreadable",
        strikes=_Strikes.MAILBOX_SERVERS,
        sentence="{place} may not read its account files any more",
        deeds=directories.DIRECTORY_UNREADABLE,
        remedy=Remedy.HUMAN,
        dependency=Dependency.DIRECTORY,
        tier=Tier.DIRECTORY,
    ),
    _Kind(
        name="directory-missing",
        strikes=_Strikes.MAILBOX_SERVERS,
        sentence="the account files of {place} are gone",
        deeds=directories.DIRECTORY_MISSING,
        remedy=Remedy.HUMAN,
        dependency=Dependency.DIRECTORY,
        tier=Tier.DIRECTORY,
    ),
    _Kind(
        name="map-missing",
        strikes=_Strikes.MAP,
        sentence="the map of users to servers is gone",
        deeds=directories.MAP_MISSING,
        remedy=Remedy.HUMAN,
        dependency=Dependency.DIRECTORY,
        tier=Tier.DIRECTORY,
    ),
    _Kind(
        name="map-corrupt",
        strikes=_Strikes.MAP,
        sentence="the map of users to servers is no database any more",
        deeds=directories.MAP_CORRUPT,
        remedy=Remedy.HUMAN,
        dependency=Dependency.DIRECTORY,
        tier=Tier.DIRECTORY,
    ),
    _Kind(
        name="map-locked",
        strikes=_Strikes.MAP,
        sentence="somebody holds the map's lock and does not let go",
        deeds=directories.MAP_LOCKED,
        remedy=Remedy.HUMAN,
        dependency=Dependency.DIRECTORY,
        tier=Tier.DIRECTORY,
    ),
    _Kind(
        name="map-hung",
        strikes=_Strikes.MAP,
        sentence="the map of users to servers does not answer",
        deeds=directories.MAP_HUNG,
        remedy=Remedy.HUMAN,
        dependency=Dependency.DIRECTORY,
        tier=Tier.DIRECTORY,
    ),
    _Kind(
        name="probe-password",
        strikes=_Strikes.MAILBOX_SERVERS,
        sentence="{place} expects other passwords of the health mailboxes than mailward knows",
        deeds=directories.PROBE_PASSWORD,
        remedy=Remedy.NOTHING,
        dependency=Dependency.MONITORING,
        tier=Tier.MONITORING,
    ),
    _Kind(
        name="probe-account-missing",
        strikes=_Strikes.MAILBOX_SERVERS,
        sentence="{place} does not know the health mailboxes any more",
        deeds=directories.PROBE_ACCOUNT_MISSING,
        remedy=Remedy.NOTHING,
        dependency=Dependency.MONITORING,
        tier=Tier.MONITORING,
    ),
    _Kind(
        name="over-quota",
        strikes=_Strikes.MAILBOX_SERVERS,
        sentence="the health mailboxes on {place} are over their quota",
        deeds=directories.OVER_QUOTA,
        remedy=Remedy.NOTHING,
        dependency=Dependency.MONITORING,
        tier=Tier.MONITORING,
    ),
    _Kind(
        name="connection-limit",
        strikes=_Strikes.MAILBOX_SERVERS,
        sentence="the health mailboxes have as many sessions open on {place} as one user may have",
        deeds=services.CONNECTION_LIMIT,
        remedy=Remedy.NOTHING,
        dependency=Dependency.MONITORING,
        tier=Tier.MONITORING,
    ),
    _Kind(
        name="prober-banned",
        strikes=_Strikes.EVERY_HOST,
        sentence="{place} drops every packet from the address probes come from, and from no other",
        deeds=networks.PROBER_BANNED,
        remedy=Remedy.NOTHING,
        dependency=Dependency.MONITORING,
        tier=Tier.MONITORING,
        needs_packet_filter=True,
    ),
    _Kind(
        name="process-limit",
        strikes=_Strikes.MAILBOX_SERVERS,
        sentence="{place} has as many mail processes as it may have and drops everyone else",
        deeds=services.PROCESS_LIMIT,
        remedy=Remedy.HUMAN,
    ),
    _Kind(
        name="queue-full",
        strikes=_Strikes.EVERY_HOST,
        sentence="the login processes of {place} hang, and as many clients wait for it as the kernel holds",
        deeds=services.QUEUE_FULL,
        remedy=Remedy.RESTART,
    ),
    _Kind(
        name="certificate-expired",
        strikes=_Strikes.EVERY_HOST,
        sentence="{place} serves a certificate that expired two days ago",
        deeds=served_certificates.CERTIFICATE_EXPIRED,
        remedy=Remedy.HUMAN,
        dependency=Dependency.CERTIFICATE,
    ),
    _Kind(
        name="certificate-untrusted",
        strikes=_Strikes.EVERY_HOST,
        sentence="{place} serves a certificate of an authority nobody knows",
        deeds=served_certificates.CERTIFICATE_UNTRUSTED,
        remedy=Remedy.HUMAN,
        dependency=Dependency.CERTIFICATE,
    ),
    _Kind(
        name="certificate-misnamed",
        strikes=_Strikes.EVERY_HOST,
        sentence="{place} serves another host's certificate",
        deeds=served_certificates.CERTIFICATE_MISNAMED,
        remedy=Remedy.HUMAN,
        dependency=Dependency.CERTIFICATE,
    ),
    _Kind(
        name="certificate-stale",
        strikes=_Strikes.EVERY_HOST,
        sentence="{place} still serves its expired certificate although the renewed one is on its disk",
        deeds=served_certificates.CERTIFICATE_STALE,
        remedy=Remedy.RELOAD,
        dependency=Dependency.CERTIFICATE,
    ),
    _Kind(
        name="authorities-wrong",
        strikes=_Strikes.PROXIES,
        sentence="{place} trusts the wrong authorities, and so no mailbox server's certificate",
        deeds=served_certificates.AUTHORITIES_WRONG,
        remedy=Remedy.HUMAN,
        dependency=Dependency.CERTIFICATE,
    ),
    _Kind(
        name="store-unreadable",
        strikes=_Strikes.MAILBOX_SERVERS,
        sentence="{place} cannot open its mail store",
        deeds=stores.STORE_UNREADABLE,
        remedy=Remedy.MOVE,
        dependency=Dependency.INFORMATION_STORE,
        tier=Tier.STORE,
    ),
    _Kind(
        name="store-read-only",
        strikes=_Strikes.MAILBOX_SERVERS,
        sentence="the mail store of {place} is mounted read-only",
        deeds=stores.STORE_READ_ONLY,
        remedy=Remedy.MOVE,
        dependency=Dependency.INFORMATION_STORE,
        tier=Tier.STORE,
        needs_root=True,
    ),
    _Kind(
        name="store-full",
        strikes=_Strikes.MAILBOX_SERVERS,
        sentence="the mail store of {place} has no space left",
        deeds=stores.STORE_FULL,
        remedy=Remedy.MOVE,
        dependency=Dependency.INFORMATION_STORE,
        tier=Tier.STORE,
        needs_root=True,
    ),
    _Kind(
        name="store-slow",
        strikes=_Strikes.MAILBOX_SERVERS,
        sentence="whatever changes a mailbox on {place} takes more than a minute",
        deeds=stores.STORE_SLOW,
        remedy=Remedy.MOVE,
        dependency=Dependency.INFORMATION_STORE,
        tier=Tier.STORE,
    ),
    _Kind(
        name="database-unreadable",
        strikes=_Strikes.DATABASES,
        sentence="the store of {place} alone cannot be opened where its active copy is",
        deeds=stores.database_unreadable,
        remedy=Remedy.MOVE,
        dependency=Dependency.INFORMATION_STORE,
        tier=Tier.STORE,
    ),
    _Kind(
        name="database-replaced",
        strikes=_Strikes.DATABASES,
        sentence="an empty store stands where the active copy of {place} was, and answers well",
        deeds=stores.database_replaced,
        remedy=Remedy.MOVE,
        dependency=Dependency.INFORMATION_STORE,
        tier=Tier.STORE,
    ),
    _Kind(
        name="network-cut",
        strikes=_Strikes.EVERY_HOST,
        sentence="no packet reaches {place} any more",
        deeds=networks.NETWORK_CUT,
        remedy=Remedy.HUMAN,
        dependency=Dependency.NETWORKING,
        tier=Tier.NETWORK,
        needs_packet_filter=True,
    ),
    _Kind(
        name="path-cut",
        strikes=_Strikes.MAILBOX_SERVERS,
        sentence="no proxy reaches {place}, everybody else does",
        deeds=networks.PATH_CUT_AT_MAILBOX_SERVER,
        remedy=Remedy.HUMAN,
        dependency=Dependency.NETWORKING,
        tier=Tier.PATH,
        two_tier_only=True,
        needs_packet_filter=True,
    ),
    _Kind(
        name="path-cut",
        strikes=_Strikes.PROXIES,
        sentence="{place} reaches no mailbox server, the other proxy does",
        deeds=networks.PATH_CUT_AT_PROXY,
        remedy=Remedy.HUMAN,
        dependency=Dependency.NETWORKING,
        tier=Tier.PATH,
        needs_packet_filter=True,
    ),
    _Kind(
        name="garbage",
        strikes=_Strikes.EVERY_HOST,
        sentence="an SMTP server answers on the IMAP ports of {place}",
        deeds=services.GARBAGE,
        remedy=Remedy.HUMAN,
    ),
)


def catalogue(shape: Shape) -> Mapping[str, Fault]:
    """Every fault a lab of this shape can have, by name."""
    sample = draw(shape, Path("/"), network="127.0.0", ports=Ports(), rootless=False, user="dovecot", group="dovecot")
    return {fault.name: fault for kind in _KINDS for fault in _spread(kind, sample)}


def _spread(kind: _Kind, sample: Blueprint) -> Iterator[Fault]:
    if kind.two_tier_only and not sample.proxies:
        return
    if kind.strikes is _Strikes.MAP:
        for proxy in sample.proxies[:1]:
            yield _fault(kind, sample, place=None, host=proxy, deeds=_deeds(kind, None))
    elif kind.strikes is _Strikes.DATABASES:
        for database in sample.databases:
            host = sample.host(database.copies[0])
            yield _fault(kind, sample, place=database.name, host=host, deeds=_deeds(kind, database))
    else:
        struck = {
            _Strikes.EVERY_HOST: sample.hosts,
            _Strikes.MAILBOX_SERVERS: sample.mailbox_servers,
            _Strikes.PROXIES: sample.proxies,
        }[kind.strikes]
        for host in struck:
            yield _fault(kind, sample, place=host.name, host=host, deeds=_deeds(kind, None))


def _deeds(kind: _Kind, database: LabDatabase | None) -> Deeds:
    if isinstance(kind.deeds, tuple):
        return kind.deeds
    assert database is not None
    return kind.deeds(database)


def _fault(kind: _Kind, sample: Blueprint, *, place: str | None, host: LabHost, deeds: Deeds) -> Fault:
    inject, heal = deeds
    own_tier = Tier.PROXY if host.is_proxy else Tier.MAILBOX_SERVER
    copies_elsewhere = len(sample.mailbox_servers) > 1
    nobody = kind.strikes is _Strikes.MAP or kind.tier is Tier.MONITORING

    def inject_into(blueprint: Blueprint) -> Memory:
        return inject(blueprint, blueprint.host(host.name))

    def heal_in(blueprint: Blueprint, memory: Memory) -> None:
        heal(blueprint, blueprint.host(host.name), memory)

    return Fault(
        name=f"{kind.name}@{place}" if place else kind.name,
        kind=kind.name,
        place=place,
        sentence=kind.sentence.format(place=place),
        truth=Truth(
            tier=kind.tier or own_tier,
            server=None if nobody else host.name,
            dependency=kind.dependency,
            remedy=Remedy.HUMAN if kind.remedy is Remedy.MOVE and not copies_elsewhere else kind.remedy,
        ),
        shape=sample.shape,
        inject=inject_into,
        heal=heal_in,
        needs_root=kind.needs_root,
        needs_packet_filter=kind.needs_packet_filter,
        is_latent=kind.is_latent,
    )


#: The catalogue of the two-tier lab.
FAULTS: Mapping[str, Fault] = catalogue(Shape.TWO_TIER)
