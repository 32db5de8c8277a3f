"""NVIDIA's real GPU Operator beside a simulated cluster: what it needs around it, and how it is started.

It is the program of its chart's Deployment, out of the cluster: it runs while that Deployment has an available pod, in
its namespace. Its paths are compiled in (`/opt/gpu-operator`, `/host-etc/os-release`), so it is started in a folder of
its own as root directory. Its manifests are read from its Go module, as the module cache has it; none is ours.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.errors import OutsideError

if TYPE_CHECKING:
    from aiinfra.domains.kubernetes.client.client import KubeClient
    from aiinfra.domains.kubernetes.lab.block import LabCluster

PROGRAM: Final = "gpu-operator"
TOOL: Final = "nvidia-gpu-operator"
"""The name of the program in the toolchain."""
MODULE: Final = "github.com/NVIDIA/gpu-operator"
DRIVER_MANAGER_IMAGE: Final = "nvcr.io/nvidia/cloud-native/k8s-driver-manager:v0.8.1"
"""What the chart of v25.3.4 gives its Deployment (deployments/gpu-operator/values.yaml)."""
SYSTEM_PATH: Final = "/usr/sbin:/sbin:/usr/bin:/bin"
GO_MOD: Final = Path(__file__).with_name("operators") / "go.mod"


@dataclass(frozen=True, slots=True)
class Isolation:
    """How a program gets a root directory of its own."""

    command: Sequence[str]
    """To stand before the folder and the program."""


def isolation() -> Isolation:
    """Return how programs are given a root directory here. Raises `OutsideError` `lab.no_isolation`."""
    chroot, unshare = (shutil.which(name, path=SYSTEM_PATH) for name in ("chroot", "unshare"))
    if chroot and unshare:
        entering = (unshare, "--user", "--map-root-user")
        if not subprocess.run([*entering, "true"], capture_output=True, check=False).returncode:
            return Isolation((*entering, chroot))
    if chroot and os.geteuid() == 0:
        return Isolation((chroot,))
    raise OutsideError(
        "the real GPU Operator cannot be started here: this machine allows no user namespaces, and this is not root",
        code="lab.no_isolation",
        where="operators",
        hint="leave out operators: real, or allow them (sysctl kernel.unprivileged_userns_clone=1)",
    )


def module_folder(caches: Sequence[Path], program: Path) -> Path:
    """Return the folder of the operator's module in one of the Go module caches, or in that of the Go that built it.

    Raises `OutsideError` `lab.no_manifests`.
    """
    pinned = re.search(rf"{re.escape(MODULE)} (?P<version>v\S+)", GO_MOD.read_text())
    assert pinned is not None
    escaped = re.sub(r"[A-Z]", lambda letter: "!" + letter[0].lower(), MODULE)
    for cache in (*caches, program.resolve().parent.parent / "go" / "mod"):
        folder = cache / f"{escaped}@{pinned['version']}"
        if (folder / "assets").is_dir():
            return folder
    raise OutsideError(
        f"the manifests of the real GPU Operator are in no Go module cache here ({MODULE} {pinned['version']})",
        code="lab.no_manifests",
        where="operators",
        hint=f"aiinfra toolchain exec -- go -C {GO_MOD.parent} mod download {MODULE}",
    )


def make_root(root: Path, program: Path, module: Path, spec: LabCluster, kubeconfig: str) -> None:
    """Fill the folder that the operator has as its root directory."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(module / "assets", root / "opt" / PROGRAM, copy_function=shutil.copyfile)
    shutil.copytree(module / "manifests", root / "opt" / PROGRAM / "manifests", copy_function=shutil.copyfile)
    (root / "host-etc").mkdir()
    (root / "host-etc" / "os-release").write_text(_os_release(spec))
    (root / "tmp").mkdir()
    shutil.copy(program, root / PROGRAM)
    (root / "kubeconfig").write_text(kubeconfig)


def _os_release(spec: LabCluster) -> str:
    systems = [group.os for group in spec.nodes.values() if group.gpus] or ["ubuntu24.04"]
    found = re.fullmatch(r"([a-z]+)([\d.]*)", systems[0])
    identity, version = (found[1], found[2]) if found else (systems[0], "")
    return f'ID={identity}\nVERSION_ID="{version}"\n'


def command(isolated: Isolation, root: Path, namespace: str) -> Sequence[str]:
    """Return the command line; it listens on no port but one of its own choice on the loopback."""
    environ = {
        "KUBECONFIG": "/kubeconfig",
        "OPERATOR_NAMESPACE": namespace,
        "DRIVER_MANAGER_IMAGE": DRIVER_MANAGER_IMAGE,
    }
    listening = ("--metrics-bind-address=127.0.0.1:0", "--health-probe-bind-address=127.0.0.1:0")
    given = (f"{key}={value}" for key, value in environ.items())
    return ("/usr/bin/env", *given, *isolated.command, str(root), f"/{PROGRAM}", *listening)


def namespace_of_deployment(client: KubeClient) -> str:
    """Return the namespace in which the chart's Deployment has an available pod; empty when there is none."""
    found = client.list("apps/v1", "Deployment", fields=f"metadata.name={PROGRAM}")
    return next((obj["metadata"]["namespace"] for obj in found if _runs(obj)), "")


def _runs(deployment: Mapping[str, Any]) -> bool:
    there = "deletionTimestamp" not in deployment["metadata"]
    return there and deployment.get("status", {}).get("availableReplicas", 0) > 0
