"""
What one probe costs the machine that probes: client CPU of a full TLS login + SELECT + FETCH, against two peers.

The peers, measured in the same run against the same Dovecot: a bare verified TLS handshake in Python (blocking socket,
nothing said), and Prometheus' blackbox_exporter where it is installed, whose IMAP dialogue ends after CAPABILITY. Full
handshakes everywhere; nobody resumes a session. The goals are in the design, section 9: at most 1.5 times the bare
handshake, and less than blackbox_exporter.

    python benchmarks/probe_cost.py [--probes 400] [--profile]
"""

import argparse
import asyncio
import cProfile
import os
import pstats
import shutil
import socket
import ssl
import statistics
import subprocess
import tempfile
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from mailward.lab.blueprint import Shape
from mailward.lab.lab import Lab
from mailward.model.organization import HealthMailbox, ImapEndpoint, SecretKind, SecretRef, TlsPolicy
from mailward.model.probing import ProbeResult, ResultType
from mailward.model.target import ProbeTarget, Turn
from mailward.network.tcp_network import TcpNetwork
from mailward.platforms.local.file_secrets import FileSecrets
from mailward.platforms.local.system_chance import SystemChance
from mailward.platforms.local.system_clock import SystemClock
from mailward.probes.deep_test import ImapDeepTestProbe
from mailward.probes.equipment import Equipment

GOAL = 1.5
ROUNDS = 5
BLACKBOX = "prometheus-blackbox-exporter"


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--probes", type=int, default=400, help="probes for each line")
    options.add_argument("--profile", action="store_true", help="show where the time of a probe goes")
    given = options.parse_args()
    with Lab.up(Shape.ONE_BOX) as lab:
        targets = asyncio.run(_targets(lab))
        if given.profile:
            _profile(targets, given.probes)
        else:
            _report(targets, given.probes)


def _report(targets: Sequence[ProbeTarget], probes: int) -> None:
    endpoint = targets[0].endpoint
    bare = _interleaved(
        {
            "bare verified TLS handshake": lambda count: _bare(endpoint, count),
            "the probe's dialogue, bare socket": lambda count: _bare_dialogue(targets[0], count),
            "full probe, one at a time": lambda count: _probes(targets, count, 1, uvloop=False),
            "full probe, 50 at a time": lambda count: _probes(targets, count, 50, uvloop=False),
            "full probe, one at a time, uvloop": lambda count: _probes(targets, count, 1, uvloop=True),
            "full probe, 50 at a time, uvloop": lambda count: _probes(targets, count, 50, uvloop=True),
        },
        probes,
    )
    handshake = bare["bare verified TLS handshake"]
    print(f"client CPU, median of {ROUNDS} rounds of {probes // ROUNDS}\n")
    for name, seconds in bare.items():
        per_second = f"{1 / seconds:6.0f} a second and core"
        print(f"  {name:36} {seconds * 1e6:7.0f} µs   {seconds / handshake:5.2f} × the handshake   {per_second}")
    exporter = _blackbox(endpoint, probes)
    if exporter is None:
        print(f"  {BLACKBOX} is not installed")
    else:
        print(f"  {'blackbox_exporter up to CAPABILITY':36} {exporter * 1e6:7.0f} µs   {exporter / handshake:5.2f} ×")
    best = min(seconds for name, seconds in bare.items() if name.startswith("full"))
    print(f"\n  goal {GOAL} ×; best of ours {best / handshake:.2f} ×")


def _interleaved(ways: dict[str, Callable[[int], float]], probes: int) -> dict[str, float]:
    """CPU seconds per call of each way: the median of rounds that take turns, so that all meet the same weather."""
    for way in ways.values():
        way(20)
    seen: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            seen[name].append(way(probes // ROUNDS))
    return {name: statistics.median(seconds) for name, seconds in seen.items()}


def _bare(endpoint: ImapEndpoint, count: int) -> float:
    context = ssl.create_default_context(cafile=endpoint.tls.ca_file)
    began = time.process_time()
    for _ in range(count):
        with _handshaken(endpoint, context):
            pass
    return (time.process_time() - began) / count


def _bare_dialogue(target: ProbeTarget, count: int) -> float:
    """
    The very same round trips with nothing around them: no deadline, no parser, no checks. What is left between this
    and the handshake is the kernel's and OpenSSL's price of a dialogue; what is above it is ours.
    """
    assert target.account is not None
    assert target.canary is not None
    context = ssl.create_default_context(cafile=target.endpoint.tls.ca_file)
    plain = f"\0{target.account.user}\0{Path(target.account.password.name).read_text().strip()}"
    commands = (
        b"a AUTHENTICATE PLAIN " + b64encode(plain.encode()),
        b'b ID ("name" "benchmark")',
        b"c SELECT INBOX",
        b"d UID FETCH %d (UID RFC822.SIZE BODY.PEEK[])" % target.canary.uid,
        b"e LOGOUT",
    )
    began = time.process_time()
    for _ in range(count):
        with _handshaken(target.endpoint, context) as connection:
            _hear(connection, b"* OK ")
            for command in commands:
                connection.sendall(command + b"\r\n")
                _hear(connection, command[:2] + b"OK ")
    return (time.process_time() - began) / count


@contextmanager
def _handshaken(endpoint: ImapEndpoint, context: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
    source = (endpoint.source_address or "", 0)
    with (
        socket.create_connection((endpoint.host, endpoint.port), 5, source) as plain,
        context.wrap_socket(plain, server_hostname=endpoint.host) as connection,
    ):
        yield connection


def _hear(connection: ssl.SSLSocket, words: bytes) -> None:
    """Read until a whole last line that begins with *words*."""
    heard = b""
    while not (heard.endswith(b"\r\n") and heard[heard.rfind(b"\r\n", 0, -2) + 1 :].lstrip().startswith(words)):
        part = connection.recv(65536)
        if not part:
            raise SystemExit(f"the server closed instead of saying {words!r}: {heard!r}")
        heard += part


def _probes(targets: Sequence[ProbeTarget], count: int, at_once: int, *, uvloop: bool) -> float:
    with asyncio.Runner(loop_factory=_loop_factory(uvloop=uvloop)) as runner:
        probe = ImapDeepTestProbe(_equipment())
        runner.run(_run(probe, targets, at_once, at_once))  # contexts and imports are made once in a process' life
        began = time.process_time()
        runner.run(_run(probe, targets, count, at_once))
        return (time.process_time() - began) / count


def _loop_factory(*, uvloop: bool) -> Callable[[], asyncio.AbstractEventLoop]:
    if not uvloop:
        return asyncio.new_event_loop
    import uvloop as fast  # noqa: PLC0415 - an extra

    return fast.new_event_loop


async def _run(probe: ImapDeepTestProbe, targets: Sequence[ProbeTarget], count: int, at_once: int) -> None:
    left = iter(range(count))

    async def worker() -> None:
        for number in left:
            _insist(await probe.run(targets[number % len(targets)]))

    await asyncio.gather(*(worker() for _ in range(at_once)))


def _insist(result: ProbeResult) -> ProbeResult:
    if result.result is not ResultType.SUCCEEDED:
        raise SystemExit(
            "\n".join((f"{result.result.value} at {result.failed_phase}: {result.detail}", *result.transcript))
        )
    return result


def _equipment() -> Equipment:
    return Equipment(network=TcpNetwork(), secrets=FileSecrets(), clock=SystemClock(), chance=SystemChance())


async def _targets(lab: Lab) -> tuple[ProbeTarget, ...]:
    """One target for each user, canaries planted: a Dovecot admits only so many sessions of one user."""
    blueprint = lab.blueprint
    host = blueprint.hosts[0]
    probe = ImapDeepTestProbe(_equipment())
    targets = []
    for user in (*blueprint.databases[0].users, blueprint.databases[0].health_user):
        target = ProbeTarget(
            probe=probe.name,
            health_set="IMAP.Protocol",
            server=host.name,
            target="DB1",
            endpoint=ImapEndpoint(
                host=host.address,
                port=blueprint.ports.imaps,
                tls=TlsPolicy(ca_file=str(blueprint.ca_file)),
                source_address=blueprint.prober,
            ),
            timeout=timedelta(seconds=30),
            account=HealthMailbox(
                user=user, password=SecretRef(kind=SecretKind.FILE, name=str(blueprint.password_file(user)))
            ),
            turn=Turn.WRITE,
        )
        planted = _insist(await probe.run(target))
        targets.append(replace(target, turn=Turn.READ, canary=planted.canary))
    return tuple(targets)


def _blackbox(endpoint: ImapEndpoint, count: int) -> float | None:
    """CPU seconds per probe of blackbox_exporter, one at a time; None where it is not installed."""
    program = shutil.which(BLACKBOX)
    if program is None:
        return None
    with _exporter(program, endpoint) as (pid, url):
        for _ in range(20):
            _ask(url)
        before = _cpu_seconds(pid)
        for _ in range(count):
            _ask(url)
        return (_cpu_seconds(pid) - before) / count


@contextmanager
def _exporter(program: str, endpoint: ImapEndpoint) -> Iterator[tuple[int, str]]:
    with tempfile.TemporaryDirectory() as directory:
        configuration = Path(directory) / "blackbox.yml"
        configuration.write_text(_MODULE.format(ca=endpoint.tls.ca_file, source=endpoint.source_address))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [program, f"--config.file={configuration}", f"--web.listen-address=127.0.0.1:{port}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _await_port(port)
            yield process.pid, f"http://127.0.0.1:{port}/probe?module=imap&target={endpoint.host}:{endpoint.port}"
        finally:
            process.terminate()
            process.wait()


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit("blackbox_exporter does not listen")


def _ask(url: str) -> None:
    with urllib.request.urlopen(url, timeout=10) as answer:
        if b"\nprobe_success 1" not in answer.read():
            raise SystemExit("blackbox_exporter's probe failed")


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process, in the kernel's finest grain where it tells it."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _profile(targets: Sequence[ProbeTarget], probes: int) -> None:
    profile = cProfile.Profile()
    with asyncio.Runner() as runner:
        probe = ImapDeepTestProbe(_equipment())
        runner.run(_run(probe, targets, 20, 1))
        profile.enable()
        runner.run(_run(probe, targets, probes, 1))
        profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(45)


_MODULE = """\
modules:
  imap:
    prober: tcp
    timeout: 5s
    tcp:
      tls: true
      source_ip_address: {source}
      tls_config:
        ca_file: {ca}
      query_response:
        - expect: "^\\\\* OK"
        - send: "p1 CAPABILITY"
        - expect: "^\\\\* CAPABILITY"
        - send: "p2 LOGOUT"
"""

if __name__ == "__main__":
    main()
