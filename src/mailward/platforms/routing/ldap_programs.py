"""
A directory, asked and changed by OpenLDAP's own programs: `ldapsearch` and `ldapmodify`.

They are as well kept as the directory itself, follow the machine's ldap.conf, and can be ended at any time, which a
library in a thread cannot (docs/decisions/0002-dependencies.md).
"""

import asyncio
import base64
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.organization import DirectoryEntries
from mailward.platforms.commands import Finished, Runner
from mailward.platforms.local.patient_looks import PATIENCE, PatientLooks

LIMIT_S = 10.0
"""How long one question may take; a map that is slower than that holds users' logins up as well."""
_CONNECT_S = 4
_ENTRY_S = 0.02
"""What one of many entries to be changed adds to that: the directory writes each to its disk."""
_PAGE = 1000
"""Entries asked for at once (RFC 2696): slapd gives no more than 500 to whom does not ask by the page."""
_UNREACHABLE = 255
#: Result codes that stay until somebody mends something: entries, schema, rights, limits (RFC 4511, appendix A.2).
_WRONG = {2, 4, 10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 32, 34, 50, 53, 64, 65, 67, 69, 71}
_WRONG_FILTER = 249
"""LDAP_FILTER_ERROR, -7, as an exit status."""

Change = tuple[str, Sequence[tuple[str, str, str]]]
"""An entry's name, and what is done to it: delete, add or replace; the attribute; the value."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its distinguished name, and the values of the attributes that were asked for."""

    name: str
    attributes: Mapping[str, tuple[str, ...]]

    def values(self, attribute: str) -> tuple[str, ...]:
        """Of an attribute, whose name may be written in any case (RFC 4512, section 2.5)."""
        return self.attributes.get(attribute.lower(), ())


class LdapPrograms:
    """One directory."""

    def __init__(
        self, url: str, settings: DirectoryEntries, password: Callable[[], str | None], runner: Runner, limit: float
    ) -> None:
        """
        Args:
            url: Where it is.
            settings: How it is reached.
            password: Reveals the password of its user, each time it is connected to.
            runner: Runs the programs.
            limit: How many seconds each may take.
        """
        self._url, self._settings, self._limit = url, settings, limit
        self._password, self._runner = password, runner
        self._looks = PatientLooks("this machine", patience=min(PATIENCE, timedelta(seconds=limit)))
        self._in_turn = asyncio.Lock()

    async def search(self, base: str, wanted: str, attributes: Sequence[str]) -> tuple[Entry, ...]:
        """
        The entries below *base* that the filter *wanted* finds.

        Raises:
            Refused: The directory says that this cannot be.
            TemporaryFailure: It was not reached, or did not answer in time.
        """
        paged = f"pr={_PAGE}/noprompt"
        argv = ("-LLL", "-o", "ldif_wrap=no", "-E", paged, "-b", base, "-s", "sub", "--", wanted, *attributes)
        finished = await self._run("ldapsearch", *argv)
        if finished.status != 0:
            raise self.trouble(finished)
        return tuple(_entries(finished.output))

    async def modify(self, changes: Sequence[Change]) -> tuple[Finished, int]:
        """
        Change entries one after the other, to the first that cannot be; how that ended, and how many were changed.

        Raises:
            TemporaryFailure: The directory did not answer in time; it may have changed some.
        """
        limit = self._limit + _ENTRY_S * len(changes)
        with _in_memory("\n".join(_ldif(name, deeds) for name, deeds in changes)) as file:
            finished = await self._run("ldapmodify", "-f", file, limit=limit)
        begun = sum(line.startswith("modifying entry ") for line in finished.output.splitlines())
        return finished, begun if finished.status == 0 else max(0, begun - 1)

    def trouble(self, finished: Finished) -> Refused | TemporaryFailure:
        """What a program says that did not end well."""
        if finished.status == _UNREACHABLE:
            return TemporaryFailure(f"{self} cannot be reached: {finished.said()}")
        if finished.status == _WRONG_FILTER:
            return Refused(f"routing.ldap has a filter that is none (RFC 4515): {finished.said()}")
        said = f"{self}: {finished.said()}"
        return Refused(said) if finished.status in _WRONG else TemporaryFailure(said)

    def __str__(self) -> str:
        return f"the map {self._url}"

    async def _run(self, program: str, *words: str, limit: float | None = None) -> Finished:
        names, password = self._settings, await self._revealed()
        argv = [program, "-H", self._url, "-o", f"nettimeout={_CONNECT_S}"]
        if names.starttls:
            argv.append("-ZZ")
        if names.ca_file is not None:
            argv += ["-o", f"TLS_CACERT={names.ca_file}"]
        if names.user is None and self._url.startswith("ldapi:"):
            argv += ["-Q", "-Y", "EXTERNAL"]  # the directory knows who is at the other end of a unix socket
        else:
            argv.append("-x")
        if names.user is not None:
            argv += ["-D", names.user]
        with nullcontext(None) if password is None else _in_memory(password) as file:
            if file is not None:
                argv += ["-y", file]
            try:
                return await self._runner.run((*argv, *words), timeout=limit or self._limit)
            except TemporaryFailure as failure:
                is_missing = isinstance(failure.__cause__, FileNotFoundError)
                hint = "; OpenLDAP's programs are in the package ldap-utils" if is_missing else ""
                raise TemporaryFailure(f"{self}: {failure}{hint}") from failure

    async def _revealed(self) -> str | None:
        """The password of its user; it may stand in a file, and its file system may hang."""
        if self._settings.user is None:
            return None
        try:
            async with self._in_turn:
                return await self._looks.look("the password of its user", self._password)
        except TemporaryFailure as failure:
            raise TemporaryFailure(f"{self}: {failure}") from failure


def _entries(ldif: str) -> Iterator[Entry]:
    """Entries as `ldapsearch -LLL` prints them, each ended by an empty line; LDIF: RFC 2849."""
    for block in ldif.split("\n\n"):
        pairs = [_pair(line) for line in block.splitlines() if line and not line.startswith("#")]
        if not pairs or pairs[0][0] != "dn":
            continue  # a referral to elsewhere
        attributes: dict[str, tuple[str, ...]] = {}
        for attribute, value in pairs[1:]:
            attributes[attribute] = (*attributes.get(attribute, ()), value)
        yield Entry(pairs[0][1], attributes)


def _pair(line: str) -> tuple[str, str]:
    attribute, _, value = line.partition(":")
    if value.startswith(":"):
        value = base64.b64decode(value[1:]).decode(errors="replace")
    return attribute.partition(";")[0].lower(), value.removeprefix(" ")


def _ldif(name: str, deeds: Sequence[tuple[str, str, str]]) -> str:
    """One change; every value in base64, so that none can be anything but a value."""
    lines = [f"dn:: {_encoded(name)}", "changetype: modify"]
    for deed, attribute, value in deeds:
        lines += [f"{deed}: {attribute}", f"{attribute}:: {_encoded(value)}", "-"]
    return "\n".join(lines) + "\n"


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@contextmanager
def _in_memory(text: str) -> Iterator[str]:
    """A file that is on no disk, as programs of our own user can open it (memfd_create(2), proc(5))."""
    descriptor = os.memfd_create("mailward")
    try:
        os.fchmod(descriptor, 0o600)
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(text.encode())
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)
