"""Kubernetes' half of a lab, as commands use it. Imported by every command on a lab: no heavy import at the top."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from aiinfra.domain_lab import Connection, FaultType, LabDomain
from aiinfra.domains.kubernetes.lab.cluster_files import EXPECTED, SPEC, cluster_home, kubeconfig_files
from aiinfra.errors import OutsideError
from aiinfra.stack import SecretSource, StackName

if TYPE_CHECKING:
    from aiinfra.domain_packages import PackageReport
    from aiinfra.domains.kubernetes.lab.block import LabCluster
    from aiinfra.domains.kubernetes.lab.standins.charts.real import RealChart
    from aiinfra.domains.kubernetes.needs import NodePool, RealOperator
    from aiinfra.engine.wire import Tree
    from aiinfra.plan.planner import Plan, Step
    from aiinfra.providers.contract import Call, ProviderSpec

KUBECONFIG: Final = "kubeconfig"
"""The input by which a kind asks for a cluster that exists; one that has none makes its cluster itself."""
API_PARTITION: Final = "api-partition"
CRD_LATE: Final = "crd-late"
FAULTS: Final = (
    FaultType(
        API_PARTITION,
        "clients cannot reach the API server: open connections are reset, new ones refused",
        sign="cannot be reached",
        scope="access",
        place="a cluster by the name of its stack",
    ),
    FaultType(
        CRD_LATE,
        "custom resource definitions that a chart brings are not made; a release that lacks one fails in 20 s",
        sign="CustomResourceDefinition",
    ),
    FaultType(
        "driver-kernel-mismatch",
        "there is no driver image for the kernel of the nodes",
        sign="kernel",
    ),
    FaultType("image-pull", "images of the operators cannot be pulled", sign="image"),
    FaultType(
        "real-pace",
        "the GPU Operator takes its time: a driver is built in 20 s, and a change is answered after seconds",
        overcome=True,
    ),
    FaultType("webhook-down", "an admission webhook is registered and nothing answers it", sign="webhook"),
)
STAND_INS: Final = (
    "operators are simulated: NFD labels nodes, the GPU Operator makes described GPUs allocatable, cert-manager idles"
)
REAL_OPERATORS: Final = (
    "the GPU Operator and its chart are NVIDIA's own, v25.3.4, eleven months behind what their stand-in follows; the"
    " operator's pods and NFD are simulated, cert-manager idles"
)
_NO_CHART: Final = (
    "Helm charts are not installed: their effect (namespace, CRDs, operator, ClusterPolicy) is made by a stand-in"
)
_REAL_CHART: Final = (
    "Helm does not install: its engine renders the chart of the GPU Operator; the effect of other charts is made by a"
    " stand-in"
)
_NO_PLUGIN: Final = (
    "the kubernetes provider is a stand-in that applies to the real API server, without the real one's input checks"
)
SIMULATED: Final = (
    "nodes are described, not run: kubelets, kernels and GPUs are simulated; the control plane is real",
    _NO_CHART,
    STAND_INS,
    _NO_PLUGIN,
    "CUDA does not run: a GPU pod's answer is computed by the lab",
)
NOT_CHECKED: Final = (
    "charts that Helm did not render: what their templates make, values that the stand-in does not know, their source",
    "image registries: every image exists and can be pulled, except by a fault",
    "drivers, kernels and firmware: whether a driver builds and loads, beyond what is published of versions and GPUs",
    "MIG: compute instances that share a GPU instance (1c.3g.20gb), and the memory that a driver keeps of an instance",
    "the network of pods: Services, DNS, NetworkPolicies, ingress and load balancers",
    "storage: volumes are neither provisioned nor mounted",
    "what containers do: a pod runs once it is scheduled, and its probes are not asked",
    "schemas of custom resources beyond those written for the lab, and admission webhooks of operators",
    "client-side checks and awaits of the official kubernetes provider for Services, Ingresses and volumes",
    "quotas and limits of a cloud, and permissions: the lab's account is an administrator",
)


class KubernetesLab:
    """The simulated clusters: real API servers whose nodes are described."""

    key: str = "clusters"
    part: str = "cluster"
    model: str = "aiinfra.domains.kubernetes.lab.block:clusters_field"
    tools: Sequence[str] = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
    simulated: Sequence[str] = SIMULATED
    of_plugin: Mapping[str, Sequence[str]] = {"kubernetes": (_NO_CHART, _NO_PLUGIN)}
    not_checked: Sequence[str] = NOT_CHECKED
    faults: Sequence[FaultType] = FAULTS
    server: str = "aiinfra.domains.kubernetes.lab.server:KubernetesServer"

    def spec(self, plan: Plan) -> Tree | None:
        """Return the clusters that must exist before the run, and the names of those that stacks make in it."""
        if not any(_works_in_cluster(step) for step in plan.steps.values()):
            return None
        described = plan.environment.lab.get(self.key) or {}
        given = _adopted_clusters(plan)
        made = [name for name, step in plan.steps.items() if exports_cluster(step) and name not in given]
        return clusters_spec({name: described.get(name) for name in given}, made)

    def tools_of(self, plan: Plan) -> Sequence[str]:
        return (*self.tools, "nvidia-gpu-operator", "aiinfra-helm") if real_clusters(plan) else self.tools

    def simulated_of(self, plan: Plan) -> Sequence[str]:
        if not real_clusters(plan):
            return self.simulated
        real = {STAND_INS: REAL_OPERATORS, _NO_CHART: _REAL_CHART}
        return [real.get(sentence, sentence) for sentence in self.simulated]

    def real_operators(self, described: Any, *, everywhere: bool) -> Sequence[RealOperator]:
        from aiinfra.domains.kubernetes.lab.real_versions import real_operators

        return real_operators([None] if everywhere else _real(described or {}))

    def with_real_operators(self, described: Tree) -> Tree:
        clusters = cast("Mapping[str, Any]", described)
        return {name: {**(cluster or {}), "operators": "real"} for name, cluster in clusters.items()}

    def provides(self, folder: Path, spec: Tree) -> bool:
        specs = cast("Mapping[str, Any]", spec)
        if _read(folder / EXPECTED) != specs["made_by_stacks"]:
            return False
        return all(_read(cluster_home(folder, n) / SPEC) == cluster for n, cluster in specs["clusters"].items())

    def connection(self, folder: Path | None, plan: Plan) -> Connection:
        """Return a kubeconfig for each stack that takes one; unknown for a cluster that the lab does not have yet."""
        from aiinfra.engine.wire import UNKNOWN, Secret

        sources = {name: SecretSource("file", f"lab kubeconfig of {name}") for name in _adopted_clusters(plan)}
        files = kubeconfig_files(folder) if folder else {}
        return Connection(
            {name: {KUBECONFIG: source} for name, source in sources.items()},
            {source: Secret(files[name].read_text()) if name in files else UNKNOWN for name, source in sources.items()},
        )

    def stand_ins(self, folder: Path) -> Sequence[ProviderSpec]:
        from aiinfra.domains.kubernetes.lab.standins import kubernetes

        return (kubernetes.spec(lambda call: _crds_late(folder, call), lambda call: _real_charts(folder, call)),)

    def access(self, plan: Plan, stack: StackName) -> Sequence[StackName]:
        step = plan.steps[stack]
        if exports_cluster(step):
            return [stack]
        return sorted({name for needed in step.needs for name in self.access(plan, needed)})

    def try_package(self, folder: Path, plan: Plan, report: PackageReport) -> Iterable[PackageReport]:
        from aiinfra.domains.kubernetes.lab.trial import trial

        files = kubeconfig_files(folder)
        for cluster in self.access(plan, report.stack):
            if cluster in files:
                yield trial(files[cluster].read_text(), cluster, report)

    def hardware(self, described: Any) -> Sequence[NodePool]:
        """Return the node groups of the clusters that are described."""
        from aiinfra.domains.kubernetes.lab.assumed import node_pools

        return list(node_pools(described))

    def assumed(self, plan: Plan, described: Tree) -> tuple[Tree, Sequence[str]]:
        from aiinfra.domains.kubernetes.lab.assumed import assumed_clusters

        return assumed_clusters(plan, _adopted_clusters(plan), cast("Mapping[str, Any] | None", described))


def real_clusters(plan: Plan) -> Sequence[StackName]:
    """Return the clusters whose description asks for real operators."""
    described: Mapping[str, Any] = plan.environment.lab.get(KubernetesLab.key) or {}
    return _real(described)


def _real(described: Mapping[str, Any]) -> Sequence[StackName]:
    return [StackName(name) for name, cluster in described.items() if (cluster or {}).get("operators") == "real"]


def exports_cluster(step: Step) -> bool:
    """Whether the stack of a step gives access to a cluster: its kind exports `ClusterAccess`."""
    from aiinfra.domains.kubernetes.access import ClusterAccess

    return issubclass(step.kind.outputs, ClusterAccess)


def clusters_spec(clusters: Mapping[str, Any], made_by_stacks: Sequence[str] = ()) -> Tree:
    """Return the spec of `LabDomain.spec`: descriptions by name, with all defaults; None is the default cluster."""
    from aiinfra.domains.kubernetes.lab.block import LabCluster

    found = {name: LabCluster.model_validate(spec or {}) for name, spec in clusters.items()}
    trees = {name: spec_tree(spec) for name, spec in found.items()}
    caches = go_module_caches() if any(spec.operators == "real" for spec in found.values()) else ()
    return {"clusters": trees, "made_by_stacks": list(made_by_stacks), "module_caches": list(caches)}


def go_module_caches() -> Sequence[str]:
    """Return where Go keeps modules: a lab's processes do not have the variables that tell."""
    from aiinfra.world import World

    environ = World.real().environ
    told = [environ["GOMODCACHE"]] if environ.get("GOMODCACHE") else []
    return [*told, str(Path(environ.get("GOPATH") or Path(environ.get("HOME", "/")) / "go") / "pkg" / "mod")]


def spec_tree(cluster: LabCluster) -> Tree:
    """Return a description as JSON, with all defaults."""
    return cast("Tree", cluster.model_dump(mode="json"))


def kubeconfig(folder: Path, cluster: str) -> str:
    """Return a kubeconfig for the administrator of a cluster of the lab in this folder; secret.

    Raises `OutsideError` `lab.no_cluster`.
    """
    files = kubeconfig_files(folder)
    if cluster not in files:
        hint = f"it has: {', '.join(sorted(files)) or 'none'}"
        raise OutsideError(f"the lab has no cluster {cluster!r}", code="lab.no_cluster", where=cluster, hint=hint)
    return files[cluster].read_text()


def _works_in_cluster(step: Step) -> bool:
    from aiinfra.domains.kubernetes import DOMAIN

    return DOMAIN.name in step.kind.domains or exports_cluster(step)


def _adopted_clusters(plan: Plan) -> Sequence[StackName]:
    """Return the stacks whose cluster must exist before the run: they take a kubeconfig and export access."""
    steps = plan.steps.items()
    return [name for name, step in steps if KUBECONFIG in step.kind.connection and exports_cluster(step)]


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None


def _crds_late(folder: Path, call: Call) -> bool:
    """Whether the CRDs of a chart that this call installs come late."""
    from aiinfra.engine.wire import reveal
    from aiinfra.lab import faults

    late = {fault.place for fault in faults.read(folder) if fault.name == CRD_LATE}
    if late & {"", call.stack}:
        return True
    used = reveal(call.config.get("kubeconfig", ""))
    return any(path.read_text() == used for name, path in kubeconfig_files(folder).items() if name in late)


def _real_charts(folder: Path, call: Call) -> Mapping[str, RealChart]:
    """Return the charts that the cluster of this call has for real."""
    from aiinfra.domains.kubernetes.lab.standins.charts.real import read_real_charts
    from aiinfra.engine.wire import reveal

    used = reveal(call.config.get("kubeconfig", ""))
    here = (name for name, path in kubeconfig_files(folder).items() if path.read_text() == used)
    return read_real_charts(folder, next(here, ""))


LAB: Final[LabDomain] = KubernetesLab()
