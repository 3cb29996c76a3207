"""Everything that is decided and written before the first process of a lab starts."""

import json
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mailward.lab import accounts, certificates, dovecot_conf, haproxy_conf
from mailward.lab.addresses import free_network
from mailward.lab.blueprint import DIRECTORY_LENGTH_MAX, Blueprint, Shape, draw
from mailward.lab.files import make_directory, write_private
from mailward.lab.mailboxes import make_mailboxes
from mailward.lab.programs import has_balancer, missing_programs
from mailward.lab.state import write_state
from mailward.lab.supervising import balancer_plan, supervisor_plan
from mailward.lab.watch_configuration import write_configuration
from mailward.model.errors import PermanentFailure, Refused


def plan(shape: Shape, wanted: Path | None, *, more_users: int = 0) -> Blueprint:
    """
    Decide where a lab lives, and make its directory.

    Raises:
        Refused: The directory cannot be used.
        PermanentFailure: Dovecot is missing, or no port is free.
    """
    missing = missing_programs()
    if missing:
        raise PermanentFailure(f"this machine has no {', '.join(missing)}: install Debian's packages of these names")
    network, ports = free_network()
    rootless = os.geteuid() != 0
    user, group = _names() if rootless else ("dovecot", "dovecot")
    directory = _new_directory(wanted)
    return draw(
        shape,
        directory,
        network=network,
        ports=ports,
        rootless=rootless,
        user=user,
        group=group,
        balanced=has_balancer(),
        more_users=more_users,
    )


def write(blueprint: Blueprint) -> None:
    """Write everything the hosts need, before any of them starts."""
    doveadm_password = dovecot_conf.new_doveadm_password()
    accounts.write_passwords(blueprint)
    for host in blueprint.hosts:
        for directory in (host.directory, host.directory / "log", host.fault_settings, host.tls, host.store):
            make_directory(directory)
        make_directory(host.store / "local", mode=0o700, owner=accounts.mail_owner(blueprint))
        if host.is_proxy:
            write_private(host.configuration, dovecot_conf.render_proxy(blueprint, host))
            write_private(host.directory / "dovecot-sql.conf", dovecot_conf.render_map_query(blueprint, host))
        else:
            accounts.write_passwd_files(blueprint, host)
            text = dovecot_conf.render_mailbox_server(blueprint, host, doveadm_password=doveadm_password)
            write_private(host.configuration, text)
        write_private(host.directory / "supervisor.json", json.dumps(supervisor_plan(blueprint, host)))
    _write_balancer(blueprint)
    certificates.write_certificates(blueprint, now=datetime.now(UTC))  # noqa: TID251 - certificates need real time
    if blueprint.proxies:
        accounts.write_map(blueprint)
    make_mailboxes(blueprint)
    write_configuration(blueprint)
    write_state(blueprint)


def _write_balancer(blueprint: Blueprint) -> None:
    balancer = blueprint.balancer
    if balancer is not None:
        for directory in (balancer.directory, balancer.directory / "log"):
            make_directory(directory)
        write_private(haproxy_conf.configuration_file(balancer), haproxy_conf.render(blueprint, balancer))
        write_private(balancer.directory / "supervisor.json", json.dumps(balancer_plan(blueprint, balancer)))


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Let SIGTERM raise SystemExit meanwhile, so that what was begun is taken back before the process ends."""
    usual = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _new_directory(wanted: Path | None) -> Path:
    if wanted is None:
        directory = Path(tempfile.mkdtemp(prefix="mailward-lab-"))
    else:
        directory = wanted.absolute()
        if directory.exists() and any(directory.iterdir()):
            raise Refused(f"{directory} is not empty: a lab needs a directory of its own")
    if len(str(directory)) > DIRECTORY_LENGTH_MAX:
        raise Refused(
            f"{directory} is too long: sockets below it would exceed what Unix allows; "
            f"choose one of at most {DIRECTORY_LENGTH_MAX} characters"
        )
    make_directory(directory, mode=0o711)
    return directory


def _names() -> tuple[str, str]:
    import grp  # noqa: PLC0415
    import pwd  # noqa: PLC0415

    return pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
