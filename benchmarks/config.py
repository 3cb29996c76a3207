"""
What reading a configuration costs: 500 servers and databases, against the bare parser of the standard library.

`tomllib` alone turns the same text into dictionaries; ours also validates, puts templates, groups and servers on top of
each other, checks the parts against each other and makes the snapshot. The goal is a reload nobody notices: less than
a second for 500 servers.

    python benchmarks/config.py [--servers 500]
"""

import argparse
import statistics
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from mailward.config.load import load

ROUNDS = 5
_HEAD = """\
[organization]
name = "example"
[health_mailboxes]
user = "health-{name}"
password_file = "secrets/{name}"
[templates.debian]
platform = "dovecot"
imap.tls.ca_file = "ca.pem"
[groups.back-ends]
servers = ["mb*"]
template = "debian"
roles = ["mailbox"]
imap.host = "{name}.example.org"
restartable = true
[recovery]
mode = "act"
[notify.oncall]
kind = "webhook"
url_file = "secrets/oncall"
"""
_SERVER = """\
[servers.mb{number}]
known_as = ["mb{number}.example.org"]
[servers.mb{number}.host]
service = "systemd:dovecot"
reach = "ssh:mailward@mb{number}.example.org"
control = "systemd"
store_paths = ["/var/vmail"]
[databases.DB{number}]
copies = ["mb{number}", "mb{next}"]
mailboxes = 2000
"""


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--servers", type=int, default=500)
    servers: int = options.parse_args().servers
    text = _HEAD + "".join(_SERVER.format(number=number, next=(number + 1) % servers) for number in range(servers))
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "mailward.toml"
        file.write_text(text)
        load(file)
        bare = _seconds(lambda: tomllib.loads(file.read_text()))
        ours = _seconds(lambda: load(file))
    print(f"{servers} servers, {servers} databases, {len(text.splitlines())} lines")
    print(f"tomllib alone  {bare * 1000:7.0f} ms")
    print(f"mailward       {ours * 1000:7.0f} ms  {ours / bare:.1f} times tomllib")


def _seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one run, the median of several."""
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return statistics.median(took)


if __name__ == "__main__":
    main()
