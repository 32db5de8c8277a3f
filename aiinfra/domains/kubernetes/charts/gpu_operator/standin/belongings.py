"""What the GPU Operator makes of a ClusterPolicy beside its DaemonSets: accounts, roles, ConfigMaps, Services. Pure.

Names and rules are those of NVIDIA/gpu-operator v26.7.0 `assets/`, and so is which state each belongs to. What its
ConfigMaps hold (scripts and the table of MIG profiles) is left out, as nothing in the lab runs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import OPERANDS, OPERATOR_DEPLOYMENT
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import policy as reading
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.operands import GPU_CLIENTS, MIG_CONFIG, owner
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers.effects import Apply, Effect, Remove
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View, deleting, name, namespace, uid
from aiinfra.domains.kubernetes.lab.standins.charts.release import RBAC, Rule, rule

MANAGER = "gpu-operator"
KINDS = ("RuntimeClass", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "ConfigMap")
ALL_KINDS = (*KINDS, "Service")
LEFT_OUT = "# left out: nothing in a lab runs it\n"
READ = ("get", "list", "watch")
READ_NODES = rule("", ("nodes",), READ)
PRIVILEGED = rule("security.openshift.io", ("securitycontextconstraints",), ("use",))
"""OpenShift alone knows the group; the operator makes the rule everywhere."""
METRICS = "state-operator-metrics"


@dataclass(frozen=True, slots=True)
class Belongings:
    """What one state of the operator makes beside its DaemonSet."""

    account: str = ""
    """Name of its ServiceAccount, Role and RoleBinding; empty when it has none."""
    local: Sequence[Rule] = ()
    cluster: Sequence[Rule] = ()
    """Rules of its ClusterRole; empty when it has none."""
    cluster_role: str = ""
    """Name of its ClusterRole, where that is not the account's."""
    config_maps: Mapping[str, str] = field(default_factory=dict)
    """By name the key of its one document."""
    services: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """By name, which is also the `app` of its pods, the name and the number of its port."""


STATES: Mapping[str, Belongings] = {
    METRICS: Belongings(services={OPERATOR_DEPLOYMENT: ("gpu-operator-metrics", 8080)}),
    "state-driver": Belongings(
        "nvidia-driver",
        cluster=(
            rule("config.openshift.io", ("clusterversions",), ("get", "list")),
            rule("", ("nodes",), (*READ, "patch", "update")),
            rule("", ("pods",), READ),
            rule("", ("pods/eviction",), ("create",)),
            rule("resource.k8s.io", ("resourceclaims",), ("get", "list")),
            rule("apps", ("daemonsets",), ("get",)),
        ),
        config_maps={"nvidia-driver-startup-probe": "startup-probe.sh"},
    ),
    "state-container-toolkit": Belongings(
        "nvidia-container-toolkit",
        local=(rule("apps", ("daemonsets",), ("list",)),),
        config_maps={"nvidia-container-toolkit-entrypoint": "entrypoint.sh"},
    ),
    "state-operator-validation": Belongings(
        "nvidia-operator-validator",
        local=(
            rule("", ("pods",), (*READ, "create", "update", "patch", "delete")),
            rule("apps", ("daemonsets",), READ),
        ),
        cluster=(
            READ_NODES,
            rule(
                "nvidia.com",
                ("clusterpolicies/finalizers", "nvidiadrivers/finalizers"),
                (*READ, "create", "update", "patch", "delete"),
            ),
        ),
    ),
    "state-device-plugin": Belongings(
        "nvidia-device-plugin",
        cluster=(READ_NODES,),
        config_maps={"nvidia-device-plugin-entrypoint": "entrypoint.sh"},
    ),
    "state-mps-control-daemon": Belongings("nvidia-device-plugin-mps-control-daemon", cluster=(READ_NODES,)),
    "state-dcgm": Belongings("nvidia-dcgm", services={"nvidia-dcgm": ("dcgm", 5555)}),
    "state-dcgm-exporter": Belongings(
        "nvidia-dcgm-exporter",
        local=(rule("", ("configmaps",), ("get", "list")),),
        cluster=(rule("", ("pods",), READ),),
        cluster_role="nvidia-dcgm-exporter-read-pods",
        services={"nvidia-dcgm-exporter": ("gpu-metrics", 9400)},
    ),
    "gpu-feature-discovery": Belongings(
        "nvidia-gpu-feature-discovery",
        local=(
            rule("nfd.k8s-sigs.io", ("nodefeatures",), (*READ, "create", "update")),
            rule("", ("pods",), ("get",)),
        ),
        cluster=(READ_NODES,),
    ),
    "state-mig-manager": Belongings(
        "nvidia-mig-manager",
        local=(
            rule("", ("pods",), (*READ, "delete")),
            rule("", ("configmaps",), ("create", "get", "list", "update", "patch")),
        ),
        cluster=(rule("", ("nodes",), (*READ, "update", "patch")), rule("", ("pods",), ("list",))),
        config_maps={
            MIG_CONFIG: "config.yaml",
            GPU_CLIENTS: "clients.yaml",
            "nvidia-mig-manager-entrypoint": "entrypoint.sh",
        },
    ),
    "state-node-status-exporter": Belongings(
        "nvidia-node-status-exporter",
        local=(rule("", ("pods",), ("get", "list")), rule("apps", ("daemonsets",), READ)),
        cluster=(READ_NODES,),
        services={"nvidia-node-status-exporter": ("node-status", 8000)},
    ),
}
"""In the operator's order."""


def changes(view: View, policy: Object, within: str) -> Iterator[Effect]:
    """Yield what is missing or was changed by hand, and remove what a disabled state made."""
    wanted = {(obj["kind"], namespace(obj), name(obj)): obj for obj in desired(policy, within)}
    for (kind, place, called), obj in wanted.items():
        existing = view.find(kind, called, place)
        if existing is None or not holds(existing, obj):
            yield Apply(obj, MANAGER)
    for kind in ALL_KINDS:
        for obj in view.of(kind):
            owners = obj["metadata"].get("ownerReferences") or ()
            owned = any(reference["uid"] == uid(policy) for reference in owners)
            if owned and (kind, namespace(obj), name(obj)) not in wanted and not deleting(obj):
                yield Remove(ObjectRef.of(obj))


def desired(policy: Object, within: str) -> Iterator[Object]:
    """Yield what the policy's enabled states have beside their DaemonSets, in the operator's order."""
    maker = Maker(policy, within)
    yield from _runtime_classes(maker)
    for state, belongings in STATES.items():
        if _runs(policy, state):
            yield from maker.made(belongings)


def _runs(policy: Object, state: str) -> bool:
    """Whether a state is enabled; with NVIDIADriver objects, those bring what the driver needs."""
    if state == METRICS:
        return True
    if state == "state-driver" and reading.by_nvidia_driver(policy):
        return False
    return reading.enabled(policy, next(operand for operand in OPERANDS if operand.state == state))


def _runtime_classes(maker: Maker) -> Iterator[Object]:
    """Yield the RuntimeClasses: that of the pods, and while CDI is on one for each way to inject devices."""
    policy = maker.policy
    if reading.nri_plugin(policy):
        return
    for called in (reading.runtime_class(policy), *(("nvidia-legacy", "nvidia-cdi") if reading.cdi(policy) else ())):
        made = maker.owned("node.k8s.io/v1", "RuntimeClass", called, wide=True)
        made["metadata"]["labels"] = {"app.kubernetes.io/component": MANAGER}
        yield made | {"handler": called}


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes objects that a ClusterPolicy or an NVIDIADriver owns."""

    policy: Object
    within: str
    """The operator's namespace."""

    def made(self, belongings: Belongings) -> Iterator[Object]:
        """Yield what belongs to one state, but for ConfigMaps that the policy replaces by others."""
        if belongings.account:
            yield from self._account(belongings)
        for called, key in belongings.config_maps.items():
            if not _replaced(self.policy, called):
                yield self.owned("v1", "ConfigMap", called) | {"data": {key: LEFT_OUT}}
        for called, (port, number) in belongings.services.items():
            service = self.owned("v1", "Service", called)
            service["metadata"]["labels"] = {"app": called}
            ports = [{"name": port, "port": number, "targetPort": number, "protocol": "TCP"}]
            options = _service_options(self.policy, called)
            yield service | {"spec": {"selector": {"app": called}, "ports": ports} | options}

    def _account(self, belongings: Belongings) -> Iterator[Object]:
        """Yield a ServiceAccount and the roles that are bound to it."""
        account = belongings.account
        yield self.owned("v1", "ServiceAccount", account)
        yield from self._role(account, account, [PRIVILEGED, *belongings.local], wide=False)
        if belongings.cluster:
            yield from self._role(belongings.cluster_role or account, account, belongings.cluster, wide=True)

    def _role(self, called: str, account: str, rules: Sequence[Rule], *, wide: bool) -> Iterator[Object]:
        kind = "ClusterRole" if wide else "Role"
        subject = {"kind": "ServiceAccount", "name": account, "namespace": self.within}
        reference = {"apiGroup": RBAC, "kind": kind, "name": called}
        yield self.owned(f"{RBAC}/v1", kind, called, wide=wide) | {"rules": [dict(each) for each in rules]}
        binding = self.owned(f"{RBAC}/v1", f"{kind}Binding", called, wide=wide)
        yield binding | {"roleRef": reference, "subjects": [subject]}

    def owned(self, api_version: str, kind: str, called: str, *, wide: bool = False) -> Object:
        """Return an object without its body: in the operator's namespace, or `wide`, in none."""
        metadata: Object = {"name": called, "ownerReferences": [owner(self.policy)]}
        metadata |= {} if wide else {"namespace": self.within}
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def _service_options(policy: Object, service: str) -> dict[str, str]:
    if service == "nvidia-dcgm":
        return {"internalTrafficPolicy": "Local"}
    given = reading.section(policy, "dcgmExporter").get("service") or {}
    asked = given if service == "nvidia-dcgm-exporter" else {}
    return {key: asked[key] for key in ("type", "internalTrafficPolicy") if asked.get(key)}


def _replaced(policy: Object, config_map: str) -> bool:
    """Whether the policy names a ConfigMap of its own in the place of this default one."""
    manager = reading.section(policy, "migManager")
    keys = {MIG_CONFIG: "config", GPU_CLIENTS: "gpuClientsConfig"}
    given = (manager.get(keys[config_map]) or {}).get("name") if config_map in keys else ""
    return bool(given) and given != config_map


def holds(existing: Any, wanted: Any) -> bool:
    """Whether all that is wanted is in what exists; the API server adds defaults."""
    if isinstance(wanted, Mapping):
        return all(key in existing and holds(existing[key], value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(existing) == len(wanted) and all(map(holds, existing, wanted))
    return bool(existing == wanted)
