"""In which order objects are applied; deletion goes the other way round."""

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
"""Custom resources and kinds not named: after workloads, before the webhooks that would judge them."""


def rank(kind: str) -> int:
    return RANK.get(kind, CUSTOM)


def in_apply_order(objects: Iterable[Object]) -> list[list[Object]]:
    """Groups that may be applied at once, first group first."""
    ordered = sorted(objects, key=lambda obj: rank(obj["kind"]))
    return [list(group) for _, group in groupby(ordered, key=lambda obj: rank(obj["kind"]))]


def in_delete_order(refs: Iterable[ObjectRef]) -> Sequence[Sequence[ObjectRef]]:
    """Groups that may be deleted at once, first group first."""
    ordered = sorted(refs, key=lambda ref: (-rank(ref.kind), ref))
    return [list(group) for _, group in groupby(ordered, key=lambda ref: rank(ref.kind))]
