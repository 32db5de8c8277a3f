"""One run of an environment at a time; a dead holder is cleared, a foreign one never."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aiinfra.engine.lock import EnvironmentLock, Holder, Process
from aiinfra.engine.notes import FileNotes
from aiinfra.errors import OutsideError

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def take(notes: FileNotes, said: list[str]) -> EnvironmentLock:
    return EnvironmentLock.take(notes, "aiinfra up lab", NOW, said.append, threading.Event())


def hold(notes: FileNotes, holder: Holder) -> None:
    notes.put("lock.json", json.dumps(asdict(holder)).encode())


def dead_process() -> Process:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = Process.of(child.pid)
    assert process
    child.communicate()
    return process


def test_a_live_holder_is_named_and_kept(tmp_path: Path) -> None:
    notes = FileNotes(tmp_path)
    held = take(notes, [])
    with pytest.raises(OutsideError) as refused:
        take(notes, [])
    assert str(refused.value) == (
        f"another run holds this environment: aiinfra up lab, pid {os.getpid()} on {held.holder.host}, "
        "since 2026-11-01T12:00:00+00:00"
    )
    assert refused.value.exit_code == 3


def test_a_dead_local_holder_is_cleared_with_a_message(tmp_path: Path) -> None:
    notes, said, gone = FileNotes(tmp_path), list[str](), dead_process()
    hold(notes, replace(Holder.this("aiinfra up lab", NOW), pid=gone.pid, started=gone.started))
    assert take(notes, said).recovered
    assert said == [
        f"cleared the lock of an interrupted run: aiinfra up lab, pid {gone.pid}, since 2026-11-01T12:00:00+00:00"
    ]


def test_a_reused_pid_is_not_the_holder(tmp_path: Path) -> None:
    notes = FileNotes(tmp_path)
    hold(notes, replace(Holder.this("aiinfra up lab", NOW), started=1))
    assert take(notes, []).recovered


def test_a_foreign_holder_is_never_cleared(tmp_path: Path) -> None:
    notes, gone = FileNotes(tmp_path), dead_process()
    hold(notes, replace(Holder.this("aiinfra up dc1", NOW), host="ci-runner-7", pid=gone.pid, started=gone.started))
    with pytest.raises(OutsideError, match="on ci-runner-7") as refused:
        take(notes, [])
    assert refused.value.record.hint == "if ci-runner-7 is gone for good, delete the note lock.json beside the state"


def test_the_engine_of_a_dead_caller_is_awaited(tmp_path: Path) -> None:
    notes, said, gone = FileNotes(tmp_path), list[str](), dead_process()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as engine:
        process = Process.of(engine.pid)
        assert process
        dead = replace(Holder.this("aiinfra up lab", NOW), pid=gone.pid, started=gone.started)
        hold(notes, replace(dead, engine_pid=process.pid, engine_started=process.started))
        threading.Timer(0.3, engine.communicate).start()
        assert take(notes, said).recovered
    assert (
        said[0]
        == f"the engine of an interrupted run (pid {process.pid}) is finishing what it had begun; waiting for it"
    )


def test_released_means_free(tmp_path: Path) -> None:
    notes = FileNotes(tmp_path)
    take(notes, []).release()
    assert not take(notes, []).recovered


RACER = """
import sys, threading
from datetime import UTC, datetime
from pathlib import Path
from aiinfra.engine.lock import EnvironmentLock
from aiinfra.engine.notes import FileNotes
from aiinfra.errors import OutsideError
sys.stdin.readline()
try:
    EnvironmentLock.take(FileNotes(Path(sys.argv[1])), "up", datetime.now(UTC), lambda text: None, threading.Event())
except OutsideError:
    print("refused", flush=True)
else:
    print("holds", flush=True)
sys.stdin.readline()
"""


def test_of_many_who_find_a_dead_holder_one_takes_its_place(tmp_path: Path) -> None:
    notes, gone = FileNotes(tmp_path), dead_process()
    hold(notes, replace(Holder.this("aiinfra up lab", NOW), pid=gone.pid, started=gone.started))
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    told = []
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    for racer in racers:
        assert racer.stdout
        told.append(racer.stdout.readline().strip())
    for racer in racers:
        racer.communicate()
    assert sorted(told) == ["holds", "refused", "refused", "refused"]


def test_a_run_that_died_while_it_took_the_place_of_a_dead_one_is_passed(tmp_path: Path) -> None:
    notes, gone = FileNotes(tmp_path), dead_process()
    first = replace(Holder.this("aiinfra up lab", NOW), pid=gone.pid, started=gone.started)
    hold(notes, first)
    second = replace(first, id="second")
    assert notes.create(first.claim(0), second.as_note())
    lock = take(notes, [])
    assert lock.recovered
    lock.release()
    assert notes.list("") == []


def test_a_run_that_is_taking_the_place_of_a_dead_one_is_named(tmp_path: Path) -> None:
    notes, gone = FileNotes(tmp_path), dead_process()
    first = replace(Holder.this("aiinfra up lab", NOW), pid=gone.pid, started=gone.started)
    hold(notes, first)
    assert notes.create(first.claim(0), Holder.this("aiinfra destroy lab", NOW).as_note())
    with pytest.raises(OutsideError, match="another run holds this environment: aiinfra destroy lab"):
        take(notes, [])


def test_a_pid_of_another_container_is_never_called_dead(tmp_path: Path) -> None:
    notes, gone = FileNotes(tmp_path), dead_process()
    hold(notes, replace(Holder.this("aiinfra up lab", NOW), pid=gone.pid, started=gone.started, pids="pid:[1]"))
    with pytest.raises(OutsideError, match="another run holds this environment"):
        take(notes, [])


def test_a_lock_whose_answer_was_lost_is_ours(tmp_path: Path) -> None:
    class Forgetful(FileNotes):
        def create(self, key: str, value: bytes) -> bool:
            super().create(key, value)
            return False

    assert not take(Forgetful(tmp_path), []).recovered
