"""`mailward check`: one examination of any IMAP server, without configuration (Test-ImapConnectivity)."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import TextIO

import click

from mailward.cli.endpoint import endpoint_of
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show, show_lines, show_one_as_json
from mailward.cli.nagios import Range, Thresholds, plugin_output, read_range, unknown
from mailward.cli.probe import COLUMNS
from mailward.cli.progress import progress
from mailward.cli.terminal import Colour, printable, terminal
from mailward.cli.waterfall import waterfall_lines
from mailward.model.errors import ConfigError, MailwardError, Refused
from mailward.model.organization import ImapEndpoint, Security
from mailward.model.probing import ProbeResult
from mailward.model.verdict import Tier

_SECURITY = {"tls": Security.TLS, "starttls": Security.STARTTLS, "plain": Security.PLAIN}


def _range(_context: click.Context, _option: click.Parameter, value: str | None) -> Range | None:
    if value is None:
        return None
    try:
        return read_range(value)
    except Refused as refusal:
        raise click.BadParameter(str(refusal)) from refusal


@click.command("check")
@click.argument("target", metavar="HOST[:PORT]", required=False)
@click.option("--user", metavar="U", help="Sign in as this user.")
@click.option(
    "--password-file",
    metavar="F",
    type=click.File(),
    help="The user's password is the first line of this file; - is standard input.",
)
@click.option("--login-as", metavar="M", help="Authenticate as this master user and act as --user.")
@click.option("--tls", "security", flag_value="tls", help="TLS from the first byte; the default, except on port 143.")
@click.option("--starttls", "security", flag_value="starttls", help="STARTTLS; the default on port 143.")
@click.option("--plain", "security", flag_value="plain", help="No encryption.")
@click.option(
    "--allow-plaintext-password", is_flag=True, help="With --plain: send the password although anybody can read it."
)
@click.option("--deep", is_flag=True, help="With --user: also open INBOX, read only. Nothing is ever written.")
@click.option(
    "--ca", metavar="F", type=click.Path(exists=True, dir_okay=False), help="Trust the authorities in this PEM file."
)
@click.option("--name", metavar="N", help="The name the certificate must carry; default: HOST.")
@click.option(
    "-t", "--timeout", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="Seconds in all."
)
@click.option("-v", "--verbose", is_flag=True, help="Show the conversation too, secrets masked.")
@click.option("--nagios", is_flag=True, help="Speak as a Nagios plugin: one line, and 0, 1, 2 or 3.")
@click.option("-w", "--warning", metavar="RANGE", callback=_range, help="--nagios: WARNING outside these seconds.")
@click.option("-c", "--critical", metavar="RANGE", callback=_range, help="--nagios: CRITICAL outside these seconds.")
@click.option(
    "--certificate-warning",
    metavar="RANGE",
    default="21:",
    show_default=True,
    callback=_range,
    help="--nagios: WARNING outside these days before the certificate expires.",
)
@click.option(
    "--certificate-critical",
    metavar="RANGE",
    default="7:",
    show_default=True,
    callback=_range,
    help="--nagios: CRITICAL outside these days.",
)
@click.option("-H", "host", metavar="HOST", help="--nagios: the same as the argument.")
@click.option("-p", "port", type=click.IntRange(1, 65_535), metavar="PORT", help="--nagios: the same as HOST:PORT.")
@format_option()
def check(
    *,
    target: str | None,
    host: str | None,
    port: int | None,
    user: str | None,
    password_file: TextIO | None,
    login_as: str | None,
    security: str | None,
    allow_plaintext_password: bool,
    deep: bool,
    ca: str | None,
    name: str | None,
    timeout: float,
    verbose: bool,
    nagios: bool,
    warning: Range | None,
    critical: Range | None,
    certificate_warning: Range,
    certificate_critical: Range,
    form: Format,
) -> None:
    """
    Examine one IMAP server, without configuration.

    Shows where the time goes phase by phase, says what is broken and why, and describes certificate and capabilities.
    Exits with 0 when the server is healthy, 2 when it is not, 3 when it could not be examined.
    """
    if (target is None) == (host is None):
        raise click.UsageError("give one HOST, such as imap.example.org or imap.example.org:993")
    if login_as and user is None:
        raise click.UsageError("--login-as needs --user, whom it acts as")
    if deep and user is None:
        raise click.UsageError("--deep opens a mailbox: it needs --user")
    try:
        endpoint = endpoint_of(
            target or host or "",
            port=port,
            security=_SECURITY[security] if security else None,
            ca_file=str(Path(ca).resolve()) if ca else None,
            expected_name=name,
            allow_plaintext_auth=allow_plaintext_password,
        )
    except Refused as refusal:
        raise click.UsageError(str(refusal)) from refusal
    try:
        password = _password(login_as or user, password_file)
        with progress(f"examining {endpoint.host}"):
            from mailward.app import examine

            within = timedelta(seconds=timeout)
            asked = examine(endpoint, user=user, password=password, login_as=login_as, deep=deep, timeout=within)
            result = asyncio.run(asked)
    except MailwardError as error:
        click.echo(unknown(str(error)) if nagios else f"mailward: {error}", err=not nagios)
        raise click.exceptions.Exit(ExitCode.UNKNOWN) from error
    if nagios:
        limits = Thresholds(
            seconds_warning=warning,
            seconds_critical=critical,
            days_warning=certificate_warning,
            days_critical=certificate_critical,
        )
        state, line = plugin_output(result, f"{endpoint.host}:{endpoint.port}", limits)
        click.echo(line)
        raise click.exceptions.Exit(state)
    _show(result, endpoint, form, verbose=verbose)
    raise click.exceptions.Exit(judgement(result))


def judgement(result: ProbeResult) -> ExitCode:
    """Return the exit code for one examination: a fault of the examiner is no fault of the server."""
    if result.is_healthy:
        return ExitCode.DONE
    ours = result.verdict is not None and result.verdict.tier is Tier.MONITORING
    return ExitCode.UNHEALTHY if result.result.is_failure and not ours else ExitCode.UNKNOWN


def _password(user: str | None, file: TextIO | None) -> str | None:
    if user is None:
        if file is not None:
            raise click.UsageError("--password-file needs --user")
        return None
    if file is not None:
        password = file.readline().rstrip("\r\n")
        if not password:
            raise ConfigError(f"{file.name} holds no password in its first line")
        return password
    if not sys.stdin.isatty():
        raise click.UsageError("--user needs --password-file; `--password-file -` reads standard input")
    return str(click.prompt(f"Password of {user}", hide_input=True, err=True))


def _show(result: ProbeResult, endpoint: ImapEndpoint, form: Format, *, verbose: bool) -> None:
    match form:
        case Format.JSON:
            show_one_as_json(result)
        case Format.LIST:
            show([result], COLUMNS, form)
        case Format.TABLE:
            reader = terminal()
            show_lines(waterfall_lines(result, endpoint, reader))
            if verbose and result.transcript:
                show_lines(["", *(reader.paint(printable(line), Colour.FAINT) for line in result.transcript)])
