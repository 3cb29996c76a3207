"""The host port for a server that runs on this very machine; its files are looked at with patience."""

import os
import ssl
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from mailward.model.errors import TemporaryFailure
from mailward.model.evidence import DiskUsage, LogLine
from mailward.model.organization import Server
from mailward.platforms.local.log_tail import newest_lines
from mailward.platforms.local.patient_looks import PATIENCE, PatientLooks

#: What every certificate begins with (X.690): a sequence. Base64 is decoded leniently, nonsense included.
_DER_SEQUENCE = b"\x30"
_LARGEST_CERTIFICATE_BYTES = 1_000_000


class LocalHost:
    """What this machine shows of one server."""

    def __init__(self, server: Server, *, patience: timedelta = PATIENCE) -> None:
        """
        Args:
            server: Whose host this machine is.
            patience: How long one look may take before its file system counts as hung.
        """
        self._looks = PatientLooks(server.name, patience=patience)
        self._server = server.name
        self._access = server.host

    async def log_lines(
        self, *, since: datetime, mentioning: tuple[str, ...] = (), limit: int = 50
    ) -> tuple[LogLine, ...]:
        """
        The newest *limit* lines since then that mention any of the given words, the oldest first.

        Raises:
            TemporaryFailure: None of the log files can be read.
        """
        found: list[LogLine] = []
        problems: list[TemporaryFailure] = []
        for name in self._access.log_files:
            try:
                found += await self._looks.look(name, lambda: self._lines(name, since, mentioning, limit))  # noqa: B023
            except TemporaryFailure as problem:
                problems.append(problem)
        if problems and len(problems) == len(self._access.log_files):
            raise problems[0]
        found.sort(key=lambda line: line.at or since)
        return tuple(found[-limit:])

    async def disks(self) -> tuple[DiskUsage, ...]:
        """
        Space under each configured mail store.

        Raises:
            TemporaryFailure: One of them cannot be looked at, or does not answer.
        """
        return tuple([await self._looks.look(path, lambda: self._disk(path)) for path in self._access.store_paths])  # noqa: B023

    async def certificate_on_disk(self) -> str | None:
        """
        SHA-256 fingerprint of the first certificate in the configured file.

        Raises:
            TemporaryFailure: The file cannot be read or holds no certificate.
        """
        name = self._access.certificate_file
        return None if name is None else await self._looks.look(name, lambda: _fingerprint(Path(name)))

    def _lines(self, name: str, since: datetime, mentioning: tuple[str, ...], limit: int) -> list[LogLine]:
        found = newest_lines(Path(name), since=since, mentioning=mentioning, limit=limit)
        return [LogLine(server=self._server, text=text, at=at) for at, text in found]

    def _disk(self, path: str) -> DiskUsage:
        shown = os.statvfs(path)
        return DiskUsage(
            server=self._server,
            path=path,
            free_bytes=shown.f_bavail * shown.f_frsize,
            total_bytes=shown.f_blocks * shown.f_frsize,
            free_inodes=shown.f_favail if shown.f_files else None,
            total_inodes=shown.f_files or None,
            read_only=bool(shown.f_flag & os.ST_RDONLY),
        )


def _fingerprint(path: Path) -> str:
    with path.open("rb") as file:
        text = file.read(_LARGEST_CERTIFICATE_BYTES).decode("ascii", "replace")
    begin, end = text.find(ssl.PEM_HEADER), text.find(ssl.PEM_FOOTER)
    if begin < 0 or end < begin:
        raise TemporaryFailure(f"{path} holds no certificate")
    try:
        der = ssl.PEM_cert_to_DER_cert(text[begin : end + len(ssl.PEM_FOOTER)])
    except ValueError as error:
        raise TemporaryFailure(f"{path} holds no readable certificate: {error}") from error
    if not der.startswith(_DER_SEQUENCE):
        raise TemporaryFailure(f"{path} holds no readable certificate")
    return sha256(der).hexdigest()
