"""Whether the operands of the GPU Operator follow from its ClusterPolicy, and have been rolled out. Pure.

The status of a ClusterPolicy has no `observedGeneration`, and the operator writes it last: after a change it says for
seconds, or for as long as the election of a new leader takes, what held before. What the operator makes of a spec says
more. Source: NVIDIA/gpu-operator v26.7.0 controllers/object_controls.go (`applyCommonDaemonsetConfig`, the
`Transform…` functions, `isDaemonSetReady`) and controllers/state_manager.go (`isStateEnabled`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import OPERANDS, Operand
from aiinfra.domains.kubernetes.client.objects import Object

PRECOMPILED: Final = "nvidia.com/precompiled"
"""Label of the driver's DaemonSets, `true` when each is for one kernel."""
UPGRADE_STATE: Final = "nvidia.com/gpu-driver-upgrade-state"
UPGRADE_SKIPPED: Final = ("nvidia.com/gpu-driver-upgrade.skip", "true")
UPGRADED: Final = frozenset({"", "upgrade-done"})
"""Upgrade states of a node on which nothing is left to do (NVIDIA/k8s-operator-libs pkg/upgrade/consts.go)."""
OF_SELECTORS: Final = frozenset({"app", "app.kubernetes.io/part-of"})
"""Labels that the operator does not take over from the policy."""
WITHOUT_ARGS: Final = frozenset({"driver", "toolkit"})
"""Sections whose `args` reach no container, or on OpenShift another one."""
WITHOUT_ENV: Final = frozenset({"validator", "toolkit", "dcgmExporter"})
"""Sections whose `env` reaches init containers only, or is rewritten: the toolkit is told its own path of what
`CONTAINERD_CONFIG` names (`transformRuntimeConfigAndSocketMounts`), the exporter where its engine is."""
OF_MIG: Final = frozenset({"devicePlugin", "gfd"})
"""Sections whose containers are told the MIG strategy, and the device plugin's configuration."""
DRIVER_MANAGER: Final = "k8s-driver-manager"
SECOND: Final = frozenset({"nvidia-device-plugin-mps-control-daemon"})
"""Operands that a section describes beside its own: they take its image, not its `env` and `args`, and older versions
of the operator do not make them."""


@dataclass(frozen=True, slots=True)
class _Container:
    """One container of an operand, and the section of the policy that describes it."""

    daemonset: str
    spec: Mapping[str, Any]
    section: Mapping[str, Any]

    def deviations(self, env: Mapping[str, str], *, args: bool) -> Iterator[str]:
        name, image = self.daemonset, str(self.spec.get("image", ""))
        if (wanted := image_of(self.section)) and not _made_of(image, wanted):
            yield f"{name} has image {image}, its policy says {wanted}"
        policy = self.section.get("imagePullPolicy")
        if policy and policy != self.spec.get("imagePullPolicy", "IfNotPresent"):
            yield f"{name} does not pull its image {policy}"
        has = {str(each["name"]): str(each.get("value", "")) for each in self.spec.get("env") or ()}
        for key, value in env.items():
            if has.get(key) != value:
                yield f"{name} has {key}={has[key]}, not {value}" if key in has else f"{name} lacks {key}={value}"
        if args and (wanted_args := self.section.get("args")) and wanted_args != self.spec.get("args"):
            yield f"{name} has other arguments than its policy"


def owned_by(policy: Object, daemonsets: Sequence[Object]) -> list[Object]:
    """Return the DaemonSets that the operator made of this policy."""
    uid = policy["metadata"].get("uid")
    return [d for d in daemonsets if any(o["uid"] == uid for o in d["metadata"].get("ownerReferences") or ())]


def lagging(policy: Object, daemonsets: Sequence[Object]) -> list[str]:
    """Return what does not follow from the policy yet, one sentence each; empty when everything does.

    `daemonsets` are those of the policy. What the operator makes of a field that is not known here is not judged.
    """
    deviating = [text for operand in OPERANDS for text in _deviations(policy, operand, daemonsets)]
    return [*deviating, *(text for daemonset in daemonsets if (text := _rolling(daemonset)))]


def upgrades_drivers(policy: Object) -> bool:
    """Whether the operator replaces the driver's pods itself, node by node."""
    driver = _section(policy, "driver")
    return driver.get("enabled") is not False and bool((driver.get("upgradePolicy") or {}).get("autoUpgrade"))


def upgrading(nodes: Sequence[Object]) -> list[str]:
    """Return the nodes on which the driver is being replaced; a node stays cordoned until that is done."""
    states = [(node["metadata"]["name"], node["metadata"].get("labels") or {}) for node in nodes]
    return [
        f"node {name} is in {labels[UPGRADE_STATE]}"
        for name, labels in states
        if labels.get(UPGRADE_STATE, "") not in UPGRADED and labels.get(UPGRADE_SKIPPED[0]) != UPGRADE_SKIPPED[1]
    ]


def image_of(section: Mapping[str, Any]) -> str:
    """Return the image that a section names, without what the operator appends; empty when it names none or a part."""
    repository, image, version = (str(section.get(key) or "") for key in ("repository", "image", "version"))
    if not (repository and image and version):
        return ""
    return f"{repository}/{image}{'@' if version.startswith('sha256:') else ':'}{version}"


def runs(operand: Operand, daemonset: Object) -> bool:
    """Whether this is a DaemonSet of the operand: of the driver there is one for each kernel or OS."""
    name = str(daemonset["metadata"]["name"])
    several = operand.component == "driver"
    return name == operand.daemonset or (several and name.startswith(operand.daemonset + "-"))


def _deviations(policy: Object, operand: Operand, daemonsets: Sequence[Object]) -> Iterator[str]:
    section = _section(policy, operand.component)
    found = [daemonset for daemonset in daemonsets if runs(operand, daemonset)]
    if operand.component == "driver" and section.get("useNvidiaDriverCRD"):
        return
    if section.get("enabled") is True and not found and operand.daemonset not in SECOND:
        yield f"{operand.daemonset} has not been made"
    for daemonset in found:
        name = str(daemonset["metadata"]["name"])
        if section.get("enabled") is False:
            if name == operand.daemonset:  # those of single kernels are left to themselves
                yield f"{name} is still there, though its policy disables it"
            continue
        yield from _of_all(policy, name, daemonset)
        yield from _of_containers(policy, operand, name, daemonset)
        if operand.component == "driver":
            built = daemonset["metadata"].get("labels", {}).get(PRECOMPILED) == "true"
            if built != bool(section.get("usePrecompiled")):
                yield f"{name} is {'still' if built else 'not'} one for a precompiled driver"


def _of_all(policy: Object, name: str, daemonset: Object) -> Iterator[str]:
    """Yield how a DaemonSet deviates from `spec.daemonsets`, which describes all of them."""
    common, template = _section(policy, "daemonsets"), daemonset["spec"]["template"]
    wanted = common.get("tolerations")
    if wanted and _tolerations(wanted) != _tolerations(template["spec"].get("tolerations")):
        yield f"{name} has other tolerations than its policy"
    if (rank := common.get("priorityClassName")) and rank != template["spec"].get("priorityClassName"):
        yield f"{name} is not of priority class {rank}"
    metadata = template.get("metadata") or {}
    for kind in ("labels", "annotations"):
        given = {key: value for key, value in (common.get(kind) or {}).items() if key not in OF_SELECTORS}
        has = metadata.get(kind) or {}
        lacking = [f"{key}={value}" for key, value in given.items() if has.get(key) != value]
        if lacking:
            yield f"{name} lacks the {kind[:-1]} {lacking[0]}"


def _of_containers(policy: Object, operand: Operand, name: str, daemonset: Object) -> Iterator[str]:
    section, template = _section(policy, operand.component), daemonset["spec"]["template"]["spec"]
    main = next((c for c in template["containers"] if c["name"] == operand.container), None)
    if main is not None:
        container = _Container(name, main, section)
        args = operand.component not in WITHOUT_ARGS and operand.daemonset not in SECOND
        yield from container.deviations(_env(policy, operand), args=args)
    first = {c["name"]: c for c in template.get("initContainers") or ()}
    manager = section.get("manager") or {}
    if DRIVER_MANAGER in first and manager:
        env = _listed(manager.get("env"))
        yield from _Container(name, first[DRIVER_MANAGER], manager).deviations(env, args=False)
    validator = {key: _section(policy, "validator").get(key) for key in ("repository", "image", "version")}
    for init in operand.init_containers:
        if init in first and init.endswith("-validation"):
            yield from _Container(name, first[init], validator).deviations({}, args=False)
    lacking = set(section.get("imagePullSecrets") or ()) - {s["name"] for s in template.get("imagePullSecrets") or ()}
    if lacking:
        yield f"{name} lacks the pull secret {min(lacking)}"
    if operand.component in OF_MIG:
        yield from _of_configuration(policy, name, template)


def _of_configuration(policy: Object, name: str, template: Mapping[str, Any]) -> Iterator[str]:
    """Yield how an operand deviates from the device plugin's configuration, which says how GPUs are shared."""
    config = _section(policy, "devicePlugin").get("config") or {}
    maps = {(volume.get("configMap") or {}).get("name") for volume in template.get("volumes") or ()}
    managers = [c for c in template["containers"] if c["name"] == "config-manager"]
    wanted = config.get("name")
    if wanted and wanted not in maps:
        yield f"{name} has not the configuration {wanted}"
    if not wanted and managers:
        yield f"{name} still has a configuration"
    for manager in managers:
        has = _listed(manager.get("env")).get("DEFAULT_CONFIG", "")
        if wanted and has != str(config.get("default") or ""):
            yield f"{name} has the default configuration {has or 'none'}, its policy says {config.get('default')}"


def _env(policy: Object, operand: Operand) -> dict[str, str]:
    section = _section(policy, operand.component)
    derived = {}
    if operand.component in OF_MIG and (strategy := _section(policy, "mig").get("strategy")):
        derived["MIG_STRATEGY"] = str(strategy)
    if operand.component == "driver" and (modules := section.get("kernelModuleType")):
        derived["KERNEL_MODULE_TYPE"] = str(modules)
    given = _listed(section.get("env")) if operand.component not in WITHOUT_ENV else {}
    own = {} if operand.daemonset in SECOND else {k: v for k, v in given.items() if k not in derived}
    return {**own, **{key: value for key, value in derived.items() if key not in given}}


def _rolling(daemonset: Object) -> str:
    """Return how far a DaemonSet is from running its newest template on all of its nodes; empty when it does."""
    metadata, status = daemonset["metadata"], daemonset.get("status") or {}
    wanted = int(status.get("desiredNumberScheduled", 0))
    if "deletionTimestamp" in metadata:
        return f"{metadata['name']} is being deleted"
    if status.get("observedGeneration", 0) < metadata.get("generation", 0):
        return f"{metadata['name']} has not been looked at by its controller"
    updated, available = int(status.get("updatedNumberScheduled", 0)), int(status.get("numberAvailable", 0))
    if updated < wanted:
        return f"{metadata['name']} has {updated} of {wanted} pods of its newest template"
    return f"{metadata['name']} has {available} of {wanted} pods available" if available < wanted else ""


def _section(policy: Object, key: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (policy.get("spec") or {}).get(key) or {}
    return found


def _listed(env: Sequence[Mapping[str, Any]] | None) -> dict[str, str]:
    return {str(each["name"]): str(each.get("value", "")) for each in env or ()}


def _made_of(image: str, wanted: str) -> bool:
    """Whether an image is the one that is wanted; the operator appends kernel and OS to the driver's tag."""
    return image == wanted or image.startswith(wanted + "-")


def _tolerations(given: Sequence[Mapping[str, Any]] | None) -> set[tuple[tuple[str, str], ...]]:
    return {tuple(sorted((k, str(v)) for k, v in each.items() if v not in (None, ""))) for each in given or ()}
