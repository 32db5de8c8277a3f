"""What becomes of a pod on a node of the lab: what its containers wait for, and what the faults do to it. Pure.

The order in which operands wait for each other is that of NVIDIA/gpu-operator v26.7.0 cmd/nvidia-validator: the
validator's init containers check driver, toolkit, CUDA and plugin; all others wait for its toolkit check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import (
    OPERANDS,
    OPERATOR_DEPLOYMENT,
    POLICY_API,
    POLICY_KIND,
)
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import driver_fate, mig, pace, policy, sharing, workload
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.device_plugin import MPS_APP
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.mig import GFD_APP
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.operands import CONFIG_MANAGER_INIT, MIG_VARIABLE
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.pace import DRIVER_CONTAINER
from aiinfra.domains.kubernetes.lab.controllers import hardware
from aiinfra.domains.kubernetes.lab.controllers.controller import Moment
from aiinfra.domains.kubernetes.lab.controllers.faults import (
    PLUGIN_APP,
    REAL_PACE,
    TOOLKIT_APP,
    PodFaults,
    is_driver,
    is_operand,
)
from aiinfra.domains.kubernetes.lab.controllers.hardware import Hardware
from aiinfra.domains.kubernetes.lab.controllers.pod_life import Crash, Fate
from aiinfra.domains.kubernetes.lab.controllers.view import (
    Object,
    View,
    labels,
    name,
    namespace,
    pod_ready,
)

VALIDATOR = "nvidia-operator-validator"
CUDA_VALIDATOR = "nvidia-cuda-validator"
SHARING_APPS = (PLUGIN_APP, MPS_APP, GFD_APP)
"""Apps whose pods read the device plugin's configuration."""


@dataclass(frozen=True)
class NodeState:
    """How far the operands of one node have been rolled out."""

    machine: Hardware = field(default_factory=Hardware)
    driver: bool = False
    toolkit: bool = False
    toolkit_validated: bool = False
    cuda_validated: bool = False
    resources: bool = False


def fates(view: View, moment: Moment) -> Callable[[Object], Fate]:
    """Return the fate of each pod; the state of a node is computed once for all of its pods."""
    instance = policy.active_policy(view.of(POLICY_KIND))
    states: dict[str, NodeState] = {}

    def fate_of(pod: Object) -> Fate:
        place = pod["spec"]["nodeName"]
        if place not in states:
            node = view.find("Node", place)
            states[place] = node_state(view, node, instance) if node else NodeState()
        return fate(pod, view, states[place], instance, moment.faults)

    return fate_of


def node_state(view: View, node: Object, instance: Object | None) -> NodeState:
    machine, pods = hardware.of_node(node), view.pods_on(name(node))
    ready = {labels(pod).get("app", "") for pod in pods if pod_ready(pod)}
    on_host = bool(machine.host_driver)
    capacity = node.get("status", {}).get("capacity", {})
    return NodeState(
        machine,
        driver=any(map(is_driver, filter(pod_ready, pods))) or (on_host and not _runs(instance, "driver")),
        toolkit=TOOLKIT_APP in ready or (on_host and not _runs(instance, "toolkit")),
        toolkit_validated=any(_finished(pod, "toolkit-validation") for pod in pods if _app(pod) == VALIDATOR),
        cuda_validated=any(
            pod.get("status", {}).get("phase") == "Succeeded" for pod in pods if _app(pod) == CUDA_VALIDATOR
        ),
        resources=any(key.startswith("nvidia.com/") and value != "0" for key, value in capacity.items()),
    )


def _runs(instance: Object | None, component: str) -> bool:
    operand = next(o for o in OPERANDS if o.component == component)
    return instance is not None and policy.enabled(instance, operand)


def _app(pod: Object) -> str:
    return labels(pod).get("app", "")


def _finished(pod: Object, container: str) -> bool:
    statuses = pod.get("status", {}).get("initContainerStatuses") or ()
    return any(s["name"] == container and s["ready"] for s in statuses)


def fate(pod: Object, view: View, state: NodeState, instance: Object | None, faults: PodFaults) -> Fate:
    """Return what happens to the pod's containers, given the state of its node and the faults that are set."""
    app = _app(pod)
    operand = is_operand(pod)
    held = frozenset(_waiting_containers(app, state)) if operand else frozenset()
    container = pod["spec"]["containers"][0]["name"]
    crashes = dict(_crashes(pod, view, state, faults))
    return Fate(
        unpullable={**driver_fate.missing_image(pod, state.machine), **faults.unpullable(pod, state.machine)},
        held=held,
        crashes=crashes,
        answer=workload.answer(pod, state.machine),
        rejected=_admission_refusal(pod, view),
        unmounted=_mount_failure(pod, view),
        unsandboxed=pace.sandbox_refusal(pod, view, toolkit=state.toolkit),
        ready_after=pace.ready_after(container, real_pace=faults.strikes(REAL_PACE, pod), crashes=container in crashes),
    )


def _waiting_containers(app: str, state: NodeState) -> Iterator[str]:
    if not state.driver:
        yield "driver-validation"
    if not (state.toolkit if app == VALIDATOR else state.toolkit_validated):
        yield "toolkit-validation"
    if not state.cuda_validated:
        yield "cuda-validation"
    if not state.resources:
        yield "plugin-validation"


def _crashes(pod: Object, view: View, state: NodeState, faults: PodFaults) -> Iterator[tuple[str, Crash]]:
    app = _app(pod)
    if app == OPERATOR_DEPLOYMENT and not view.serves(POLICY_KIND):
        yield from Fate.without_api(pod, POLICY_KIND, POLICY_API).crashes.items()
    if workload.adds_vectors(pod) and workload.gpus_requested(pod) and not state.driver:
        yield pod["spec"]["containers"][0]["name"], Crash(1, workload.NO_DEVICE)
    if is_driver(pod) and (message := _driver_crash(pod, state, faults)):
        yield DRIVER_CONTAINER, Crash(1, message)
    node = view.find("Node", pod["spec"]["nodeName"])
    if node is not None and app in SHARING_APPS:
        yield from _config_crashes(pod, view, node)
    if node is not None and app == PLUGIN_APP:
        yield from _mig_crashes(pod, node, state.machine)


def _mig_crashes(plugin: Object, node: Object, machine: Hardware) -> Iterator[tuple[str, Crash]]:
    """Yield the crash of a device plugin whose strategy cannot offer what the node's GPUs are cut into."""
    container = plugin["spec"]["containers"][0]
    strategy = next((each.get("value") for each in container.get("env") or () if each["name"] == MIG_VARIABLE), "none")
    try:
        mig.offered(str(strategy), mig.geometries(node, machine))
    except mig.InvalidMig as error:
        yield container["name"], Crash(1, f"error starting plugins: error building device map: {error}")


def _driver_crash(pod: Object, state: NodeState, faults: PodFaults) -> str:
    return faults.driver_crash(pod, state.machine) or driver_fate.crash(pod, state.machine)


def _config_crashes(pod: Object, view: View, node: Object) -> Iterator[tuple[str, Crash]]:
    """Yield the crash of a program that has no document of its node's name, or cannot read it."""
    try:
        sharing.parse(sharing.config_text(view, node, pod))
    except sharing.UnknownKey as error:
        yield CONFIG_MANAGER_INIT, Crash(1, f"error: {error}")
    except sharing.BadConfig as error:
        what = "error starting plugins: " if _app(pod) == PLUGIN_APP else ""
        yield pod["spec"]["containers"][0]["name"], Crash(1, f"{what}unable to load config: {error}")


def _admission_refusal(pod: Object, view: View) -> str:
    """Return the device plugin's refusal of a request for several shares, where its configuration forbids them."""
    place, asked = pod["spec"]["nodeName"], workload.gpus_requested(pod)
    plugin = next((p for p in view.pods_on(place) if _app(p) == PLUGIN_APP), None)
    node = view.find("Node", place)
    if asked < 2 or not (plugin and node):
        return ""
    if not sharing.sharing_of_node(view, node, plugin).single:
        return ""
    refusal = f"invalid request: maximum request size for shared resources is 1; found {asked}"
    return f"Allocate failed due to rpc error: code = Unknown desc = {refusal}, which is unexpected"


def _mount_failure(pod: Object, view: View) -> str:
    """Return why the volume of a ConfigMap that does not exist cannot be set up."""
    for volume in pod["spec"].get("volumes") or ():
        source = volume.get("configMap") or {}
        missing = source.get("name") if not source.get("optional") else None
        if missing and view.find("ConfigMap", missing, namespace(pod)) is None:
            return f'MountVolume.SetUp failed for volume "{volume["name"]}" : configmap "{missing}" not found'
    return ""
