"""`aiinfra toolchain …` as a user meets it, on a machine that has nothing yet."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aiinfra.toolchain import TOOLS
from tests.unit.toolchain.test_plugins import ARCHIVE, tarball

NFD = {"kind": "nfd", "cluster": "${cluster}"}
KUBECONFIG = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
)


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
        "aiinfra-helm",
        "nvidia-gpu-operator",
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


def test_a_missing_program_is_had_as_its_hint_says(bare: dict[str, str], tmp_path: Path) -> None:
    """`toolchain mirror DIR` on a machine that has the programs, then `--toolchain DIR` here."""
    connected = {**bare, "AIINFRA_TOOLCHAIN": str(programs(tmp_path / "connected"))}
    assert aiinfra(connected, "mirror", str(tmp_path / "mirror")).returncode == 0
    here = aiinfra(bare, "install", "--offline", "etcd", "--toolchain", str(tmp_path / "mirror"))
    assert (here.returncode, here.stdout) == (0, f"etcd: {tmp_path}/mirror/etcd\n")

    refused = aiinfra(bare, "verify", "--toolchain", str(tmp_path / "none"))
    assert f"→ aiinfra toolchain mirror {tmp_path}/none makes one\n" in refused.stderr
    assert aiinfra(connected, "mirror", str(tmp_path / "none")).returncode == 0
    assert aiinfra(bare, "verify", "--toolchain", str(tmp_path / "none")).returncode == 0


def programs(folder: Path) -> Path:
    """A folder with something under the name of each program, which tells its version."""
    folder.mkdir(exist_ok=True)
    for tool in TOOLS.values():
        (folder / tool.name).write_text(f"#!/bin/sh\necho {tool.version}\n")
        (folder / tool.name).chmod(0o755)
    return folder


def test_an_unknown_program_is_refused(bare: dict[str, str]) -> None:
    done = aiinfra(bare, "install", "etcdd")
    assert done.returncode == 2
    assert f"'etcdd' is none of {', '.join(TOOLS)}" in done.stderr


def test_a_folder_of_programs_is_ready_and_verified(bare: dict[str, str], tmp_path: Path) -> None:
    programs(tmp_path)
    ready = aiinfra({**bare, "AIINFRA_TOOLCHAIN": str(tmp_path)}, "install", "--offline")
    assert ready.stdout.splitlines()[1] == f"etcd: {tmp_path}/etcd"
    verified = aiinfra(bare, "verify", "--toolchain", str(tmp_path), "--output", "json")
    assert [row["fault"] for row in json.loads(verified.stdout)["tools"]] == [""] * len(TOOLS)


@pytest.fixture
def site(bare: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment dc1 of a real target with NFD, a folder of programs, and one with the vendor's archive."""
    stacks = {"cluster": {"kind": "existing_cluster", "kubeconfig": "${file:kubeconfig}"}, "nfd": NFD}
    state = {"url": f"file://{tmp_path}/state", "secrets": "passphrase"}
    document = {"version": "v1", "name": "dc1", "target": "real", "state": state, "stacks": stacks}
    (tmp_path / "dc1.yaml").write_text(json.dumps(document))
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    for folder in ("tools", "published"):
        (tmp_path / folder).mkdir()
    for tool in TOOLS.values():
        (tmp_path / "tools" / tool.name).write_text(f"#!/bin/sh\necho {tool.version}\n")
        (tmp_path / "tools" / tool.name).chmod(0o755)
    (tmp_path / "published" / ARCHIVE).write_bytes(tarball())
    return {**bare, "AIINFRA_TOOLCHAIN": str(tmp_path / "tools"), "PULUMI_CONFIG_PASSPHRASE": "x"}


def run(environ: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aiinfra", *arguments]
    return subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("verb", [("up", "--yes"), ("preview",), ("refresh",)])
def test_a_missing_plugin_ends_a_run_before_anything_is_touched(
    site: dict[str, str], tmp_path: Path, verb: tuple[str, ...]
) -> None:
    done = run(site, tmp_path, verb[0], "dc1", *verb[1:])
    assert done.returncode == 3, done.stderr
    assert "✗ dc1: the Pulumi plugin kubernetes 4.34.2 is not on this machine\n" in done.stderr
    assert "→ aiinfra toolchain install dc1;" in done.stderr
    assert "code toolchain.plugin · exit 3" in done.stderr
    assert not (tmp_path / "state").exists()


def test_doctor_names_a_missing_plugin_and_install_brings_it(site: dict[str, str], tmp_path: Path) -> None:
    published = tmp_path / "published"

    def doctor() -> dict[str, str]:
        found = json.loads(run(site, tmp_path, "doctor", "dc1", "--output", "json").stdout)["findings"]
        return next(each for each in found if "plugin" in each["about"])

    assert (doctor()["level"], doctor()["code"]) == ("error", "toolchain.plugin")
    installed = run(site, tmp_path, "toolchain", "install", "dc1", "--from", str(published))
    assert installed.returncode == 0, installed.stderr
    path = tmp_path / "home/.cache/aiinfra/pulumi/plugins/resource-kubernetes-v4.34.2/pulumi-resource-kubernetes"
    assert installed.stdout.splitlines() == [
        f"aiinfra-engine: {tmp_path}/tools/aiinfra-engine",
        f"pulumi-resource-kubernetes: {path}",
    ]
    assert doctor()["level"] == "ok"
    path.write_text("something else")
    damaged = run(site, tmp_path, "toolchain", "verify")
    assert (damaged.returncode, f"✗ {path} is not the file that was installed" in damaged.stderr) == (3, True)


def test_a_mirror_for_an_environment_serves_it_without_network(site: dict[str, str], tmp_path: Path) -> None:
    done = run(site, tmp_path, "toolchain", "mirror", "carried", "dc1", "--from", str(tmp_path / "published"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "carried" / ARCHIVE).exists()
    there = {**site, "AIINFRA_TOOLCHAIN": str(tmp_path / "carried")}
    assert run(there, tmp_path, "toolchain", "install", "dc1", "--offline").returncode == 0
    assert (tmp_path / "home/.cache/aiinfra/pulumi/plugins/resource-kubernetes-v4.34.2").is_dir()


def test_without_network_the_archive_is_asked_for(site: dict[str, str], tmp_path: Path) -> None:
    done = run(site, tmp_path, "toolchain", "install", "dc1", "--offline")
    assert (done.returncode, "code toolchain.offline · exit 3" in done.stderr) == (3, True)


def test_a_lab_needs_no_plugin(site: dict[str, str], tmp_path: Path) -> None:
    stacks = {"cluster": {"kind": "existing_cluster"}, "nfd": NFD}
    document = {"version": "v1", "name": "toy", "target": "lab", "stacks": stacks}
    (tmp_path / "toy.yaml").write_text(json.dumps(document))
    done = run(site, tmp_path, "toolchain", "install", "toy", "--offline")
    assert done.returncode == 0, done.stderr
    assert "toy is a lab: its stand-ins need no Pulumi plugin" in done.stderr
