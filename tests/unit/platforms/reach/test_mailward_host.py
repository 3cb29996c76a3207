"""An attack on mailward-host: whatever the request is, only argv of its fixed table are ever run."""

import ast
import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailward.platforms.reach import mailward_host
from mailward.platforms.reach.mailward_host import (
    BOOT_ID,
    OTHERS,
    Host,
    Refusal,
    Unseen,
    answer,
    argv_of,
    config_in,
    read_host,
    run,
    stuck,
    sudoers,
    verbs_of,
)

PEER = "tcp:mbx2.example.org:12345"
HOST = Host(unit="dovecot.service", config="/etc/dovecot/dovecot.conf", may_restart_server=True, peers=(PEER,))
VERBS = verbs_of(HOST)
#: What may be run at all, whatever is asked.
TABLE = {argv_of(name, HOST) for name in VERBS}
SHOWN = "LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nMainPID=0\n"


class Recording:
    """Runs nothing."""

    def __init__(self, **said):
        self.argvs = []
        self.said = {"ok": True, "status": 0, "output": SHOWN, "errors": ""} | said

    def __call__(self, argv, seconds, *, given=b"", largest=0):
        assert 0 < seconds < 600
        self.given = given
        self.argvs.append(tuple(argv))
        return self.said


def asked(request, *, read_only=False, host=HOST, given=b"anna\n"):
    """What is run for a request; a refusal runs nothing."""
    execute = Recording()
    answer(request, host, execute, read_only=read_only, given=lambda: given)
    return execute.argvs


@pytest.mark.parametrize("request_", list(VERBS))
def test_each_request_runs_its_line_of_the_table(request_):
    assert [argv_of(request_, HOST)] == asked(request_)


ATTACKS = [
    "", " ", "\n", "status\n", "status\nrestart", "status;restart", "status; rm -rf /", "status && reboot", "status|sh",
    "$(reboot)", "`reboot`", "status `id`", "status $(id)", "status > /etc/passwd", "status < x", "status &",
    "status\0restart", "\0", "status\trestart", "status\r", "status  ", " status", "start  ", "status dovecot.service",
    "start dovecot.service", "start -- sshd", "start sshd.service", "--version", "-H root@elsewhere status",
    "status --help", "restart --no-block", "start -Hroot@x", "-- status", "--", "start --", "doveadm", "doveadm exec x",
    "doveadm -c /tmp/evil.conf who", "doveadm who -c /tmp/evil.conf", "doveadm -o x=y who", "doveadm config",
    "doveadm who *", "doveadm pw -s PLAIN -p x", "doveadm stats dump -s /tmp/x", "doveadm service status ../../x",
    "doveadm service stop imap-login", "doveadm fetch -A text all", "doveadm kick -A", "doveadm auth test anna secret",
    "doveadm log errors", "doveadm service status imap",
    "doveadm proxy kick anna", "doveadm proxy kick *", "doveadm proxy kick -- anna", "doveadm proxy", "doveadm sync",
    "doveadm sync anna", "doveadm sync tcp:evil.example.org:1", f"doveadm sync {PEER} anna", f"doveadm sync -A {PEER}",
    "doveadm sync tcp:mbx2.example.org:123456", "doveadm sync tcps:mbx2.example.org:12345", f"doveadm sync {PEER}:",
    "doveadm sync PEER", "doveadm sync /tmp/x", "doveadm sync ssh:x", "doveadm replicator status anna",
    "doveadm replicator remove", "doveadm replicator add *", "doveadm replicator replicate anna", "--as-root",
    "--as-root doveadm proxy kick",
    "doveadm log errors --since=0", "doveadm  who", "PATH=/tmp status", "LD_PRELOAD=/tmp/x.so status", "A=b",
    "env status", "/usr/bin/systemctl restart x", "../status", "status/../restart", "/bin/sh", "sh -c reboot", "STATUS",
    "sudo reboot", "Status", "ｓtatus", "statuѕ", "stаtus", "status\u2028", "status\u00a0", "sta\u200btus",
    "restart-server --force", "reboot", "check /etc/shadow", "check -c /etc/shadow", "boot-id /etc/shadow",
    "others-at-work x", "UNIT", "CONFIG",
    "status UNIT", "enable --now", "enable /tmp/x.service", "%n", "%s%s%s", "\\status", "status\\", "'status'",
    '"status"', "status #", "!status", "~root", "*", "?", "[a-z]*", "status" * 10_000, "a" * 1_000_000, "\udcff", "é",
    "internal-sftp", "/usr/lib/openssh/sftp-server", "scp -t /tmp", "rsync --server . /", "--sudoers",
    "--config /tmp/x",
]  # fmt: skip


@pytest.mark.parametrize("request_", ATTACKS, ids=lambda text: ascii(text)[:40])
def test_an_attack_is_refused_and_runs_nothing(request_):
    execute = Recording()

    with pytest.raises(Refusal):
        answer(request_, HOST, execute, read_only=False)

    assert [] == execute.argvs


KNOWN_WORDS = sorted({word for name in (*VERBS, BOOT_ID, OTHERS) for word in name.split()})
NEAR_MISSES = st.lists(
    st.one_of(
        st.sampled_from(KNOWN_WORDS),
        st.sampled_from(["--", "-c", ";", "\n", "UNIT", "dovecot.service", "../x", "-H", "$(x)", "a=b", "\0"]),
        st.text(max_size=8),
    ),
    max_size=8,
)


@given(st.one_of(st.text(), st.text(alphabet="-;|&$`\n\0 starex", max_size=30), NEAR_MISSES.map(" ".join)))
@example("doveadm service status")
@example("restart-server")
def test_whatever_is_asked_only_the_table_is_run(request_):
    execute = Recording()
    try:
        answer(request_, HOST, execute, read_only=False, given=lambda: b"anna\n")
    except Refusal:
        assert [] == execute.argvs

    assert TABLE.issuperset(execute.argvs)


@given(st.one_of(st.text(), NEAR_MISSES.map(" ".join), st.sampled_from([*VERBS, BOOT_ID, OTHERS])))
@example("restart")
def test_a_key_that_may_only_look_never_runs_what_acts(request_):
    execute = Recording()
    try:
        answer(request_, HOST, execute, read_only=True, given=lambda: b"anna\n")
    except Refusal:
        assert [] == execute.argvs

    acting = {argv_of(name, HOST) for name, verb in VERBS.items() if verb.acts}
    assert not acting.intersection(execute.argvs)


def test_what_acts_is_what_changes_something():
    assert {
        "start", "stop", "restart", "reload", "enable", "reset-failed", "restart-server", "doveadm auth cache flush",
        "doveadm proxy kick", "doveadm replicator replicate", f"doveadm sync {PEER}",
    } == {name for name, verb in VERBS.items() if verb.acts}  # fmt: skip


def test_no_line_of_the_table_is_a_shell_or_takes_a_word_from_anywhere():
    for argv in TABLE:
        assert argv[0].startswith("/usr/bin/")
        assert all(word and not set(word) & set(";|&$`<>*?\n\0 ") for word in argv)


def test_a_host_that_does_not_allow_its_restart_is_not_restarted():
    with pytest.raises(Refusal, match="does not allow its restart"):
        asked("restart-server", host=Host(unit="x", config="/x"))


def test_the_boot_id_is_the_kernels_and_runs_nothing(tmp_path):
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text("b1\n")

    assert {"ok": True, "boot_id": "b1"} == answer("boot-id", HOST, Recording(), read_only=True, proc=tmp_path)


@pytest.fixture
def quiet(tmp_path):
    """A process table of a machine where nobody is at work."""
    (tmp_path / "proc" / "1").mkdir(parents=True)
    (tmp_path / "proc" / "locks").touch()
    return tmp_path / "proc"


def others(proc, *, shown=SHOWN, host=HOST, **said):
    return answer("others-at-work", host, Recording(output=shown, **said), read_only=True, proc=proc)["others"]


def test_nobody_else_is_at_work_on_a_quiet_host(quiet):
    assert [] == others(quiet)


def test_systemd_a_mark_and_a_package_manager_are_others_at_work(quiet, tmp_path):
    (tmp_path / "mark").touch()
    (quiet / "7").mkdir()
    (quiet / "7" / "cmdline").write_bytes(b"apt-get\0upgrade\0")
    (quiet / "7" / "status").write_text("Name:\tapt-get\nUid:\t0\t0\t0\t0\n")
    host = Host(unit="dovecot.service", config="/x", marks=(str(tmp_path / "mark"),))

    found = others(quiet, shown=SHOWN.replace("running", "auto-restart"), host=host)

    assert ["systemd restarts dovecot.service itself (Restart=)", f"{tmp_path}/mark exists", "process 7 (apt-get)"] == [
        said.split(":")[0] if ":" in said else said.removesuffix(" changes packages") for said in found
    ]


def test_a_job_of_systemd_is_somebody_at_work(quiet):
    assert 1 == len(others(quiet, shown=SHOWN + "Job=12\n"))


def test_a_systemd_that_does_not_answer_is_unknown_not_nobody(quiet):
    with pytest.raises(Unseen, match="no bus"):
        others(quiet, status=1, errors="no bus")


def test_a_systemd_that_says_nothing_of_its_failure_is_told_by_its_status(quiet):
    with pytest.raises(Unseen, match="what it is about: exit status 3"):
        others(quiet, status=3, errors="")


def test_a_systemd_whose_answer_is_not_whole_is_unknown(quiet):
    with pytest.raises(Unseen, match="does not say what it is about"):
        others(quiet, truncated=True)


def test_a_mark_below_a_file_is_not_there_and_one_that_cannot_be_looked_at_is_unknown(quiet, tmp_path):
    (tmp_path / "file").touch()
    assert [] == others(quiet, host=Host(unit="dovecot.service", config="/x", marks=(f"{tmp_path}/file/mark",)))

    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        others(quiet, host=Host(unit="dovecot.service", config="/x", marks=(f"{tmp_path}/loop/mark",)))


def test_where_other_users_processes_are_hidden_it_is_unknown_who_is_at_work(quiet):
    (quiet / "1").rmdir()

    with pytest.raises(OSError, match="hidepid"):
        others(quiet)


@pytest.mark.skipif(os.getuid() != 0, reason="needs a second user")
def test_a_mark_in_a_directory_that_may_not_be_entered_is_unknown(quiet, tmp_path):
    host = Host(unit="dovecot.service", config="/x", marks=(f"{tmp_path}/closed/mark",))
    (tmp_path / "closed").mkdir(mode=0o700)

    os.seteuid(65534)
    try:
        with pytest.raises(PermissionError, match="closed/mark"):
            others(quiet, host=host)
    finally:
        os.seteuid(0)


def test_a_lock_that_is_held_is_seen(tmp_path):
    with (tmp_path / "lock").open("w") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        (said,) = mailward_host.lock_holders([tmp_path / "lock", tmp_path / "nosuch"])

    assert f"process {os.getpid()} holds" in said


def a_process(proc, pid, name, state, parent):
    (proc / str(pid)).mkdir(parents=True)
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) {state} {parent} 0 0")


@pytest.mark.parametrize(
    ("master", "login", "worker", "expected"),
    [
        ("S", "S", "S", []),
        ("T", "S", "S", [["dovecot", "T"]]),
        ("S", "D", "S", [["imap-login", "D"]]),
        ("S", "S", "T", []),
        ("S", "t", "D", [["imap-login", "t"]]),
    ],
)
def test_vital_processes_that_do_not_run_are_stuck(master, login, worker, expected, tmp_path):
    a_process(tmp_path, 10, "dovecot", master, 1)
    a_process(tmp_path, 11, "imap-login", login, 10)
    a_process(tmp_path, 12, "imap", worker, 10)
    a_process(tmp_path, 13, "auth", "T", 1)

    assert expected == stuck(10, tmp_path)


def test_a_unit_without_process_is_not_stuck(tmp_path):
    assert [] == stuck(0, tmp_path)


# this host's own configuration


def written(path, text, mode=0o644):
    path.write_text(text)
    path.chmod(mode)
    return path


def own(path):
    return read_host(path, owner=os.getuid())


def test_the_hosts_own_configuration(tmp_path):
    text = (
        "[host]\nunit = dovecot@a.service\nconfig = /srv/d.conf\nhealer_marks = /run/a /run/b\nrestart_server = yes\n"
        "peers = tcp:mbx2:12345\n  tcps:192.0.2.7:12346\n"
    )

    assert Host(
        unit="dovecot@a.service",
        config="/srv/d.conf",
        marks=("/run/a", "/run/b"),
        may_restart_server=True,
        peers=("tcp:mbx2:12345", "tcps:192.0.2.7:12346"),
        file=f"{tmp_path}/x.ini",
    ) == own(written(tmp_path / "x.ini", text))


def test_what_it_does_not_say_is_debians_usual_and_no_restart_of_the_server(tmp_path):
    usual = Host(unit="dovecot.service", config="/etc/dovecot/dovecot.conf", file=f"{tmp_path}/x.ini")

    assert usual == own(written(tmp_path / "x.ini", "[host]\n"))


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_a_configuration_that_others_may_write_is_not_trusted(mode, tmp_path):
    with pytest.raises(Refusal, match="nobody else may write it"):
        own(written(tmp_path / "x.ini", "[host]\n", mode))


def test_a_configuration_that_somebody_elses_is_not_trusted(tmp_path):
    with pytest.raises(Refusal, match="must belong to root"):
        read_host(written(tmp_path / "x.ini", "[host]\n"), owner=os.getuid() + 1)


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", "[other]\n", "[host]\nunit = -x\n", "[host]\nunit = a b\n", "[host]\nunit = a;b\n",
        "[host]\nunit = *\n", "[host]\nunit =\n", "[host]\nconfig = dovecot.conf\n", "[host]\nconfig = /etc/../x\n",
        "[host]\nconfig = /etc/..\n",
        "[host]\nconfig = /etc/$(x)\n", "[host]\nrestart_server = perhaps\n", "[host]\nunits = x\n",
        "[host]\nunit = a\nunit = b\n",
        "[host]\npeers = mbx2\n", "[host]\npeers = mbx2:12345\n", "[host]\npeers = tcp:mbx2\n",
        "[host]\npeers = tcp:mbx2:0\n", "[host]\npeers = tcp:mbx2:65536\n", "[host]\npeers = tcp:-x:1\n",
        "[host]\npeers = tcp:a:1 ssh:b:1\n", "[host]\npeers = tcp:a;b:1\n", "[host]\npeers = tcp:*:1\n",
        "[host]\npeers = tcp:a:1,tcp:b:1\n", "[host]\npeers = /tmp/x\n", "[host]\npeers = tcp:mäx:1\n",
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_refused(text, tmp_path):
    with pytest.raises(Refusal, match="x.ini"):
        own(written(tmp_path / "x.ini", text))


def test_a_missing_configuration_is_refused(tmp_path):
    with pytest.raises(Refusal, match="cannot be read"):
        own(tmp_path / "nosuch.ini")


# running


def test_a_program_is_run_with_a_fixed_environment_and_without_input(monkeypatch):
    monkeypatch.setenv("LD_PRELOAD_X", "evil")

    said = run((sys.executable, "-c", "import os, sys; print(sorted(os.environ), sys.stdin.read() == '')"), 20)

    assert (0, "['LC_ALL', 'PATH'] True\n") == (said["status"], said["output"])


def test_output_is_bounded():
    said = run((sys.executable, "-c", "print('x' * 2_000_000)"), 20)

    assert (500_000, True) == (len(said["output"]), said["truncated"])


def test_complaints_are_bounded_as_well():
    said = run((sys.executable, "-c", "import sys; sys.stderr.write('x' * 2_000_000)"), 20)

    assert (500_000, True) == (len(said["errors"]), said["truncated"])


def test_the_time_a_program_had_is_told_as_people_say_it():
    assert "did not end within 0.0123457 s" in run(("sleep", "60"), 0.0123456789)["error"]


@pytest.mark.parametrize(
    ("argv", "why"), [(("/nosuch",), "cannot be started"), (("sleep", "60"), "did not end within")]
)
def test_what_cannot_be_run_or_does_not_end_is_unknown(argv, why):
    said = run(argv, 0.05)

    assert (False, True, True) == (said["ok"], said["unknown"], why in said["error"])


def test_who_keeps_a_programs_output_open_is_not_waited_for(tmp_path):
    script = (
        f"setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 60' & while [ ! -s {tmp_path}/pid ]; do :; done; echo seen"
    )
    began = time.monotonic()

    said = run(("sh", "-c", script), 30)

    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert (0, "seen\n") == (said["status"], said["output"])
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("script", ["sleep 60 & wait", "yes", "yes >&2", "yes & wait"])
def test_a_program_that_does_not_end_is_ended_in_time_with_what_it_started(script):
    began = time.monotonic()

    said = run(("sh", "-c", f"{script} # of this test"), 0.2)

    assert "did not end within 0.2 s" in said["error"]
    assert time.monotonic() - began < 20


def test_a_program_reads_what_it_is_given_from_a_file():
    script = "import os, stat, sys; print(stat.S_ISREG(os.fstat(0).st_mode), open('/dev/stdin').read())"

    said = run((sys.executable, "-c", script), 20, given="anna\nä\n".encode())

    assert (0, "True anna\nä\n\n") == (said["status"], said["output"])


def test_a_program_that_reads_nothing_is_not_waited_for():
    assert 0 == run(("true",), 20, given=b"x" * 500_000)["status"]


# sudoers


def test_sudoers_hold_exactly_the_commands_that_need_root():
    lines = [line for line in sudoers(HOST).splitlines() if not line.startswith("#")]

    commands = {line.split("NOPASSWD: ")[1].replace("\\", "") for line in lines}
    assert {" ".join(argv[3:]) for argv in TABLE if argv[0] == "/usr/bin/sudo"} == commands
    assert all(line.startswith("mailward-host ALL=(root) NOPASSWD: /usr/bin/") for line in lines)
    assert not set("*?[]!") & set("".join(lines))


def test_sudoers_of_a_host_that_does_not_allow_its_restart_lack_it():
    assert "reboot" not in sudoers(Host(unit="dovecot.service", config="/etc/dovecot/dovecot.conf"))


def test_characters_that_sudoers_read_otherwise_are_escaped():
    assert "dovecot@a\\:b.service" in sudoers(Host(unit="dovecot@a:b.service", config="/x"))


PACKAGING = Path(__file__).parents[4] / "packaging" / "mailward-host"


def test_the_shipped_sudoers_are_the_printed_ones():
    usual = Host(unit="dovecot.service", config="/etc/dovecot/dovecot.conf")

    assert sudoers(usual) == (PACKAGING / "sudoers").read_text()


def test_the_shipped_configuration_is_readable(tmp_path):
    assert "dovecot.service" == own(written(tmp_path / "x.ini", (PACKAGING / "mailward-host.ini").read_text())).unit


def test_the_shipped_keys_are_restricted_to_the_forced_command():
    lines = [line for line in (PACKAGING / "authorized_keys.example").read_text().splitlines() if "ssh-" in line]

    assert 2 == len(lines)
    for line in lines:
        options = shlex.split(line)[0]
        assert options.startswith("command=python3 -I /usr/local/lib/mailward-host/mailward_host.py")
        assert ",restrict" in options
    assert [True, False] == ["--read-only" in line for line in lines]


# the program itself


def ran(request, *options, config=None):
    environment = {"PATH": os.environ["PATH"]} | ({} if request is None else {"SSH_ORIGINAL_COMMAND": request})
    argv = [sys.executable, "-I", mailward_host.__file__, *options, *(["--config", str(config)] if config else [])]
    finished = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=30, check=True)
    return finished.stdout


@pytest.fixture
def config(tmp_path):
    if os.getuid() != 0:
        pytest.skip("its configuration must belong to root")
    return written(tmp_path / "x.ini", "[host]\n")


def test_the_program_runs_alone_and_answers_one_line(config):
    said = ran("boot-id", config=config)

    assert 1 == said.count("\n")
    assert {"ok": True, "boot_id": Path("/proc/sys/kernel/random/boot_id").read_text().strip()} == json.loads(said)


@pytest.mark.parametrize("request_", ["", None, "id; id", "x\ny", "start --"])
def test_the_program_refuses_in_the_same_form(request_, config):
    said = json.loads(ran(request_, config=config))

    assert (False, True) == (said["ok"], "request" in said["error"])


def test_the_program_behind_a_reading_key_does_not_act(config):
    said = json.loads(ran("restart", "--read-only", config=config))

    assert (False, True) == (said["ok"], "may only look" in said["error"])


def test_no_request_reaches_the_programs_own_options(config):
    assert "known:" in json.loads(ran("--sudoers", "--sudoers", config=config))["error"]


@pytest.mark.parametrize(
    "name", ["x.ini", "", "/", "/etc/../tmp/x.ini", "/etc/..", "../x.ini", "/etc/x y", "/etc/$(id)", "/etc/x\n", "-x"]
)
def test_a_configuration_file_that_is_no_plain_path_is_refused(name):
    with pytest.raises(Refusal, match="is no plain path, such as /etc/mailward-host.ini"):
        config_in(["--read-only", "--config", name])


def test_a_configuration_file_that_is_not_named_is_not_the_usual_one():
    assert "--config '' is no plain path" in json.loads(ran("boot-id", "--config"))["error"]


def test_a_request_names_no_configuration_to_what_sudo_starts(tmp_path):
    argv = [sys.executable, "-I", mailward_host.__file__, "--config", "/nosuch.ini", "--as-root", "--config", "/x.ini"]
    finished = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)

    assert (77, True) == (finished.returncode, "/nosuch.ini cannot be read" in finished.stderr)


def test_what_sudo_starts_takes_a_plain_path_only():
    words = ("--config", "/etc/../x.ini", "--as-root", "doveadm", "proxy", "kick")
    argv = [sys.executable, "-I", mailward_host.__file__, *words]
    finished = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)

    assert (77, True) == (finished.returncode, "is no plain path" in finished.stderr)


def test_without_its_configuration_nothing_is_answered(tmp_path):
    assert "cannot be read" in json.loads(ran("boot-id", config=tmp_path / "nosuch"))["error"]


def test_an_administrator_has_the_sudoers_printed(config):
    assert sudoers(read_host(config)) == ran(None, "--sudoers", config=config)


def test_the_program_is_written_for_an_old_python_and_imports_nothing_of_ours():
    tree = ast.parse(Path(mailward_host.__file__).read_text(), feature_version=(3, 9))

    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert set() == {name.split(".")[0] for name in imported} - sys.stdlib_module_names
