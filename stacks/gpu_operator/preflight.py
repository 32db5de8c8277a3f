"""Whether the driver can work on the nodes of a cluster, judged by what they show. Imported when a cluster is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.driver_fit import Driver, Machine, Misfit, misfits, setting_misfits
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import (
    DEPLOY_PREFIX,
    GPU_NODE_LABELS,
    GPU_PRESENT,
    NFD_LABEL_PREFIX,
)
from aiinfra.facts import drivers
from aiinfra.facts.gpus import UnknownGpu, gpu
from aiinfra.stack import Finding
from stacks.gpu_operator.driver_rules import ONE_SYSTEM, by_objects, driver_of, several
from stacks.gpu_operator.spec import GpuOperatorInputs

CODE: Final = "kube.driver"
NEEDED: Final = "a driver that works there"
NAMED: Final = 3
"""Nodes named in one finding."""
_OS_IMAGES: Final = (
    (re.compile(r"Ubuntu (\d+\.\d+)"), "ubuntu"),
    (re.compile(r"Red Hat Enterprise Linux CoreOS (\d+\.\d+)"), "rhcos"),
    (re.compile(r"Red Hat Enterprise Linux (\d+(?:\.\d+)?)"), "rhel"),
    (re.compile(r"Rocky Linux (\d+(?:\.\d+)?)"), "rocky"),
    (re.compile(r"Debian GNU/Linux (\d+)"), "debian"),
)
"""`nodeInfo.osImage`, which is PRETTY_NAME of os-release, and the ID of the system."""
_SUFFIX: Final = re.compile(r"-(SHARED|MIG-.*)$")


@dataclass(frozen=True, slots=True)
class _Node:
    name: str
    machine: Machine
    has_gpu: bool


def findings(inputs: GpuOperatorInputs, clusters: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the findings on `ClusterFacts` by the name of the cluster's stack."""
    driver = driver_of(inputs)
    for cluster, facts in clusters.items():
        yield from _kubernetes(inputs, cluster, facts.version)
        if driver is not None:
            yield from _on_nodes(inputs, driver, cluster, [_node(node) for node in facts.nodes if _takes_driver(node)])


def _on_nodes(inputs: GpuOperatorInputs, driver: Driver, cluster: str, nodes: Sequence[_Node]) -> Iterator[Finding]:
    for misfit in setting_misfits(driver):
        yield _finding(misfit, f"driver {driver.version}", known=True)
    known = [node for node in nodes if node.has_gpu]
    found: dict[tuple[str, str], tuple[Misfit, list[str]]] = {}
    for node in known or nodes:
        for misfit in misfits(driver, node.machine):
            found.setdefault((misfit.message, misfit.hint), (misfit, []))[1].append(node.name)
    for misfit, names in found.values():
        yield _finding(misfit, _named(cluster, names), known=bool(known))
    systems = sorted({node.machine.tag for node in known if node.machine.system})
    if len(systems) > 1 and not by_objects(inputs):
        yield Finding("error", f"nodes of {cluster}", several(systems), NEEDED, ONE_SYSTEM, code=CODE)
    elif known and not found:
        about = _named(cluster, [node.name for node in known])
        yield Finding("ok", about, f"nothing is known against driver {driver.version or 'of this chart'}", NEEDED)


def _finding(misfit: Misfit, about: str, *, known: bool) -> Finding:
    """A node that is not known to have a GPU is warned of, and no run stops for it."""
    level: Literal["error", "warning"] = "error" if misfit.certain and known else "warning"
    read = misfit.message if known else f"{misfit.message}; whether they have GPUs is not known yet"
    return Finding(level, about, read, NEEDED, misfit.hint, misfit.source, CODE)


def _named(cluster: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(sorted(names)[:NAMED])}{more} of {cluster}"


def _kubernetes(inputs: GpuOperatorInputs, cluster: str, version: str) -> Iterator[Finding]:
    release = ".".join(inputs.version.split(".")[:2])
    row = next((row for row in drivers.KUBERNETES if row.chart == release), None)
    numbers = re.match(r"v?(\d+)\.(\d+)", version)
    if row is None or numbers is None:
        return
    runs = (int(numbers[1]), int(numbers[2]))
    if not row.first <= runs <= row.last:
        first, last = (".".join(map(str, one)) for one in (row.first, row.last))
        hint = "expect what NVIDIA has not tried, or take a release of the operator that was"
        needed = f"Kubernetes {first} to {last}, with which {release} was validated"
        yield Finding("warning", f"cluster of {cluster}", version, needed, hint, row.source, CODE)


def _takes_driver(node: Mapping[str, Any]) -> bool:
    """Whether the operator may put its driver there: not where one is installed, or operands are kept off."""
    labels = node["metadata"].get("labels") or {}
    kept_off = labels.get(f"{DEPLOY_PREFIX}driver", "true") != "true"
    return not kept_off and labels.get(f"{DEPLOY_PREFIX}operands") != "false"


def _node(node: Mapping[str, Any]) -> _Node:
    labels: Mapping[str, str] = node["metadata"].get("labels") or {}
    info = (node.get("status") or {}).get("nodeInfo") or {}
    os_id, release = (labels.get(f"{NFD_LABEL_PREFIX}system-os_release.{key}", "") for key in ("ID", "VERSION_ID"))
    system = f"{os_id}{release}" if os_id else _system(str(info.get("osImage", "")))
    product = _SUFFIX.sub("", labels.get("nvidia.com/gpu.product", ""))
    try:
        model = gpu(product) if product else None
    except UnknownGpu:
        model = None
    vgpu = labels.get("nvidia.com/vgpu.present") == "true"
    machine = Machine(model, system, str(info.get("kernelVersion", "")), vgpu=vgpu)
    has_gpu = any(labels.get(key) == "true" for key in (*GPU_NODE_LABELS, GPU_PRESENT))
    return _Node(str(node["metadata"]["name"]), machine, has_gpu)


def _system(image: str) -> str:
    for pattern, os_id in _OS_IMAGES:
        if found := pattern.search(image):
            return f"{os_id}{found[1]}"
    return ""
