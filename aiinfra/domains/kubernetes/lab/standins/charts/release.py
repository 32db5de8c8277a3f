"""A Helm release as charts see it, and the metadata that they and Helm put on each object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
KUBELET_ANNOTATION = "lab.aiinfra.dev/kubelet"
KUBELET = {KUBELET_ANNOTATION: "controllers"}
"""On pods whose life the lab's controllers play instead of kwok."""
KEEP = {"helm.sh/resource-policy": "keep"}
"""Annotation of objects that Helm leaves in the cluster when their release goes, or drops them."""


@dataclass(frozen=True, slots=True)
class Release:
    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a chart makes of its values."""

    objects: Sequence[Object]
    """In the order in which Helm installs kinds."""
    crds: Sequence[Object]
    """Of its `crds/` folder and those of its subcharts: made before all else, never removed."""
    after_delete: Sequence[Object] = ()
    """The Job, with what it needs, that runs once the rest is gone."""


INSTALL_ORDER = (
    *("Namespace", "ResourceQuota", "ServiceAccount", "Secret", "ConfigMap", "CustomResourceDefinition"),
    *("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Service", "DaemonSet", "Deployment", "Job"),
)
"""Helm installs by kind in this order, kinds that it does not name last."""


def ordered(objects: Sequence[Object]) -> list[Object]:
    rank = {kind: place for place, kind in enumerate(INSTALL_ORDER)}
    return sorted(objects, key=lambda obj: (rank.get(obj["kind"], len(rank)), obj["metadata"]["name"]))


def owned(obj: Object, release: Release) -> Object:
    """With the label and annotations by which Helm knows what is its own."""
    metadata = obj["metadata"]
    marks = {"meta.helm.sh/release-name": release.name, "meta.helm.sh/release-namespace": release.namespace}
    labels = {**metadata.get("labels", {}), "app.kubernetes.io/managed-by": "Helm"}
    return {
        **obj,
        "metadata": {**metadata, "labels": labels, "annotations": {**metadata.get("annotations", {}), **marks}},
    }


def kept(obj: Object) -> bool:
    """Whether Helm leaves the object in the cluster (helm/helm pkg/action/uninstall.go filterManifestsToKeep)."""
    return KEEP.items() <= (obj["metadata"].get("annotations") or {}).items()


def named(api_version: str, kind: str, name: str, labels: Mapping[str, str], namespace: str = "") -> Object:
    """The head of an object."""
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **place, "labels": dict(labels)}}


RBAC = "rbac.authorization.k8s.io"
Rule = Mapping[str, Sequence[str]]


def account(
    name: str, namespace: str, labels: Mapping[str, str], cluster: Sequence[Rule] = (), local: Sequence[Rule] = ()
) -> list[Object]:
    """A ServiceAccount with the roles of its rules, all of one name, bound to it."""
    made = [named("v1", "ServiceAccount", name, labels, namespace)]
    subjects = [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]
    for prefix, rules, place in (("Cluster", cluster, ""), ("", local, namespace)):
        if rules:
            role = named(f"{RBAC}/v1", f"{prefix}Role", name, labels, place)
            binding = named(f"{RBAC}/v1", f"{prefix}RoleBinding", name, labels, place)
            reference = {"apiGroup": RBAC, "kind": f"{prefix}Role", "name": name}
            made += [role | {"rules": [dict(rule) for rule in rules]}]
            made += [binding | {"roleRef": reference, "subjects": subjects}]
    return made


def rule(group: str, resources: Sequence[str], verbs: Sequence[str]) -> Rule:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say something: no empty map, list or text."""
    return {key: value for key, value in fields.items() if value not in ({}, [], "", None)}
