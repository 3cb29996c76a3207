"""How a service control learns whether the configuration on disk would be accepted: handed to it, for it knows none."""

from collections.abc import Awaitable, Callable, Sequence

from mailward.ports.service_control import ConfigurationCheck

CheckConfiguration = Callable[[Sequence[str]], Awaitable[ConfigurationCheck]]
"""Checks the configuration of a service that is started by this argv, as far as known; raises TemporaryFailure."""


async def cannot_check(argv: Sequence[str]) -> ConfigurationCheck:  # noqa: ARG001 - the protocol's
    """What a service says of which nothing is known but how to start it."""
    return ConfigurationCheck(
        is_valid=None, because='nothing here knows how to check this configuration (platform = "dovecot" would)'
    )
