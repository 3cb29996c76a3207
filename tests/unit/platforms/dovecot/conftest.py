"""A Dovecot as detection would describe it, without one running."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mailward.platforms.dovecot.detection import Detected
from mailward.platforms.dovecot.listening import Listener
from mailward.platforms.dovecot.passwd_files import HealthFiles
from mailward.platforms.dovecot.probe_account import Account

DetectedWith = Callable[..., Detected]


@pytest.fixture
def a_dovecot() -> DetectedWith:
    """Describe a Dovecot 2.3 on one box, but for what is given."""

    def described(**but: object) -> Detected:
        usual: dict[str, object] = {
            "config": Path("/etc/dovecot/dovecot.conf"),
            "version": (2, 3, 19),
            "base_dir": Path("/run/dovecot"),
            "listeners": (Listener(address="*", port=993, is_tls=True), Listener(address="*", port=143, is_tls=False)),
            "stores": (Path("/var/vmail"),),
            "mail_owner": "5000:5000",
        }
        return Detected(**(usual | but))  # type: ignore[arg-type]

    return described


@pytest.fixture
def files(tmp_path: Path) -> HealthFiles:
    """Passwd-files of accounts, empty as `config init` leaves them."""
    directory = tmp_path / "passwd"
    directory.mkdir()
    made = HealthFiles(directory=directory, owner="5000:5000")
    for path in (made.new, made.old, made.users):
        path.touch()
    return made


@pytest.fixture
def accounts(tmp_path: Path) -> tuple[Account, ...]:
    """Two accounts that do not exist yet."""
    return tuple(
        Account(
            user=f"health-{name}",
            home=tmp_path / "mail" / "mailward-health" / f"health-{name}",
            password_file=tmp_path / "secrets" / f"{name}.password",
            allow_nets=("127.0.0.143/32", "::1/128"),
        )
        for name in ("mail1", "db1")
    )
