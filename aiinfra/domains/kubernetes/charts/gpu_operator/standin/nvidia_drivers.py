"""The driver as NVIDIADriver objects describe it: one DaemonSet for each system of the nodes that are theirs. Pure.

NVIDIA/gpu-operator v26.7.0 controllers/nvidiadriver_controller.go, internal/state/driver.go and nodepool.go,
internal/nvidiadriver (which object owns a node), internal/conditions/nvidiadriver.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import (
    COMPONENT,
    DEPLOY_PREFIX,
    DRIVER_COMPONENT,
    DRIVER_MANAGER_IMAGE,
    DRIVER_OWNER,
    GPU_PRESENT,
    PRECOMPILED,
    UPGRADE_ENABLED,
    os_tag,
    sanitized,
)
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import belongings, operands, policy
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.belongings import Maker
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.operator import (
    FIELD_MANAGER,
    Verdict,
    apply_changed,
    conditions,
    daemonset_ready,
    owned_daemonsets,
    running_operator,
)
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers.controller import Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Apply, Effect, Patch, Remove
from aiinfra.domains.kubernetes.lab.controllers.view import (
    Object,
    View,
    annotation,
    deleting,
    has_labels,
    labels,
    name,
    namespace,
    uid,
)
from aiinfra.domains.kubernetes.lab.standins.charts.release import KUBELET

RECONCILED = Verdict(True, "Reconciled", "All resources have been successfully reconciled")
WAITING = Verdict(False, "DriverNotReady", "Waiting for driver pod to be ready")
NOT_ENABLED = "useNvidiaDriverCRD is not enabled in ClusterPolicy"
MAJOR = policy.OS_VERSION + ".major"
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""The letters of names that Kubernetes makes (kubernetes/apimachinery pkg/util/rand)."""


def reconcile(view: View, moment: Moment) -> Iterator[Effect]:
    """Yield what the operator would do for all NVIDIADriver objects now."""
    operator = running_operator(view)
    instance = policy.active_policy(view.of("ClusterPolicy"))
    drivers = [driver for driver in view.of("NVIDIADriver") if not deleting(driver)]
    if operator is None or instance is None:
        return
    if not policy.by_nvidia_driver(instance):
        for driver in drivers:
            yield from _report(driver, "disabled", Verdict(False, "Reconciled", NOT_ENABLED), operator, moment)
        return
    conflict = _conflict(view, drivers)
    if conflict is None:
        yield from _assign(view, drivers)
    for driver in drivers:
        if conflict is not None:
            yield from _report(driver, "notReady", conflict, operator, moment)
            continue
        changes, verdict = _reconcile_one(view, driver, namespace(operator))
        yield from changes
        yield from _report(driver, "ready" if verdict.ready else "notReady", verdict, operator, moment)


def _conflict(view: View, drivers: Sequence[Object]) -> Verdict | None:
    """Return why nobody knows which driver a node gets; None when that is clear."""
    defaults = sorted(name(driver) for driver in drivers if _default(driver))
    if len(defaults) > 1:
        message = f"multiple default NVIDIADrivers found: [{' '.join(defaults)}]"
        return Verdict(False, "ReconcileFailed", message)
    for node in sorted(view.nodes, key=name):
        owners = sorted(name(driver) for driver in drivers if not _default(driver) and _selects(driver, node))
        if len(owners) > 1:
            message = f"multiple NVIDIADrivers match the same node {name(node)}: [{' '.join(owners)}]"
            return Verdict(False, "ConflictingNodeSelector", message)
    return None


def _default(driver: Object) -> bool:
    return bool(driver.get("spec", {}).get("default", False))


def _selects(driver: Object, node: Object) -> bool:
    selector = driver.get("spec", {}).get("nodeSelector") or {GPU_PRESENT: "true"}
    return labels(node).get(GPU_PRESENT) == "true" and has_labels(node, selector)


def _assign(view: View, drivers: Sequence[Object]) -> Iterator[Effect]:
    """Label each node with the object that its driver comes from, and say whether that upgrades it by itself."""
    fallback = next((driver for driver in drivers if _default(driver)), None)
    for node in view.nodes:
        if labels(node).get(GPU_PRESENT) != "true":
            continue
        chosen = next((d for d in drivers if not _default(d) and _selects(d, node)), fallback)
        wanted = name(chosen) if chosen is not None else None
        enabled = "true" if chosen is not None and policy.driver_upgrades(chosen)["autoUpgrade"] else ""
        metadata: Object = {}
        if labels(node).get(DRIVER_OWNER) != wanted:
            metadata["labels"] = {DRIVER_OWNER: wanted}
        if chosen is not None and annotation(node, UPGRADE_ENABLED) != enabled:
            metadata["annotations"] = {UPGRADE_ENABLED: enabled or None}
        if metadata:
            yield Patch(ObjectRef("v1", "Node", name(node)), {"metadata": metadata}, manager=FIELD_MANAGER)


def _reconcile_one(view: View, driver: Object, within: str) -> tuple[list[Effect], Verdict]:
    try:
        found_pools = pools(view, driver)
        sets = [_daemonset(driver, pool, within) for pool in found_pools]
    except policy.Irreconcilable as error:
        text = f"Error syncing state state-driver: failed to create k8s objects from manifests: {error}"
        return [], Verdict(False, "ReconcileFailed", text)
    needed = [change for pool in found_pools for change in _belongings(view, driver, pool, within)]
    changes: list[Effect] = [*needed]
    if not any(isinstance(change, Apply) for change in needed):
        changes += [change for each in sets if (change := apply_changed(view, each, within))]
    wanted = {name(each) for each in sets}
    stale = (each for each in owned_daemonsets(view, driver, within) if name(each) not in wanted)
    changes += [Remove(ObjectRef.of(each)) for each in stale]
    found = [view.find("DaemonSet", each, within) for each in wanted]
    ready = all(each is not None and daemonset_ready(each) for each in found)
    return changes, RECONCILED if ready else WAITING


def _belongings(view: View, driver: Object, pool: Pool, within: str) -> Iterator[Effect]:
    """Yield what is missing of the account, the roles and the ConfigMap of the driver's pods."""
    own = replace(belongings.STATES["state-driver"], account=_account(driver, pool))
    for obj in Maker(driver, within).made(own):
        existing = view.find(obj["kind"], name(obj), namespace(obj))
        if existing is None or not belongings.holds(existing, obj):
            yield Apply(obj, FIELD_MANAGER)


def _account(driver: Object, pool: Pool) -> str:
    return f"nvidia-{_type(driver)}-driver-{name(driver)}-{pool.tag}"


def _type(driver: Object) -> str:
    return str(driver["spec"].get("driverType") or "gpu")


@dataclass(frozen=True, slots=True)
class Pool:
    """Nodes of one system, and with precompiled drivers of one kernel."""

    tag: str
    """ID and version of their system, as images are tagged with it."""
    kernel: str
    """Empty unless the driver is precompiled."""
    selector: Mapping[str, str]


def pools(view: View, driver: Object) -> list[Pool]:
    """Return the pools of the nodes that the object owns; a node without NFD's labels is in none."""
    spec = driver["spec"]
    base = {**(spec.get("nodeSelector") or {}), GPU_PRESENT: "true", DRIVER_OWNER: name(driver)}
    found: dict[tuple[str, str], Pool] = {}
    for node in view.nodes:
        has = labels(node)
        if not (has_labels(node, base) and policy.OS_ID in has and policy.OS_VERSION in has):
            continue
        identity, version = has[policy.OS_ID], has[policy.OS_VERSION]
        tag = os_tag(identity, version)
        kernel = has.get(policy.KERNEL, "") if spec.get("usePrecompiled") else ""
        system = {policy.OS_VERSION: version} if tag.endswith(version) else {MAJOR: version.split(".", maxsplit=1)[0]}
        selector = {**base, policy.OS_ID: identity, **system, **({policy.KERNEL: kernel} if kernel else {})}
        found.setdefault((tag, kernel), Pool(tag, kernel, selector))
    return list(found.values())


def _daemonset(driver: Object, pool: Pool, within: str) -> Object:
    spec = driver["spec"]
    app = f"nvidia-{_type(driver)}-driver-{pool.tag}-{short_hash(uid(driver), pool.kernel)}"
    own = {
        "app": app,
        "nvidia.com/node.os-version": pool.tag,
        PRECOMPILED: str(bool(pool.kernel)).lower(),
        COMPONENT: DRIVER_COMPONENT,
        **({"nvidia.com/precompiled.kernel-version": sanitized(pool.kernel)} if pool.kernel else {}),
        **(spec.get("labels") or {}),
    }
    given = spec.get("annotations") or {}
    return operands.hashed(
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {
                "name": app,
                "namespace": within,
                "labels": {**own, "nvidia.com/gpu-operator.state": "state-driver"},
                "annotations": dict(given),
                "ownerReferences": [operands.owner(driver)],
            },
            "spec": {
                "selector": {"matchLabels": {"app": app}},
                "updateStrategy": {"type": "OnDelete"},
                "template": {
                    "metadata": {"labels": own, "annotations": {**given, **KUBELET}},
                    "spec": _pod_spec(driver, pool),
                },
            },
        }
    )


def _pod_spec(driver: Object, pool: Pool) -> Object:
    spec = driver["spec"]
    manager = spec.get("manager") or {}
    whole = all(manager.get(key) for key in ("repository", "image", "version"))
    manager_image = policy.image_path(manager) if whole else str(DRIVER_MANAGER_IMAGE)
    main = {"name": "nvidia-driver-ctr", "image": _image(spec, pool)}
    main |= {key: spec[key] for key in ("args", "env", "resources", "imagePullPolicy") if spec.get(key)}
    return {
        "nodeSelector": {DEPLOY_PREFIX + "driver": "true", **pool.selector},
        "tolerations": [*operands.DEFAULT_TOLERATIONS, *(spec.get("tolerations") or ())],
        "priorityClassName": spec.get("priorityClassName") or operands.PRIORITY,
        "serviceAccountName": _account(driver, pool),
        "hostPID": True,
        "initContainers": [{"name": "k8s-driver-manager", "image": manager_image}],
        "containers": [operands.with_digest(operands.with_modules(main, spec), manager_image, spec)],
        **operands.pull_secrets(spec),
    }


def _image(spec: Mapping[str, Any], pool: Pool) -> str:
    """Return the image of a pool's driver. Raises `policy.Irreconcilable` when it is not given."""
    if not all(spec.get(key) for key in ("repository", "image", "version")):
        raise policy.Irreconcilable("failed to construct driver spec: invalid image specification")
    path = policy.image_path(spec)
    if pool.kernel:
        path = f"{path}-{pool.kernel}"
    return path if "sha256:" in path else f"{path}-{pool.tag}"


def short_hash(uid: str, kernel: str = "") -> str:
    """Return the end of the name of a DaemonSet: FNV-1a of 32 bits, in decimal, written with `LETTERS`."""
    value = 0x811C9DC5
    for byte in f"{uid}-{kernel}".encode() if kernel else uid.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return "".join(LETTERS[ord(digit) % len(LETTERS)] for digit in str(value))


def _report(driver: Object, state: str, verdict: Verdict, operator: Object, moment: Moment) -> Iterator[Effect]:
    status = {"state": state, "namespace": namespace(operator), "conditions": conditions(driver, verdict, moment.now)}
    if status != driver.get("status"):
        yield Patch(ObjectRef.of(driver), {"status": status}, "status")
