"""
What works in a configuration but deserves a look: parts nobody would watch, patience that ends too soon, load.

Looks at the values alone; what this machine has to do with it is looked at in `surroundings`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mailward.model.durations import write_duration
from mailward.model.organization import HealthMailbox, ImapEndpoint, Organization, Security
from mailward.monitors.cost import Cost
from mailward.ports.settings import Snapshot

#: Dovecot's default mail_max_userip_connections: sessions of one account from one address.
USER_SESSIONS_MAX = 10
#: Kept free for a probe run by hand and the session that a broken connection left behind.
_SESSIONS_SPARE = 2
#: A proxy that tries its back end once more answers a second later (field notes, section A).
_MARGIN_MIN_S = 1.0
BOX_CONVERSATIONS_MAX = 6000
"""What one box is to see in a day at most: more, and its log files are ours."""
_SHOWN_MAX = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Concern:
    """Something that works but deserves a look."""

    about: str
    """The key or thing it is about: "servers.be1", "health mailbox health-db1"."""
    text: str
    lines: tuple[str, ...] = ()
    """Lines to copy: commands, or settings for another program."""


def concerns(snapshot: Snapshot, costs: Cost) -> Iterator[Concern]:
    """Every concern that follows from the values of a configuration and the cost of its probes."""
    organization = snapshot.organization
    yield from _unseen(organization)
    yield from _access_points(organization)
    yield from _masters(organization)
    yield from _timeouts(snapshot)
    yield from _deliveries(organization)
    yield from _encryption(organization)
    yield from _load(organization, costs)
    yield from _sessions(organization, costs)


def gathered(found: Iterable[Concern]) -> tuple[Concern, ...]:
    """One concern where the same is to be said of many: a template's setting concerns five hundred servers."""
    about: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for concern in found:
        about.setdefault((concern.text, concern.lines), []).append(concern.about)
    return tuple(Concern(about=_listed(names), text=text, lines=lines) for (text, lines), names in about.items())


def concerns_in_words(found: Iterable[Concern]) -> tuple[str, ...]:
    """Concerns as lines of text, what is to be copied indented below."""
    return tuple(
        line
        for concern in found
        for line in (f"{concern.about}: {concern.text}", *(f"    {row}" for row in concern.lines))
    )


def endpoints(organization: Organization) -> Iterator[tuple[str, ImapEndpoint]]:
    """Every IMAP service that is connected to, with the key it stands under."""
    for name, server in organization.servers.items():
        yield f"servers.{name}", server.imap
    for name, access_point in organization.access_points.items():
        yield f"access_points.{name}", access_point.imap


def mailboxes(organization: Organization) -> tuple[HealthMailbox, ...]:
    """Every health mailbox once; several servers may each have their own of one name, with passwords of their own."""
    found = [server.health_mailbox for server in organization.servers.values()]
    found += [database.health_mailbox for database in organization.databases.values()]
    return tuple(dict.fromkeys(mailbox for mailbox in found if mailbox is not None))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN_MAX} more" if len(names) > _SHOWN_MAX else ""
    return ", ".join(names[:_SHOWN_MAX]) + more


def _unseen(organization: Organization) -> Iterator[Concern]:
    for server in organization.mailbox_servers:
        if server.health_mailbox is None:
            text = "has no local health mailbox: its self test ends before the login and sees no authentication"
            yield Concern(about=f"servers.{server.name}", text=text)
    for database in organization.databases.values():
        if database.health_mailbox is None:
            text = "has no health mailbox: its store is not looked at, and no user's way to it; see [health_mailboxes]"
            yield Concern(about=f"databases.{database.name}", text=text)
    if not organization.databases:
        text = "there is none, so no store is looked at and no touch point is probed; add a table such as"
        yield Concern(about="databases", text=f"{text} [databases.DB1]")


def _access_points(organization: Organization) -> Iterator[Concern]:
    if not organization.access_points:
        instead = "only each proxy by itself" if organization.proxies else "and no way of a user's but the server's own"
        yield Concern(
            about="access_points", text=f"there is none: the public name users connect to is not probed, {instead}"
        )
    for name, access_point in organization.access_points.items():
        if not access_point.servers:
            text = "names no servers behind it, so a fault there cannot be told from one of theirs"
            yield Concern(about=f"access_points.{name}", text=text)


def _masters(organization: Organization) -> Iterator[Concern]:
    for mailbox in mailboxes(organization):
        if mailbox.login_as is not None:
            text = f"logs in as master user {mailbox.login_as}, who can open every mailbox; an account of its own"
            yield Concern(about=f"health mailbox {mailbox.user}", text=f"{text} cannot")


def _timeouts(snapshot: Snapshot) -> Iterator[Concern]:
    organization = snapshot.organization
    if snapshot.probing.ctp_margin.total_seconds() < _MARGIN_MIN_S:
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


def _deliveries(organization: Organization) -> Iterator[Concern]:
    for server in organization.servers.values():
        if server.lmtp is not None and not server.is_proxy:
            text = "is used of proxies only: a move tries delivery where the map sends it to the active copy"
            yield Concern(about=f"servers.{server.name}.lmtp", text=text)


def _encryption(organization: Organization) -> Iterator[Concern]:
    for about, endpoint in endpoints(organization):
        if endpoint.security is Security.PLAIN:
            text = "is not encrypted" + (
                ": the password of the health mailbox can be read on the way"
                if endpoint.allow_plaintext_auth
                else "; without allow_plaintext_auth most servers offer no way to log in then"
            )
            yield Concern(about=f"{about}.imap.security", text=text)
            continue
        if not endpoint.tls.verify:
            text = "is off: anybody on the way can pretend to be this server and get the health mailbox's password"
            yield Concern(about=f"{about}.imap.tls.verify", text=text)
        if endpoint.tls.minimum_version in ("TLSv1", "TLSv1.1"):
            text = f"accepts {endpoint.tls.minimum_version}, which RFC 8996 has withdrawn"
            yield Concern(about=f"{about}.imap.tls.minimum_version", text=text)


def _load(organization: Organization, costs: Cost) -> Iterator[Concern]:
    if organization.proxies:
        return
    for server in costs.servers:
        if server.conversations > BOX_CONVERSATIONS_MAX:
            yield Concern(
                about=f"servers.{server.server}",
                text=f"will see {server.conversations:,} conversations a day; one box should see no more than"
                f" {BOX_CONVERSATIONS_MAX:,}: lengthen the intervals under [probes]",
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
