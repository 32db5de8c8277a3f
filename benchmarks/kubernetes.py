"""Objects applied as `aiinfra:kubernetes:Bundle` does it, next to kubectl in the same run when it is on PATH."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.waiting import Waiter
from benchmarks.goals import KUBECTL
from benchmarks.measure import Failed, Samples, run

SIZES = (100, 1000)


def config_maps(namespace: str, number: int) -> list[dict[str, Any]]:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    maps = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"c{i}", "namespace": namespace},
            "data": {"k": str(i)},
        }
        for i in range(number)
    ]
    return [space, *maps]


def measure(samples: Samples, kubeconfig: str, folder: Path, environ: Mapping[str, str], runs: int) -> None:
    """Apply to the cluster of `kubeconfig`. Raises `Failed`."""
    for number in SIZES:
        _ours(samples, kubeconfig, number, min(runs, 3))
        _kubectl(samples, kubeconfig, number, folder, environ)


def _ours(samples: Samples, kubeconfig: str, number: int, runs: int) -> None:
    from aiinfra.domains.kubernetes.objects.applying import apply_all

    objects = config_maps(f"ours-{number}", number)
    with KubeClient.from_kubeconfig(kubeconfig) as client:

        def apply() -> None:
            done = apply_all(client, objects, owned=(), waiter=lambda: Waiter(limit=30))
            if not done.complete:
                raise Failed(f"not applied: {done.refusals[0]}")

        samples.take(f"apply {number} objects", apply)
        samples.take(f"apply {number} objects again", apply, runs)
        client.delete(ObjectRef("v1", "Namespace", f"ours-{number}"))


def _kubectl(samples: Samples, kubeconfig: str, number: int, folder: Path, environ: Mapping[str, str]) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        return
    (folder / "kubeconfig").touch(mode=0o600)
    (folder / "kubeconfig").write_text(kubeconfig)
    items = {"apiVersion": "v1", "kind": "List", "items": config_maps(f"theirs-{number}", number)}
    (folder / "objects.json").write_text(json.dumps(items))
    command = [kubectl, "--kubeconfig=kubeconfig", "apply", "--server-side", "-f", "objects.json"]
    samples.take(f"{KUBECTL} apply {number}", lambda: run(command, folder, environ))
    samples.take(f"{KUBECTL} apply {number} again", lambda: run(command, folder, environ))
