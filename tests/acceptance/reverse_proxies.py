"""
The examples of the page on reverse proxies, as the real programs are given them.

Of an example only addresses, ports and the paths of certificates are changed, and each of these has to stand in it.
What stands around it keeps the program to one folder and one address.
"""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import trustme

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "reverse-proxy.md"
NAME = "mailward.example.org"
MANAGER = "127.0.0.1:8143"
"""Where mailward listens, as the page says."""
_SEARCH_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
_BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a proxy runs here."""

    directory: Path
    """Holds mailward.pem and mailward.key; all that the proxy writes is below it."""
    address: str
    port: int
    manager_port: int


@dataclass(frozen=True, kw_only=True)
class ReverseProxy:
    """One of the programs of the page."""

    name: str
    """The heading of its section."""
    package: str
    """As Debian calls it."""
    opens: str
    """Where the example says what name or port people come to."""
    opened: str
    """What that is here, of a Place."""
    around: str
    """The whole configuration; {example} is what the page shows."""
    check: str
    run: str
    """The words after the program's name to check the configuration {file}, and to run it in the foreground."""
    of_here: tuple[str, ...] = ()
    """What it warns of because of what stands around the example, or of a certificate that is only for a test."""

    def program(self) -> str | None:
        """Where it is on this machine."""
        return shutil.which(self.name.lower(), path=_SEARCH_PATH)

    def example(self) -> str:
        """What the page shows."""
        (shown,) = _BLOCK.findall(section(self.name))
        return str(shown)

    def write(self, place: Place) -> Path:
        """Write the configuration; its file."""
        changed = self.example()
        for there, here in {
            self.opens: self.opened.format(place=place),
            MANAGER: f"127.0.0.1:{place.manager_port}",
            **{path: str(place.directory / Path(path).name) for path in re.findall(r"/etc/\S+\.(?:pem|key)", changed)},
        }.items():
            assert there in changed, f"{there} does not stand in the example for {self.name}"
            changed = changed.replace(there, here)
        file = place.directory / self.name.lower()
        file.write_text(self.around.format(example=changed, place=place))
        return file

    def words(self, what: str, file: Path) -> list[str]:
        """A command line; *what* is `check` or `run`."""
        return [self.program() or "", *what.format(file=file, directory=file.parent).split()]

    def complaints(self, file: Path) -> tuple[int, list[str]]:
        """How the program's own check ends, and each line of it that is an error or a warning on the example."""
        done = subprocess.run(
            self.words(self.check, file),
            env=_at_home(file.parent),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        serious = [one for one in done.stdout.splitlines() if re.search("warn|alert|emerg|error", one, re.IGNORECASE)]
        return done.returncode, [one for one in serious if not any(known in one for known in self.of_here)]

    @contextmanager
    def running(self, file: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Run it until the block ends; what it says is in the file beside that ends with `.log`."""
        with file.with_suffix(".log").open("wb") as log:
            process = subprocess.Popen(
                self.words(self.run, file),
                env=_at_home(file.parent),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that its workers can be counted
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
                raise


def section(heading: str) -> str:
    """The text of one section of the page."""
    return PAGE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def sections_with_an_example() -> list[str]:
    """The headings under which a proxy's configuration is shown."""
    headings = re.findall(r"^## (.*)$", PAGE.read_text(), re.MULTILINE)
    return [heading for heading in headings if re.search(r"^```(?:nginx|text)$", section(heading), re.MULTILINE)]


def write_certificate(issued: trustme.LeafCert, directory: Path, *, has_key_file: bool) -> None:
    """Write mailward.pem, and the key beside or in it."""
    chain = directory / "mailward.pem"
    if has_key_file:
        for number, one in enumerate(issued.cert_chain_pems):
            one.write_to_path(chain, append=number > 0)
        issued.private_key_pem.write_to_path(directory / "mailward.key")
    else:
        issued.private_key_and_cert_chain_pem.write_to_path(chain)


def free_port_of(address: str) -> int:
    """A port of *address* that nobody listens on."""
    with socket.socket() as free:
        free.bind((address, 0))
        return int(free.getsockname()[1])


def listens(place: Place) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as one:
        return one.connect_ex((place.address, place.port)) == 0


def until_it_listens(place: Place, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for a proxy that has just been started."""
    deadline = monotonic() + 30
    while not listens(place):
        assert process.poll() is None, log.read_text()
        assert monotonic() < deadline, log.read_text()
        sleep(0.05)


def processes_of_session(leader: int) -> list[str]:
    """What runs in the session of a process that has ended (proc(5): the sixth field of stat)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:  # it has just ended
            continue
        if text.rpartition(")")[2].split()[3] == str(leader):
            found.append(text)
    return found


def _at_home(directory: Path) -> Mapping[str, str]:
    """An environment whose home is *directory*: Caddy keeps things there."""
    return {"PATH": _SEARCH_PATH, "HOME": str(directory)}


NGINX = ReverseProxy(
    name="nginx",
    package="nginx-light",
    opens="listen 443 ssl",
    opened="listen {place.address}:{place.port} ssl",
    around="""\
daemon off;
pid nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxied;
    fastcgi_temp_path fastcgi;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
{example}
}}
""",
    check="-t -q -e stderr -p {directory} -c {file}",
    run="-e stderr -p {directory} -c {file}",
)
CADDY = ReverseProxy(
    name="Caddy",
    package="caddy",
    opens=f"{NAME} {{",
    opened=f"{NAME}:{{place.port}} {{{{",
    around="""\
{{
	admin off
	auto_https disable_redirects
	default_bind {place.address}
}}

{example}""",
    check="validate --adapter caddyfile --config {file}",
    run="run --adapter caddyfile --config {file}",
    of_here=("no OCSP stapling", "redirects are disabled"),
)
HAPROXY = ReverseProxy(
    name="HAProxy",
    package="haproxy",
    opens="bind :443",
    opened="bind {place.address}:{place.port}",
    around="{example}",
    check="-c -f {file}",
    run="-db -f {file}",
)
ALL = (NGINX, CADDY, HAPROXY)
