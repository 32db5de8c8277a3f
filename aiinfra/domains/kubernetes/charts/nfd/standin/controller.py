"""Node Feature Discovery: labels from a node's hardware, where a worker runs and while a master does.

kubernetes-sigs/node-feature-discovery v0.19.0. The worker's configuration is its ConfigMap
`<fullname>-worker-conf`, key `nfd-worker.conf`; of it only `sources.pci` is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers import hardware
from aiinfra.domains.kubernetes.lab.controllers.controller import Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Apply, Effect, Patch
from aiinfra.domains.kubernetes.lab.controllers.hardware import Hardware
from aiinfra.domains.kubernetes.lab.controllers.view import (
    Object,
    View,
    annotation,
    labels,
    name,
    namespace,
    pod_ready,
    uid,
)
from aiinfra.facts.gpus import PCI_VENDOR

PREFIX = "feature.node.kubernetes.io/"
SELECTOR = {"app.kubernetes.io/name": "node-feature-discovery"}
OWNED = "nfd.node.kubernetes.io/feature-labels"
"""Annotation in which the master keeps the names of the labels that it set."""
CONFIG_KEY = "nfd-worker.conf"
KIND, API = "NodeFeature", "nfd.k8s-sigs.io/v1alpha1"
NFD_MASTER = "nfd-master"
"""Field manager of the labels on nodes."""


@dataclass(frozen=True, slots=True)
class PciSource:
    """`sources.pci` of the worker's configuration, with the defaults of source/pci/pci.go."""

    classes: Sequence[str] = ("03", "0b40", "12")
    fields: Sequence[str] = ("class", "vendor")


def desired_labels(machine: Hardware, source: PciSource) -> dict[str, str]:
    """Return every feature label of one machine, with its prefix."""
    found = {**_system(machine), **_CPU, **dict(_pci(machine, source))}
    return {PREFIX + key: value for key, value in found.items()}


_CPU = {
    "cpu-hardware_multithreading": "true",
    "cpu-model.family": "6",
    "cpu-model.id": "106",
    "cpu-model.vendor_id": "Intel",
    "cpu-cpuid.AVX2": "true",
    "cpu-cpuid.AVX512F": "true",
    "cpu-cpuid.AESNI": "true",
}


def _system(machine: Hardware) -> dict[str, str]:
    os_id, version = machine.os_release
    major, _, minor = version.partition(".")
    kernel = [*machine.kernel.split("-", maxsplit=1)[0].split("."), "0", "0"]
    return {
        "kernel-version.full": machine.kernel,
        "kernel-version.major": kernel[0],
        "kernel-version.minor": kernel[1],
        "kernel-version.revision": kernel[2],
        "system-os_release.ID": os_id,
        "system-os_release.VERSION_ID": version,
        "system-os_release.VERSION_ID.major": major,
        **({"system-os_release.VERSION_ID.minor": minor} if minor else {}),
    }


def _pci(machine: Hardware, source: PciSource) -> Iterator[tuple[str, str]]:
    if not (machine.gpu and machine.gpus):
        return
    device = {
        "class": machine.gpu.pci_class,
        "vendor": PCI_VENDOR,
        "device": machine.gpu.pci_device.lower(),
        "subsystem_vendor": PCI_VENDOR,
        "subsystem_device": machine.gpu.pci_subsystem.lower(),
    }
    if any(device["class"].startswith(desired.lower()) for desired in source.classes):
        yield "pci-" + "_".join(device[field] for field in device if field in source.fields) + ".present", "true"


@lru_cache(maxsize=64)
def pci_source(config: str) -> PciSource:
    """Return `sources.pci` of an `nfd-worker.conf`; what is missing or unreadable has its default."""
    try:
        tree = YAML(typ="safe").load(config) or {}
    except YAMLError:
        return PciSource()
    pci = (tree.get("sources") or {}).get("pci") or {}
    default = PciSource()
    return PciSource(
        tuple(pci.get("deviceClassWhitelist") or default.classes), tuple(pci.get("deviceLabelFields") or default.fields)
    )


def reconcile(view: View, moment: Moment) -> Iterator[Effect]:
    """Label each node where a ready worker runs, while a master is ready; prune while the chart's hook runs."""
    if any(pod.get("status", {}).get("phase") == "Running" for pod in _pods(view, "prune")):
        yield from (prune(node) for node in view.nodes if annotation(node, OWNED))
        return
    if not any(pod_ready(pod) for pod in _pods(view, "master")):
        return
    for worker in filter(pod_ready, _pods(view, "worker")):
        node = view.find("Node", worker["spec"]["nodeName"])
        if node is not None:
            desired = desired_labels(hardware.of_node(node), pci_source(_config(view, worker)))
            yield from _publish(view, worker, desired)
            yield from _relabel(node, desired)


def _pods(view: View, role: str) -> Iterator[Object]:
    return view.select("Pod", {**SELECTOR, "role": role})


def _config(view: View, worker: Object) -> str:
    """Return the text of the ConfigMap that belongs to this worker's release."""
    instance = {"app.kubernetes.io/instance": labels(worker).get("app.kubernetes.io/instance", "")}
    maps = view.select("ConfigMap", {**SELECTOR, **instance}, namespace(worker))
    return next((m["data"][CONFIG_KEY] for m in maps if CONFIG_KEY in (m.get("data") or {})), "")


def _publish(view: View, worker: Object, desired: Mapping[str, str]) -> Iterator[Effect]:
    """The worker's findings, as the NodeFeature that the master reads; it goes with its worker."""
    node = worker["spec"]["nodeName"]
    existing = view.find(KIND, node, namespace(worker))
    if not view.serves(KIND) or (existing and existing["spec"].get("labels") == desired):
        return
    owner = {"apiVersion": "v1", "kind": "Pod", "name": name(worker), "uid": uid(worker)}
    marks = {"nfd.node.kubernetes.io/node-name": node}
    metadata = {"name": node, "namespace": namespace(worker), "labels": marks, "ownerReferences": [owner]}
    spec = {"labels": dict(desired), "features": {"attributes": {}, "flags": {}, "instances": {}}}
    yield Apply({"apiVersion": API, "kind": KIND, "metadata": metadata, "spec": spec})


def _owned(node: Object) -> Iterable[str]:
    """Return the labels that an earlier pass set, with their prefix."""
    return [PREFIX + short for short in annotation(node, OWNED).split(",") if short]


def _relabel(node: Object, desired: Mapping[str, str]) -> Iterator[Effect]:
    stale = dict.fromkeys(key for key in _owned(node) if key not in desired and key in labels(node))
    changed = {key: value for key, value in desired.items() if labels(node).get(key) != value}
    if stale or changed:
        owned = ",".join(sorted(key.removeprefix(PREFIX) for key in desired))
        yield _metadata(node, {**stale, **changed}, {OWNED: owned})


def prune(node: Object) -> Patch:
    """Return the patch by which `nfd-master -prune` removes the labels and annotations of a node."""
    return _metadata(node, dict.fromkeys(_owned(node)), {OWNED: None})


def _metadata(node: Object, of_labels: Mapping[str, str | None], of_annotations: Mapping[str, str | None]) -> Patch:
    body = {"metadata": {"labels": dict(of_labels), "annotations": dict(of_annotations)}}
    return Patch(ObjectRef("v1", "Node", name(node)), body, manager=NFD_MASTER)
