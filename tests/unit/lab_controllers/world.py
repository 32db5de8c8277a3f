"""Objects for the tests of the controllers: a good world, from which each test takes one thing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from aiinfra.domains.kubernetes.charts.gpu_operator.standin import operator as gpu_operator
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.operands import daemonsets
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.policy import (
    OsInfo,
)
from aiinfra.domains.kubernetes.lab.controllers.controller import Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Patch
from aiinfra.domains.kubernetes.lab.controllers.faults import PodFaults
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
MOMENT = Moment(NOW, 0.0)
NAMESPACE = "gpu-operator"
NFD_LABELS = {
    "feature.node.kubernetes.io/pci-10de.present": "true",
    "feature.node.kubernetes.io/kernel-version.full": "6.8.0-85-generic",
    "feature.node.kubernetes.io/system-os_release.ID": "ubuntu",
    "feature.node.kubernetes.io/system-os_release.VERSION_ID": "24.04",
}


def an_object(api_version: str, kind: str, name: str, namespace: str = "", **fields: Any) -> Object:
    metadata = {"name": name, "uid": f"uid-of-{name}", "creationTimestamp": "2026-11-22T11:00:00Z"}
    where = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": {**metadata, **where}, **fields}


def a_node(name: str = "gpu-0", *, labels: dict[str, str] | None = None, gpus: int = 8, **described: str) -> Object:
    node = an_object("v1", "Node", name, status={"capacity": {}, "allocatable": {}})
    hardware = {"gpu": "A100-SXM4-40GB" if gpus else "", "gpus": gpus, **described}
    node["metadata"]["annotations"] = {"lab.aiinfra.dev/hardware": json.dumps(hardware)}
    node["metadata"]["labels"] = dict(NFD_LABELS if labels is None else labels)
    return node


def a_gpu_node(name: str = "gpu-0", **labels: str) -> Object:
    """One that the operator has labelled."""
    return a_node(name, labels={**NFD_LABELS, "nvidia.com/gpu.present": "true", **labels})


def a_policy(**spec: Any) -> Object:
    keys = ("operator", "daemonsets", "driver", "toolkit", "devicePlugin", "dcgmExporter", "dcgm", "nodeStatusExporter")
    empty: dict[str, Any] = {key: {} for key in (*keys, "gfd")}
    return an_object("nvidia.com/v1", "ClusterPolicy", "cluster-policy", spec={**empty, **spec})


def an_operator(*, available: int = 1) -> Object:
    return an_object("apps/v1", "Deployment", "gpu-operator", NAMESPACE, status={"availableReplicas": available})


def a_pod(app: str, node: str = "gpu-0", *, ready: bool = True, **spec: Any) -> Object:
    pod = an_object("v1", "Pod", f"{app}-{node}", NAMESPACE)
    pod["metadata"]["labels"] = {"app": app}
    pod["spec"] = {"nodeName": node, "containers": [{"name": app, "image": f"{app}:1"}], **spec}
    pod["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}
    return pod


def configured(pod: Object, config_map: str = "plugin", default: str = "any") -> Object:
    """The pod with the program that chooses a document of the device plugin's ConfigMap."""
    mount = {"name": config_map, "mountPath": "/available-configs"}
    env = [{"name": "DEFAULT_CONFIG", "value": default}]
    chooser = {"name": "config-manager-init", "env": env, "volumeMounts": [mount]}
    volumes = [{"name": config_map, "configMap": {"name": config_map}}]
    return {**pod, "spec": {**pod["spec"], "initContainers": [chooser], "volumes": volumes}}


def a_view(*objects: Object) -> View:
    by_kind: dict[str, list[Object]] = {}
    for obj in objects:
        by_kind.setdefault(obj["kind"], []).append(obj)
    return View(by_kind)


def at(monotonic: float, faults: PodFaults | None = None) -> Moment:
    return Moment(NOW, monotonic, faults or PodFaults())


UBUNTU = OsInfo("ubuntu24.04", {"6.8.0-85-generic": "ubuntu24.04"})


def status_of(view: View) -> dict[str, Any]:
    """The status that the operator writes now."""
    patches = [e for e in gpu_operator.reconcile(view, MOMENT) if isinstance(e, Patch) and e.subresource == "status"]
    assert len(patches) == 1
    return dict(patches[0].body["status"])


def made(policy: Object, info: OsInfo = UBUNTU) -> dict[str, Object]:
    return {d["metadata"]["name"]: d for _, sets in daemonsets(policy, NAMESPACE, info) for d in sets}


def finished(policy: Object) -> list[Object]:
    """The policy's DaemonSets with every pod available."""
    sets = list(made(policy).values())
    for daemonset in sets:
        daemonset["metadata"] |= {"generation": 1, "uid": "x"}
        counts = ("desiredNumberScheduled", "numberAvailable", "updatedNumberScheduled", "observedGeneration")
        daemonset["status"] = dict.fromkeys(counts, 1)
    return sets
