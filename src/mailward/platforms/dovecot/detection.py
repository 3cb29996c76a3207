"""
What mailward needs to know of the Dovecots on this machine, found out from themselves.

Everything is read, nothing is asked of the service: a Dovecot that hangs can be detected as well.
"""

import asyncio
import os
import socket
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mailward.model.errors import ConfigError, TemporaryFailure
from mailward.platforms.commands import LocalRunner, Runner
from mailward.platforms.dovecot import storing
from mailward.platforms.dovecot.certificates import Certificate, look_at_certificate
from mailward.platforms.dovecot.doveconf import Doveconf
from mailward.platforms.dovecot.instances import USUAL_FILE, read_configuration, running
from mailward.platforms.dovecot.listening import Listener, listeners
from mailward.platforms.dovecot.lookups import backends, health_directory, passes_on, reader_gid

_SYSLOG_FILES = (Path("/var/log/mail.log"), Path("/var/log/maillog"))
_PATIENCE_S = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Detected:
    """One Dovecot as its own configuration shows it."""

    config: Path
    """Its dovecot.conf."""
    version: tuple[int, int, int]
    base_dir: Path
    listeners: tuple[Listener, ...]
    """Where it serves IMAP, the best to probe first: TLS from the start, then the rest."""
    certificate: Certificate | None = None
    is_proxy: bool = False
    trusted_networks: tuple[str, ...] = ()
    """`login_trusted_networks`: who may say on whose behalf it connects; on a mailbox server, the proxies."""
    stores: tuple[Path, ...] = ()
    """Directories above all users' mail."""
    mail_owner: str | None = None
    """"uid:gid" of all mail where Dovecot has such a setting; None: each user's mail has its own owner."""
    quota: str | None = None
    """2.4: the name of its quota, by which a mailbox's own limit is set."""
    log_files: tuple[Path, ...] = ()
    passdbs: tuple[str, ...] = ()
    """How passwords are looked up, in order: "passwd-file", "sql", "pam" …"""
    realm: str = ""
    """`auth_default_realm`: the domain of a user who gives none."""
    has_penalty: bool = True
    """Whether failed logins slow down later ones from the same address (field notes A, gotcha 3)."""
    connections_max: int = 10
    """`mail_max_userip_connections`."""
    id_send: tuple[str, ...] = ()
    """`imap_id_send`: what it answers to ID; a field `x-backend` would name the server that served a session."""
    reader_gid: int | None = None
    """The group of the process that reads passwd-files; None when that is our own user."""
    health_directory: Path | None = None
    """Where it looks for probes' accounts; None until mailward's snippet is included."""
    known_names: tuple[str, ...] = ()
    """Those names of its certificate that lead to an address from here."""
    addresses: tuple[str, ...] = ()
    """Numeric addresses its name and its listeners have, from one of which a probe on this host connects."""

    @property
    def is_new_style(self) -> bool:
        """Whether its configuration is written as from 2.4 on."""
        return self.version >= (2, 4)

    @property
    def may_replicate(self) -> bool:
        """Whether its mailboxes may be replicated: a mailbox server behind proxies; 2.4 has no replicator."""
        return bool(self.trusted_networks) and not self.is_new_style


async def detected(config: Path | None = None, *, runner: Runner | None = None) -> tuple[Detected, ...]:
    """
    Look at one Dovecot, or at all that run here; without any that runs, at the usual configuration file.

    Args:
        config: The dovecot.conf of the one to look at.
        runner: Runs doveconf and doveadm; on this machine by default.

    Raises:
        ConfigError: There is none.
        TemporaryFailure: A configuration cannot be read; the text says why and what to do.
    """
    runner = LocalRunner() if runner is None else runner
    files = await running(runner) if config is None else (_absolute(config),)
    files = files or _usual()
    if not files:
        raise ConfigError(
            f"no Dovecot runs here, and there is no {USUAL_FILE}; name its configuration: --dovecot-config FILE"
        )
    found: list[Detected] = []
    problems: list[TemporaryFailure] = []
    for file in files:
        try:
            found.append(await _with_addresses(from_doveconf(await read_configuration(runner, file), file)))
        except TemporaryFailure as problem:
            problems.append(problem)
    if not found:
        raise problems[0]
    return tuple(found)


def _absolute(file: Path) -> Path:
    return file.absolute()


def _usual() -> tuple[Path, ...]:
    return (USUAL_FILE,) if USUAL_FILE.exists() else ()


def from_doveconf(conf: Doveconf, file: Path) -> Detected:
    """What a configuration shows; certificate and user names are looked up on this machine."""
    root = conf.root
    certificate = _certificate(conf)
    penalty = root.block("service", "anvil").block("unix_listener", "anvil-auth-penalty").settings
    connections = root.get("mail_max_userip_connections")
    return Detected(
        config=file,
        version=conf.version,
        base_dir=Path(root.get("base_dir") or "/run/dovecot"),
        listeners=listeners(root),
        certificate=look_at_certificate(certificate) if certificate else None,
        is_proxy=passes_on(root),
        trusted_networks=root.words("login_trusted_networks"),
        stores=storing.stores(root),
        mail_owner=storing.mail_owner(root),
        quota=next((block.name for block in root.of_kind("quota") if " " not in block.name), None),
        log_files=_log_files(root.get("info_log_path") or root.get("log_path")),
        passdbs=backends(root),
        realm=root.get("auth_default_realm"),
        has_penalty=penalty.get("mode", "0600").strip("0") != "",
        connections_max=int(connections) if connections.isdigit() else 10,
        id_send=root.words("imap_id_send"),
        reader_gid=reader_gid(root) if os.geteuid() == 0 else None,
        health_directory=health_directory(root),
    )


def _certificate(conf: Doveconf) -> Path | None:
    root = conf.root
    if root.get("ssl") == "no":
        return None
    name = (
        (root.get("ssl_server_cert_file") or root.block("ssl_server").get("cert_file"))
        if conf.is_new_style
        else root.get("ssl_cert").removeprefix("<").strip()
    )
    return Path(name) if name.startswith("/") else None


def _log_files(written: str) -> tuple[Path, ...]:
    if written in ("", "syslog"):
        return tuple(file for file in _SYSLOG_FILES if file.exists())
    return () if written.startswith("/dev/") or not written.startswith("/") else (Path(written),)


async def _with_addresses(found: Detected) -> Detected:
    names = [name for name in (found.certificate.names if found.certificate else ()) if not name.startswith("*")]
    listening = [listener.address for listener in found.listeners if not listener.is_everywhere]
    addresses = {name: await _resolved(name) for name in dict.fromkeys((*listening, *names))}
    return replace(
        found,
        known_names=tuple(name for name in names if addresses[name]),
        addresses=tuple(dict.fromkeys(address for some in addresses.values() for address in some)),
    )


async def _resolved(name: str) -> list[str]:
    with suppress(OSError, TimeoutError, UnicodeError):
        async with asyncio.timeout(_PATIENCE_S):
            answers = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
        return [str(answer[4][0]) for answer in answers]
    return []
