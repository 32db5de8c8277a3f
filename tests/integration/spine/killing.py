"""Run aiinfra as a user would, kill a process of it at a chosen event, and ask the world's servers what stands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiinfra.kube.client import KubeClient

Told = Mapping[str, Any]


@dataclass(frozen=True)
class Site:
    """An environment in a folder of its own, with a HOME of its own."""

    folder: Path
    environ: Mapping[str, str]

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "aiinfra", *arguments]

    def run(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def result(self, verb: str, *more: str) -> Told:
        """The parsed result of a run that has to end by itself."""
        done = self.run(verb, "world", "--yes", "--output", "json", *more)
        assert done.stderr == "", done.stderr
        told: Told = json.loads(done.stdout)
        return told

    def events(self, verb: str, on_event: Callable[[Told], bool], *more: str) -> int:
        """Run `verb` and hand each event to `on_event` until it answers True; then the process is left to its fate."""
        process = subprocess.Popen(
            self.command(verb, "world", "--yes", "--events", "ndjson", *more),
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout
        with process.stdout:
            for line in process.stdout:
                if on_event({**json.loads(line), "_pid": process.pid}):
                    break
        return process.wait(timeout=300)


def engine_of(pid: int) -> int | None:
    """The engine host that process `pid` started."""
    for child in children(pid):
        if "aiinfra-engine" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[0].decode():
            return child
    return None


def children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, task.read_text().split())


def kill(pid: int | None) -> None:
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


def inventory(kubeconfig: str) -> list[str]:
    """Every object that is not the cluster's own, by kind, namespace and name: what any owner of the cluster would see."""
    own = {"kube-system", "kube-public", "kube-node-lease", "default"}
    found = []
    with KubeClient.from_kubeconfig(kubeconfig) as client:
        for kind, version in (
            ("Namespace", "v1"), ("CustomResourceDefinition", "apiextensions.k8s.io/v1"), ("Deployment", "apps/v1"),
            ("DaemonSet", "apps/v1"), ("Job", "batch/v1"), ("ConfigMap", "v1"), ("Secret", "v1"), ("ServiceAccount", "v1"),
            ("ClusterRole", "rbac.authorization.k8s.io/v1"), ("ClusterRoleBinding", "rbac.authorization.k8s.io/v1"),
        ):  # fmt: skip
            for item in client.list(version, kind):
                meta = item["metadata"]
                namespace, name = meta.get("namespace", ""), meta["name"]
                if namespace in own or name in own or name.startswith(("system:", "kubeadm:")):
                    continue
                if name in {"kube-root-ca.crt", "cluster-admin", "admin", "edit", "view"}:
                    continue
                found.append(f"{kind} {namespace}/{name}")
    return sorted(found)
