"""
What of the lab's catalogue of faults can be simulated: the same names, sentences and truths.

A deed changes what a host shows; healing undoes it, whatever was done to the service in the meantime.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from mailward.lab.blueprint import Shape
from mailward.lab.certificates import Certificate
from mailward.lab.faults import Fault, Truth, catalogue
from mailward.lab.simulated.drawing import password_of
from mailward.lab.simulated.entrance import GREETING, REJECTED
from mailward.lab.simulated.host import SimulatedHost
from mailward.lab.simulated.site import Hosts
from mailward.model.evidence import LogLine, ServiceState
from mailward.model.organization import Role
from mailward.testing.mailboxes import StoredMailbox
from mailward.testing.script import Script

Deed = Callable[[SimulatedHost, Hosts], None]
Deeds = tuple[Deed, Deed]
"""Inject and heal."""

_UNREADABLE = "NO [SERVERBUG] Internal error occurred. Refer to server log for more information."
_CANNOT_ASK = "NO [UNAVAILABLE] Temporary authentication failure."
_AUTH_LOG = "master: Error: service(auth): command startup failed, throttling for 2.000 secs"
_SMTP = Script().says("220 mail.example ESMTP").hears("").says("500 5.5.2 Error: command not recognized").stalls()


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedFault:
    """One way to break a simulation."""

    name: str
    kind: str
    place: str | None
    """The host or database it strikes; None for what the proxies share."""
    sentence: str
    truth: Truth


def templates(shape: Shape) -> Mapping[tuple[str, str], Fault]:
    """Of every kind that can be simulated one fault of the catalogue for each role: proxy, mailbox, database, map."""
    found: dict[tuple[str, str], Fault] = {}
    for fault in catalogue(shape).values():
        if fault.kind in {*OF_HOSTS, *OF_DATABASES, *OF_THE_MAP}:
            found.setdefault((fault.kind, role_of(fault.place)), fault)
    return found


def role_of(place: str | None) -> str:
    """What a fault strikes, by the names of the lab."""
    if place is None:
        return "map"
    if place.startswith("DB"):
        return "database"
    return Role.PROXY.value if place.startswith("proxy") else Role.MAILBOX.value


def at(template: Fault, place: str | None, server: str | None) -> SimulatedFault:
    """The fault at another place; *server* is the host that is struck."""
    old, truth = template.place, template.truth
    return SimulatedFault(
        name=f"{template.kind}@{place}" if place else template.kind,
        kind=template.kind,
        place=place,
        sentence=template.sentence.replace(old, place) if old and place else template.sentence,
        truth=replace(truth, server=server if truth.server else None),
    )


def _become(state: ServiceState, because: str) -> Deed:
    return lambda host, _: host.service.become(state, because)


def _serve(kind: Certificate, *, loaded: bool = True) -> Deed:
    return lambda host, _: host.put_certificate(kind, loaded=loaded)


def _refuse_logins(refusal: str) -> Deed:
    def deed(host: SimulatedHost, _: Hosts) -> None:
        host.entrance.refusal = refusal

    return deed


def _hang_logins(hangs: bool) -> Deed:
    def deed(host: SimulatedHost, _: Hosts) -> None:
        host.entrance.login_hangs = hangs

    return deed


def _greet_nobody(nobody: bool) -> Deed:
    def deed(host: SimulatedHost, _: Hosts) -> None:
        host.greets_nobody = nobody

    return deed


def _break_authentication(host: SimulatedHost, _: Hosts) -> None:
    host.entrance.greeting = "* BYE Auth process broken"
    host.machine.lines.append(LogLine(server=host.name, text=_AUTH_LOG))


def _mend_authentication(host: SimulatedHost, _: Hosts) -> None:
    host.entrance.greeting = GREETING
    host.machine.lines = [line for line in host.machine.lines if line.text != _AUTH_LOG]


def _cut(cut: bool) -> Deed:
    def deed(host: SimulatedHost, _: Hosts) -> None:
        host.is_cut = cut

    return deed


def _cut_path(cut: bool) -> Deed:
    def deed(host: SimulatedHost, _: Hosts) -> None:
        host.is_path_cut = cut

    return deed


def _put_impostor(host: SimulatedHost, _: Hosts) -> None:
    host.impostor = _SMTP


def _send_impostor_away(host: SimulatedHost, _: Hosts) -> None:
    host.impostor = None


def _change_passwords(host: SimulatedHost, hosts: Hosts) -> None:
    for copy in hosts.copies_on(host.name):
        copy.users = dict.fromkeys(copy.users, "another one")


def _restore_passwords(host: SimulatedHost, hosts: Hosts) -> None:
    for copy in hosts.copies_on(host.name):
        copy.users = {user: password_of(user) for user in copy.users}


def _refuse(*commands: str, answer: str) -> Deeds:
    """Every store of a host answers these commands so."""

    def inject(host: SimulatedHost, hosts: Hosts) -> None:
        for copy in hosts.copies_on(host.name):
            copy.refuses.update(dict.fromkeys(commands, answer))

    def heal(host: SimulatedHost, hosts: Hosts) -> None:
        for copy in hosts.copies_on(host.name):
            for command in commands:
                copy.refuses.pop(command, None)

    return inject, heal


_START = _become(ServiceState.RUNNING, "it was started again")

OF_HOSTS: Mapping[str, Deeds] = {
    "service-failed": (_become(ServiceState.FAILED, "killed by signal 9"), _START),
    "service-stopped": (_become(ServiceState.STOPPED, "somebody stopped it"), _START),
    "service-hung": (_become(ServiceState.HUNG, "its processes are stopped by a signal"), _START),
    "login-hung": (_greet_nobody(True), _greet_nobody(False)),
    "auth-hung": (_hang_logins(True), _hang_logins(False)),
    "auth-broken": (_break_authentication, _mend_authentication),
    "directory-unreadable": (_refuse_logins(_CANNOT_ASK), _refuse_logins("")),
    "probe-password": (_change_passwords, _restore_passwords),
    "probe-account-missing": (_refuse_logins(REJECTED), _refuse_logins("")),
    "over-quota": _refuse("APPEND", answer="NO [OVERQUOTA] Quota exceeded (mailbox for user is full)"),
    "connection-limit": (
        _refuse_logins("NO [LIMIT] Maximum number of connections from user+IP exceeded"),
        _refuse_logins(""),
    ),
    "certificate-expired": (_serve(Certificate.EXPIRED), _serve(Certificate.GOOD)),
    "certificate-untrusted": (_serve(Certificate.UNTRUSTED), _serve(Certificate.GOOD)),
    "certificate-misnamed": (_serve(Certificate.MISNAMED), _serve(Certificate.GOOD)),
    "store-unreadable": _refuse("SELECT", "EXAMINE", answer=_UNREADABLE),
    "network-cut": (_cut(True), _cut(False)),
    "path-cut": (_cut_path(True), _cut_path(False)),
    "garbage": (_put_impostor, _send_impostor_away),
}
OF_DATABASES: Mapping[str, str] = {
    "database-unreadable": "SELECT",
    "database-replaced": "",
}
"""By kind, the command that its active copy refuses; "" is a store without the right messages."""
OF_THE_MAP: Mapping[str, Deeds] = {
    "map-missing": (_refuse_logins(_CANNOT_ASK), _refuse_logins("")),
    "map-hung": (_hang_logins(True), _hang_logins(False)),
}
"""Done to every proxy."""
NOT_OVER_SOCKETS = frozenset({"network-cut"})
"""On loopback no packet gets lost."""


def do(fault: SimulatedFault, hosts: Hosts, *, heal: bool) -> None:
    """Inject or heal a fault."""
    if fault.kind in OF_THE_MAP:
        for host in hosts.by_name.values():
            if host.role is Role.PROXY:
                OF_THE_MAP[fault.kind][heal](host, hosts)
    elif fault.kind in OF_DATABASES:
        _do_to_database(fault, hosts, heal=heal)
    else:
        assert fault.place is not None
        OF_HOSTS[fault.kind][heal](hosts.by_name[fault.place], hosts)


def _do_to_database(fault: SimulatedFault, hosts: Hosts, *, heal: bool) -> None:
    database = hosts.organization.databases[fault.place or ""]
    copy = hosts.copies[database.active, database.name]
    command = OF_DATABASES[fault.kind]
    if command and heal:
        del copy.refuses[command]
    elif command:
        copy.refuses[command] = _UNREADABLE
    else:
        (place,) = copy.mailboxes
        right = hosts.replicated[database.name]
        copy.mailboxes[place] = right if heal else StoredMailbox(uid_validity=right.uid_validity + 1)
