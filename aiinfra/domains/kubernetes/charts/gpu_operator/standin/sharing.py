"""How a device plugin's configuration shares GPUs. Pure.

NVIDIA/k8s-device-plugin v0.20.0 api/config/v1/sharing.go and replicas.go: fewer than two replicas do not parse;
time-slicing and MPS together count as MPS, unknown keys are ignored.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import GPU_RESOURCE
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.operands import CONFIG_MANAGER_INIT, CONFIGS
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View, labels, namespace

NODE_LABEL = "nvidia.com/device-plugin.config"


@dataclass(frozen=True, slots=True)
class Sharing:
    strategy: Literal["none", "time-slicing", "mps"] = "none"
    replicas: int = 1
    rename: bool = False
    single: bool = False
    """Whether a pod that asks for more than one of the resource is refused."""
    slices: tuple[tuple[str, int], ...] = ()
    """Replicas of MIG instances by their resource, such as `nvidia.com/mig-1g.5gb`."""


class BadConfig(ValueError):
    """The device plugin cannot start with this configuration; the text is its own."""


class UnknownKey(BadConfig):
    """The ConfigMap has no document of this name, so the program that chooses one fails before the plugin starts."""


def sharing_of_node(view: View, node: Object, plugin: Object) -> Sharing:
    """Return how the GPUs of a node are shared by the pod of its device plugin.

    They are not shared when no configuration names this node, or when it does not parse: the plugin does not run.
    """
    try:
        return parse(config_text(view, node, plugin))
    except BadConfig:
        return Sharing()


def config_text(view: View, node: Object, pod: Object) -> str:
    """Return the configuration that applies to a node, empty when none does. Raises `UnknownKey`.

    The pod of a device plugin, of GFD or of the MPS daemon mounts the ConfigMap by its name, and its first program
    chooses the document: the node's label says which, else the default that the pod was made with.
    """
    chooser = next((c for c in pod["spec"].get("initContainers") or () if c["name"] == CONFIG_MANAGER_INIT), None)
    found = view.find("ConfigMap", _mounted(pod, chooser), namespace(pod)) if chooser else None
    if chooser is None or found is None:
        return ""
    default = next((env.get("value") for env in chooser.get("env") or () if env["name"] == "DEFAULT_CONFIG"), "")
    key = labels(node).get(NODE_LABEL) or default
    data = found.get("data") or {}
    if key and key not in data:
        raise UnknownKey(f"specified config {key} does not exist")
    return str(data.get(key, ""))


def _mounted(pod: Object, chooser: Object) -> str:
    """Return the name of the ConfigMap that the container has at the place for configurations."""
    mounts = {mount["mountPath"]: mount["name"] for mount in chooser.get("volumeMounts") or ()}
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    return str((volumes.get(mounts.get(CONFIGS, "")) or {}).get("configMap", {}).get("name", ""))


@lru_cache(maxsize=64)
def parse(config: str) -> Sharing:
    """Parse the text of a configuration. Raises `BadConfig`."""
    try:
        tree = YAML(typ="safe").load(config) or {}
    except YAMLError as error:
        raise BadConfig(f"unable to parse config: {str(error).splitlines()[0]}") from error
    shared = tree.get("sharing") or {}
    if shared.get("mps"):
        return _sharing("mps", shared["mps"])
    return _sharing("time-slicing", shared["timeSlicing"]) if shared.get("timeSlicing") else Sharing()


def _sharing(strategy: Literal["time-slicing", "mps"], spec: dict[str, Any]) -> Sharing:
    rename = bool(spec.get("renameByDefault", False)) and strategy == "time-slicing"
    single = bool(spec.get("failRequestsGreaterThanOne", strategy == "mps"))
    found: dict[str, int] = {}
    for resource in spec.get("resources") or ():
        replicas = int(resource.get("replicas", 0))
        if replicas < 2:
            raise BadConfig(f"number of replicas must be >= 2, got {replicas} for {resource.get('name')}")
        found.setdefault(str(resource.get("name")), replicas)
    whole, slices = found.pop(GPU_RESOURCE, 1), tuple(found.items())
    return Sharing(strategy, whole, rename, single, slices) if whole > 1 or slices else Sharing()
