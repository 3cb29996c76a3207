"""An attack on the one thing mailward-host takes from outside: names of mailboxes, a line each on standard input."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailward.platforms.reach.mailward_host import (
    DOVEADM,
    MOST_AT_ONCE,
    MOST_IN_TURN,
    VERBS,
    Host,
    Refusal,
    answer,
    argv_of,
    as_lines,
    as_root,
    names_in,
    runs_of,
    verbs_of,
    wrong_with,
)

PEER = "tcp:mbx2.example.org:12345"
HOST = Host(unit="dovecot.service", config="/etc/dovecot/dovecot.conf", peers=(PEER,))
KICK, REPLICATE, SYNC = "doveadm proxy kick", "doveadm replicator replicate", f"doveadm sync {PEER}"
NAMED = (KICK, REPLICATE, SYNC)
CONFIG = (DOVEADM, "-c", "/etc/dovecot/dovecot.conf")


class Recording:
    """Runs nothing."""

    def __init__(self):
        self.ran = []

    def __call__(self, argv, seconds, *, given=b"", largest=0):
        self.ran.append((tuple(argv), given))
        return {"ok": True, "status": 0, "output": "", "errors": ""}


def test_the_requests_that_take_names():
    assert set(NAMED) == {name for name, verb in verbs_of(HOST).items() if verb.most_names}


@pytest.mark.parametrize(
    "name",
    ["anna", "anna@example.org", "anna.b+c_d", "o'neil", "a b", " a", "größe", "名前", "👩‍🚀",
     "a;b", "$(id)", "a|b", "`x`",
     "..", "/etc/passwd", "@x", "~root", "%u", "a\\b", '"', "CONFIG", "NAMES", "NAME", "x" * 255],
)  # fmt: skip
def test_odd_names_of_one_mailbox_are_names(name):
    assert "" == wrong_with(name)
    assert [name] == names_in(as_lines([name]), 1)


ATTACKS = [
    "-", "--", "-A", "-u", "-F/etc/shadow", "--help", "-S/tmp/evil.sock", "-o mail_plugins=x", "-c/tmp/evil.conf",
    "*", "?", "a*", "*@example.org", "ann?", "a\0b", "\0", "a\tb", "a\rb", "\r", "\x1b[2J", "\x7f", "a\x85b",
    "a\u2028b", "a\u2029b", "x" * 256, "x" * 100_000, "", "é" * 256,
]  # fmt: skip


@pytest.mark.parametrize("request_", NAMED)
@pytest.mark.parametrize("name", ATTACKS, ids=lambda name: ascii(name)[:30])
def test_a_name_that_is_more_than_one_mailbox_refuses_all(name, request_):
    execute = Recording()

    with pytest.raises(Refusal):
        answer(request_, HOST, execute, read_only=False, given=f"anna\n{name}\nboris\n".encode)

    assert [] == execute.ran


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"\n\n", b"anna\n\nboris\n", b"\xff\n", b"an\xc3", b"\xed\xa0\x80\n", b"\xc0\xadA\n",
        b"x\n" * 501, b"x\n" * 2_000_000, b"x" * 2_000_000,
    ],
    ids=lambda data: ascii(data)[:30],
)  # fmt: skip
def test_what_is_no_list_of_names_is_refused(data):
    execute = Recording()

    with pytest.raises(Refusal):
        answer(KICK, HOST, execute, read_only=False, given=lambda: data)

    assert [] == execute.ran


@pytest.mark.parametrize(("request_", "most"), [(KICK, MOST_AT_ONCE), (REPLICATE, MOST_IN_TURN), (SYNC, MOST_IN_TURN)])
def test_a_list_is_bounded(request_, most):
    verb = verbs_of(HOST)[request_]
    assert most == len(names_in(as_lines([f"user{number}" for number in range(most)]), verb.most_names))

    with pytest.raises(Refusal, match=f"1 to {most} mailboxes"):
        names_in(as_lines([f"user{number}" for number in range(most + 1)]), verb.most_names)


def test_the_last_line_may_lack_its_end():
    assert ["anna", "boris"] == names_in(b"anna\nboris", 2)


@pytest.mark.parametrize("request_", NAMED)
def test_a_key_that_may_only_look_names_nobody(request_):
    def reads():
        raise AssertionError("nothing is read")

    with pytest.raises(Refusal, match="may only look"):
        answer(request_, HOST, Recording(), read_only=True, given=reads)


def test_a_request_that_takes_no_names_reads_nothing():
    def reads():
        raise AssertionError("nothing is read")

    answer("doveadm replicator status", HOST, Recording(), read_only=True, given=reads)
    answer("doveadm proxy list", HOST, Recording(), read_only=True, given=reads)


def test_a_peer_that_this_host_does_not_have_is_named():
    with pytest.raises(Refusal, match="nothing is synchronised with tcp:mbx3:12345: it is not among peers of /etc/mai"):
        answer("doveadm sync tcp:mbx3:12345", HOST, Recording(), read_only=False, given=lambda: b"anna\n")


@pytest.mark.parametrize("request_", NAMED)
def test_what_sudo_is_given_is_the_same_whoever_is_named(request_):
    execute = Recording()

    answer(request_, HOST, execute, read_only=False, given=lambda: b"anna\nx y")

    ((argv, given_),) = execute.ran
    assert argv_of(request_, HOST) == argv
    assert ("--as-root", *request_.split()) == argv[-1 - len(request_.split()) :]
    assert b"anna\nx y\n" == given_


def test_what_is_run_as_root_for_names():
    verbs = verbs_of(HOST)
    both = ["anna", "CONFIG"]

    assert [(*CONFIG, "proxy", "kick", "--", *both)] == [run.argv for run in runs_of(verbs[KICK], HOST, both)]
    assert [(*CONFIG, "replicator", "replicate", "-p", "high", "--", name) for name in both] == [
        run.argv for run in runs_of(verbs[REPLICATE], HOST, both)
    ]
    assert [((*CONFIG, "sync", "-F", "/dev/stdin", PEER), b"anna\nCONFIG\n", "")] == list(
        runs_of(verbs[SYNC], HOST, both)
    )
    assert [((*CONFIG, "sync", "-u", "anna", PEER), b"", "")] == list(runs_of(verbs[SYNC], HOST, ["anna"]))


@given(st.lists(st.one_of(st.text(), st.sampled_from(ATTACKS)), max_size=5))
@example(["NAMES", "NAME", "UNIT", "CONFIG"])
def test_whoever_is_named_only_names_are_added_to_the_table(names):
    try:
        taken = names_in("\n".join(names).encode("utf-8", "surrogatepass"), MOST_IN_TURN)
    except Refusal:
        return
    for request_ in NAMED:
        verb = verbs_of(HOST)[request_]
        for argv, given_, _ in runs_of(verb, HOST, taken):
            assert CONFIG == argv[:3]
            assert given_ in (b"", as_lines(taken))
            added = [word for word in argv if word not in (*verb.argv, *verb.alone, *CONFIG)]
            assert set(added) <= set(taken)
            assert not any(word.startswith("-") or set(word) & set("*?\n\0\r") for word in added)


def test_time_is_bounded_by_how_many_are_named():
    most = {name: verb.seconds_for(["x"] * verb.most_names) for name, verb in verbs_of(HOST).items()}

    assert {KICK: 8, REPLICATE: 108, SYNC: 520} == {name: most[name] for name in NAMED}


def as_root_with(said, request_, names, capsys, seconds=0):
    """The status and complaint of what sudo starts, where each program says *said* and takes some seconds."""
    now, ran = [0.0], []

    def execute(argv, left, **_):
        ran.append(argv[-1])
        now[0] += seconds
        return {"ok": True, "status": 0, "output": "", "errors": ""} | said

    status = as_root(request_, HOST, lambda: as_lines(names), execute, lambda: now[0])
    return status, capsys.readouterr().err, ran


def test_an_answer_that_is_not_whole_fails(capsys):
    status, complaint, _ = as_root_with({"truncated": True}, KICK, ["anna"], capsys)

    assert (75, "/usr/bin/doveadm said more than 500000 bytes") == (status, complaint)


def test_once_the_time_is_over_no_program_is_started(capsys):
    status, complaint, ran = as_root_with({}, REPLICATE, ["anna", "boris", "carla"], capsys, seconds=6)

    assert (75, "carla: its turn did not come within 11 s") == (status, complaint)
    assert ["anna", "boris"] == ran


def test_a_program_that_fails_without_a_word_is_told_by_its_status(capsys):
    status, complaint, ran = as_root_with({"status": 3}, REPLICATE, ["anna", "boris"], capsys)

    assert (3, "anna: exit status 3", ["anna"]) == (status, complaint, ran)


def test_too_many_are_refused_in_words():
    with pytest.raises(Refusal, match="these are too many mailboxes: more than"):
        names_in(b"x" * 2_000_000, MOST_AT_ONCE)


def test_lists_may_be_long():
    assert VERBS["doveadm proxy list"].largest > 5_000_000 < VERBS["doveadm replicator status"].largest
