"""A lab of an ordinary user: the same organization, with Dovecot's rootless settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mailward
from mailward.lab import dovecot_conf
from mailward.lab.blueprint import Ports, Shape, draw
from mailward.lab.lab import missing_programs

pytestmark = pytest.mark.skipif(bool(missing_programs()), reason=f"this machine has no {', '.join(missing_programs())}")

_NOBODY = 65534
_SYSTEM_PYTHON = Path("/usr/bin/python3")
#: The first exec still has root's rights to look into directories; what the user may run shows only at the second.
_TRIAL = (
    "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import mailward.lab.lab, trustme'], check=True)"
)
_TRY = """
import sys
from pathlib import Path
from mailward.lab.lab import Lab
with Lab.up(directory=Path(sys.argv[1])) as lab:
    print(lab.log_in("anna", on="proxy1"), lab.log_in("health-db3", on="proxy2"), lab.log_in("health-be1", on="be1"))
    lab.break_("service-failed@be1")
    lab.break_("store-unreadable@be2")
    lab.heal()
    logs = "".join(host.log.read_text() for host in lab.blueprint.hosts)
    wrong = [line for line in logs.splitlines() if "not permitted" in line or "chroot(" in line or "fchown(" in line]
    print(lab.blueprint.rootless, wrong)
"""


def test_an_ordinary_user_gets_the_same_lab(short_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("this session is an ordinary user already: every other test of the lab shows it")
    command, environment = _as_nobody()
    os.chown(short_path, _NOBODY, _NOBODY)

    done = subprocess.run(
        [*command, "-c", _TRY, str(short_path / "lab")],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert "" == done.stderr
    assert "be1 be2 be1\nTrue []\n" == done.stdout
    assert not (short_path / "lab").exists()


_TRY_PROTOCOL_LOG = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from mailward.lab.blueprint import Shape
from mailward.lab.lab import Lab
from mailward.platforms.commands import DaemonStarter, LocalRunner
from mailward.platforms.dovecot.protocol_log import DovecotProtocolLog
from mailward.platforms.local.system_clock import SystemClock

async def main():
    with Lab.up(Shape.ONE_BOX, directory=Path(sys.argv[1])) as lab:
        clock, host = SystemClock(), lab.blueprint.host("mail")
        log = DovecotProtocolLog(
            "mail", str(host.configuration), ["health-db1"], runner=LocalRunner(), starter=DaemonStarter(), clock=clock
        )
        begun = clock.now()
        standing = await log.on(["health-db1"], until=begun + timedelta(minutes=1))
        lab.log_in("health-db1", on="mail")
        said = [line.text for one in await log.conversations("health-db1", since=begun) for line in one.lines]
        print(standing.is_on, any("SELECT" in text for text in said))
        print((await log.off()).because, list(host.protocol_log.iterdir()))

asyncio.run(main())
"""


def test_an_ordinary_user_who_owns_all_mail_can_switch_the_protocol_log(short_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("this session is an ordinary user already: every other test of the protocol log shows it")
    command, environment = _as_nobody()
    os.chown(short_path, _NOBODY, _NOBODY)

    done = subprocess.run(
        [*command, "-c", _TRY_PROTOCOL_LOG, str(short_path / "lab")],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ("True True\noff []\n", "") == (done.stdout, done.stderr)


@pytest.mark.parametrize("rootless", [True, False])
@pytest.mark.parametrize("shape", Shape)
def test_dovecot_accepts_every_configuration(shape: Shape, rootless: bool, short_path: Path) -> None:
    user, group = ("nobody", "nogroup") if rootless else ("dovecot", "dovecot")
    blueprint = draw(shape, short_path, network="127.7.7", ports=Ports(), rootless=rootless, user=user, group=group)
    for file in ("ca.pem", *(f"{host.name}/tls/{part}.pem" for host in blueprint.hosts for part in ("cert", "key"))):
        (short_path / file).parent.mkdir(parents=True, exist_ok=True)
        (short_path / file).write_text("not looked into")

    for host in blueprint.hosts:
        if host.is_proxy:
            text = dovecot_conf.render_proxy(blueprint, host)
        else:
            text = dovecot_conf.render_mailbox_server(blueprint, host, doveadm_password="secret")
        host.configuration.write_text(text)
        done = subprocess.run(
            ["doveconf", "-n", "-c", str(host.configuration)], capture_output=True, text=True, check=False
        )
        assert (0, "") == (done.returncode, done.stderr)
        assert rootless == ("default_login_user = nobody" in done.stdout)


def _as_nobody() -> tuple[list[str], dict[str, str]]:
    """How to run our Python as the user nobody, or a counted skip where that cannot be."""
    packages = next((path for path in sys.path if path.endswith("site-packages")), "")
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"{Path(mailward.__file__).parent.parent}:{packages}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    drop = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    for python in (sys.executable, str(_SYSTEM_PYTHON)):
        trial = subprocess.run(
            [*drop, python, "-c", _TRIAL],
            env=environment, cwd="/", capture_output=True, check=False, timeout=30,
        )  # fmt: skip
        if trial.returncode == 0:
            return [*drop, python], environment
    pytest.skip("no Python that the user nobody may run has what mailward needs")
