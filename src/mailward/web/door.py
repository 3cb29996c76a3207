"""The door to the network: API and dashboard for whoever can log in, as `[web]` says."""

import ssl

from starlette.applications import Starlette

from mailward.model.errors import ConfigError
from mailward.ports.clock import Clock
from mailward.ports.faults import Faults
from mailward.ports.manager import Manager
from mailward.web.access import Right
from mailward.web.admission import LoopbackAdmission
from mailward.web.keyring import Keyring, Known
from mailward.web.logging_in import Logins
from mailward.web.login_admission import LoginAdmission
from mailward.web.pages.login import LoginPages
from mailward.web.pages.rendering import Site
from mailward.web.scraping import Exposes
from mailward.web.sessions import SessionRule
from mailward.web.settings import WebSettings
from mailward.web.site import build_site


def site_for(
    manager: Manager,
    web: WebSettings,
    *,
    keyring: Keyring,
    key: bytes,
    clock: Clock,
    without_login: Right = Right.VIEWER,
    site: Site | None = None,
    exposition: Exposes | None = None,
    faults: Faults | None = None,
) -> Starlette:
    """
    Return API and dashboard as they are served over TCP.

    Args:
        manager: Who is asked.
        web: How it is reached, and how long sessions last.
        keyring: Who can log in.
        key: What sessions are signed with.
        clock: Tells what "now" is.
        without_login: What people on this machine may do as long as nobody can log in.
        site: What the pages know of where they stand.
        exposition: Shows the manager to Prometheus; without one there are no metrics.
        faults: What can be broken: only in the demo there is something.
    """
    admission = LoginAdmission(
        keyring=keyring,
        sessions=SessionRule(key=key, lasts=web.session_lasts, idle=web.session_idle, is_secure=web.is_secure),
        without_login=LoopbackAdmission(right=without_login),
        names=web.names,
    )
    login = LoginPages(admission=admission, logins=Logins(keyring=keyring), trusted_proxies=web.trusted_proxies)
    return build_site(
        manager,
        admission=admission,
        clock=clock,
        site=site,
        exposition=exposition,
        keyring=keyring,
        login=login,
        faults=faults,
    )


def refuse_open_door(web: WebSettings, known: Known) -> None:
    """
    Pass only what is either for this machine alone or asks for a login.

    Raises:
        ConfigError: Others reach it, and nobody can log in; the text says what to do.
    """
    if known.is_empty and not web.is_loopback:
        raise ConfigError(
            f"[web] listen: {web.host} can be reached by others, and nobody can log in yet. Listen on"
            f' "127.0.0.1:{web.port}" for now, start mailward, run `mailward users add NAME --role operator`, then'
            " listen here and start it again"
        )


def tls_of(web: WebSettings) -> ssl.SSLContext | None:
    """
    Return what the port is served with, or None for plain HTTP.

    Raises:
        ConfigError: Certificate or key cannot be used.
    """
    if web.certificate_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(web.certificate_file, web.key_file, password="")  # never ask a terminal for it
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"[web] certificate_file, key_file: {web.certificate_file} and {web.key_file} cannot be used:"
            f" {error.strerror or error}"
        ) from error
    return context
