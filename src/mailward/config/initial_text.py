"""The words of a first configuration: mailward.toml with its comments, and what is left to do."""

import json
import os
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mailward.config.locate import is_found_unnamed
from mailward.platforms.dovecot.detection import Detected
from mailward.platforms.dovecot.listening import Listener
from mailward.platforms.dovecot.snippet import PREFIX

#: An own address for probes on loopback: what others do wrong from 127.0.0.1 delays no probe, and the other way round.
_SOURCE = "127.0.0.143"
_DATABASE = "DB1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """What the first configuration is about."""

    found: Detected
    host_name: str
    state_directory: Path | None
    ca_file: Path | None

    @property
    def server(self) -> str:
        """The server's name: the host's, short."""
        return re.sub(r"[^a-z0-9-]", "", self.host_name.partition(".")[0]).strip("-") or "mail"

    @property
    def database(self) -> str:
        """The mailbox database's name, which must not be the server's."""
        return _DATABASE if self.server != _DATABASE.lower() else "mail"

    @property
    def public_name(self) -> str:
        """The name users connect to, as far as the certificate tells."""
        names = self.found.certificate.names if self.found.certificate else ()
        plain = [name for name in names if not name.startswith("*") and re.search("[a-z]", name) and ":" not in name]
        return plain[0] if plain else self.host_name

    @property
    def access_point(self) -> str:
        """What the public name is called, which must not be the server's own name."""
        return self.public_name if self.public_name != self.server else f"imap-{self.server}"

    @property
    def listener(self) -> Listener | None:
        """Where to probe."""
        return self.found.listeners[0] if self.found.listeners else None

    @property
    def trusts(self) -> Path | None:
        """The authorities to trust beside the system's: given, or a certificate that signs for itself."""
        certificate = self.found.certificate
        if self.ca_file is not None or certificate is None or certificate.is_trusted:
            return self.ca_file
        return certificate.file if certificate.is_self_signed else None

    @property
    def is_stranger(self) -> bool:
        """Whether the certificate's authority is not known here."""
        certificate = self.found.certificate
        return bool(certificate and certificate.problem is None and not certificate.is_trusted and self.trusts is None)


def toml(watched: Watched) -> str:
    """The text of mailward.toml."""
    shape = _proxy if watched.found.is_proxy else _mailbox_server
    return "\n\n".join(("\n".join(_head(watched)), *("\n".join(part) for part in shape(watched)))) + "\n"


def next_steps(watched: Watched, directory: Path, include: Path) -> Iterator[str]:
    """What is left to do, in order; commands that would not look for the configuration there are told where it is."""
    found = watched.found
    where = "" if is_found_unnamed(directory, os.environ) else f" --config {shlex.quote(str(directory))}"
    if found.health_directory is None:
        yield f"add this line at the end of {found.config}: !include {include}"
        yield f"have Dovecot read it: doveadm -c {found.config} reload"
    if watched.is_stranger:
        yield f"name the authority of {found.certificate.file if found.certificate else ''}: tls.ca_file in {directory}"
    if found.mail_owner is None:
        create = f"mailward accounts create{where} --mail-owner UID:GID"
        yield f"make a user that owns the probes' mail, and name it: {create}"
    else:
        yield f"make the probes' accounts: mailward accounts create{where}"
    yield f"if mailward runs as a user of its own, give it {directory} (chgrp) and {directory / 'secrets'} (chown)"
    yield f"look at the whole: mailward config check{where}"
    yield f"begin: mailward run{where}"


def _head(watched: Watched) -> Iterator[str]:
    found = watched.found
    kind = "a proxy" if found.is_proxy else "a mailbox server" if found.trusted_networks else "one box"
    version = ".".join(map(str, found.version))
    domain = watched.public_name.partition(".")[2] or watched.server
    yield f"# mailward watches the Dovecot {version} of {found.config}: {kind}."
    yield "# Made by `mailward config init`. Every key: `mailward config schema`; is all well: `mailward config check`."
    yield ""
    yield "[organization]"
    yield f"name = {_quoted(domain)}"
    yield ""
    yield "[manager]"
    if watched.state_directory is None:
        yield "# where mailward keeps what it saw; the default is systemd's StateDirectory=, or"
        yield '# state_directory = "/var/lib/mailward"'
    else:
        yield "# where mailward keeps what it saw"
        yield f"state_directory = {_quoted(watched.state_directory)}"
    yield ""
    yield "# the dashboard; whoever is on this machine may look, and change things once `mailward users add` made users"
    yield "[web]"
    yield 'listen = "127.0.0.1:8143"'
    yield ""
    yield from _ACTING.splitlines()
    yield ""
    yield "# Accounts that only probes use: one of each mailbox server, one in each mailbox database."
    yield "# {name} is the name of the server or database in lower case. `mailward accounts create` makes them."
    yield "[health_mailboxes]"
    user = f"{PREFIX}{{name}}@{found.realm}" if found.realm else f"{PREFIX}{{name}}"
    yield f"user = {_quoted(user)}"
    yield f'password_file = "secrets/{PREFIX}{{name}}.password"'


def _mailbox_server(watched: Watched) -> Iterator[Iterable[str]]:
    yield _server(watched, role="mailbox")
    if not watched.found.trusted_networks:
        yield _access_point(watched)
    else:
        yield _BEHIND_PROXIES.splitlines()
    yield (
        "# All mailboxes that would fail over together; its health mailbox stands for them.",
        f"[databases.{watched.database}]",
        f"copies = [{_quoted(watched.server)}]",
        "# mailboxes = 100  # to say how many users a fault meets",
    )


def _proxy(watched: Watched) -> Iterator[Iterable[str]]:
    own = f"{PREFIX}{{name}}@{watched.found.realm}" if watched.found.realm else f"{PREFIX}{{name}}"
    mailbox = (
        "# the proxy's own account, which needs no mailbox server",
        f"[servers.{watched.server}.health_mailbox]",
        f"user = {_quoted(own)}",
        f'password_file = "secrets/{PREFIX}{{name}}.password"',
    )
    yield _server(watched, role="proxy")
    yield mailbox
    yield _BEHIND_THIS_PROXY.splitlines()


def _server(watched: Watched, *, role: str) -> Iterator[str]:
    found = watched.found
    yield f"[servers.{watched.server}]"
    yield f"roles = [{_quoted(role)}]"
    yield 'platform = "dovecot"'
    if watched.host_name != watched.server:
        yield f"known_as = [{_quoted(watched.host_name)}]"
    yield ""
    yield "# how probes reach it"
    yield f"[servers.{watched.server}.imap]"
    yield from _endpoint(watched, host=watched.listener.host if watched.listener else "127.0.0.1")
    yield ""
    yield "# what mailward sees of its host; take out what it may not read"
    yield f"[servers.{watched.server}.host]"
    yield f"service = {_quoted(f'pidfile:{found.base_dir}/master.pid')}"
    yield f"log_files = {_list(found.log_files)}"
    yield f"store_paths = {_list(found.stores)}"
    if found.certificate is not None:
        yield f"certificate_file = {_quoted(found.certificate.file)}"


def _access_point(watched: Watched) -> Iterator[str]:
    name, listener = watched.access_point, watched.listener
    yield "# the name and port users have in their mail programs"
    yield f"[access_points.{_quoted(name)}]"
    yield f"servers = [{_quoted(watched.server)}]"
    yield f"[access_points.{_quoted(name)}.imap]"
    is_public = listener is not None and listener.is_everywhere and name in watched.found.known_names
    yield from _endpoint(watched, host=name if is_public or listener is None else listener.host)


def _endpoint(watched: Watched, *, host: str) -> Iterator[str]:
    listener, certificate = watched.listener, watched.found.certificate
    yield f"host = {_quoted(host)}"
    if listener is not None:
        yield f"port = {listener.port}"
        security = "tls" if listener.is_tls else "starttls" if listener.has_starttls else "plain"
        yield f"security = {_quoted(security)}"
        if security == "plain":
            yield "# this Dovecot offers no encryption; the password of the health mailbox is sent readable"
            yield "allow_plaintext_auth = true"
        if listener.is_behind_haproxy:
            yield "proxy_protocol = true"
    if host.startswith("127."):
        yield "# an own address, so that a penalty or a ban that meets probes meets nobody else"
        yield f"source_address = {_quoted(_SOURCE)}"
    if certificate is not None and certificate.problem is not None:
        yield f"# {certificate.problem}"
    if certificate is not None and host not in certificate.names:
        yield f"tls.expected_name = {_quoted(watched.public_name)}"
    if watched.trusts is not None:
        yield f"tls.ca_file = {_quoted(watched.trusts)}"
    elif watched.is_stranger:
        yield "# this machine does not know who issued its certificate; name the authority's file"
        yield '# tls.ca_file = "/etc/ssl/your-authority.pem"'


def _quoted(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: Iterable[object]) -> str:
    return "[" + ", ".join(_quoted(value) for value in values) + "]"


_ACTING = """\
# How far mailward goes by itself: "observe", "recommend" (says what it would do, touches nothing), "approve" (asks
# first) or "act".
[recovery]
mode = "recommend"

# Who is told. At least one channel should not be the mail that is being watched.
# [notify.oncall]
# kind = "smtp"
# host = "relay.example.net"
# sender = "mailward@example.org"
# recipients = ["oncall@example.net"]
# [escalation]
# support = "who is called when nothing else helps"
"""

_BEHIND_PROXIES = """\
# It trusts proxies. To watch the whole path of a user, add them and the name users connect to:
# [servers.proxy1]
# roles = ["proxy"]
# [access_points."imap.example.org"]
# servers = ["proxy1"]"""

_BEHIND_THIS_PROXY = """\
# To watch the whole path of a user, add the mailbox servers behind it, the databases on them, and the public name:
# [servers.be1]
# roles = ["mailbox"]
# [databases.DB1]
# copies = ["be1"]
# [access_points."imap.example.org"]
# servers = ["NAME OF THIS PROXY"]"""
