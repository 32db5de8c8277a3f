"""Notes in a folder in which others work at the same time."""

from __future__ import annotations

import errno
import os
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


@pytest.mark.parametrize(
    "says",
    [
        "blob (code=Unknown): operation error S3: ListObjectsV2, https response error StatusCode: 503, RequestID: 1, "
        "api error SlowDown: Please reduce your request rate",
        "googleapi: Error 502: Bad Gateway, backendError",
        "RESPONSE 500: 500 Internal Server Error",
        "read tcp 10.0.0.4:40120->52.216.8.1:443: read: connection reset by peer",
        "dial tcp: lookup s3.amazonaws.com: Temporary failure in name resolution",
        "open /mnt/state/.pulumi/meta.yaml: stale NFS file handle",
    ],
)
def test_storage_that_is_away_for_a_moment_is_no_matter_of_credentials(says: str) -> None:
    record = refusal("state", says, "s3://s").record
    assert (record.code, record.transient) == ("engine.state", True)
    assert record.hint.startswith("run the command again; ")


@pytest.mark.parametrize(
    "says",
    [
        "operation error S3: HeadObject, https response error StatusCode: 403, api error Forbidden: Forbidden",
        "googleapi: Error 404: The specified bucket does not exist., notFound",
        "NoCredentialProviders: no valid providers in chain",
    ],
)
def test_storage_that_refuses_is_a_matter_of_its_url_and_credentials(says: str) -> None:
    record = refusal("state", says, "s3://s").record
    assert (record.transient, record.hint) == (False, "check the state's URL and the credentials for it")


@pytest.mark.parametrize(
    ("number", "hint", "transient"),
    [
        (errno.ESTALE, "run the command again", True),
        (errno.ENOSPC, "free space there", False),
        (errno.EACCES, "check state.url, and that you may write there", False),
    ],
)
def test_a_folder_that_changes_under_a_call_is_no_matter_of_rights(
    number: int, hint: str, transient: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes) -> int:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(OutsideError) as caught:
        FileNotes(tmp_path).put("a", b"1")
    assert (caught.value.record.hint, caught.value.record.transient) == (hint, transient)
