"""The example `lab` in a folder of its own, and what its world holds."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.lab.lab import Lab
from tests.integration.spine.site import Site
from tests.labs import kubeconfig

EXAMPLE = Path(__file__).parents[3] / "examples" / "lab.yaml"
OWN_NAMESPACES = {"kube-system", "kube-public", "kube-node-lease", "default"}
OWN_NAMES = {"kube-root-ca.crt", "cluster-admin", "admin", "edit", "view"}
KINDS = (
    ("v1", "Namespace"), ("v1", "ConfigMap"), ("v1", "Secret"), ("v1", "ServiceAccount"), ("apps/v1", "Deployment"),
    ("apps/v1", "DaemonSet"), ("batch/v1", "Job"), ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"), ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
)  # fmt: skip


def place_example(site: Site) -> None:
    shutil.copy(EXAMPLE, site.folder / "lab.yaml")


def lab_folder(site: Site) -> Path | None:
    """The lab's folder; None when no lab is there."""
    return next(iter((site.folder / "home" / ".local" / "state" / "aiinfra" / "labs").glob("lab-*")), None)


def cluster(site: Site) -> KubeClient:
    folder = lab_folder(site)
    assert folder is not None
    lab = Lab.find(folder)
    assert lab is not None
    return KubeClient.from_kubeconfig(kubeconfig(lab, "cluster"))


def inventory(site: Site) -> list[str]:
    """Every object in the cluster that is not the cluster's own, by kind, namespace and name."""
    with cluster(site) as client:
        found = [
            f"{kind} {_name(item)}" for version, kind in KINDS for item in client.list(version, kind) if not _own(item)
        ]
    return sorted(found)


def _name(item: dict[str, Any]) -> str:
    meta = item["metadata"]
    return f"{meta.get('namespace', '')}/{meta['name']}"


def _own(item: dict[str, Any]) -> bool:
    meta = item["metadata"]
    name = meta["name"]
    return (
        meta.get("namespace") in OWN_NAMESPACES
        or name in OWN_NAMESPACES | OWN_NAMES
        or name.startswith(("system:", "kubeadm:"))
        or name == "default"
    )


def processes_of(folder: Path) -> list[int]:
    """Processes that work for the lab in `folder`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(folder) in command:
                found.append(int(entry.name))
    return found
