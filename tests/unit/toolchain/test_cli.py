"""`aiinfra toolchain …` as a user meets it, on a machine that has nothing yet."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aiinfra.toolchain import TOOLS


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "PATH": ""}


def aiinfra(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aiinfra", "toolchain", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_list_names_every_program_and_how_it_would_be_had(bare: dict[str, str]) -> None:
    told = json.loads(aiinfra(bare, "list", "--output", "json").stdout)
    rows = {row["name"]: row for row in told["tools"]}
    assert list(rows) == [
        "aiinfra-engine",
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kwok",
        "vcenter",
    ]
    assert {row["ready"] for row in rows.values()} == {False}
    assert rows["etcd"] == {
        "name": "etcd", "version": "3.6.16", "place": "build", "path": "", "fault": "", "ready": False
    }  # fmt: skip


def test_install_offline_says_what_is_missing_and_the_way_out(bare: dict[str, str]) -> None:
    done = aiinfra(bare, "install", "--offline", "etcd", "kwok")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "✗ etcd 3.6.16, kwok 0.8.0: not on this machine, and --offline forbids to fetch or build\n"
        "  → run `aiinfra toolchain mirror DIR` on a connected machine and name it here with --toolchain DIR\n"
        "  code toolchain.offline · exit 3\n"
    )


def test_an_unknown_program_is_refused(bare: dict[str, str]) -> None:
    done = aiinfra(bare, "install", "etcdd")
    assert done.returncode == 2
    assert f"'etcdd' is none of {', '.join(TOOLS)}" in done.stderr


def test_a_folder_of_programs_is_ready_and_verified(bare: dict[str, str], tmp_path: Path) -> None:
    for tool in TOOLS.values():
        (tmp_path / tool.name).write_text(f"#!/bin/sh\necho {tool.version}\n")
        (tmp_path / tool.name).chmod(0o755)
    ready = aiinfra({**bare, "AIINFRA_TOOLCHAIN": str(tmp_path)}, "install", "--offline")
    assert ready.stdout.splitlines()[1] == f"etcd: {tmp_path}/etcd"
    verified = aiinfra(bare, "verify", "--toolchain", str(tmp_path), "--output", "json")
    assert [row["fault"] for row in json.loads(verified.stdout)["tools"]] == [""] * len(TOOLS)
