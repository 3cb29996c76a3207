"""A real Prometheus and a real Alertmanager, started privately and gone afterwards."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

PROMETHEUS, ALERTMANAGER = "prometheus", "prometheus-alertmanager"
_OPENER = build_opener(ProxyHandler({}))  # what stands in the environment is not for 127.x


def missing() -> list[str]:
    """The programs that this machine does not have."""
    return [name for name in (PROMETHEUS, ALERTMANAGER) if shutil.which(name) is None]


def free_port(host: str) -> int:
    """A port of *host* that nobody listens on."""
    with socket.socket() as one:
        one.bind((host, 0))
        return int(one.getsockname()[1])


def get(url: str, **query: str) -> Any:
    """What is answered there, as JSON where it is."""
    with _OPENER.open(f"{url}?{urlencode(query)}" if query else url, timeout=10) as answered:
        text = answered.read().decode()
    return json.loads(text) if "json" in answered.headers.get("Content-Type", "") else text


def post(url: str, value: object) -> None:
    """Send JSON."""
    request = Request(url, data=json.dumps(value).encode(), headers={"Content-Type": "application/json"})
    with _OPENER.open(request, timeout=10):
        pass


def status_of(url: str) -> int:
    """The status of an answer to somebody who shows no token."""
    try:
        with _OPENER.open(url, timeout=10) as answered:
            return int(answered.status)
    except HTTPError as error:
        return error.code


@contextmanager
def running(words: Sequence[str], *, directory: Path, ready: str) -> Iterator[Path]:
    """Run a program in *directory* until the block ends, once *ready* answers; its log."""
    log = directory / f"{words[0]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(words, cwd=directory, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        deadline = monotonic() + 30
        while not _answers(ready):
            assert process.poll() is None, log.read_text()[-2000:]
            assert monotonic() < deadline, log.read_text()[-2000:]
            sleep(0.05)
        yield log
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def prometheus(directory: Path, host: str, configuration: Mapping[str, object]) -> Iterator[str]:
    """A Prometheus with this configuration (JSON is YAML); its address."""
    (directory / "prometheus.yml").write_text(json.dumps(configuration))
    url = f"{host}:{free_port(host)}"
    words = [
        PROMETHEUS,
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        f"--web.listen-address={url}",
    ]
    with running(words, directory=directory, ready=f"http://{url}/-/ready"):
        yield f"http://{url}"


@contextmanager
def alertmanager(directory: Path, url: str, configuration: Mapping[str, object]) -> Iterator[None]:
    """An Alertmanager with this configuration and no peers, at *url*: host and port."""
    (directory / "alertmanager.yml").write_text(json.dumps(configuration))
    words = [
        ALERTMANAGER,
        "--config.file=alertmanager.yml",
        "--storage.path=silences",
        f"--web.listen-address={url}",
        "--cluster.listen-address=",
    ]
    with running(words, directory=directory, ready=f"http://{url}/-/ready"):
        yield


def _answers(url: str) -> bool:
    with suppress(URLError, OSError):
        get(url)
        return True
    return False
