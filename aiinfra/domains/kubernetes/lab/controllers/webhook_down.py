"""The fault `webhook-down`: a validating webhook on the GPU Operator's kinds that nobody answers. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers.controller import Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Create, Effect, Remove
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View, name

WEBHOOK_DOWN = "webhook-down"
HOOK = "policy.lab.aiinfra.dev"
"""Name of the webhook."""
NOBODY = "https://127.0.0.1:9/validate"
"""An address that refuses connections: the discard port."""


def reconcile(view: View, moment: Moment) -> Iterator[Effect]:
    """Keep the webhook registered while the fault is set."""
    kind = "ValidatingWebhookConfiguration"
    existing = [hook for hook in view.of(kind) if name(hook) == HOOK]
    if moment.faults.is_set(WEBHOOK_DOWN) and not existing:
        yield Create(_webhook(kind))
    if existing and not moment.faults.is_set(WEBHOOK_DOWN):
        yield Remove(ObjectRef.of(existing[0]))


def _webhook(kind: str) -> Object:
    rule = {
        "apiGroups": ["nvidia.com"],
        "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["clusterpolicies", "nvidiadrivers"],
    }
    hook = {
        "name": HOOK,
        "clientConfig": {"url": NOBODY},
        "rules": [rule],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 5,
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": HOOK},
        "webhooks": [hook],
    }
