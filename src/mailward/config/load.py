"""
Reading a configuration: files to an immutable snapshot, or every mistake there is.

    snapshot = load(Path("/etc/mailward/mailward.toml"))
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mailward.config.building import build
from mailward.config.crosschecks import cross_check
from mailward.config.fields import read_listen, read_network
from mailward.config.filling import file_name
from mailward.config.mistakes import Mistake, WrongConfiguration
from mailward.config.schema import Configuration, ManagerTable, WebTable
from mailward.config.sources import Sources, read_sources
from mailward.config.validation import Validated, validate
from mailward.ports.settings import Snapshot
from mailward.web.settings import WebSettings

LogLevel = Literal["debug", "info", "warning", "error"]
_STATE_DIRECTORY = "/var/lib/mailward"


@dataclass(frozen=True, kw_only=True, slots=True)
class ManagerSettings:
    """What the manager needs before it can start anything."""

    state_directory: Path
    socket: Path
    log_level: LogLevel = "info"
    web: WebSettings | None = None
    """Where API and dashboard are served over TCP; None: nowhere."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One reading of a configuration: its files, what is right in them, and every mistake."""

    sources: Sources
    validated: Validated
    mistakes: tuple[Mistake, ...]

    @property
    def configuration(self) -> Configuration:
        """What the files say, without what is wrong."""
        return self.validated.configuration

    def snapshot(self) -> Snapshot:
        """
        Make the snapshot.

        Raises:
            WrongConfiguration: There are mistakes; the text lists them all.
        """
        if self.mistakes:
            raise WrongConfiguration(self.mistakes)
        return build(self.configuration, self.sources.directory)


def read(paths: Path | Sequence[Path]) -> Reading:
    """Read and check a configuration. Never raises for what the files hold."""
    sources = read_sources(paths)
    validated = validate(sources)
    found = [*sources.mistakes, *validated.mistakes]
    if not _unread(sources):
        found += cross_check(sources, validated)
    return Reading(sources=sources, validated=validated, mistakes=tuple(sorted(set(found))))


def load(paths: Path | Sequence[Path]) -> Snapshot:
    """
    Read a configuration into a snapshot.

    Args:
        paths: A main file (`conf.d/*.toml` beside it is read too), its directory, or several of them.

    Raises:
        WrongConfiguration: A ConfigError whose text lists every mistake, each with file and line.
    """
    return read(paths).snapshot()


def manager_settings(paths: Path | Sequence[Path], environment: Mapping[str, str] | None = None) -> ManagerSettings:
    """
    Read the `[manager]` section of a configuration.

    Raises:
        WrongConfiguration: The configuration has mistakes, in this section or elsewhere.
    """
    reading = read(paths)
    if reading.mistakes:
        raise WrongConfiguration(reading.mistakes)
    return manager_of(reading, environment)


def manager_of(reading: Reading, environment: Mapping[str, str] | None = None) -> ManagerSettings:
    """What a reading without mistakes says of the manager."""
    given = reading.configuration.manager or ManagerTable()
    directory = reading.sources.directory
    variables = os.environ if environment is None else environment
    # systemd's StateDirectory= may name several directories, separated by colons
    fallback = variables.get("STATE_DIRECTORY", "").partition(":")[0] or _STATE_DIRECTORY
    state = Path(file_name(directory, given.state_directory or fallback))
    return ManagerSettings(
        state_directory=state,
        socket=Path(file_name(directory, given.socket)) if given.socket else state / "api.sock",
        log_level=given.log_level or "info",
        web=_web(reading.configuration.web, directory),
    )


def _web(given: WebTable | None, directory: Path) -> WebSettings | None:
    if given is None:
        return None
    at = WebSettings()
    host, port = (at.host, at.port) if given.listen is None else read_listen(given.listen)
    certificate, key = (
        Path(file_name(directory, name)) if name else None for name in (given.certificate_file, given.key_file)
    )
    return WebSettings(
        host=host,
        port=port,
        public_url=(given.public_url or "").rstrip("/"),
        certificate_file=certificate,
        key_file=key,
        trusted_proxies=tuple(read_network(network) for network in given.trusted_proxies or ()),
        session_lasts=given.session_lasts or at.session_lasts,
        session_idle=given.session_idle or at.session_idle,
    )


class FileSettings:
    """The Settings port on files: each `load` reads them anew."""

    def __init__(self, paths: Path | Sequence[Path]) -> None:
        self._paths = paths

    def load(self) -> Snapshot:
        """Read the configuration as it is now; WrongConfiguration lists every mistake."""
        return load(self._paths)


def _unread(sources: Sources) -> bool:
    """Whether a file is missing from the tree, so that what looks missing may stand in it."""
    return any(mistake.file not in {source.file for source in sources.files} for mistake in sources.mistakes)
