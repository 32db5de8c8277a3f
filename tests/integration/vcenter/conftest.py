"""Simulated vCenters for tests of the simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.vsphere.lab.block import (
    LabCards,
    LabDatacenter,
    LabDatastore,
    LabEsxCluster,
    LabEsxHosts,
    LabVCenter,
    LabVm,
)
from tests.integration.vcenter.client import Simulator, simulator

Start = Callable[..., Simulator]
A100 = "A100-PCIe-40GB"
SOURCE = LabVm(folder="templates", template=True, hardware_version=19)


@pytest.fixture
def start(toolchain: Mapping[str, Path], tmp_path: Path) -> Iterator[Start]:
    """`start()`: a vCenter with one host of two A100s that serve vGPUs; `start(cards, more=…)` with others."""
    with ExitStack() as running:

        def begin(*cards: LabCards, flags: tuple[str, ...] = (), **changes: Any) -> Simulator:
            folder = tmp_path / str(len(list(tmp_path.iterdir())))
            folder.mkdir()
            spec = world(*(cards or (LabCards(model=A100, count=2),)), **changes)
            opened: AbstractContextManager[Simulator] = simulator(toolchain["vcenter"], folder, spec, flags)
            return running.enter_context(opened)

        yield begin


def world(
    *cards: LabCards, host: dict[str, Any] | None = None, dc: dict[str, Any] | None = None, **changes: Any
) -> LabVCenter:
    group = LabEsxHosts(**{"cards": cards, **(host or {})})
    parts: dict[str, Any] = {
        "clusters": {"gpu": LabEsxCluster(hosts={"esx": group})},
        "datastores": {"ssd": LabDatastore(capacity="1TiB", free="100GiB")},
        "vms": {"rhcos": SOURCE},
        **(dc or {}),
    }
    return LabVCenter(**{"datacenters": {"dc1": LabDatacenter(**parts)}, **changes})
