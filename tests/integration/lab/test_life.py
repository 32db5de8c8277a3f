"""The life of a lab: opened, used again, killed, discarded, stopped."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import signal
import stat
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.errors import OutsideError
from aiinfra.lab.lab import Lab
from aiinfra.lab.record import ChildRecord
from tests.integration.lab.conftest import SMALL, until
from tests.labs import clusters_of, kubeconfig, open_clusters

pytestmark = pytest.mark.lab
ONE = {"dc1": SMALL}


def test_two_runs_that_open_a_lab_at_once_get_the_same_one(folder: Path, lab_servers: Mapping[str, Path]) -> None:
    start = threading.Barrier(2)

    def opened() -> Lab:
        start.wait()
        return open_clusters(folder, lab_servers, ONE)

    with ThreadPoolExecutor(2) as pool:
        first, second = (future.result() for future in [pool.submit(opened), pool.submit(opened)])
    assert first.record.pid == second.record.pid
    assert first.generation == second.generation


def test_a_lab_is_its_owners_alone_and_does_not_hang_on_its_opener(
    folder: Path, lab_servers: Mapping[str, Path], tmp_path: Path
) -> None:
    with (tmp_path / "lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)
        lab = open_clusters(folder, lab_servers, ONE)
    secrets = [folder / "passphrase", *(folder / "clusters" / "dc1").glob("*kubeconfig")]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert len(lab.passphrase) >= 32
    assert lab.state_url == f"file://{folder}/state"
    assert os.getsid(lab.record.pid) == lab.record.pid
    open_files = [descriptor.readlink() for descriptor in Path(f"/proc/{lab.record.pid}/fd").iterdir()]
    assert tmp_path / "lock" not in open_files


def test_a_killed_supervisor_takes_its_lab_along_and_the_next_open_says_so(
    folder: Path, lab_servers: Mapping[str, Path]
) -> None:
    lab = open_clusters(folder, lab_servers, ONE)
    passphrase = lab.passphrase
    (folder / "state" / "old").touch()
    os.kill(lab.record.pid, signal.SIGKILL)
    until(lambda: not lab.alive and not lab.record.survivors(), "the children to die")

    said: list[str] = []
    again = open_clusters(folder, lab_servers, ONE, said.append)

    assert again.discarded == (
        f"discarded the dead lab of {lab.record.since} with its state (clusters: dc1): "
        f"its supervisor, pid {lab.record.pid}, is gone"
    )
    assert said[0] == again.discarded
    assert again.generation != lab.generation
    assert again.passphrase != passphrase
    assert not (folder / "state" / "old").exists()
    assert clusters_of(again)["dc1"]["uid"] != clusters_of(lab)["dc1"]["uid"]


def test_a_supervisor_killed_while_it_starts_a_cluster_is_named_and_the_next_open_works(
    folder: Path, lab_servers: Mapping[str, Path]
) -> None:
    def kill_early() -> None:
        until(lambda: len(children_of(folder)) >= 2, "the first servers")
        lab = Lab.find(folder)
        assert lab
        os.kill(lab.record.pid, signal.SIGKILL)

    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(kill_early)
        with pytest.raises(OutsideError) as caught:
            open_clusters(folder, lab_servers, ONE)
        killed.result()
    assert caught.value.record.message == "the lab's supervisor ended while it was asked"

    again = open_clusters(folder, lab_servers, ONE)
    assert list(clusters_of(again)) == ["dc1"]
    assert "(clusters: none)" in again.discarded


def children_of(folder: Path) -> list[ChildRecord]:
    lab = Lab.find(folder)
    return list(lab.record.children) if lab else []


def test_stopping_leaves_no_process_and_no_file(folder: Path, lab_servers: Mapping[str, Path]) -> None:
    lab = open_clusters(folder, lab_servers, ONE)
    assert [child.name for child in lab.record.children] == [
        "etcd",
        "dc1/kube-apiserver",
        "dc1/kube-scheduler",
        "dc1/kwok",
        "dc1/kube-controller-manager",
        "controllers",
    ]
    lab.stop()
    assert not lab.alive
    assert lab.record.survivors() == []
    assert not folder.exists()
    assert Lab.find(folder) is None


def test_a_lab_whose_folder_is_removed_by_hand_ends_by_itself_and_leaves_the_next_one_alone(
    folder: Path, lab_servers: Mapping[str, Path]
) -> None:
    lab = open_clusters(folder, lab_servers, ONE)
    processes = [lab.record.supervisor, *(child.process for child in lab.record.children)]
    remove_by_hand(folder)
    again = open_clusters(folder, lab_servers, ONE)
    until(lambda: not any(process.alive for process in processes), "the first lab to end")
    assert again.alive
    assert Lab.find(folder) == again
    with KubeClient.from_kubeconfig(kubeconfig(again, "dc1")) as client:
        assert client.cluster_uid() == clusters_of(again)["dc1"]["uid"]


def test_a_supervisor_without_its_folder_ends_on_sigterm_with_its_children(
    folder: Path, lab_servers: Mapping[str, Path]
) -> None:
    lab = open_clusters(folder, lab_servers, ONE)
    remove_by_hand(folder)
    os.kill(lab.record.pid, signal.SIGTERM)
    until(lambda: not lab.record.supervisor.alive and not lab.record.survivors(), "the lab to end")
    assert not folder.exists()


def test_a_sigterm_that_comes_to_an_idle_supervisors_other_thread_ends_it(
    folder: Path, lab_servers: Mapping[str, Path]
) -> None:
    lab = open_clusters(folder, lab_servers, ONE)
    pid = lab.record.pid
    other = next(int(task.name) for task in Path(f"/proc/{pid}/task").iterdir() if task.name != str(pid))
    tgkill(pid, other, signal.SIGTERM)
    until(lambda: not lab.record.supervisor.alive and not lab.record.survivors(), "the lab to end")


def tgkill(pid: int, thread: int, number: int) -> None:
    """Sends a signal to one thread of a process: syscall 234 of x86-64, 131 of arm64."""
    call = {"x86_64": 234, "aarch64": 131}[platform.machine()]
    assert ctypes.CDLL(None).syscall(call, pid, thread, number) == 0


def test_a_record_removed_by_hand_makes_way_for_a_new_lab_that_knows_nothing_of_the_old_one(
    folder: Path, lab_servers: Mapping[str, Path]
) -> None:
    lab = open_clusters(folder, lab_servers, ONE)
    (folder / "state" / "old").touch()
    (folder / "lab.json").unlink()
    again = open_clusters(folder, lab_servers, ONE)
    assert not lab.record.supervisor.alive
    assert lab.record.survivors() == []
    assert again.generation != lab.generation
    assert not (folder / "state" / "old").exists()


def test_a_supervisor_that_starts_a_cluster_ends_on_sigterm(folder: Path, lab_servers: Mapping[str, Path]) -> None:
    def end_early() -> None:
        until(lambda: any(child.name == "etcd" for child in children_of(folder)), "etcd")
        lab = Lab.find(folder)
        assert lab
        os.kill(lab.record.pid, signal.SIGTERM)

    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(end_early)
        with pytest.raises(OutsideError) as caught:
            open_clusters(folder, {**lab_servers, "kube-apiserver": stuck_server(folder)}, ONE)
        ended.result()
    assert caught.value.record.code == "lab.gone"


def stuck_server(folder: Path) -> Path:
    """A program that neither ends nor answers."""
    program = folder.parent / "stuck"
    program.write_text("#!/bin/sh\nexec sleep 1000\n")
    program.chmod(0o755)
    return program


def remove_by_hand(folder: Path) -> None:
    """As `rm -rf` does, again and again while servers write to it."""

    def removed() -> bool:
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()

    until(removed, "the folder to go")


def test_servers_that_die_come_back_with_what_they_knew(folder: Path, lab_servers: Mapping[str, Path]) -> None:
    lab = open_clusters(folder, lab_servers, ONE)
    servers = {child.name: child for child in lab.record.children}
    with KubeClient.from_kubeconfig(kubeconfig(lab, "dc1")) as client:

        def answers() -> bool:
            try:
                return client.cluster_uid() == clusters_of(lab)["dc1"]["uid"]
            except OutsideError:
                return False

        for name in ("etcd", "dc1/kube-apiserver"):
            os.kill(servers[name].pid, signal.SIGKILL)
            wait_dead(servers[name])
            until(answers, f"the API server to answer after {name} died")
    assert {child.name for child in lab.record.children} == {process["name"] for process in left_of(folder)}


def test_a_server_that_cannot_run_is_named_and_the_next_open_mends_it(
    folder: Path, lab_servers: Mapping[str, Path]
) -> None:
    broken = {**lab_servers, "kube-scheduler": Path("/nowhere/kube-scheduler")}
    with pytest.raises(OutsideError) as caught:
        open_clusters(folder, broken, ONE)
    assert caught.value.record.message == (
        "the simulated cluster dc1 did not start: dc1/kube-scheduler ended with code 1: "
        "FileNotFoundError: [Errno 2] No such file or directory"
    )
    assert [process["name"] for process in left_of(folder)] == ["etcd"]
    assert list(clusters_of(open_clusters(folder, lab_servers, ONE))) == ["dc1"]


def left_of(folder: Path) -> list[dict[str, str]]:
    lab = Lab.find(folder)
    assert lab
    return list(lab.status()["processes"])


def wait_dead(child: ChildRecord) -> None:
    until(lambda: not child.process.alive, f"{child.name} to die")
