"""Whether the driver can work on the nodes: judged by what the file says and describes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aiinfra.domains.kubernetes.charts.gpu_operator.driver_fit import (
    IMAGE,
    Driver,
    KernelModules,
    Machine,
    misfits,
    setting_misfits,
)
from aiinfra.domains.kubernetes.charts.gpu_operator.facts import CHART
from aiinfra.domains.kubernetes.needs import NodePool
from aiinfra.facts.drivers import MODULE_TYPE_SINCE, REGISTRY, earlier, version
from aiinfra.stack import Ref, Surroundings, Violation
from stacks.gpu_operator.effective import effective_values, where
from stacks.gpu_operator.spec import GpuOperatorInputs

ONE_SYSTEM = "give all nodes with GPUs one system, or set values.driver.nvidiaDriverCRD.enabled: true"


def driver_of(inputs: GpuOperatorInputs) -> Driver | None:
    """Return the driver that the operator installs; None when the nodes' image brings it.

    Its version is empty when it is that of a chart that is not known.
    """
    section = _section(inputs)
    if not section.get("enabled"):
        return None
    named = (
        inputs.version == CHART.version or where(inputs, ("driver", "version"))[0] == "values" or inputs.driver.version
    )
    return Driver(
        str(section.get("version") or "") if named else "",
        _modules(inputs, section),
        precompiled=bool(section.get("usePrecompiled")),
        nvidias=(section.get("repository"), section.get("image")) == (REGISTRY, IMAGE),
    )


def _modules(inputs: GpuOperatorInputs, section: Mapping[str, Any]) -> KernelModules:
    release = version(inputs.version.removeprefix("v"))
    if release is None or not earlier(release, MODULE_TYPE_SINCE):
        return section.get("kernelModuleType") or "auto"
    return "open" if section.get("useOpenKernelModules") else "proprietary"


def by_objects(inputs: GpuOperatorInputs) -> bool:
    """Whether NVIDIADriver objects describe the drivers: then nodes of several systems have each their own."""
    return bool((_section(inputs).get("nvidiaDriverCRD") or {}).get("enabled"))


def _section(inputs: GpuOperatorInputs) -> dict[str, Any]:
    found = effective_values(inputs).get("driver")
    return dict(found) if isinstance(found, dict) else {}


def of_settings(inputs: GpuOperatorInputs) -> Iterator[Violation]:
    """Yield what is wrong with the driver's settings, wherever it runs."""
    driver = driver_of(inputs)
    for misfit in setting_misfits(driver) if driver else ():
        if misfit.certain:
            yield Violation(where(inputs, ("driver", "version")), misfit.message, misfit.hint)
    gds = effective_values(inputs).get("gds") or {}
    if driver and gds.get("enabled"):
        if driver.modules == "proprietary":
            says = "GPUDirect Storage needs the open kernel modules"
            yield Violation(("values", "gds", "enabled"), says, "set driver.kernel_module_type: open")
        if driver.precompiled:
            says = "precompiled drivers have no GPUDirect Storage"
            yield Violation(("values", "gds", "enabled"), says, "set driver.precompiled: false")


def of_described_nodes(inputs: GpuOperatorInputs, around: Surroundings) -> Iterator[Violation]:
    """Yield why the driver does not work on nodes that the file's `lab:` describes."""
    pools = [pool for pool in around.hardware if isinstance(pool, NodePool) and pool.gpu and _mine(inputs, pool)]
    yield from _without(inputs, pools)
    driver = driver_of(inputs)
    if driver is None:
        return
    bare = [pool for pool in pools if not pool.host_driver]
    for pool in bare:
        machine = Machine(pool.gpu, pool.system, pool.kernel, vgpu=bool(pool.vgpu))
        for misfit in misfits(driver, machine):
            if misfit.certain:
                yield Violation(("driver",), f"on the nodes {pool.name} of the lab: {misfit.message}", misfit.hint)
    systems = sorted({Machine(None, pool.system).tag for pool in bare})
    if len(systems) > 1 and not by_objects(inputs):
        yield Violation(("driver",), several(systems), ONE_SYSTEM)


def several(systems: list[str]) -> str:
    """Return why one policy cannot serve nodes of these systems."""
    return f"the operator takes one driver image for all nodes, and those with GPUs are of {' and '.join(systems)}"


def _without(inputs: GpuOperatorInputs, pools: list[NodePool]) -> Iterator[Violation]:
    sees = effective_values(inputs)
    for key, what in (("driver", "driver"), ("toolkit", "container toolkit")):
        bare = [] if sees[key].get("enabled") else [pool for pool in pools if not pool.host_driver]
        for pool in bare:
            at = f"lab.clusters.{pool.cluster}.nodes.{pool.name}"
            yield Violation(
                where(inputs, (key, "enabled")),
                f"is false, and the nodes {pool.name} of the lab bring no {what} of their own",
                f"set {key}.enabled: true, or {at}.host_driver to the version that their image has",
            )


def _mine(inputs: GpuOperatorInputs, pool: NodePool) -> bool:
    return isinstance(inputs.cluster, Ref) and inputs.cluster.stack == pool.cluster
