from __future__ import annotations

import socket
from pathlib import Path

from aiinfra.lab.folders import lab_folder
from aiinfra.lab.record import LabRecord
from aiinfra.world import World
from tests.unit.cli.conftest import Aiinfra

DEAD = LabRecord(
    "abc",
    socket.gethostname(),
    "an earlier boot",
    4711,
    1,
    "2026-11-22T08:00:00+00:00",
    (),
    {"kubernetes": {"dc1": {"version": "v1", "server": "https://s", "uid": "u"}}},
)


def dead_lab() -> Path:
    folder = lab_folder(World.real(), "small", Path("small.yaml"))
    folder.mkdir(parents=True)
    DEAD.write(folder)
    return folder


def test_an_environment_that_never_ran_has_no_lab(aiinfra: Aiinfra) -> None:
    assert aiinfra("lab", "status", "small").out == "small has no lab on this machine\n"
    assert aiinfra("lab", "status", "small", "-o", "json").json["lab"] is None
    assert aiinfra("lab", "stop", "small").out == "small has no lab on this machine\n"


def test_a_dead_lab_is_told_from_a_live_one(aiinfra: Aiinfra) -> None:
    folder = dead_lab()
    answer = aiinfra("lab", "status", "./small.yaml")
    assert answer.out == (
        "lab of small: dead, as the machine was restarted since; "
        f"aiinfra up small discards it, with its state in {folder}\n"
    )


def test_without_env_all_labs_are_listed(aiinfra: Aiinfra) -> None:
    assert aiinfra("lab", "status").out == "there is no lab on this machine\n"
    folder = dead_lab()
    head, row = aiinfra("lab", "status").out.splitlines()
    assert head.split() == ["LAB", "STATE", "CLUSTERS", "FOLDER"]
    parts = ["small", "dead, as the machine was restarted since", "dc1", str(folder)]
    assert [part.strip() for part in row.split("  ") if part] == parts
    (told,) = aiinfra("lab", "status", "-o", "json").json["labs"]
    why = "the machine was restarted since"
    assert told == {"folder": str(folder), "alive": False, "since": "", "why": why, "clusters": ["dc1"]}


def test_destroying_a_lab_of_an_earlier_boot_discards_it_whole(aiinfra: Aiinfra) -> None:
    folder = dead_lab()
    (folder / "state").mkdir()
    answer = aiinfra("destroy", "small", "--yes")
    assert answer.code == 0
    assert answer.out.splitlines()[0] == (
        "discarded the dead lab of 2026-11-22T08:00:00+00:00 with its state (clusters: dc1): "
        "the machine was restarted since"
    )
    assert answer.out.splitlines()[-1] == "Nothing left: no lab runs: 0 processes, 0 files, 0 stacks."
    assert not folder.exists()


def test_stopping_a_dead_lab_removes_its_folder(aiinfra: Aiinfra) -> None:
    folder = dead_lab()
    assert aiinfra("lab", "stop", "small").out == "stopped the lab of small: 0 processes, and its folder\n"
    assert not folder.exists()


def test_a_lab_of_a_broken_file_can_still_be_stopped(aiinfra: Aiinfra) -> None:
    folder = dead_lab()
    Path("small.yaml").write_text("stacks: [")
    assert aiinfra("lab", "stop", "small").code == 0
    assert not folder.exists()


def test_nothing_can_be_broken_where_no_lab_runs(aiinfra: Aiinfra) -> None:
    answer = aiinfra("lab", "fault", "small", "image-pull")
    assert answer.code == 3
    assert answer.err == (
        "✗ lab: small has no lab that runs\n  → start it with aiinfra up small\n  code lab.none · exit 3\n"
    )


def test_the_faults_are_listed_with_what_they_do(aiinfra: Aiinfra) -> None:
    lines = aiinfra("lab", "faults").out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "FAULT",
        "api-partition",
        "clone-fails-halfway",
        "crd-late",
        "driver-kernel-mismatch",
        "image-pull",
        "profile-missing",
        "real-pace",
        "reboot-pending",
        "task-hangs",
        "vcenter-host-full",
        "vcenter-session-expired",
        "vib-mismatch",
        "webhook-down",
    ]
