"""
`mailward accounts`: the mailboxes only probes use.

`create` and `rotate` run on the host of a Dovecot, whose passwd-files they change; `check` runs where mailward does.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mailward.cli.columns import Column
from mailward.cli.configuration import config_option, where
from mailward.cli.dovecot import the_dovecot
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show
from mailward.cli.probe import exit_code_for
from mailward.cli.progress import progress
from mailward.cli.states import duration_text
from mailward.cli.terminal import Colour
from mailward.model.errors import ConfigError, Refused, TemporaryFailure
from mailward.model.organization import HealthMailbox, Organization, Server
from mailward.model.probing import ProbeResult

if TYPE_CHECKING:
    from mailward.platforms.dovecot.detection import Detected
    from mailward.platforms.dovecot.passwd_files import HealthFiles
    from mailward.platforms.dovecot.probe_account import Account

Command = TypeVar("Command", bound=Callable[..., Any])
_CHECK_SECONDS = 15.0
_STEPS = ("begin", "use", "finish", "cancel")


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountRow:
    """One account on one server, and what became of logging in."""

    account: str
    server: str
    database: str | None
    result: str
    took: timedelta | None
    because: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Here:
    """A Dovecot of this host, and the accounts it should have."""

    organization: Organization
    detected: "Detected"
    server: str
    files: "HealthFiles"
    accounts: "tuple[Account, ...]"


COLUMNS: tuple[Column[AccountRow], ...] = (
    Column(title="Account", text=lambda row: row.account),
    Column(title="Server", text=lambda row: row.server),
    Column(title="Database", text=lambda row: row.database or "", shed=2),
    Column(
        title="Result",
        text=lambda row: row.result,
        colour=lambda row: Colour.GOOD if row.result == "Succeeded" else Colour.BAD,
    ),
    Column(title="Took", text=lambda row: duration_text(row.took) if row.took else "", right=True, shed=3),
    Column(title="Because", text=lambda row: row.because, folds=True, shed=1),
)


def _here_options(command: Command) -> Command:
    for option in (
        click.option(
            "--mail-owner", metavar="UID:GID", help="Who owns the accounts' mail, where Dovecot does not say."
        ),
        click.option("--allow-net", "allow_nets", metavar="CIDR", multiple=True, help="Probes come from here as well."),
        click.option("--server", metavar="S", help="Which server of the configuration this Dovecot is."),
        click.option(
            "--dovecot-config", metavar="F", type=click.Path(), help="Its dovecot.conf; default: what runs here."
        ),
        config_option,
    ):
        command = option(command)
    return command


@click.group("accounts")
def accounts() -> None:
    """Create, rotate and check health mailboxes."""


@accounts.command("create")
@_here_options
@click.option("--dry-run", is_flag=True, help="Say what would be made, and make nothing.")
def create_(
    *,
    path: str | None,
    dovecot_config: str | None,
    server: str | None,
    allow_nets: tuple[str, ...],
    mail_owner: str | None,
    dry_run: bool,
) -> None:
    """
    Make the accounts this host's Dovecot should have, with random passwords.

    Accounts that exist already stay as they are. For a database with several copies take its password file to each
    host before running this there: a password file that exists is used.
    """
    from mailward.platforms.dovecot.accounts import create

    here = _look(path, dovecot_config, server, allow_nets, mail_owner)
    if dry_run:
        for account in here.accounts:
            nets = " ".join(account.allow_nets)
            click.echo(f"{account.user}: password in {account.password_file}, mail in {account.home}, from {nets} only")
        click.echo(f"(--dry-run: nothing was made; accounts go to {here.files.new} and {here.files.users})")
        return
    made = create(here.files, here.accounts)
    for user in made:
        click.echo(f"made {user}")
    click.echo("every account was there already" if not made else "`mailward accounts check` tries them")


@accounts.command("rotate")
@_here_options
@click.option(
    "--settle", type=click.FloatRange(0, 600), default=20.0, show_default=True, help="Seconds a probe may take."
)
@click.option("--step", type=click.Choice(_STEPS), help="Only this step; needed where databases have several copies.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def rotate_(
    *,
    path: str | None,
    dovecot_config: str | None,
    server: str | None,
    allow_nets: tuple[str, ...],
    mail_owner: str | None,
    settle: float,
    step: str | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """
    Give the accounts of this host's Dovecot new passwords, without a single refused login.

    Both passwords are accepted for a while; nothing is restarted. Whatever goes wrong, the former ones are in force
    again.
    """
    here = _look(path, dovecot_config, server, allow_nets, mail_owner)
    users = ", ".join(account.user for account in here.accounts)
    if step is None:
        _refuse_shared(here)
    if dry_run:
        click.echo(f"(--dry-run) would {step or 'rotate the passwords'} of {users}")
        return
    if not yes:
        click.confirm(f"{step or 'Rotate the passwords'} of {users}?", abort=True, err=True)
    if step is not None:
        _do_step(step, here)
        click.echo(f"{step}: done for {users}")
        return
    from mailward.platforms.dovecot.rotation import rotate

    with progress("rotating the passwords"):
        asyncio.run(rotate(here.files, here.accounts, prove=_prover(here), settle=timedelta(seconds=settle)))
    click.echo(f"{users} have new passwords; the former ones are refused")


@accounts.command("check")
@config_option
@format_option()
def check_(*, path: str | None, form: Format) -> None:
    """
    Log in to every health mailbox, directly on each server, and open its INBOX read only.

    Exits with 2 when one fails, with 3 when one could not be tried.
    """
    from mailward.config.load import load

    organization = load(where(path)).organization
    uses = _uses(organization)
    if not uses:
        raise Refused("the configuration names no health mailbox; see `mailward config explain health_mailboxes`")
    with progress(f"checking {len(uses)} accounts"):
        outcomes = asyncio.run(_check_all(uses))
    show([row for row, _ in outcomes], COLUMNS, form)
    results = [result for _, result in outcomes if result is not None]
    code = exit_code_for(results)
    if code is ExitCode.DONE and len(results) < len(outcomes):
        code = ExitCode.UNKNOWN
    raise click.exceptions.Exit(code)


def _look(
    path: str | None, dovecot_config: str | None, server: str | None, nets: tuple[str, ...], owner: str | None
) -> _Here:
    from mailward.config.load import load
    from mailward.platforms.dovecot.passwd_files import health_files
    from mailward.platforms.dovecot.probe_account import accounts_for, server_of

    organization = load(where(path)).organization
    detected = the_dovecot(dovecot_config)
    name = organization.server_named(server).name if server else server_of(organization, detected)
    found = accounts_for(organization, detected, server=name, allow_nets=nets)
    if not found:
        raise Refused(f"the configuration names no health mailbox for {name}")
    files = health_files(detected, owner=owner)
    return _Here(organization=organization, detected=detected, server=name, files=files, accounts=found)


def _refuse_shared(here: _Here) -> None:
    """An account on several hosts cannot be changed on one of them alone: the others would refuse it."""
    shared = [name for name, one in here.organization.databases.items() if here.server in one.copies and one.copies[1:]]
    if shared:
        raise Refused(
            f"{', '.join(shared)} have copies on other servers, which must know the new passwords too. In steps:\n"
            "mailward accounts rotate --step begin   on each of their hosts, with the same *.password.new files\n"
            "mailward accounts rotate --step use     where mailward runs\n"
            "mailward accounts rotate --step finish  on each host, when no probe can be on its way any more\n"
            "(--step cancel leads back from every point before the last)"
        )


def _do_step(step: str, here: _Here) -> None:
    from mailward.platforms.dovecot import accounts as steps

    match step:
        case "begin":
            steps.begin_rotation(here.files, here.accounts)
        case "use":
            steps.use_new_passwords(here.accounts)
        case "finish":
            steps.finish_rotation(here.files, here.accounts)
        case _:
            steps.cancel_rotation(here.files, here.accounts)


def _prover(here: _Here) -> "Callable[[Account, str], Any]":
    endpoint = here.organization.servers[here.server].imap

    async def accepted(account: "Account", password: str) -> bool:
        from mailward.app import examine

        within = timedelta(seconds=_CHECK_SECONDS)
        return (await examine(endpoint, user=account.user, password=password, timeout=within)).is_healthy

    return accepted


def _uses(organization: Organization) -> list[tuple[Server, str | None, HealthMailbox]]:
    """Where each health mailbox is used: server, database, account."""
    uses: list[tuple[Server, str | None, HealthMailbox]] = [
        (server, None, server.health_mailbox) for server in organization.servers.values() if server.health_mailbox
    ]
    for database in organization.databases.values():
        if database.health_mailbox is not None:
            uses.extend(
                (organization.servers[name], database.name, database.health_mailbox) for name in database.copies
            )
    return uses


async def _check_all(
    uses: list[tuple[Server, str | None, HealthMailbox]],
) -> list[tuple[AccountRow, ProbeResult | None]]:
    """One server after the other is asked about its accounts one by one; the servers all at once."""
    servers = {server.name: server for server, _, _ in uses}

    async def of(name: str) -> list[tuple[AccountRow, ProbeResult | None]]:
        return [await _check_one(*use) for use in uses if use[0].name == name]

    return [outcome for outcomes in await asyncio.gather(*map(of, servers)) for outcome in outcomes]


async def _check_one(
    server: Server, database: str | None, mailbox: HealthMailbox
) -> tuple[AccountRow, ProbeResult | None]:
    from mailward.app import examine
    from mailward.platforms.local.file_secrets import FileSecrets

    def row(result: str, because: str, took: timedelta | None = None) -> AccountRow:
        return AccountRow(
            account=mailbox.user, server=server.name, database=database, result=result, took=took, because=because
        )

    try:
        password = FileSecrets().reveal(mailbox.password)
    except (TemporaryFailure, ConfigError) as error:
        return row("Unknown", str(error)), None
    result = await examine(
        server.imap,
        user=mailbox.user,
        password=password,
        login_as=mailbox.login_as,
        deep=not server.is_proxy or server.is_mailbox,
        timeout=timedelta(seconds=_CHECK_SECONDS),
    )
    because = "" if result.is_healthy else result.verdict.because if result.verdict else result.detail
    return row(result.result.value, because, result.took), result
