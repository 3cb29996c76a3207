"""What doveconf says an IMAP service is set to, and why it says nothing where it cannot be asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mailward.config.imap_setting import NOT_AVAILABLE, NOT_ON_THIS_PLATFORM, ImapSetting, row, yes_or_no
from mailward.model.errors import TemporaryFailure
from mailward.model.organization import Server
from mailward.platforms.commands import Runner
from mailward.platforms.dovecot.certificates import look_at_certificate
from mailward.platforms.dovecot.doveconf import Block
from mailward.platforms.dovecot.listening import Listener, listeners
from mailward.platforms.dovecot.service_settings import service_settings
from mailward.platforms.reach.ssh import LOCAL

_DOVECOT = "dovecot"
_DOVEADM = "doveadm:"
_LIMITS = ("process_limit", "client_limit", "service_count", "restart_request_count")
_DEFAULT_LIMITS = {"process_limit": "default_process_limit", "client_limit": "default_client_limit"}


@dataclass(frozen=True, kw_only=True, slots=True)
class FromDovecot:
    """What doveconf said; without *root*, why it said nothing."""

    root: Block | None = None
    unknown: str = NOT_AVAILABLE
    because: str = ""


async def ask_dovecot(server: Server, runner: Runner) -> FromDovecot:
    """Ask the Dovecot of a server, where it is on this machine and its file is known."""
    host = server.host
    if server.platform != _DOVECOT:
        return FromDovecot(
            unknown=NOT_ON_THIS_PLATFORM, because=f"nothing reads it from the platform {server.platform}"
        )
    if host.reach != LOCAL:
        return FromDovecot(unknown=NOT_ON_THIS_PLATFORM, because="over ssh nothing reads it")
    service = host.service or ""
    file = host.doveadm or (service.removeprefix(_DOVEADM) if service.startswith(_DOVEADM) else None)
    if file is None:
        return FromDovecot(because=f"servers.{server.name}.host.doveadm does not name its dovecot.conf")
    try:
        return FromDovecot(root=await service_settings(runner, Path(file)))
    except TemporaryFailure as failure:
        return FromDovecot(because=str(failure))


def by_doveconf(server: Server, asked: FromDovecot) -> Iterator[ImapSetting]:
    """Every row that doveconf could fill."""
    root = asked.root if asked.root is not None else Block()
    found = listeners(root)

    def said(setting: str, value: str | None, name: str, exchange: str = "") -> ImapSetting:
        because = asked.because or f"doveconf does not say {name}"
        origin = f"doveconf: {name}" if value is not None else because
        return row(setting, value, origin, exchange=exchange, unknown=asked.unknown)

    bound = "service imap-login"
    yield said("TlsBindings", _bindings(found, is_tls=True), bound, "SSLBindings")
    yield said("OtherBindings", _bindings(found, is_tls=False), bound, "UnencryptedOrTLSBindings")
    yield said("Tls", _known(root, "ssl"), "ssl")
    certificate, name = _certificate(root)
    yield said("CertificateFile", certificate, name, "X509CertificateName")
    yield _certificate_names(certificate, asked)
    yield said("TlsMinimum", _known(root, "ssl_min_protocol"), "ssl_min_protocol")
    allowed, name = _plain_text(root)
    yield said("PlainTextLoginWithoutTls", allowed, name, "LoginType")
    yield said("Mechanisms", " ".join(root.words("auth_mechanisms")) or None, "auth_mechanisms")
    yield said("Banner", _known(root, "login_greeting"), "login_greeting", "Banner")
    for setting, parameter in (
        ("IdleTimeout", "AuthenticatedConnectionTimeout"),
        ("LoginTimeout", "PreAuthenticatedConnectionTimeout"),
    ):
        because = asked.because or "Dovecot has no setting for it"
        yield row(setting, None, because, exchange=parameter, unknown=asked.unknown)
    name = "mail_max_userip_connections"
    yield said("MaxConnectionsPerUserAndAddress", _known(root, name), name, "MaxConnectionsPerUser")
    yield said("Sessions", _limits(root, "imap"), "service imap", "MaxConnections")
    yield said("Logins", _limits(root, "imap-login"), bound, "MaxConnections")
    yield said("MaxCommandLine", _known(root, "imap_max_line_length"), "imap_max_line_length", "MaxCommandSize")
    if server.is_proxy:
        yield said("ProxyTimeout", _known(root, "login_proxy_timeout"), "login_proxy_timeout")


def _bindings(found: tuple[Listener, ...], *, is_tls: bool) -> str | None:
    """Where it listens; None where nobody said."""
    if not found:
        return None
    behind = {True: " (PROXY protocol)", False: ""}
    shown = [
        f"{_bracketed(one.address)}:{one.port}{behind[one.is_behind_haproxy]}" for one in found if one.is_tls is is_tls
    ]
    return ", ".join(shown) or "none"


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address and not address.startswith("[") else address


def _certificate(root: Block) -> tuple[str | None, str]:
    """The certificate's file, and the setting that says so; 2.3 writes a `<` before a file."""
    new, old = _known(root, "ssl_server_cert_file"), _known(root, "ssl_cert")
    if new is not None or old is None:
        return new, "ssl_server_cert_file"
    return (old.removeprefix("<").strip(), "ssl_cert") if old.startswith("<") else (None, "ssl_cert")


def _certificate_names(file: str | None, asked: FromDovecot) -> ImapSetting:
    """Whom the certificate names, read from the file: whether it is the one clients are shown, a monitor says."""
    if file is None:
        because = asked.because or "no certificate file is known"
        return row("CertificateNames", None, because, unknown=asked.unknown)
    found = look_at_certificate(Path(file))
    return row("CertificateNames", ", ".join(found.names) or None, found.problem or file)


def _plain_text(root: Block) -> tuple[str | None, str]:
    """Whether a password may come in the clear: 2.4 asks whether it is allowed, 2.3 whether it is not."""
    allowed, disabled = _known(root, "auth_allow_cleartext"), _known(root, "disable_plaintext_auth")
    if allowed is not None or disabled is None:
        return allowed, "auth_allow_cleartext"
    return yes_or_no(disabled == "no"), "disable_plaintext_auth"


def _limits(root: Block, service: str) -> str | None:
    """How many it serves, in Dovecot's words; 0 stands for the default of all services."""
    block = root.block("service", service)
    said = [
        f"{limit} {value if value != '0' else root.get(_DEFAULT_LIMITS.get(limit, '')) or value}"
        for limit in _LIMITS
        if (value := block.get(limit))
    ]
    return ", ".join(said) or None


def _known(root: Block, name: str) -> str | None:
    return root.get(name) or None
