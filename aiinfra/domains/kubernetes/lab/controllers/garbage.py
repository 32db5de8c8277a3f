"""Objects whose owner is gone, for owners of custom kinds. Pure.

The controller-manager collects them too, but it learns of a new custom kind only when it looks around, every 30 s
(kubernetes v1.36 cmd/kube-controller-manager/app/core.go). Here they go as soon as the owner's deletion is seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers.controller import Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Effect, Remove
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View, deleting

KINDS = (
    *("DaemonSet", "Pod", "RuntimeClass", "ConfigMap", "Service", "ServiceAccount"),
    *("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"),
)


def reconcile(view: View, moment: Moment) -> Iterator[Effect]:
    if not view.gone:
        return
    for obj in (obj for kind in KINDS for obj in view.of(kind)):
        if not deleting(obj) and _owners(obj) and _owners(obj) <= view.gone:
            yield Remove(ObjectRef.of(obj))


def _owners(obj: Object) -> set[str]:
    return {reference["uid"] for reference in obj["metadata"].get("ownerReferences") or ()}
