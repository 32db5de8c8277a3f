"""The nodes with GPUs: which of them count, what they offer, and what a proof on them stands on. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import GPU_NODE_LABELS, OPERANDS_DISABLED
from aiinfra.domains.kubernetes.client.objects import Object
from aiinfra.domains.kubernetes.objects.node_state import Obstacle, Toleration, obstacles
from aiinfra.domains.kubernetes.objects.quantities import count
from aiinfra.domains.kubernetes.objects.wants import AllocatableWant, NodesWant, Verdict, carries

NAMED: Final = 8
"""Nodes that one sentence names."""
VENDOR: Final = "nvidia.com/"
BOOT: Final = "bootID"
"""Of `status.nodeInfo`: another one at each boot of the node (Kubernetes API, NodeSystemInfo)."""
DRIVER_LABELS: Final = (
    "nvidia.com/cuda.driver-version.full",
    "nvidia.com/cuda.driver.major",
    "nvidia.com/cuda.driver.minor",
    "nvidia.com/cuda.driver.rev",
    "nvidia.com/gpu.product",
    "nvidia.com/gpu.count",
    "nvidia.com/gpu.replicas",
    "nvidia.com/gpu.sharing-strategy",
    "nvidia.com/mig.config",
    "nvidia.com/mig.strategy",
)
"""Labels by which GPU Feature Discovery and the MIG manager say what driver, GPUs and slices a node has."""


def operands_disabled(node: Object) -> bool:
    """Whether somebody keeps the GPU Operator off the node."""
    return carries(node, "=".join(OPERANDS_DISABLED))


def offered(node: Object, resources: Sequence[str]) -> dict[str, int]:
    """What the node offers of these resources; a name may end in `*`."""
    return {name: units for name, units in _devices(node).items() if any(fnmatchcase(name, r) for r in resources)}


def shown(names: Sequence[str]) -> str:
    """`gpu-0, gpu-1 and 3 more`."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


@dataclass(frozen=True, slots=True)
class GpuNodesWant(NodesWant):
    """So many nodes carry one of `labels`, are Ready and schedulable, and have no taint that is not tolerated."""

    tolerations: tuple[Toleration, ...] = ()

    def counted(self, nodes: Sequence[Object]) -> list[Object]:
        """The nodes that count, by name."""
        return sorted((n for n in self._labelled(nodes) if not self._obstacles(n)), key=_name)

    def uncounted(self, nodes: Sequence[Object]) -> list[tuple[str, Obstacle]]:
        """Nodes with the label that do not count, by name, each with its reasons."""
        return [(_name(n), o) for n in sorted(self._labelled(nodes), key=_name) for o in self._obstacles(n)]

    def judge(self, nodes: Sequence[Object]) -> Verdict:
        plain, found = NodesWant(self.labels, self.at_least).judge(nodes), len(self.counted(nodes))
        others = [f"{name} {obstacle.message}" for name, obstacle in self.uncounted(nodes)]
        if not others:
            return plain
        seen = f"on {found} of {self.at_least} nodes that are Ready and schedulable"
        why = f"not counted: {shown(others)}"
        return Verdict(found >= self.at_least > 0, plain.about, seen, plain.verb, why)

    def _labelled(self, nodes: Sequence[Object]) -> list[Object]:
        return [node for node in nodes if any(carries(node, label) for label in self.labels)]

    def _obstacles(self, node: Object) -> list[Obstacle]:
        key, value = OPERANDS_DISABLED
        off = [Obstacle(f"has the label {key}={value}", f"kubectl label node {_name(node)} {key}-")]
        return [*(off if operands_disabled(node) else []), *obstacles(node, self.tolerations)]


def gpu_nodes_want(at_least: int, tolerations: tuple[Toleration, ...]) -> GpuNodesWant:
    """The want for nodes on which Node Feature Discovery found an NVIDIA GPU."""
    return GpuNodesWant(tuple(f"{label}=true" for label in GPU_NODE_LABELS), at_least, tolerations)


@dataclass(frozen=True, slots=True)
class GpuUnitsWant(AllocatableWant):
    """The nodes of `among` together offer so many units of `resources`, and each of them offers one."""

    resources: tuple[str, ...] = ()
    among: GpuNodesWant = GpuNodesWant((), 1)

    @classmethod
    def of(cls, resources: Sequence[str], at_least: int, among: GpuNodesWant) -> GpuUnitsWant:
        return cls(resources[0], at_least, "", tuple(resources), among)

    def offered(self, nodes: Sequence[Object]) -> int:
        return sum(sum(offered(node, self.resources).values()) for node in self.among.counted(nodes))

    def offering(self, nodes: Sequence[Object]) -> dict[str, str]:
        """By each node that counts and offers a unit, the resource to ask it for."""
        found = {_name(node): sorted(offered(node, self.resources)) for node in self.among.counted(nodes)}
        return {name: resources[0] for name, resources in found.items() if resources}

    def judge(self, nodes: Sequence[Object]) -> Verdict:
        units = self.offered(nodes)
        holds = units >= self.at_least > 0 and len(self.offering(nodes)) == len(self.among.counted(nodes))
        why = "" if holds else shown(self.lacking(nodes))
        return Verdict(holds, " or ".join(self.resources), f"{units} of {self.at_least} allocatable", why=why)

    def lacking(self, nodes: Sequence[Object]) -> list[str]:
        """What each node that offers nothing offers instead; when all offer something, how much each does."""
        counted, offering = self.among.counted(nodes), self.offering(nodes)
        poor = [node for node in counted if _name(node) not in offering] or counted
        return [f"{_name(node)} {self._offers(node)}" for node in poor]

    def _offers(self, node: Object) -> str:
        if mine := offered(node, self.resources):
            return f"offers {_units(mine)}"
        nothing = f"offers no {' or '.join(self.resources)}"
        instead = _devices(node)
        return f"{nothing} but {_units(instead)}" if instead else nothing


def stands_on(nodes: Sequence[Object], want: GpuUnitsWant) -> dict[str, Any]:
    """What a proof of these nodes stands on, as JSON: the facts of each node that counts, and by what it counts."""
    facts = {_name(node): _facts(node, want.resources) for node in want.among.counted(nodes)}
    tolerations = [toleration.as_json() for toleration in want.among.tolerations]
    return {"nodes": facts, "resources": list(want.resources), "tolerations": tolerations}


def changed_since(proved_on: Mapping[str, Any], nodes: Sequence[Object]) -> list[str]:
    """What is otherwise than `stands_on` told, a sentence a node; a label that was not there yet is no change."""
    if not proved_on:
        return []
    among = gpu_nodes_want(1, tuple(map(Toleration.of, proved_on["tolerations"])))
    want = GpuUnitsWant.of(proved_on["resources"], 1, among)
    before, now = proved_on["nodes"], stands_on(nodes, want)["nodes"]
    obstacles = {name: obstacle.message for name, obstacle in reversed(among.uncounted(nodes))}
    found = [f"node {name} was added" for name in sorted(now.keys() - before.keys())]
    found += [f"node {name} {obstacles.get(name, 'is gone')}" for name in sorted(before.keys() - now.keys())]
    for name in sorted(before.keys() & now.keys()):
        if (uid := before[name].get("uid")) != now[name].get("uid") and uid:
            found.append(f"node {name} was replaced")
        else:
            differing = (_difference(name, key, was, now[name]) for key, was in before[name].items())
            found += [one for one in differing if one][:1]
    return found


def _difference(name: str, key: str, was: str, now: Mapping[str, str]) -> str:
    if was == now.get(key):
        return ""
    if key == BOOT:
        return f"node {name} was rebooted, which loads its driver anew"
    return f"node {name}: {key} was {was}, is {now.get(key, 'gone')}"


def _facts(node: Object, resources: Sequence[str]) -> dict[str, str]:
    info, labels = node.get("status", {}).get("nodeInfo") or {}, node["metadata"].get("labels") or {}
    system = {key: str(info[key]) for key in ("machineID", "kernelVersion", "osImage") if info.get(key)}
    devices = {name: str(units) for name, units in offered(node, resources).items()}
    named = {label: str(labels[label]) for label in DRIVER_LABELS if label in labels}
    boot = {BOOT: str(info[BOOT])} if info.get(BOOT) else {}
    return {"uid": str(node["metadata"].get("uid") or ""), **system, **named, **devices, **boot}


def _devices(node: Object) -> dict[str, int]:
    allocatable = node.get("status", {}).get("allocatable") or {}
    return {key: n for key, raw in allocatable.items() if key.startswith(VENDOR) and (n := count(raw))}


def _units(resources: Mapping[str, int]) -> str:
    return " and ".join(f"{units} {name}" for name, units in sorted(resources.items()))


def _name(node: Object) -> str:
    return str(node["metadata"]["name"])
