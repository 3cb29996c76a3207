"""Each implementation of MailboxRouting over the same map, and a hand that changes it as somebody else would."""

import asyncio
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import trustme
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from mailward.model.organization import DirectoryEntries, RoutingMap
from mailward.platforms.commands import DaemonStarter, LocalRunner
from mailward.platforms.routing.command_map import CommandMap
from mailward.platforms.routing.ldap_map import LdapMap
from mailward.platforms.routing.sql_map import LIMIT_S, SqlMap
from mailward.ports.mailbox_routing import MailboxRouting
from mailward.testing.routing import MemoryMap

STRANGE = "Dä'tä\"3*(x)"
"""A database whose name would be something else as part of a statement, a filter or a command line."""
ACTIVE = {"DB1": "be1", "DB2": "be2", STRANGE: "be1"}
MAILBOXES = {"DB1": ("ada", "o'brien", "zoë"), "DB2": ("bob",), STRANGE: ("eve",)}
PASSWORD = "not-to-be-seen"
_ADDRESS = "127.0.78.1"
_STARTS_WITHIN_S = 30
_READY_S = 0.05
STATEMENTS = RoutingMap(
    map="",
    active="SELECT name, active FROM db",
    mailboxes="SELECT username FROM users WHERE db = :database ORDER BY username",
    switch="UPDATE db SET active = :target, hold_until = :hold_until WHERE name = :database AND active = :source",
)


@dataclass
class Mapped:
    """One map with the databases of ACTIVE."""

    routing: MailboxRouting
    edit: Callable[[str, str], None]
    """Somebody else sends the users of a database to a server."""
    held: Callable[[str], int | None]
    """Until when the map holds the logins of a database; None: it cannot say."""
    unreachable: MailboxRouting
    """The same kind of map, where nobody answers."""


@dataclass
class SqlHand:
    """An SQL database with the map, and a hand in it that is somebody else's."""

    settings: RoutingMap
    engine: Engine
    password: str | None

    def map(self, *, limit: float = LIMIT_S, **statements: str) -> SqlMap:
        """The map with other statements, or at another address."""
        return SqlMap(replace(self.settings, **statements), lambda: self.password, limit=limit)

    def ask(self, statement: str, **given: object) -> list[tuple[object, ...]]:
        """Run a statement as somebody else."""
        with self.engine.begin() as connection:
            result = connection.execute(text(statement), given)
            return [tuple(row) for row in result.all()] if result.returns_rows else []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Somebody else is about to change DB1, and does not come to an end."""
        with self.engine.connect() as connection:
            if self.settings.map.startswith("sqlite"):
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.execute(text("UPDATE db SET active = 'be9' WHERE name = 'DB1'"))
            yield
            connection.rollback()


@pytest.fixture(params=["memory", "sqlite", "postgresql", "mariadb", "command", "ldap databases", "ldap mailboxes"])
async def mapped(request: pytest.FixtureRequest) -> AsyncIterator[Mapped]:
    """One map for each kind."""
    if request.param in ("sqlite", "postgresql", "mariadb"):
        yield _by_sql(_sql(request))
    elif request.param.startswith("ldap"):
        yield request.getfixturevalue("directory")(request.param.removeprefix("ldap "))
    else:
        async with {"memory": _memory, "command": _by_command}[request.param]() as found:
            yield found


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def sql(request: pytest.FixtureRequest) -> SqlHand:
    """One database for each kind that SQL is spoken to."""
    return _sql(request)


@asynccontextmanager
async def _memory() -> AsyncIterator[Mapped]:
    routing, unreachable = MemoryMap(ACTIVE, MAILBOXES), MemoryMap(ACTIVE, MAILBOXES)
    unreachable.unreachable = "the test says so"

    def held(database: str) -> int | None:
        until = routing.held.get(database)
        return 0 if until is None else int(until.timestamp())

    yield Mapped(routing, routing.edit, held, unreachable)


def _sql(request: pytest.FixtureRequest) -> SqlHand:
    hand: SqlHand = request.getfixturevalue(f"{request.param}_hand")
    hand.ask("DROP TABLE IF EXISTS db")
    hand.ask("DROP TABLE IF EXISTS users")
    engine = " ENGINE=InnoDB" if request.param == "mariadb" else ""
    hand.ask(f"CREATE TABLE db (name VARCHAR(80) PRIMARY KEY, active VARCHAR(80), hold_until BIGINT){engine}")
    hand.ask(f"CREATE TABLE users (username VARCHAR(80) PRIMARY KEY, db VARCHAR(80)){engine}")
    for database, server in ACTIVE.items():
        hand.ask("INSERT INTO db VALUES (:name, :active, 0)", name=database, active=server)
        for mailbox in MAILBOXES[database]:
            hand.ask("INSERT INTO users VALUES (:mailbox, :name)", mailbox=mailbox, name=database)
    return hand


def _by_sql(hand: SqlHand) -> Mapped:
    def edit(database: str, server: str) -> None:
        hand.ask("UPDATE db SET active = :server WHERE name = :database", server=server, database=database)

    def held(database: str) -> int | None:
        [(until,)] = hand.ask("SELECT hold_until FROM db WHERE name = :database", database=database)
        assert isinstance(until, int)
        return until

    kind, _, rest = hand.settings.map.partition("://")
    nowhere = f"{kind}://mailward@{_ADDRESS}:1/mail" if rest else f"{hand.settings.map}.nosuch"
    return Mapped(hand.map(), edit, held, hand.map(map=nowhere))


_PROGRAM = """
import json, pathlib, sys
file, verb, *words = sys.argv[1:]
data = json.loads(pathlib.Path(file).read_text())
if verb == "active":
    print("\\n".join(f"{database} {server}" for database, server in data["active"].items()))
elif verb == "mailboxes":
    print("\\n".join(data["mailboxes"].get(words[0], ())))
else:
    import fcntl
    with open(file + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        data = json.loads(pathlib.Path(file).read_text())
        database, source, target = words
        if data["active"].get(database) != source:
            sys.exit(1)
        data["active"][database] = target
        pathlib.Path(file + ".new").write_text(json.dumps(data))
        pathlib.Path(file + ".new").replace(file)
"""


@asynccontextmanager
async def _by_command() -> AsyncIterator[Mapped]:
    with _folder() as directory:
        program, file = directory / "mailmap.py", directory / "map.json"
        program.write_text(_PROGRAM)
        file.write_text(json.dumps({"active": ACTIVE, "mailboxes": MAILBOXES}))

        def routing(file: Path) -> CommandMap:
            words = (sys.executable, "-S", "-E", str(program), str(file))
            commands = {
                "active": (*words, "active"),
                "mailboxes": (*words, "mailboxes", "{database}"),
                "switch": (*words, "switch", "{database}", "{source}", "{target}"),
            }
            settings = RoutingMap(map="command", commands=commands)
            return CommandMap(settings, looking=LocalRunner(), doing=DaemonStarter())

        def edit(database: str, server: str) -> None:
            data = json.loads(file.read_text())
            data["active"][database] = server
            file.write_text(json.dumps(data))

        yield Mapped(routing(file), edit, lambda _database: None, routing(directory / "nosuch.json"))


@pytest.fixture
def sqlite_hand(tmp_path: Path) -> SqlHand:
    """A file, whose name has what means something in an address."""
    file = tmp_path / "map?100%.db"
    file.touch()
    return SqlHand(replace(STATEMENTS, map=f"sqlite:{file}"), _engine("sqlite", database=str(file)), None)


@pytest.fixture(scope="session")
def postgresql_hand() -> Iterator[SqlHand]:
    """A PostgreSQL of our own."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with _folder() as directory:
        data, port = directory / "data", _free_port()
        (directory / "password").write_text(PASSWORD)
        _run(
            directory, programs[-1] / "initdb", "-D", data, "-U", "mailward", "-A", "scram-sha-256", "-E", "UTF8",
            "--locale=C.UTF-8", "--no-sync", "--pwfile", directory / "password",
        )  # fmt: skip
        settings = {"listen_addresses": _ADDRESS, "port": port, "unix_socket_directories": directory, "fsync": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        engine = _engine(
            "postgresql+psycopg", username="mailward", password=PASSWORD, host=_ADDRESS, port=port, database="postgres"
        )
        with _running(directory, programs[-1] / "postgres", "-D", data, *options, ready=lambda: _answers(engine)):
            url = f"postgresql://mailward@{_ADDRESS}:{port}/postgres"
            yield SqlHand(replace(STATEMENTS, map=url), engine, PASSWORD)


@pytest.fixture(scope="session")
def mariadb_hand() -> Iterator[SqlHand]:
    """A MariaDB of our own."""
    program = _program("mariadbd", package="mariadb-server-core")
    with _folder() as directory:
        port = _free_port()
        (directory / "data").mkdir()
        _give_away(directory)
        options = (
            "--no-defaults", f"--datadir={directory}/data", f"--tmpdir={directory}", "--innodb-log-file-size=4M",
            "--innodb-buffer-pool-size=8M", "--innodb-flush-log-at-trx-commit=0",
        )  # fmt: skip
        tables = [Path("/usr/share/mysql") / f"mysql_system_tables{which}.sql" for which in ("", "_data")]
        boot = "create database mysql;\nuse mysql;\n" + "".join(file.read_text() for file in tables)
        _run(directory, program, *options, "--bootstrap", told=boot)
        (directory / "init.sql").write_text(
            "CREATE DATABASE mail CHARACTER SET utf8mb4;\n"
            f"CREATE USER mailward@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON mail.* TO mailward@'%';\n"
        )
        listening = (f"--bind-address={_ADDRESS}", f"--port={port}", f"--socket={directory}/s")
        engine = _engine(
            "mysql+pymysql", username="mailward", password=PASSWORD, host=_ADDRESS, port=port, database="mail"
        )
        started = _running(
            directory, program, *options, *listening, f"--init-file={directory}/init.sql",
            f"--pid-file={directory}/pid", ready=lambda: _answers(engine),
        )  # fmt: skip
        with started:
            url = f"mysql://mailward@{_ADDRESS}:{port}/mail"
            yield SqlHand(replace(STATEMENTS, map=url), engine, PASSWORD)


SUFFIX, ADMIN = "dc=example,dc=org", "cn=admin,dc=example,dc=org"
_SLAPD = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {directory}/slapd.pid
attributetype ( 1.1.1.1 NAME 'mailHost' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.1.1.2 NAME 'mailDatabase' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.1.1.3 NAME 'mailHoldUntil' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.1.2.1 NAME 'mailRouted' AUXILIARY MAY ( mailHost $ mailDatabase $ mailHoldUntil ) )
objectclass ( 1.1.2.2 NAME 'mailUnheld' AUXILIARY MAY ( mailHost $ mailDatabase ) )
TLSCACertificateFile {directory}/ca.pem
TLSCertificateFile {directory}/server.pem
TLSCertificateKeyFile {directory}/server.key
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw {password}
directory {directory}/data
"""
_OF_MAILBOXES = DirectoryEntries(
    base=f"ou=people,{SUFFIX}", filter="(objectClass=mailRouted)", hold_until="mailHoldUntil", user=ADMIN
)
_OF_DATABASES = replace(
    _OF_MAILBOXES,
    base=f"ou=databases,{SUFFIX}",
    database="ou",
    mailboxes_base=f"ou=people,{SUFFIX}",
    mailboxes="(mailDatabase={database})",
)
LAYOUTS = {"databases": _OF_DATABASES, "mailboxes": _OF_MAILBOXES}


@dataclass
class Directory:
    """An OpenLDAP of our own, with the map in either layout."""

    url: str
    encrypted: str
    """The same, encrypted from the first byte."""
    ca_file: Path
    """The authority of its certificate."""
    password_file: Path
    silent: Callable[[], AbstractContextManager[None]]
    """Has the directory say nothing for a while, as a machine does that hangs."""

    def __call__(self, layout: str) -> Mapped:
        """Fill it anew."""
        there = self.tool("ldapsearch", "-LLL", "-o", "ldif_wrap=no", "-b", SUFFIX, "1.1", status=(0, 32))
        names = [line for line in there.splitlines() if line]
        self.tool("ldapmodify", told="".join(f"{name}\nchangetype: delete\n\n" for name in reversed(names)))
        self.tool("ldapadd", told="\n".join(_entries()))
        entries = LAYOUTS[layout]

        def edit(database: str, server: str) -> None:
            for name in self._names(entries, database):
                self.change(name, f"replace: mailHost\nmailHost: {server}")

        def held(database: str) -> int | None:
            found = {self.value(name, "mailHoldUntil") for name in self._names(entries, database)}
            assert len(found) == 1
            return int(found.pop() or 0)

        nowhere = self.map(layout, url=f"ldap://{_ADDRESS}:1")
        return Mapped(self.map(layout), edit, held, nowhere)

    def map(
        self,
        layout: str,
        *,
        url: str | None = None,
        password: str = PASSWORD,
        limit: float = LIMIT_S,
        **entries: object,
    ) -> LdapMap:
        """The map in this layout, or a little different."""
        settings = RoutingMap(map=url or self.url, ldap=replace(LAYOUTS[layout], **entries))  # type: ignore[arg-type]
        return LdapMap(settings, lambda: password, LocalRunner(), limit=limit)

    def change(self, name: str, deed: str) -> None:
        """Change an entry as somebody else."""
        self.tool("ldapmodify", told=f"dn: {name}\nchangetype: modify\n{deed}\n")

    def value(self, name: str, attribute: str) -> str | None:
        """The value of an attribute, or None."""
        said = self.tool("ldapsearch", "-LLL", "-s", "base", "-b", name, "(objectClass=*)", attribute)
        return next((line.split(": ")[1] for line in said.splitlines() if line.startswith(f"{attribute}:")), None)

    def tool(self, program: str, *words: str, told: str = "", status: tuple[int, ...] = (0,)) -> str:
        """Use one of the directory's tools."""
        argv = [program, "-x", "-H", self.url, "-D", ADMIN, "-y", str(self.password_file), *words]
        done = subprocess.run(argv, input=told, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode in status, done.stderr
        return done.stdout

    def _names(self, entries: DirectoryEntries, database: str) -> list[str]:
        if entries is _OF_DATABASES:
            return [f"uid=database-{list(ACTIVE).index(database)},ou=databases,{SUFFIX}"]
        return [f"uid={mailbox},ou=people,{SUFFIX}" for mailbox in MAILBOXES[database]]


def _entries() -> Iterator[str]:
    yield f"dn: {SUFFIX}\nobjectClass: domain\ndc: example\n"
    for unit in ("people", "databases"):
        yield f"dn: ou={unit},{SUFFIX}\nobjectClass: organizationalUnit\nou: {unit}\n"
    for number, (database, server) in enumerate(ACTIVE.items()):
        routed = "objectClass: account\nobjectClass: mailRouted\n"
        yield f"dn: uid=database-{number},ou=databases,{SUFFIX}\n{routed}ou: {database}\nmailHost: {server}\n"
        for mailbox in MAILBOXES[database]:
            yield f"dn: uid={mailbox},ou=people,{SUFFIX}\n{routed}mailDatabase: {database}\nmailHost: {server}\n"


@pytest.fixture(scope="session")
def directory() -> Iterator[Directory]:
    """An OpenLDAP of our own."""
    program = _program("slapd", package="slapd")
    _program("ldapsearch", package="ldap-utils")
    with _folder() as folder:
        (folder / "data").mkdir()
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o600)
        values = {"directory": folder, "suffix": SUFFIX, "admin": ADMIN, "password": PASSWORD}
        (folder / "slapd.conf").write_text(_SLAPD.format(**values))
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        certificate = authority.issue_cert(_ADDRESS)
        certificate.cert_chain_pems[0].write_to_path(folder / "server.pem")
        certificate.private_key_pem.write_to_path(folder / "server.key")
        _give_away(folder)
        url, encrypted = f"ldap://{_ADDRESS}:{_free_port()}", f"ldaps://{_ADDRESS}:{_free_port()}"

        def ready() -> bool:
            argv = ["ldapsearch", "-x", "-H", url, "-s", "base", "-b", ""]
            return subprocess.run(argv, capture_output=True, timeout=20, check=False).returncode == 0

        words = ("-f", folder / "slapd.conf", "-h", f"{url} {encrypted}", "-d", "0")
        with _running(folder, program, *words, ready=ready) as process:
            yield Directory(url, encrypted, folder / "ca.pem", folder / "password", lambda: _stopped(process))


@contextmanager
def _stopped(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    import signal

    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@contextmanager
def _folder() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="mwr-"))
    try:
        _give_away(directory)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _give_away(directory: Path) -> None:
    """Have everything there belong to the user the servers run as: none of them runs as root."""
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for path in (directory, *directory.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)


def _words(*argv: object) -> list[str]:
    """A server ends when the tests do, however they end (prctl(2): PR_SET_PDEATHSIG)."""
    other = ("--reuid", "nobody", "--regid", "nogroup", "--clear-groups") if os.getuid() == 0 else ()
    return ["setpriv", *other, "--pdeathsig", "KILL", "--", *map(str, argv)]


def _run(directory: Path, *argv: object, told: str = "") -> None:
    _give_away(directory)
    done = subprocess.run(
        _words(*argv), cwd=directory, input=told, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _running(directory: Path, *argv: object, ready: Callable[[], bool]) -> "Iterator[subprocess.Popen[bytes]]":
    log = directory / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            _words(*argv), cwd=directory, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while not ready():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_READY_S)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _engine(driver: str, **where: object) -> Engine:
    return create_engine(URL.create(driver, **where), poolclass=NullPool)  # type: ignore[arg-type]


def _answers(engine: Engine) -> bool:
    with suppress(Exception), engine.connect():
        return True
    return False


def _program(name: str, *, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_ADDRESS, 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def attentive() -> AsyncIterator[None]:
    """
    Nothing in here may keep the event loop from its other work.

    A thread that is watched beside it is late whenever the machine is busy, and not when the event loop waits.
    """
    loop, ended = asyncio.get_running_loop(), threading.Event()
    in_loop = in_thread = 0.0

    async def watch() -> None:
        nonlocal in_loop
        while True:
            began = loop.time()
            await asyncio.sleep(0.01)
            in_loop = max(in_loop, loop.time() - began)

    def watch_machine() -> None:
        nonlocal in_thread
        while not ended.is_set():
            began = time.monotonic()
            ended.wait(0.01)
            in_thread = max(in_thread, time.monotonic() - began)

    watcher, thread = asyncio.create_task(watch()), threading.Thread(target=watch_machine, daemon=True)
    thread.start()
    try:
        yield
    finally:
        watcher.cancel()
        ended.set()
        thread.join()
    assert in_loop < 0.5 + in_thread


@pytest.fixture(name="attentive")
def _attentive() -> Callable[[], AbstractContextManager[None]]:
    return attentive  # type: ignore[return-value]
