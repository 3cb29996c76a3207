"""`mailward recoveries`, `why` and `recommendations`: the record of what was done, told for people and for programs."""

import json
import re
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.cli.recommendations import report_lines
from mailward.cli.recovery_words import gate_lines
from mailward.cli.story import story_lines
from mailward.cli.terminal import Terminal
from mailward.cli.timeline import step_lines
from mailward.model.event import Event, EventKind
from mailward.model.recovery import (
    Answer,
    Gate,
    GateAnswer,
    Operation,
    OperationKind,
    OperationStatus,
    StepName,
    StepOutcome,
)
from mailward.model.wire import answer, listing
from mailward.testing.manager_values import FAILED, STORIES
from mailward.testing.repair_values import NOON

HEALED, WAITING, RECOMMENDED = STORIES
NEWEST_FIRST = tuple(story.operation for story in (RECOMMENDED, WAITING, HEALED))
NARROW = Terminal(width=80, colours=False)


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def told(story, **how) -> str:
    return "\n".join(story_lines(story, how.pop("reader", NARROW), **how))


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("recoveries", "--format", "json"), listing(NEWEST_FIRST)),
        (("recoveries", "list", "--limit", "1", "--format", "json"), listing(NEWEST_FIRST[:1])),
        (("recoveries", "--unfinished", "--format", "json"), listing([WAITING.operation])),
        (("recoveries", "--server", "proxy1", "--format", "json"), listing([WAITING.operation])),
        (("recoveries", "show", "1", "--format", "json"), answer(HEALED)),
        (("why", "mbx2", "--format", "json"), listing([HEALED, RECOMMENDED])),
        (("why", "2", "--format", "json"), listing([WAITING])),
        (("recommendations", "--since", "36500d", "--format", "json"), listing([RECOMMENDED])),
    ],
)
def test_json_is_what_the_api_gives(ask, words, values):
    ran = ask(*words)

    assert (0, "") == (ran.code, ran.err)
    assert values == json.loads(ran.out)


def test_recoveries_are_a_table_with_the_newest_first(ask):
    lines = ask("recoveries").out.splitlines()

    assert ["Id", "Started", "Kind", "Target", "Status", "Took", "Because"] == lines[0].split()
    assert ["3", "2", "1"] == [line.split()[0] for line in lines[2:]]
    assert "1 min 11 s" in lines[4]


def test_where_nothing_was_ever_done_that_is_said_and_no_failure(ask, served):
    served.fake.stories.clear()
    ran = ask("recoveries")

    assert (0, "", "mailward: no recovery so far\n") == (ran.code, ran.out, ran.err)


def test_a_filter_that_matches_nothing_says_so_and_fails(ask, served):
    served.fake.stories.pop(2)
    ran = ask("recoveries", "--unfinished", "--server", "mbx2")

    assert (1, "", "mailward: no unfinished recovery of mbx2\n") == (ran.code, ran.out, ran.err)


def test_having_done_nothing_at_all_is_no_failure(ask, served):
    served.fake.stories.clear()

    assert 0 == ask("recoveries").code


def test_a_number_alone_is_answered_with_the_command_that_was_meant(ask):
    ran = ask("recoveries", "17")

    assert 3 == ran.code
    assert "`mailward recoveries show 17`?" in ran.err


def test_the_story_tells_what_broke_what_was_done_and_what_was_run(ask):
    out = ask("why", "1").out
    text = " ".join(out.split())

    for part in (
        "recovery 1: mailbox-server mbx2 healed",
        "broken mbx2/IMAP.Protocol/ImapSelfTestMonitor/mbx2",
        "fault: mailbox server mbx2, certain",
        "the users of DB2",
        "start the IMAP service (mbx2): skipped",
        "restart the IMAP service (mbx2): done, 2.25 s",
        "$ systemctl restart dovecot.service",
        "not yet unhealthy waited: ImapSelfTestMonitor has been broken for 1 s of 60 s",
        "no objection: unhealthy long enough, configuration, throttle",
        "S: p2 NO [SERVERBUG] Internal error occurred",
    ):
        assert part in text
    assert "doveconf accepts" not in text


def test_verbose_adds_every_reason_and_the_evidence(ask):
    text = " ".join(ask("recoveries", "show", "1", "--verbose").out.split())

    assert "✓ configuration: doveconf accepts the configuration on disk" in text
    assert '"state": "hung"' in text


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_story_fits_the_terminal(story, width):
    lines = told(story, reader=Terminal(width=width, colours=False), verbose=True).splitlines()

    # commands and transcripts are copied: they are not broken
    prose = [line for line in lines if not line.lstrip().startswith(("$", "C:", "S:", "mailward ", "what "))]
    assert [] == [line for line in prose if len(line) > width]


def test_the_list_form_leaves_nothing_out(ask):
    out = ask("recoveries", "show", "1", "--format", "list").out

    for part in (
        "Fence       : 3",
        "Status      : healed",
        "Command  : systemctl restart dovecot.service",
        "Because : doveconf accepts the configuration on disk",
        'Data        : {"patience_s": 60, "tried": ["restart"]}',
    ):
        assert part in out
    assert "ResultType     : Failed" in out


def test_a_command_is_shown_as_the_shell_would_need_it():
    step = replace(HEALED.steps[2], command=("ssh", "a b", "x;y"))

    assert "$ ssh 'a b' 'x;y'" in told(replace(HEALED, steps=(step,)))


def test_what_a_server_says_cannot_move_the_cursor():
    evil = replace(FAILED, detail="\x1b[2J", transcript=("S: \x1b]0;x\x07",))
    step = replace(HEALED.steps[2], because="\x1b[2J", command=("\x1b[2J",))

    assert "\x1b" not in told(replace(HEALED, steps=(step,), transcripts=(evil,)), verbose=True)


def test_a_story_that_waits_ends_with_the_commands_a_person_has():
    assert told(WAITING).endswith("  mailward recoveries approve 2\n  mailward recoveries deny 2")
    running = replace(WAITING, operation=replace(WAITING.operation, status=OperationStatus.RUNNING))
    assert told(running).endswith("  mailward recoveries abort 2")
    assert "mailward recoveries" not in told(HEALED)


def test_gates_that_were_asked_before_a_step_exists_are_told_too():
    text = told(WAITING)

    assert "now       held back: restart the IMAP service (proxy1)" in text
    assert "… approval waits: the class restart needs a person's yes" in text
    assert "$ systemctl restart dovecot.service" in text
    assert "at last   not done" in told(replace(WAITING, operation=replace(HEALED.operation, data={})))


def test_what_was_held_back_stands_at_its_moment_with_the_gates_and_the_command():
    lines = told(RECOMMENDED).splitlines()
    place = lines.index("12:01:00  held back: restart the IMAP service (mbx2)")

    assert lines[place - 2].startswith("12:00:00  re-probe (mbx2): done")
    assert [
        "✗ mode refuses: the mode of this organization is recommend",
        "✓ no objection: verdict",
        "$ systemctl restart dovecot.service",
    ] == [line.strip() for line in lines[place + 1 : place + 4]]
    assert lines[place + 4].startswith("12:06:39  re-probe (mbx2): done")


def test_what_a_step_had_waited_for_is_told_once_below_the_step():
    waited = Event(
        at=HEALED.steps[1].started + timedelta(seconds=1),
        kind=EventKind.RECOVERY_WAITS,
        subject="mbx2",
        because="not yet unhealthy: 1 s of 60 s",
        data={"step": "restart the IMAP service", "on": "mbx2"},
    )

    assert "held back" not in told(replace(HEALED, events=(waited,)))
    elsewhere = replace(waited, data={"step": "restart the server", "on": "mbx2"})
    assert "held back: restart the server (mbx2)" in told(replace(HEALED, events=(elsewhere,)))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (EventKind.APPROVAL_GIVEN, "approved"),
        (EventKind.APPROVAL_DENIED, "denied"),
        (EventKind.ESCALATED, "a person is called"),
        (EventKind.APPROVAL_ASKED, "a person is asked"),
    ],
)
def test_what_people_were_told_and_said_stands_between_the_steps(kind, said):
    happened = Event(at=NOON + timedelta(seconds=30), kind=kind, subject="mbx2", because="jana said so")

    lines = told(replace(HEALED, events=(happened,))).splitlines()

    place = lines.index(f"12:00:30  {said}")
    assert "          jana said so" == lines[place + 1]


def test_what_happened_in_one_instant_is_told_in_the_order_of_its_numbers():
    held = RECOMMENDED.events[0]
    called = replace(held, id=held.id + 1, kind=EventKind.ESCALATED)

    text = told(replace(RECOMMENDED, events=(held, called)))

    assert text.index("held back") < text.index("a person is called")


@pytest.mark.parametrize(
    "data",
    [
        {"recommended": "x", "withheld": 7},
        {"recommended": [7, {"step": None, "command": "x", "at": "never"}], "withheld": {"command": 3}},
    ],
)
def test_facts_of_another_shape_break_nothing(data):
    story = replace(WAITING, operation=replace(WAITING.operation, data=data))

    assert told(story)
    assert list(report_lines([story], NOON, NARROW))


def test_a_step_that_has_not_ended_is_under_way():
    step = replace(HEALED.steps[2], ended=None, outcome=None)

    assert "restart the IMAP service (mbx2): under way\n" in told(replace(HEALED, steps=(step,)))


def test_how_far_a_step_has_come_is_told_while_it_is_under_way():
    lines = told(replace(WAITING, progress="412 of 1,004 mailboxes are copied")).splitlines()

    assert "  so far    412 of 1,004 mailboxes are copied" in lines
    assert "so far" not in told(WAITING)


def test_what_an_operation_is_part_of_or_waits_for_is_told():
    operation = replace(
        WAITING.operation, joins=7, parent=6, approved_by="root", approved_at=NOON, actor="jana", escalated_at=NOON
    )

    text = told(replace(WAITING, operation=operation))

    for part in ("joins     recovery 7", "part of   recovery 6", "approved  by root", "asked by  jana", "escalated 20"):
        assert part in text


def test_only_the_last_transcript_is_shown_unless_all_are_wanted():
    older = replace(FAILED, probe="ImapSelfTestProbe")
    story = replace(HEALED, transcripts=(older, FAILED))

    assert "ImapSelfTestProbe" not in told(story)
    assert "(1 more with --verbose)" in told(story)
    assert "what ImapSelfTestProbe saw" in told(story, verbose=True)


def test_a_gate_that_was_asked_again_and_again_is_told_once_as_it_last_said():
    said = [GateAnswer(gate=Gate.THROTTLE, answer=Answer.WAITS, because=f"{number} min to go") for number in (9, 8, 7)]

    assert ["… throttle waits: 7 min to go"] == list(gate_lines(said, NARROW, 80))


def test_why_of_a_server_nothing_was_done_about_names_what_to_ask_instead(ask, served):
    served.fake.stories.clear()
    ran = ask("why", "mbx2")

    assert (1, "") == (ran.code, ran.out)
    assert "`mailward health mbx2`" in ran.err


def test_why_of_an_unknown_server_names_the_nearest(ask):
    assert "did you mean 'mbx2'?" in ask("why", "mbx3").err
    assert 1 == ask("why", "99").code


def test_why_of_a_server_tells_its_stories_in_the_order_of_their_numbers(ask):
    out = ask("why", "mbx2").out
    listed = ask("why", "mbx2", "--format", "list").out

    assert out.index("recovery 1:") < out.index("────") < out.index("recovery 3:")
    assert "Id          : 1" in listed
    assert "Id          : 3" in listed


@pytest.mark.parametrize(("word", "status"), [("approve", "running"), ("deny", "denied"), ("abort", "aborted")])
def test_a_word_is_passed_on_with_its_reason(ask, served, word, status):
    ran = ask("recoveries", word, "2", "--reason", "seen it")

    assert (0, "") == (ran.code, ran.err)
    assert ran.out.startswith(f"recovery 2 of proxy1: {status}; ")
    assert [(word, 2, "seen it")] == [said[1:] for said in served.fake.decisions]


@pytest.mark.parametrize("word", ["approve", "deny", "abort"])
def test_a_rehearsed_word_changes_nothing_and_says_whether_it_is_possible(ask, served, word):
    possible, impossible = ask("recoveries", word, "2", "--dry-run"), ask("recoveries", word, "1", "--dry-run")

    assert (0, 1) == (possible.code, impossible.code)
    assert f"`{word}` is possible" in possible.out
    assert f"`{word}` is not: healed" in impossible.out
    assert [] == served.fake.decisions


def test_a_word_that_comes_too_late_is_refused(ask):
    ran = ask("recoveries", "approve", "1")

    assert 1 == ran.code
    assert "recovery 1 is over: healed" in ran.err


def test_the_weekly_report_tells_what_would_have_been_done_and_what_held_it_back(ask):
    text = " ".join(ask("recommendations", "--since", "36500d").out.split())

    for part in (
        "mailbox-server mbx2 (ID 3)",
        "would restart the IMAP service on mbx2 at 12:01:00; mode: the mode of this organization is recommend",
        "$ systemctl restart dovecot.service",
        "1 recovery, in which mailward would have tried to:",
        "1 × restart the IMAP service",
    ):
        assert part in text


def test_the_weekly_report_counts_the_deeds_of_all_recoveries():
    text = "\n".join(report_lines([RECOMMENDED, RECOMMENDED, HEALED], NOON - timedelta(days=7), NARROW))

    assert "3 recoveries" in text
    assert "  2 × restart the IMAP service" in text


def test_a_week_without_recommendations_says_so(ask, served):
    served.fake.stories.clear()
    ran = ask("recommendations")

    assert (0, "") == (ran.code, ran.err)
    assert "would have done nothing" in ran.out


def test_the_report_has_a_list_form_with_everything(ask):
    assert "Mode        : recommend" in ask("recommendations", "--since", "36500d", "--format", "list").out


@pytest.mark.parametrize("since", ["7", "a week", "", "7w"])
def test_a_duration_without_unit_is_explained(ask, since):
    ran = ask("recommendations", "--since", since)

    assert 3 == ran.code
    assert '"48h"' in ran.err or '"7s"' in ran.err


@pytest.mark.parametrize("status", OperationStatus)
def test_every_status_has_a_colour(status):
    from mailward.cli.recovery_words import status_colour

    operation: Operation = replace(WAITING.operation, status=status)

    assert status_colour(operation)


@pytest.mark.parametrize("outcome", [*StepOutcome, None])
def test_every_outcome_has_a_colour(outcome):
    from mailward.cli.recovery_words import outcome_colour

    assert outcome_colour(replace(HEALED.steps[0], outcome=outcome))


@pytest.mark.parametrize("gate", list(Gate))
def test_a_gate_that_lets_pass_is_not_named_by_what_it_is_shut_for(gate):
    passed = GateAnswer(gate=gate, answer=Answer.PASSES, because="so")

    (line,) = gate_lines((passed,), Terminal(width=None, colours=False), 100)

    assert not re.search(r"invalid|ineffective|at fault|\bnot (?!stopped)|copies not|still", line)
    assert line.startswith("✓ no objection: ")


def test_a_long_reason_is_cut_at_the_head_of_a_story_and_whole_in_the_verbose_one():
    because = "; ".join(f"the gate {number} says that it may not be done" for number in range(20))
    story = replace(HEALED, operation=replace(HEALED.operation, because=because))

    told_words, verbose = " ".join(told(story).split()), " ".join(told(story, verbose=True).split())

    assert "the gate 0 says" in told_words
    assert "the gate 19 says" not in told_words
    assert "…" in told_words
    assert because in verbose


def test_each_step_of_a_move_says_which_server_it_is_about():
    operation = replace(
        HEALED.operation, kind=OperationKind.MOVE, target="database DB1", server="be1", data={"target": "be2"}
    )
    names = (StepName.CHOOSE_COPY, StepName.SYNCHRONISE, StepName.FENCE, StepName.SWITCH_OVER, StepName.VERIFY)

    said = [
        next(step_lines(operation, replace(HEALED.steps[0], name=name, server="be1"), (), NARROW)).partition("(")[2]
        for name in names
    ]

    assert ["from be1 to be2", "from be1 to be2", "be1", "from be1 to be2", "be2"] == [
        one.partition(")")[0] for one in said
    ]
