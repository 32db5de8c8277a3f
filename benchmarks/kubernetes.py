"""Objects applied as `aiinfra:kubernetes:Bundle` does it, next to kubectl in the same run when it is on PATH."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aiinfra.kube.client import KubeClient
from aiinfra.kube.objects import ObjectRef
from aiinfra.waiting import Waiter
from benchmarks.measure import Row, run, timed

BUDGETS = {100: (0.5, 0.3), 1000: (3.0, 1.5)}


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


def rows(folder: Path, environ: Mapping[str, str], runs: int) -> Iterator[Row]:
    """Needs a lab that runs below `folder`'s environment `lab`."""

    from aiinfra.lab.folders import lab_folder
    from aiinfra.lab.lab import Lab
    from aiinfra.world import World

    lab = Lab.find(lab_folder(World.real(), "lab", folder / "lab.yaml"))
    assert lab is not None
    kubeconfig = lab.kubeconfig("cluster")
    for number in BUDGETS:
        yield from _ours(kubeconfig, number, min(runs, 3))
        yield from _kubectl(folder, environ, kubeconfig, number)


def _ours(kubeconfig: str, number: int, runs: int) -> Iterator[Row]:
    from aiinfra.kube.applying import apply_all

    objects, (first, again) = config_maps(f"ours-{number}", number), BUDGETS[number]
    with KubeClient.from_kubeconfig(kubeconfig) as client:

        def apply() -> None:
            done = apply_all(client, objects, owned=(), waiter=lambda: Waiter(limit=30))
            if not done.complete:
                raise RuntimeError(f"not applied: {done.refusals[0]}")

        yield timed(f"apply {number} objects", apply, 1, first)
        yield timed(f"apply {number} objects again", apply, runs, again)
        client.delete(ObjectRef("v1", "Namespace", f"ours-{number}"))


def _kubectl(folder: Path, environ: Mapping[str, str], kubeconfig: str, number: int) -> Iterator[Row]:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        return
    (folder / "kubeconfig").write_text(kubeconfig)
    (folder / "kubeconfig").chmod(0o600)
    items = {"apiVersion": "v1", "kind": "List", "items": config_maps(f"theirs-{number}", number)}
    (folder / "objects.json").write_text(json.dumps(items))
    command = [kubectl, "--kubeconfig=kubeconfig", "apply", "--server-side", "-f", "objects.json"]
    yield timed(f"kubectl apply --server-side, {number}", lambda: run(command, folder, environ), 1)
    yield timed(f"kubectl apply --server-side again, {number}", lambda: run(command, folder, environ), 1)
