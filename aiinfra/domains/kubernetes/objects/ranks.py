"""The order in which objects are applied; they are deleted in reverse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef

CRD = "CustomResourceDefinition"

RANK: Mapping[str, int] = {
    kind: rank
    for rank, kinds in enumerate(
        (
            ("Namespace",),
            (CRD, "PriorityClass", "StorageClass", "RuntimeClass", "IngressClass"),
            ("ServiceAccount", "Role", "ClusterRole"),
            ("RoleBinding", "ClusterRoleBinding"),
            ("ResourceQuota", "LimitRange", "ConfigMap", "Secret", "PersistentVolume", "PersistentVolumeClaim"),
            ("Service", "NetworkPolicy"),
            ("Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Pod", "Job", "CronJob"),
            (),
            (
                "APIService",
                "MutatingWebhookConfiguration",
                "ValidatingWebhookConfiguration",
                "ValidatingAdmissionPolicy",
                "ValidatingAdmissionPolicyBinding",
            ),
        )
    )
    for kind in kinds
}
CUSTOM = 7
"""The rank of custom resources and other kinds: after workloads, before the webhooks that would judge them."""


def rank(kind: str) -> int:
    return RANK.get(kind, CUSTOM)


def in_apply_order(objects: Iterable[Object]) -> list[list[Object]]:
    """Return groups of objects that may be applied at once, the first group first."""
    ordered = sorted(objects, key=lambda obj: rank(obj["kind"]))
    return [list(group) for _, group in groupby(ordered, key=lambda obj: rank(obj["kind"]))]


def in_delete_order(refs: Iterable[ObjectRef]) -> Sequence[Sequence[ObjectRef]]:
    """Return groups of references that may be deleted at once, the first group first."""
    ordered = sorted(refs, key=lambda ref: (-rank(ref.kind), ref))
    return [list(group) for _, group in groupby(ordered, key=lambda ref: rank(ref.kind))]
