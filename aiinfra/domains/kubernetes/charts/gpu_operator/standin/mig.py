"""What the MIG manager makes of a node's GPUs, as its label asks, and what the device plugin makes of that.

The GPUs keep what they were cut into, so the node remembers it in an annotation of the lab. NVIDIA/mig-parted
pkg/mig/reconfigure and cmd/nvidia-mig-manager, of 2026-08-21: the configurations are made from the hardware, or are
those of the ConfigMap that the policy names; device plugin and GFD are started again after a change.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from aiinfra.domains.kubernetes.charts.gpu_operator.standin.operands import MIG_CONFIG
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers import hardware
from aiinfra.domains.kubernetes.lab.controllers.controller import Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Effect, Patch, Remove
from aiinfra.domains.kubernetes.lab.controllers.faults import PLUGIN_APP
from aiinfra.domains.kubernetes.lab.controllers.hardware import Hardware
from aiinfra.domains.kubernetes.lab.controllers.view import (
    Object,
    View,
    annotation,
    labels,
    name,
    namespace,
    pod_ready,
)
from aiinfra.facts.gpus import Gpu
from aiinfra.facts.mig import WHOLE, Geometry, geometry, holds, named_geometry

MANAGER_APP, GFD_APP = "nvidia-mig-manager", "gpu-feature-discovery"
CONFIG, STATE = "nvidia.com/mig.config", "nvidia.com/mig.config.state"
GEOMETRY: Final = "lab.aiinfra.dev/mig"
"""Annotation: JSON with what each GPU of the node is cut into, by profile; null for one that is not in MIG mode."""
FIELD_MANAGER: Final = "nvidia-mig-manager"
_VOLUME: Final = "mig-parted-config"


class InvalidMig(ValueError):
    """The device plugin does not start with this geometry under its strategy; the text is its own."""


def reconcile(view: View, moment: Moment) -> Iterator[Effect]:
    """Cut the GPUs of each node as its label asks, where the MIG manager's pod on it is ready."""
    for node in hardware.with_gpus(view.nodes):
        pods, machine = view.pods_on(name(node)), hardware.of_node(node)
        manager = next((pod for pod in pods if _app(pod) == MANAGER_APP and pod_ready(pod)), None)
        asked, gpu = labels(node).get(CONFIG), machine.gpu
        if manager is None or not asked or gpu is None or not gpu.mig_capable or machine.vgpu:
            continue
        before = geometries(node, machine)
        after, done = applied(asked, gpu, before, _own_configurations(view, manager))
        ref = ObjectRef("v1", "Node", name(node))
        if after != before:
            cut = json.dumps([dict(one.counts) if one.enabled else None for one in after])
            yield Patch(ref, {"metadata": {"annotations": {GEOMETRY: cut}}})
            yield from (Remove(ObjectRef.of(pod)) for pod in pods if _app(pod) in (PLUGIN_APP, GFD_APP))
        state = "success" if done else "failed"
        if labels(node).get(STATE) != state:
            yield Patch(ref, {"metadata": {"labels": {STATE: state}}}, manager=FIELD_MANAGER)


def geometries(node: Object, machine: Hardware) -> tuple[Geometry, ...]:
    """Return what each GPU of a node is cut into."""
    kept = json.loads(annotation(node, GEOMETRY) or "[]")[: machine.gpus]
    cut = [WHOLE if counts is None else geometry(counts) for counts in kept]
    return (*cut, *[WHOLE] * (machine.gpus - len(cut)))


def applied(
    config: str, gpu: Gpu, before: tuple[Geometry, ...], own: str | None = None
) -> tuple[tuple[Geometry, ...], bool]:
    """Return what a configuration makes of the GPUs of a node, and whether it could be applied to all of them.

    `own` is the text of the user's configurations; None for those that the MIG manager makes from the hardware. One
    that is not there changes nothing; one that a GPU cannot have leaves that GPU in MIG mode with no instance.
    """
    if own is None:
        made = named_geometry(gpu, config)
        return (before, False) if made is None else ((made,) * len(before), True)
    entries = _entries(own).get(config)
    if entries is None:
        return before, False
    after = list(before)
    for index in range(len(before)):
        for entry in entries:
            if not _concerns(entry, gpu, index):
                continue
            counts = {str(profile): int(count) for profile, count in (entry.get("mig-devices") or {}).items()}
            if entry.get("mig-enabled") and not holds(gpu, counts):
                after[index] = geometry({})
                return tuple(after), False
            after[index] = geometry(counts) if entry.get("mig-enabled") else WHOLE
    return tuple(after), True


def offered(strategy: str, gpus: Sequence[Geometry]) -> tuple[int, Mapping[str, int]]:
    """Return how many whole GPUs the plugin offers, and how many instances by their profile.

    Raises `InvalidMig`. NVIDIA/k8s-device-plugin v0.20.0 internal/rm/device_map.go.
    """
    slices = Counter({profile: 0 for gpu in gpus for profile, _ in gpu.counts})
    for gpu in gpus:
        slices.update(dict(gpu.counts))
    whole = sum(not gpu.enabled for gpu in gpus)
    if strategy == "none":
        return len(gpus), {}
    if strategy == "single":
        _refuse_unlike(gpus, whole, slices)
    return whole, slices


def _refuse_unlike(gpus: Sequence[Geometry], whole: int, slices: Mapping[str, int]) -> None:
    empty = next((index for index, gpu in enumerate(gpus) if gpu.enabled and not gpu.counts), None)
    if empty is not None:
        raise InvalidMig(
            "invalid MIG configuration: at least one device with migEnabled=true was not configured correctly: "
            f"error visiting device: device {empty} has no MIG devices configured"
        )
    if len(slices) > 1:
        raise InvalidMig("invalid MIG configuration: more than one MIG device type present on node")
    if whole and slices:
        raise InvalidMig("all devices on the node must be configured with the same migEnabled value")


def _app(pod: Object) -> str:
    return labels(pod).get("app", "")


def _own_configurations(view: View, manager: Object) -> str | None:
    """Return the text of the ConfigMap that the pod mounts, when it is not the operator's own."""
    volumes = {volume["name"]: volume for volume in manager["spec"].get("volumes") or ()}
    mounted = str(((volumes.get(_VOLUME) or {}).get("configMap") or {}).get("name") or MIG_CONFIG)
    if mounted == MIG_CONFIG:
        return None
    found = view.find("ConfigMap", mounted, namespace(manager)) or {}
    return str((found.get("data") or {}).get("config.yaml", ""))


@lru_cache(maxsize=16)
def _entries(text: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Return the entries of each configuration; none of a text that is none (NVIDIA/mig-parted api/spec/v1/spec.go)."""
    try:
        tree = YAML(typ="safe").load(text)
    except YAMLError:
        return {}
    configs = tree.get("mig-configs") if isinstance(tree, dict) else None
    return configs if isinstance(configs, dict) else {}


def _concerns(entry: Mapping[str, Any], gpu: Gpu, index: int) -> bool:
    filters, devices = entry.get("device-filter") or (), entry.get("devices")
    named = [filters] if isinstance(filters, str) else list(filters)
    if named and gpu.device_filter.lower() not in (str(each).lower() for each in named):
        return False
    return devices == "all" or index in (devices or ())
