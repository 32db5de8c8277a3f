"""What is remembered of a stack between runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aiinfra.engine.journal import Journal, Success
from aiinfra.engine.notes import FileNotes
from aiinfra.errors import ErrorRecord, OutsideError
from aiinfra.report.run import Failure
from aiinfra.report.status import Running

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SUCCESS = Success(digest="d", result="r", at=NOW, seconds=2.5, kind="nfd", needs=("cluster",))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(FileNotes(tmp_path))


def test_a_success_is_remembered_until_an_operation_begins(journal: Journal) -> None:
    journal.record_success("nfd", SUCCESS)
    assert journal.success("nfd") == SUCCESS
    journal.begin("nfd", "up")
    assert journal.success("nfd") is None
    assert journal.left_running() == ["nfd"]
    journal.end("nfd")
    assert journal.left_running() == []


def test_a_destroy_that_began_counts_until_it_or_an_up_succeeds(journal: Journal) -> None:
    journal.begin("nfd", "up")
    assert not journal.half_destroyed("nfd")
    journal.begin("nfd", "destroy")
    journal.end("nfd")
    journal.begin("nfd", "up")
    assert journal.half_destroyed("nfd")
    journal.record_success("nfd", SUCCESS)
    assert not journal.half_destroyed("nfd")

    journal.begin("nfd", "destroy")
    journal.record_destroyed("nfd")
    assert not journal.half_destroyed("nfd")
    assert journal.success("nfd") is None


def test_a_failure_is_kept_until_an_operation_succeeds(journal: Journal) -> None:
    failure = Failure("up", NOW, 2.5, ErrorRecord("kube.not_ready", "nfd", "not ready", "wait"), ("leaf", "root"))
    journal.record_failure("nfd", failure)
    assert journal.failure("nfd") == failure
    journal.begin("nfd", "up")
    assert journal.failure("nfd") == failure
    journal.record_success("nfd", SUCCESS)
    assert journal.failure("nfd") is None

    journal.record_failure("nfd", failure)
    journal.record_destroyed("nfd")
    assert journal.failure("nfd") is None


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b'{"error": 1}', b"\xff"])
def test_a_damaged_memory_of_a_failure_is_none(journal: Journal, damage: bytes) -> None:
    journal.notes.put("failed/nfd", damage)
    assert journal.failure("nfd") is None


def test_an_environment_has_one_id_until_it_is_erased(journal: Journal) -> None:
    assert journal.environment_id() is None
    made = journal.make_environment_id("dc1", NOW)
    assert journal.make_environment_id("dc1", NOW) == made == journal.environment_id()
    journal.erase()
    assert journal.environment_id() is None


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"digest": 1}'])
def test_a_damaged_memory_of_a_success_is_none(journal: Journal, damage: bytes) -> None:
    journal.notes.put("stacks/nfd.json", damage)
    assert journal.success("nfd") is None


def test_a_damaged_usual_time_is_none(journal: Journal) -> None:
    journal.notes.put("usual/up/nfd", b"soon")
    assert journal.usual("up", "nfd") is None


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b'{"id": 5}', b'{"id": "../x"}'])
def test_an_environment_whose_id_is_lost_is_not_given_another_one(journal: Journal, damage: bytes) -> None:
    journal.notes.put("environment.json", damage)
    with pytest.raises(OutsideError, match=r"the note environment\.json .* is damaged") as raised:
        journal.make_environment_id("site", NOW)
    assert raised.value.record.hint == (
        'write {"id": ID} to it; ID is the label aiinfra.dev/environment-id of any object that the environment made'
    )


def test_memos_of_domains_are_kept_until_the_environment_is_forgotten(journal: Journal) -> None:
    assert journal.memo("namespaces/c1") == {}
    journal.extend_memo("namespaces/c1", {"nfd": "u1", "gpu": "u2"})
    journal.extend_memo("namespaces/c1", {"gpu": "u3"})
    journal.extend_memo("namespaces/c1", {})
    journal.extend_memo("namespaces/c2", {"nfd": "u4"})
    assert journal.memo("namespaces/c1") == {"nfd": "u1", "gpu": "u3"}
    assert journal.memo("namespaces/c2") == {"nfd": "u4"}
    journal.notes.put("namespaces/c2.json", b"{damaged")
    assert journal.memo("namespaces/c2") == {}
    journal.erase()
    assert journal.memo("namespaces/c1") == {}


def test_what_a_running_operation_waits_for_is_read_by_others(journal: Journal) -> None:
    assert journal.running("nfd") is None
    journal.begin("nfd", "up", NOW)
    assert journal.running("nfd") == Running("up", NOW)
    since = NOW + timedelta(seconds=5)
    journal.keep_awaited("nfd", "DaemonSet a/b: 0 of 2 ready ← b on gpu-0: ImagePullBackOff ← image x is gone", since)
    assert journal.running("nfd") == Running(
        "up", NOW, "DaemonSet a/b: 0 of 2 ready", since, ("b on gpu-0: ImagePullBackOff", "image x is gone")
    )


def test_what_an_earlier_operation_waited_for_is_not_taken_for_that_of_this_one(journal: Journal) -> None:
    journal.keep_awaited("nfd", "a node", NOW - timedelta(seconds=1))
    journal.begin("nfd", "up", NOW)
    assert journal.running("nfd") == Running("up", NOW)
