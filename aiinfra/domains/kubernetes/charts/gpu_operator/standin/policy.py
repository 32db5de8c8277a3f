"""Reading a ClusterPolicy the way the operator reads it: which components run, from which images.

NVIDIA/gpu-operator v26.7.0 api/nvidia/v1/clusterpolicy_types.go and controllers/object_controls.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import (
    DRIVER_MANAGER_IMAGE,
    IMAGES,
    NFD_LABEL_PREFIX,
    Operand,
    os_tag,
)
from aiinfra.domains.kubernetes.lab.controllers.view import Object, labels, name

OS_ID = NFD_LABEL_PREFIX + "system-os_release.ID"
OS_VERSION = NFD_LABEL_PREFIX + "system-os_release.VERSION_ID"
KERNEL = NFD_LABEL_PREFIX + "kernel-version.full"


class Irreconcilable(Exception):
    """The operator cannot act on this policy; the text is the operator's."""


@dataclass(frozen=True, slots=True)
class OsInfo:
    """The operating system of the first GPU node, from which the operator builds the driver's image tag."""

    tag: str
    kernels: Mapping[str, str]
    """Kernels of all GPU nodes, sorted, each with the ID and VERSION_ID of the OS that has it."""


def section(policy: Object, component: str) -> Mapping[str, Any]:
    return policy.get("spec", {}).get(component) or {}


def enabled(policy: Object, operand: Operand) -> bool:
    if operand.component == "validator":
        return True
    return bool(section(policy, operand.component).get("enabled", operand.enabled_by_default))


def active_policy(policies: Sequence[Object]) -> Object | None:
    """Return the oldest policy, by name among those of one second; the operator ignores the others."""
    return min(policies, key=lambda p: (p["metadata"]["creationTimestamp"], name(p)), default=None)


def validation_error(policy: Object) -> str:
    """Return the error of `validateClusterPolicySpec`; empty for a valid policy."""
    cdi = section(policy, "cdi")
    if not cdi.get("nriPluginEnabled", False):
        return ""
    if not cdi.get("enabled", True):
        return "the NRI Plugin cannot be enabled when CDI is disabled"
    if not section(policy, "toolkit").get("enabled", True):
        return "the NRI Plugin cannot be enabled when the Container Toolkit is disabled"
    return ""


def image(policy: Object, component: str) -> str:
    """Return the image of a component: from the policy, else from the operator's own environment.

    Raises `Irreconcilable` when repository, image and version are neither all set nor all absent.
    """
    spec = section(policy, component)
    repository, image_name, version = (spec.get(key) or "" for key in ("repository", "image", "version"))
    if not repository and not version:
        return image_name or str(IMAGES[component])
    if not (repository and image_name and version):
        raise Irreconcilable(
            "invalid image specification: repository, image and version must all be set"
            f" (repository={repository}, image={image_name}, version={version})"
        )
    return image_path(spec)


def image_path(spec: Mapping[str, Any]) -> str:
    """Return the image of a component whose repository, image and version are all given."""
    joint = "@" if spec["version"].startswith("sha256:") else ":"
    return f"{spec['repository']}/{spec['image']}{joint}{spec['version']}"


def driver_image(policy: Object, info: OsInfo, kernel: str = "") -> str:
    """Return the driver's image. `kernel` is set for precompiled drivers, which have one image a kernel."""
    path = image(policy, "driver")
    if kernel:
        path = f"{path}-{kernel}"
    return path if "sha256:" in path else f"{path}-{info.tag}"


def precompiled(policy: Object) -> bool:
    return bool(section(policy, "driver").get("usePrecompiled", False))


def driver_manager_image(policy: Object) -> str:
    spec = section(policy, "driver").get("manager") or {}
    if spec.get("repository") and spec.get("image") and spec.get("version"):
        return f"{spec['repository']}/{spec['image']}:{spec['version']}"
    return str(DRIVER_MANAGER_IMAGE)


def os_info(gpu_nodes: Sequence[Object]) -> OsInfo:
    """Return what the driver's image depends on.

    Raises `Irreconcilable` when the first GPU node lacks NFD's os-release labels.
    """
    first = labels(gpu_nodes[0])
    for key, what in ((OS_ID, "OS name"), (OS_VERSION, "OS version")):
        if key not in first:
            problem = f"unable to retrieve {what} from label {key}"
            raise Irreconcilable(f"failed to retrieve GPU node OS info: {problem}")
    systems = {labels(node).get(KERNEL, ""): _system(labels(node)) for node in gpu_nodes}
    kernels = {kernel: systems[kernel] for kernel in sorted(systems) if kernel}
    return OsInfo(os_tag(first[OS_ID], first[OS_VERSION]), kernels)


def _system(node_labels: Mapping[str, str]) -> str:
    return node_labels.get(OS_ID, "") + node_labels.get(OS_VERSION, "")


def cdi(policy: Object) -> bool:
    return bool(section(policy, "cdi").get("enabled", True))


def nri_plugin(policy: Object) -> bool:
    """Whether the toolkit works as a plugin of the container runtime, which then needs no RuntimeClass."""
    return bool(section(policy, "cdi").get("nriPluginEnabled", False))


def runtime_class(policy: Object) -> str:
    return str(section(policy, "operator").get("runtimeClass") or "nvidia")


def sandboxed(policy: Object) -> bool:
    return bool(section(policy, "sandboxWorkloads").get("enabled", False))


def by_nvidia_driver(policy: Object) -> bool:
    """Whether NVIDIADriver objects describe the driver instead of the policy."""
    return bool(section(policy, "driver").get("useNvidiaDriverCRD", False))


def upgrades_by_itself(policy: Object) -> bool:
    """Whether the policy's own driver is upgraded without being asked (nodelabeling_controller.go)."""
    driver = section(policy, "driver")
    asked = (driver.get("upgradePolicy") or {}).get("autoUpgrade", False)
    return bool(driver.get("enabled", True) and asked and not sandboxed(policy))


def driver_upgrades(driver: Object) -> Mapping[str, Any]:
    """Return the upgrade policy of an NVIDIADriver; by default it upgrades by itself."""
    given = driver.get("spec", {}).get("upgradePolicy") or {}
    return {"autoUpgrade": True, "maxParallelUpgrades": 1, "maxUnavailable": "25%", **given}
