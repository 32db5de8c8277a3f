"""Notes in a folder in which others work at the same time."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aiinfra.engine.host_connection import refusal
from aiinfra.engine.notes import FileNotes
from aiinfra.errors import OutsideError


@contextmanager
def meanwhile(action: Callable[[], None]) -> Iterator[None]:
    """Another thread does this again and again."""
    stop = threading.Event()

    def again() -> None:
        while not stop.is_set():
            action()

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_listing_does_not_mind_files_that_come_and_go(tmp_path: Path) -> None:
    notes = FileNotes(tmp_path)
    notes.put("kept/a", b"1")

    def come_and_go() -> None:
        notes.put("kept/b", b"2")
        notes.delete("kept/b")

    with meanwhile(come_and_go):
        for _ in range(300):
            assert set(notes.list("")) - {"kept/b"} == {"kept/a"}


def test_a_listing_does_not_mind_folders_that_come_and_go(tmp_path: Path) -> None:
    notes = FileNotes(tmp_path)
    notes.put("kept/a", b"1")
    (tmp_path / "deep").mkdir()

    def come_and_go() -> None:
        (tmp_path / "deep/er/still").mkdir(parents=True)
        shutil.rmtree(tmp_path / "deep/er")

    with meanwhile(come_and_go):
        for _ in range(300):
            assert notes.list("") == ["kept/a"]


def test_a_write_into_a_folder_that_was_just_removed_makes_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = FileNotes(tmp_path)
    write, removed = Path.write_bytes, []

    def once_too_late(path: Path, content: bytes) -> int:
        if not removed:
            removed.append(path)
            shutil.rmtree(path.parent)
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", once_too_late)
    notes.put("stacks/a", b"1")
    assert (notes.get("stacks/a"), len(removed)) == (b"1", 1)


def test_what_the_file_system_refuses_for_good_is_not_transient(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutsideError) as caught:
        FileNotes(tmp_path / "file").put("a", b"1")
    assert (caught.value.record.code, caught.value.record.transient) == ("state.folder", False)


def test_a_state_that_changes_while_it_is_listed_is_no_matter_of_credentials() -> None:
    record = refusal("changing", "the state's folder changed each time it was listed", "file:///s").record
    assert (record.code, record.transient, record.hint) == ("engine.changing", True, "run the command again")
    assert not refusal("state", "no such bucket", "s3://s").record.transient
