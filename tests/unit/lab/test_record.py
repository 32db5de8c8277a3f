"""Telling a live lab from a dead one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aiinfra.engine.lock import Process, boot_id
from aiinfra.errors import OutsideError
from aiinfra.lab.lab import Lab
from aiinfra.lab.record import ChildRecord, LabRecord


@pytest.fixture
def child() -> Iterator[ChildRecord]:
    """A process that lives as long as the test."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    live = Process.of(process.pid)
    assert live
    yield ChildRecord("etcd", live.pid, live.started)
    process.kill()
    process.communicate()


@pytest.fixture
def record(child: ChildRecord) -> LabRecord:
    """A live lab: this process is its supervisor."""
    me = Process.of(os.getpid())
    assert me
    cluster = {"version": "v1.36.3", "server": "https://127.0.0.1:6443", "uid": "c0ffee"}
    return LabRecord(
        "abc",
        socket.gethostname(),
        boot_id(),
        me.pid,
        me.started,
        "2026-11-22T08:00:00+00:00",
        [child],
        {"kubernetes": {"dc1": cluster}},
    )


def test_a_record_reads_back_as_it_was_written(record: LabRecord, tmp_path: Path) -> None:
    record.write(tmp_path)
    again = LabRecord.read(tmp_path)
    assert again == replace(record, children=tuple(record.children))
    assert (tmp_path / "lab.json").stat().st_mode & 0o777 == 0o600


def test_a_lab_lives_while_its_supervisor_does(record: LabRecord) -> None:
    assert record.alive


def test_a_pid_that_another_process_has_now_is_not_the_supervisor(record: LabRecord) -> None:
    dead = replace(record, started=record.started - 1)
    assert not dead.alive
    assert dead.death() == f"its supervisor, pid {os.getpid()}, is gone"


def test_a_lab_of_an_earlier_boot_is_dead_whatever_its_pids_are_now(record: LabRecord) -> None:
    dead = replace(record, boot="another boot")
    assert not dead.alive
    assert dead.survivors() == []
    assert dead.death() == "the machine was restarted since"


def test_children_that_outlived_the_supervisor_are_told_from_pids_used_again(record: LabRecord) -> None:
    child = record.children[0]
    reused = replace(child, name="kwok", started=child.started + 1)
    assert replace(record, children=[child, reused]).survivors() == [child]


def test_a_folder_without_a_record_is_no_lab(tmp_path: Path) -> None:
    assert Lab.find(tmp_path) is None
    assert Lab.find(tmp_path / "absent") is None


def test_a_dead_lab_is_found_and_discarded_with_its_children_and_its_state(
    record: LabRecord, child: ChildRecord, tmp_path: Path
) -> None:
    folder = tmp_path / "dc1-12345678"
    (folder / "state").mkdir(parents=True)
    (folder / "state" / "checkpoint.json").write_text("{}")
    dead = replace(record, started=record.started - 1)
    dead.write(folder)
    said: list[str] = []

    lab = Lab.find(folder)
    assert lab
    assert not lab.alive
    lab.discard(said.append)

    assert said == [
        "discarded the dead lab of 2026-11-22T08:00:00+00:00 with its state (clusters: dc1): "
        f"its supervisor, pid {os.getpid()}, is gone"
    ]
    assert not child.process.alive
    assert not folder.exists()


def test_a_live_lab_is_not_discarded(record: LabRecord, child: ChildRecord, tmp_path: Path) -> None:
    record.write(tmp_path)
    lab = Lab.find(tmp_path)
    assert lab
    lab.discard(pytest.fail)
    assert child.process.alive
    assert Lab.find(tmp_path)


def test_a_lab_of_another_machine_is_neither_alive_nor_ours_to_discard(record: LabRecord, tmp_path: Path) -> None:
    replace(record, host="login-2").write(tmp_path)
    lab = Lab.find(tmp_path)
    assert lab
    assert not lab.alive
    removals: list[Callable[[], None]] = [lab.stop, lambda: lab.discard(pytest.fail)]
    for remove in removals:
        with pytest.raises(OutsideError) as caught:
            remove()
        assert caught.value.record.message == f"the lab in {tmp_path} belongs to another machine, login-2"
        assert caught.value.record.hint == "stop it there; if login-2 is gone for good, delete the folder"
    assert record.children[0].process.alive
    assert Lab.find(tmp_path)


@pytest.mark.parametrize("text", ["{", '{"version": 1}', '{"version": 2}'])
def test_a_record_that_cannot_be_read_stops_the_run_rather_than_start_a_second_lab(tmp_path: Path, text: str) -> None:
    (tmp_path / "lab.json").write_text(text)
    with pytest.raises(OutsideError) as caught:
        Lab.find(tmp_path)
    assert caught.value.record.message == (
        f"{tmp_path}/lab.json cannot be read: it is damaged, or of another version of aiinfra"
    )


def test_what_a_lab_without_its_record_left_is_removed_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "dc1-12345678"
    (folder / "state").mkdir(parents=True)
    said: list[str] = []
    assert Lab.discard_remains(folder, said.append)
    assert said == [f"removed what a lab that had lost its record left in {folder}"]
    assert not folder.exists()
    assert not Lab.discard_remains(folder, said.append)
    assert not folder.exists()


def test_a_lab_with_its_record_is_no_remains(record: LabRecord, tmp_path: Path) -> None:
    record.write(tmp_path)
    assert not Lab.discard_remains(tmp_path, pytest.fail)
    assert Lab.find(tmp_path)
