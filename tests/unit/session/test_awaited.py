"""What a run waits for is noted once for each change, not too often, and goes with the stack's end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiinfra.engine.events import Event, ResourceChanged, StackEnded, Waiting
from aiinfra.engine.journal import Journal
from aiinfra.engine.notes import FileNotes
from aiinfra.report.run import Outcome, StackResult
from aiinfra.session.awaited import AwaitedNotes
from aiinfra.waiting import Pending, Waiter

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class CountingNotes(FileNotes):
    """Notes as files that count how often they are written."""

    def put(self, key: str, value: bytes) -> None:
        super().put(key, value)
        with (self.root / "written").open("a") as log:
            log.write(f"{key}\n")


def kept(folder: Path, every: float, hidden: Sequence[str] = ()) -> tuple[AwaitedNotes, Journal, list[Event]]:
    journal, passed = Journal(CountingNotes(folder)), list[Event]()
    return AwaitedNotes(journal, passed.append, lambda: hidden, every), journal, passed


def waits(what: str, seconds: float = 3.0) -> Waiting:
    return Waiting("nfd", what, seconds, None, NOW)


def until(journal: Journal, what: str) -> None:
    def ask() -> bool | Pending:
        running = journal.running("nfd")
        return True if running and running.awaited == what else Pending(f"the note {what}")

    Waiter(limit=10, every=0.01).until(ask)


def test_the_last_of_many_changes_is_noted_and_they_are_not_all_written(tmp_path: Path) -> None:
    notes, journal, passed = kept(tmp_path, every=0.2)
    journal.begin("nfd", "up", NOW - timedelta(seconds=10))
    for number in range(100):
        notes(waits(f"{number} pods"))
    until(journal, "99 pods")
    running = journal.running("nfd")
    assert running is not None
    assert running.awaited_since == NOW - timedelta(seconds=3)
    assert (tmp_path / "written").read_text().count("awaited/nfd") <= 2
    assert len(passed) == 100


def test_a_step_that_began_is_what_is_waited_for(tmp_path: Path) -> None:
    notes, journal, _ = kept(tmp_path, every=0)
    journal.begin("nfd", "destroy", NOW)
    notes(ResourceChanged("nfd", "kubernetes:helm.sh/v3:Release", "nfd", "delete", "started", NOW))
    until(journal, "Release nfd to be deleted")


def test_no_note_holds_a_secret(tmp_path: Path) -> None:
    notes, journal, _ = kept(tmp_path, every=0, hidden=["Pa55word"])
    journal.begin("nfd", "up", NOW - timedelta(seconds=10))
    notes(waits("an answer: login with Pa55word refused"))
    until(journal, "an answer: login with <secret> refused")
    assert all(b"Pa55word" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_the_note_goes_when_the_stack_ends(tmp_path: Path) -> None:
    notes, journal, _ = kept(tmp_path, every=0)
    journal.begin("nfd", "up", NOW - timedelta(seconds=10))
    notes(waits("pods"))
    until(journal, "pods")
    notes(StackEnded(StackResult("nfd", "nfd", Outcome.CHANGED), NOW))
    assert not (tmp_path / "awaited" / "nfd").exists()
