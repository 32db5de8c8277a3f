"""`aiinfra:proof:GpuProof`: a ladder that fails closed; a rung that nobody checked is a failure.

Nodes labelled and fit to run pods, operator ready, GPUs allocatable on each as many as expected, a CUDA pod run on
each (or on a sample) with the expected answer.
Whether the run was simulated is read from the pods' own answers, not from knowing where we are.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import POLICY_API, POLICY_KIND
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.objects.awaiting import verdict
from aiinfra.domains.kubernetes.objects.gpu_nodes import GpuUnitsWant, changed_since, gpu_nodes_want, shown, stands_on
from aiinfra.domains.kubernetes.objects.node_state import Toleration
from aiinfra.domains.kubernetes.objects.wants import ClusterPolicyReady, ObjectWant, Want
from aiinfra.domains.kubernetes.provider import settings
from aiinfra.domains.kubernetes.provider.clusters import Clusters
from aiinfra.domains.kubernetes.provider.cuda_job import Answer, Image
from aiinfra.domains.kubernetes.provider.cuda_run import AT_ONCE, CudaRuns
from aiinfra.domains.kubernetes.provider.diagnosed_wait import await_wants
from aiinfra.domains.kubernetes.provider.in_cluster import client_of
from aiinfra.engine.wire import UNKNOWN, Unknown
from aiinfra.providers.contract import Call, CheckFailure, Diff, Made, Properties
from aiinfra.waiting import Waiter

SHAPE: Mapping[str, settings.Kind] = {
    "kubeconfig": str,
    "uid": str,
    "namespace": str,
    "policy": str,
    "resources": list,
    "tolerations": list,
    "image": str,
    "pull_secrets": list,
    "expected_nodes": int,
    "expected_gpus": int,
    "sample": int,
    "labels": dict,
    "limit_seconds": (int, float),
}
DEFAULTS: Properties = {"labels": {}, "limit_seconds": 900, "sample": 0}
PROVEN = ("gpus", "nodes", "simulated", "proved_at", "evidence", "proved_on")
FURTHER_ROUND = 300.0
"""Seconds that each further round of pods may take beyond the limit, which holds for one."""


@dataclass(frozen=True, slots=True)
class GpuProof:
    clusters: Clusters
    patience: float

    def check(self, call: Call, inputs: Properties) -> tuple[Properties, Sequence[CheckFailure]]:
        checked, failures = settings.check({**DEFAULTS, **inputs}, SHAPE)
        return checked, failures or [
            CheckFailure(key, "must be at least 1: a proof of nothing is no proof")
            for key in ("expected_nodes", "expected_gpus")
            if not isinstance(checked[key], Unknown) and settings.value(checked, key) < 1
        ]

    def diff(self, call: Call, id: str, olds: Properties, old_inputs: Properties, news: Properties) -> Diff:
        return settings.diff_inputs(old_inputs, news)

    def create(self, call: Call, inputs: Properties) -> Made:
        if call.preview:
            return Made("", {**inputs, **dict.fromkeys(PROVEN, UNKNOWN)})
        return self._prove(call, f"{settings.value(inputs, 'uid')}/{call.name}", inputs)

    def update(self, call: Call, id: str, olds: Properties, news: Properties) -> Made:
        if call.preview:
            return Made(id, {**news, **dict.fromkeys(PROVEN, UNKNOWN)})
        return self._prove(call, id, news)

    def read(self, call: Call, id: str, inputs: Properties, state: Properties) -> Made | None:
        """A rung that no longer holds, or nodes that are others, show as another `prove`: the next run proves again."""
        client = client_of(self.clusters, state)
        lost = [seen.sentence for want in _rungs(state) if not (seen := verdict(client, want)).holds]
        proved_on = settings.value(state, "proved_on") or {}
        found = [f"no longer: {'; '.join(lost)}"] if lost else changed_since(proved_on, client.list("v1", "Node"))
        return Made(id, state, {**inputs, "prove": "; ".join(found)} if found else inputs)

    def delete(self, call: Call, id: str, state: Properties) -> None:
        _runs(call, client_of(self.clusters, state), state).clear()

    def _prove(self, call: Call, id: str, inputs: Properties) -> Made:
        client, started = client_of(self.clusters, inputs), time.monotonic()
        limit, evidence = float(settings.value(inputs, "limit_seconds")), list[str]()
        for want in _rungs(inputs):
            evidence += await_wants(client, [want], _until(call, started + limit), self.patience)
        offering = _units_want(inputs).offering(client.list("v1", "Node"))
        chosen = _sample(offering, settings.value(inputs, "sample"))
        until = started + limit + FURTHER_ROUND * ((len(chosen) - 1) // AT_ONCE)
        image = Image(settings.value(inputs, "image"), [{"name": n} for n in settings.value(inputs, "pull_secrets")])
        tolerations = settings.value(inputs, "tolerations")
        answers = _runs(call, client, inputs).answers(chosen, image, tolerations, _until(call, until))
        evidence += [*map(str, answers), *_sampled(chosen, offering)]
        return Made(id, {**inputs, **_proven(client.list("v1", "Node"), inputs, answers), "evidence": evidence})


def _rungs(inputs: Properties) -> list[Want]:
    """The wants of the first three rungs, in order."""
    policy = ObjectRef(POLICY_API, POLICY_KIND, settings.value(inputs, "policy"))
    units = _units_want(inputs)
    return [units.among, ObjectWant(policy, ClusterPolicyReady()), units]


def _units_want(inputs: Properties) -> GpuUnitsWant:
    tolerations = tuple(map(Toleration.of, settings.value(inputs, "tolerations") or ()))
    among = gpu_nodes_want(settings.value(inputs, "expected_nodes"), tolerations)
    return GpuUnitsWant.of(settings.value(inputs, "resources"), settings.value(inputs, "expected_gpus"), among)


def _sample(offering: Mapping[str, str], size: int) -> dict[str, str]:
    """The first `size` nodes by name; all when it is 0."""
    return {name: offering[name] for name in sorted(offering)[: size or None]}


def _sampled(chosen: Mapping[str, str], offering: Mapping[str, str]) -> list[str]:
    left = sorted(offering.keys() - chosen.keys())
    return [f"a sample: {len(chosen)} of {len(offering)} nodes ran it, and not {shown(left)}"] if left else []


def _until(call: Call, deadline: float) -> Waiter:
    return Waiter(max(0.0, deadline - time.monotonic()), stop=call.stop, on_wait=call.say)


def _runs(call: Call, client: KubeClient, inputs: Properties) -> CudaRuns:
    namespace, labels = settings.value(inputs, "namespace"), settings.value(inputs, "labels")
    return CudaRuns(client, call.stack, call.name, namespace, labels)


def _proven(nodes: Sequence[Object], inputs: Properties, answers: Sequence[Answer]) -> Properties:
    units = _units_want(inputs)
    return {
        "gpus": units.offered(nodes),
        "nodes": len(units.offering(nodes)),
        "simulated": any(found.simulated for found in answers),
        "proved_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "proved_on": stands_on(nodes, units),
    }
