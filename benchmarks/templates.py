"""Templates whose clones take long: eight of them are to take about as long as one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Samples

CLONE_SECONDS: Final = 5
ONE: Final = f"up, 1 template whose clone takes {CLONE_SECONDS} s"
EIGHT: Final = f"up, 8 templates whose clones take {CLONE_SECONDS} s"
ENVIRONMENT: Final = "templates"
PLACE: Final = {"datacenter": "dc1", "cluster": "gpu", "datastore": "ssd", "folder": "templates"}
GPU: Final = {"mode": "vgpu", "model": "A100-PCIe-40GB", "memory": "20GiB"}


def measure(samples: Samples, aiinfra: Callable[..., None], folder: Path, runs: int) -> None:
    """`aiinfra` runs one command in `folder`. Raises `Failed`."""
    _write(folder, 1)
    try:
        aiinfra("up", ENVIRONMENT, "--yes")
        for _ in range(runs):
            for name, number in ((ONE, 1), (EIGHT, 8)):
                aiinfra("destroy", ENVIRONMENT, "--yes", "--keep-lab")
                _write(folder, number)
                samples.take(name, lambda: aiinfra("up", ENVIRONMENT, "--yes"))
    finally:
        aiinfra("destroy", ENVIRONMENT, "--yes")


def _write(folder: Path, number: int) -> None:
    delays = {"CloneVM_Task": CLONE_SECONDS * 1000}
    document = {
        "version": "v1",
        "name": ENVIRONMENT,
        "target": "lab",
        "lab": {"vcenter": {"delays": delays}},
        "stacks": {f"t{place}": _template() for place in range(number)},
    }
    (folder / f"{ENVIRONMENT}.yaml").write_text(json.dumps(document))


def _template() -> dict[str, Any]:
    return {"kind": "vsphere_gpu_template", "source": "templates/rhcos", "place": PLACE, "gpu": GPU, "verify": "none"}
