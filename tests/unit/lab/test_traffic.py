"""What a user at work met is remembered, whatever it was."""

import threading

from mailward.lab.traffic import Record, keep_at_work


def met(*moments):
    """The record of a user: (second, whether the server answers) of each try, an error after each; then it stops."""
    record, stop, now = Record(name="append anna", user="anna"), threading.Event(), [0.0]
    left = list(moments)

    def work(answered):
        now[0], is_answered = left.pop(0)
        if is_answered:
            answered()
        if not left:
            stop.set()
        raise OSError("the session was ended")

    keep_at_work(record, work, stop, lambda: now[0])
    return record


def test_an_interruption_lasts_from_one_answer_to_the_next():
    assert [4.0] == met((1.0, True), (3.0, False), (5.0, True)).gaps


def test_who_is_never_answered_again_was_interrupted_to_the_end():
    record = met((1.0, True), (2.0, False), (9.0, False))

    assert ([8.0], 8.0) == (record.gaps, record.longest_gap)


def test_what_ends_because_everybody_leaves_is_no_interruption():
    assert ([], []) == ((record := met((1.0, True))).gaps, record.errors)
