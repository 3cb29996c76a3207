"""
What a Dovecot's IMAP service is set to, by doveconf.

Only the settings named here are asked for, none of which can hold a password: all of a configuration would. Each is
asked for by the name 2.4 has for it and by that of 2.3; a name a version does not know, 2.3 passes over in silence.
"""

from collections.abc import Sequence
from pathlib import Path

from mailward.model.errors import TemporaryFailure
from mailward.platforms.commands import Finished, Runner
from mailward.platforms.dovecot.doveconf import Block, parse_named
from mailward.platforms.dovecot.programs import program

NAMED = (
    "listen",
    "ssl",
    "ssl_server_cert_file",
    "ssl_cert",
    "ssl_min_protocol",
    "auth_allow_cleartext",
    "disable_plaintext_auth",
    "auth_mechanisms",
    "login_greeting",
    "mail_max_userip_connections",
    "imap_max_line_length",
    "login_proxy_timeout",
    "default_process_limit",
    "default_client_limit",
    "service",
)
_PATIENCE_S = 10.0


async def service_settings(runner: Runner, file: Path) -> Block:
    """
    Read the named settings as they are in force for IMAP, defaults included.

    Args:
        runner: Runs doveconf on the Dovecot's own machine.
        file: Its dovecot.conf.

    Raises:
        TemporaryFailure: doveconf is missing, hangs, or refuses the file; the text holds its words.
    """
    finished = await _asked(runner, file, NAMED)
    if finished.status == 0:
        return _read(finished, file)
    answers = [await _asked(runner, file, (name,)) for name in NAMED]
    known = [_read(answer, file) for answer in answers if answer.status == 0]
    if not known:
        raise TemporaryFailure(f"doveconf cannot read {file}: {finished.said()}")
    return Block(
        settings={name: value for block in known for name, value in block.settings.items()},
        blocks=tuple(inner for block in known for inner in block.blocks),
    )


async def _asked(runner: Runner, file: Path, names: Sequence[str]) -> Finished:
    argv = (program("doveconf"), "-c", str(file), "-f", "protocol=imap", *names)
    return await runner.run(argv, timeout=_PATIENCE_S)


def _read(finished: Finished, file: Path) -> Block:
    try:
        return parse_named(finished.output)
    except ValueError as error:
        raise TemporaryFailure(f"what doveconf prints about {file} is not understood: {error}") from error
