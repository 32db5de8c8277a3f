"""Which pods must leave a node before its driver is replaced, and what keeps them there. Pure.

NVIDIA/k8s-operator-libs pkg/upgrade/pod_manager.go and drain_manager.go as in NVIDIA/gpu-operator v26.7.0; the rules of
`drain` are those of kubernetes/kubectl pkg/drain/filters.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiinfra.domains.kubernetes.lab.controllers.view import Object, View, has_labels, labels, name, namespace

SKIP_DRAIN = "nvidia.com/gpu-driver-upgrade-drain.skip"
GPU_RESOURCES = ("nvidia.com/gpu", "nvidia.com/mig-")


def users_of_gpus(pods: Sequence[Object]) -> list[Object]:
    """Return the pods that run or will run with a GPU (cmd/gpu-operator/main.go `gpuPodSpecFilter`)."""
    return [pod for pod in pods if runs(pod) and _asks_for_gpus(pod)]


def all_but_exempt(pods: Sequence[Object], selector: str) -> list[Object]:
    """Return what a drain of the whole node concerns: pods of DaemonSets stay, and those that are exempt."""
    return [
        pod
        for pod in pods
        if runs(pod) and _controller(pod) != "DaemonSet" and labels(pod).get(SKIP_DRAIN) != "true"
        if matches(pod, selector)
    ]


def runs(pod: Object) -> bool:
    return pod.get("status", {}).get("phase", "Pending") in ("Running", "Pending")


def matches(pod: Object, selector: str) -> bool:
    """Whether the pod's labels fit a selector of terms `key=value`, `key==value`, `key!=value` or `key`."""
    return all(_term(labels(pod), term.strip()) for term in selector.split(",") if term.strip())


def _term(has: Mapping[str, str], term: str) -> bool:
    if "!=" in term:
        key, value = term.split("!=", 1)
        return has.get(key.strip()) != value.strip()
    key, equals, value = term.partition("=")
    return has.get(key.strip()) == value.lstrip("=").strip() if equals else key in has


def immovable(pod: Object, rules: Mapping[str, Any]) -> bool:
    """Whether no eviction is tried: nobody would make it anew, or it would lose data, and the policy forbids both."""
    controller = _controller(pod)
    if controller == "DaemonSet":
        return True
    volumes = pod["spec"].get("volumes") or ()
    scratch = any("emptyDir" in volume for volume in volumes)
    return (not controller and not rules.get("force")) or (scratch and not rules.get("deleteEmptyDir"))


def forbidden(view: View, pod: Object) -> bool:
    """Whether a PodDisruptionBudget lets no pod of its kind go now."""
    budgets = (budget for budget in view.of("PodDisruptionBudget") if namespace(budget) == namespace(pod))
    return any(
        not budget.get("status", {}).get("disruptionsAllowed", 0)
        for budget in budgets
        if has_labels(pod, (budget["spec"].get("selector") or {}).get("matchLabels") or {"": name(budget)})
    )


def _controller(pod: Object) -> str:
    owners = pod["metadata"].get("ownerReferences") or ()
    return str(next((owner["kind"] for owner in owners if owner.get("controller")), ""))


def _asks_for_gpus(pod: Object) -> bool:
    lists = (c.get("resources", {}).get(key) or {} for c in pod["spec"]["containers"] for key in ("limits", "requests"))
    return any(key.startswith(GPU_RESOURCES) for asked in lists for key in asked)
