"""One examination as a picture: where the time went, how it ended, and what was seen on the way."""

from collections.abc import Iterator
from datetime import timedelta
from textwrap import wrap

from mailward.cli.probe import result_colour
from mailward.cli.states import duration_text
from mailward.cli.terminal import Colour, Terminal, printable
from mailward.diagnosis.place import fault_text
from mailward.model.organization import ImapEndpoint
from mailward.model.probing import Certificate, Phase, PhaseOutcome, PhaseTiming, ProbeResult

_EIGHTHS = " ▏▎▍▌▋▊▉"
_BAR_MIN = 10
_BAR_MAX = 60
_LEAD = 27
"""Indent, phase, duration and gaps before a bar."""
_TEXT_MAX = 100
_LAG_TOLD = timedelta(milliseconds=5)
_EXPIRY_TOLD = timedelta(days=21)


def waterfall_lines(result: ProbeResult, endpoint: ImapEndpoint, reader: Terminal) -> Iterator[str]:
    """Yield the picture of *result*."""
    width = min(reader.width or _TEXT_MAX, _TEXT_MAX)
    asked = f"[{endpoint.host}]:{endpoint.port}" if ":" in endpoint.host else f"{endpoint.host}:{endpoint.port}"
    answered = f" → {result.address}" if result.address and result.address != asked else ""
    yield reader.paint(printable(f"{asked}{answered}"), Colour.STRONG)
    yield reader.paint(printable(f"{endpoint.security.value}{f', {result.tls}' if result.tls else ''}"), Colour.FAINT)
    yield ""
    if result.phases:
        remarks = max(len(_remark(timing, Terminal(width=None, colours=False))) for timing in result.phases)
        yield from _bars(result, reader, max(_BAR_MIN, min(_BAR_MAX, width - _LEAD - remarks)))
        yield ""
    yield from _outcome(result, reader, width)
    if result.certificate or result.capabilities:
        yield ""
    if result.certificate:
        yield from _certificate(result.certificate, result, reader, width)
    if result.capabilities:
        yield from _fact("capabilities", " ".join(result.capabilities), width)


def _bars(result: ProbeResult, reader: Terminal, room: int) -> Iterator[str]:
    whole = max(result.took, sum((timing.took for timing in result.phases), timedelta(0)), timedelta(microseconds=1))
    begun = timedelta(0)
    for timing in result.phases:
        bar = _bar(begun / whole * room, timing.took / whole * room)
        colour = Colour.NOTE if timing.outcome is PhaseOutcome.OK else Colour.BAD
        line = f"  {timing.phase.value:<10}  {duration_text(timing.took):>9}  {reader.paint(bar, colour)}"
        yield f"{line}{_remark(timing, reader)}".rstrip()
        begun += timing.took
    yield reader.paint(f"  {'in all':<10}  {duration_text(result.took):>9}", Colour.FAINT)


def _bar(start: float, length: float) -> str:
    whole, eighth = divmod(max(1, round(length * 8)), 8)
    return " " * int(start) + "█" * whole + (_EIGHTHS[eighth] if eighth else "")


def _remark(timing: PhaseTiming, reader: Terminal) -> str:
    parts = []
    if timing.outcome is not PhaseOutcome.OK:
        parts.append(reader.paint(timing.outcome.value, Colour.BAD))
    if timing.loop_lag >= _LAG_TOLD:
        parts.append(reader.paint(f"of which {duration_text(timing.loop_lag)} are ours", Colour.WARN))
    return f" {', '.join(parts)}" if parts else ""


def _outcome(result: ProbeResult, reader: Terminal, width: int) -> Iterator[str]:
    if result.is_healthy:
        served = f", served by {result.mailbox_server}" if result.mailbox_server else ""
        yield reader.paint("✓ healthy", Colour.GOOD) + printable(f": {_depth(result)}{served}")
        return
    mark = "✗ unhealthy" if result.result.is_failure else f"? {result.result.value}"
    where = f" at {result.failed_phase.value}" if result.failed_phase else ""
    cause = f": {result.cause.value}" if result.cause else ""
    yield reader.paint(f"{mark}{where}{cause}", result_colour(result))
    if result.verdict:
        for line in wrap(printable(result.verdict.because), width - 2):
            yield f"  {line}"
        yield reader.paint(f"  fault: {fault_text(result.verdict)}", Colour.STRONG)
    if result.detail:
        for line in wrap(f"said: {printable(result.detail)}", width - 2):
            yield reader.paint(f"  {line}", Colour.FAINT)


def _depth(result: ProbeResult) -> str:
    done = {timing.phase for timing in result.phases}
    if result.account is None:
        return "it answers, and says what it can"
    if result.wrote:
        return f"{result.account} can sign in, read and write"
    return f"{result.account} can sign in{' and read' if Phase.SELECT in done else ''}"


def _certificate(certificate: Certificate, result: ProbeResult, reader: Terminal, width: int) -> Iterator[str]:
    left = certificate.not_after - result.at
    when = f"valid until {certificate.not_after:%Y-%m-%d}"
    if left < timedelta(0):
        when = reader.paint(f"expired on {certificate.not_after:%Y-%m-%d}", Colour.BAD)
    else:
        days = f"{left.days} days left"
        when += f", {reader.paint(days, Colour.WARN) if left < _EXPIRY_TOLD else days}"
    yield from _fact("certificate", f"{certificate.subject}, issued by {certificate.issuer}", width)
    verified = (
        reader.paint("verified", Colour.GOOD)
        if certificate.verified
        else reader.paint(printable(f"not verified: {certificate.problem or 'no reason given'}"), Colour.BAD)
    )
    yield f"{'':14}{verified}"
    yield f"{'':14}{when}"
    if certificate.names:
        yield from _fact("", f"for {', '.join(certificate.names)}", width)


def _fact(title: str, text: str, width: int) -> Iterator[str]:
    lines = wrap(printable(text), max(30, width - 14), break_on_hyphens=False)
    for number, line in enumerate(lines):
        yield f"{title if number == 0 else '':<14}{line}"
