import threading
from pathlib import Path

import pytest

from mailward.lab import journal


def test_a_lab_without_journal_has_no_fault(tmp_path: Path) -> None:
    assert {} == journal.active(tmp_path)


def test_entries_keep_their_order_and_their_memories(tmp_path: Path) -> None:
    with journal.open_journal(tmp_path) as entries:
        entries["b"] = {"intruder": 4711}
        entries["a"] = {}

    assert [("b", {"intruder": 4711}), ("a", {})] == list(journal.active(tmp_path).items())


def test_what_was_written_before_an_error_is_kept(tmp_path: Path) -> None:
    def break_down() -> None:
        with journal.open_journal(tmp_path) as entries:
            entries["half injected"] = {}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_down()

    assert ["half injected"] == list(journal.active(tmp_path))


def test_only_one_at_a_time_may_change_it(tmp_path: Path) -> None:
    order: list[str] = []
    inside = threading.Event()

    def second() -> None:
        with journal.open_journal(tmp_path) as entries:
            order.append(f"second sees {sorted(entries)}")

    thread = threading.Thread(target=second)
    with journal.open_journal(tmp_path) as entries:
        thread.start()
        inside.wait(0.05)
        entries["first"] = {}
        order.append("first is done")
    thread.join(5)

    assert ["first is done", "second sees ['first']"] == order
