"""How a gate says what it says."""

from datetime import datetime

from mailward.model.recovery import Answer, Gate, GateAnswer


def passes(gate: Gate, because: str) -> GateAnswer:
    """Nothing stands against it."""
    return GateAnswer(gate=gate, answer=Answer.PASSES, because=because)


def refuses(gate: Gate, because: str) -> GateAnswer:
    """Not while things are as they are."""
    return GateAnswer(gate=gate, answer=Answer.REFUSES, because=because)


def waits(gate: Gate, because: str, until: datetime | None = None) -> GateAnswer:
    """Not now."""
    return GateAnswer(gate=gate, answer=Answer.WAITS, because=because, until=until)
