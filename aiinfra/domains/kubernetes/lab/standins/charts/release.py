"""A Helm release as charts see it, and the metadata that they and Helm put on each object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiinfra.dataclass import dataclass

Object = dict[str, Any]
KUBELET_ANNOTATION = "lab.aiinfra.dev/kubelet"
KUBELET = {KUBELET_ANNOTATION: "controllers"}
"""Annotation of pods that the lab's controllers simulate instead of kwok."""
KEEP = {"helm.sh/resource-policy": "keep"}
"""Annotation of objects that Helm leaves in the cluster when their release is deleted or no longer contains them."""


@dataclass(frozen=True, slots=True)
class HelmRelease:
    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a chart makes of its values."""

    objects: Sequence[Object]
    """The objects, in the order in which Helm installs kinds."""
    crds: Sequence[Object]
    """CustomResourceDefinitions of its `crds/` folder and its subcharts': created before all else, never removed."""
    after_delete: Sequence[Object] = ()
    """The Job, with what it needs, that runs once the rest is gone: a hook."""
    before_delete: Sequence[Object] = ()
    """The same for before anything of the release goes."""


INSTALL_ORDER = (
    *("Namespace", "ResourceQuota", "ServiceAccount", "Secret", "ConfigMap", "CustomResourceDefinition"),
    *("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Service", "DaemonSet", "Deployment", "Job"),
)
"""Helm installs by kind in this order, kinds that it does not name last."""


def ordered(objects: Sequence[Object]) -> list[Object]:
    rank = {kind: place for place, kind in enumerate(INSTALL_ORDER)}
    return sorted(objects, key=lambda obj: (rank.get(obj["kind"], len(rank)), obj["metadata"]["name"]))


def with_helm_metadata(obj: Object, release: HelmRelease) -> Object:
    """Return the object with the label and annotations by which Helm recognizes what it owns."""
    metadata = obj["metadata"]
    marks = {"meta.helm.sh/release-name": release.name, "meta.helm.sh/release-namespace": release.namespace}
    labels = {**metadata.get("labels", {}), "app.kubernetes.io/managed-by": "Helm"}
    return {
        **obj,
        "metadata": {**metadata, "labels": labels, "annotations": {**metadata.get("annotations", {}), **marks}},
    }


def as_hook(obj: Object, event: str) -> Object:
    """Return an object of a hook with the annotation by which Helm and readers know it: `pre-delete`, `post-delete`."""
    metadata = obj["metadata"]
    policy = {"helm.sh/hook": event, "helm.sh/hook-delete-policy": "hook-succeeded,before-hook-creation"}
    return {**obj, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), **policy}}}


def is_kept(obj: Object) -> bool:
    """Whether Helm leaves the object in the cluster (helm/helm pkg/action/uninstall.go filterManifestsToKeep)."""
    return KEEP.items() <= (obj["metadata"].get("annotations") or {}).items()


def object_head(api_version: str, kind: str, name: str, labels: Mapping[str, str], namespace: str = "") -> Object:
    """Return the head of an object: API version, kind and metadata."""
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **place, "labels": dict(labels)}}


RBAC = "rbac.authorization.k8s.io"
Rule = Mapping[str, Sequence[str]]


def account(
    name: str, namespace: str, labels: Mapping[str, str], cluster: Sequence[Rule] = (), local: Sequence[Rule] = ()
) -> list[Object]:
    """Return a ServiceAccount with the roles of its rules, all of one name, bound to it."""
    made = [object_head("v1", "ServiceAccount", name, labels, namespace)]
    subjects = [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]
    for prefix, rules, place in (("Cluster", cluster, ""), ("", local, namespace)):
        if rules:
            role = object_head(f"{RBAC}/v1", f"{prefix}Role", name, labels, place)
            binding = object_head(f"{RBAC}/v1", f"{prefix}RoleBinding", name, labels, place)
            reference = {"apiGroup": RBAC, "kind": f"{prefix}Role", "name": name}
            made += [role | {"rules": [dict(rule) for rule in rules]}]
            made += [binding | {"roleRef": reference, "subjects": subjects}]
    return made


def rule(group: str, resources: Sequence[str], verbs: Sequence[str]) -> Rule:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that are set: no empty map, list or text."""
    return {key: value for key, value in fields.items() if value not in ({}, [], "", None)}
