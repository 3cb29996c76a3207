"""`mailward probe`: run a probe now (Invoke-MonitoringProbe)."""

from collections.abc import Sequence

import click

from mailward.cli.columns import Column
from mailward.cli.connection import manager, socket_option
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show
from mailward.cli.identity import explanation, mended
from mailward.cli.names import complete_item, complete_server, named
from mailward.cli.progress import progress
from mailward.cli.states import duration_text, moment_text
from mailward.cli.terminal import Colour
from mailward.diagnosis.place import fault_text
from mailward.model.probing import Certificate, PhaseOutcome, PhaseTiming, ProbeResult, ResultType


def result_colour(result: ProbeResult) -> Colour:
    """The colour of how a probe ended."""
    if result.is_healthy:
        return Colour.GOOD
    return Colour.BAD if result.result.is_failure else Colour.WARN


def phase_text(timing: PhaseTiming) -> str:
    """One phase in a line: "tls 12.5 ms", "select 3.00 s failed"."""
    ended = "" if timing.outcome is PhaseOutcome.OK else f" {timing.outcome.value}"
    return f"{timing.phase.value} {duration_text(timing.took)}{ended}"


def certificate_text(certificate: Certificate | None) -> str:
    """A certificate in a line."""
    if certificate is None:
        return ""
    verified = "verified" if certificate.verified else f"NOT verified: {certificate.problem}"
    return f"{certificate.subject}, until {moment_text(certificate.not_after)}, {verified}"


COLUMNS: tuple[Column[ProbeResult], ...] = (
    Column(title="Server", text=lambda one: one.server),
    Column(title="HealthSet", text=lambda one: one.health_set, shed=4),
    Column(title="Name", text=lambda one: one.probe),
    Column(title="TargetResource", text=lambda one: one.target, shortens=True),
    Column(title="ResultType", text=lambda one: one.result.value, colour=result_colour),
    Column(title="FailedPhase", text=lambda one: one.failed_phase.value if one.failed_phase else "", shed=2),
    Column(title="Cause", text=lambda one: one.cause.value if one.cause else "", shed=1),
    Column(title="Took", text=lambda one: duration_text(one.took), right=True, shed=3),
    Column(title="_Mbx", text=lambda one: one.mailbox_server or "", shed=5),
    Column(title="Fault", text=lambda one: fault_text(one.verdict) if one.verdict else "", list_only=True),
    Column(title="Verdict", text=lambda one: one.verdict.because if one.verdict else "", list_only=True),
    Column(title="ResponseCode", text=lambda one: one.response_code or "", list_only=True),
    Column(title="Detail", text=lambda one: one.detail, list_only=True),
    Column(title="At", text=lambda one: moment_text(one.at), list_only=True),
    Column(title="Phases", text=lambda one: "\n".join(map(phase_text, one.phases)), list_only=True),
    Column(title="Address", text=lambda one: one.address or "", list_only=True),
    Column(title="Tls", text=lambda one: one.tls or "", list_only=True),
    Column(title="Certificate", text=lambda one: certificate_text(one.certificate), list_only=True),
    Column(title="Capabilities", text=lambda one: " ".join(one.capabilities), list_only=True),
    Column(title="Account", text=lambda one: one.account or "", list_only=True),
    Column(title="Session", text=lambda one: one.session or "", list_only=True),
    Column(title="Push", text=lambda one: duration_text(one.push_took) if one.push_took else "", list_only=True),
    Column(title="Transcript", text=lambda one: "\n".join(one.transcript), list_only=True),
)


@click.command("probe")
@click.argument("item", shell_complete=complete_item)
@click.option(
    "--server", metavar="S", required=True, callback=named, shell_complete=complete_server, help="The server to probe."
)
@format_option(Format.LIST)
@socket_option
def probe(*, item: str, server: str, form: Format) -> None:
    r"""
    Run a probe now and show all it saw.

    ITEM is HEALTHSET/ITEM[/TARGET], such as IMAP/ImapCTPProbe/DB1; without a target every target of the server is run.
    A monitor's name runs its associated probe. `mailward items` lists them.

    Exits with 2 when a result failed, with 3 when nothing could be measured.
    """
    meant = mended(item)
    if meant is not None:
        click.echo(f"mailward: {explanation(item, meant).replace(chr(10), chr(10) + '  ')}", err=True)
    with progress(f"probing {server}"):
        results = manager().probe(meant or item, server=server)
    show(results, COLUMNS, form)
    raise click.exceptions.Exit(exit_code_for(results))


def exit_code_for(results: Sequence[ProbeResult]) -> ExitCode:
    """Return the exit code for the worst of *results*."""
    if any(one.result.is_failure for one in results):
        return ExitCode.UNHEALTHY
    measured = [one for one in results if one.result is not ResultType.NOT_APPLICABLE]
    return ExitCode.DONE if measured and all(one.is_healthy for one in measured) else ExitCode.UNKNOWN
