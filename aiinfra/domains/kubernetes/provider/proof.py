"""`aiinfra:proof:GpuProof`: a ladder that fails closed; a rung that nobody checked is a failure.

Nodes labelled, operator ready, GPUs allocatable as many as expected, a CUDA pod run with the expected answer.
Whether the run was simulated is read from the pod's own answer, not from knowing where we are.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import GPU_NODE_LABELS, POLICY_API, POLICY_KIND
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.objects.awaiting import verdict
from aiinfra.domains.kubernetes.objects.wants import AllocatableWant, ClusterPolicyReady, NodesWant, ObjectWant, Want
from aiinfra.domains.kubernetes.provider import settings
from aiinfra.domains.kubernetes.provider.clusters import Clusters
from aiinfra.domains.kubernetes.provider.cuda_job import Answer, reference
from aiinfra.domains.kubernetes.provider.cuda_run import JobRun
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
    "resource": str,
    "expected_nodes": int,
    "expected_gpus": int,
    "labels": dict,
    "limit_seconds": (int, float),
}
DEFAULTS: Properties = {"labels": {}, "limit_seconds": 900}
PROVEN = ("gpus", "nodes", "simulated", "proved_at", "evidence")


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
        """A rung that no longer holds shows as another `prove`, so that the next run proves again."""
        client = client_of(self.clusters, state)
        lost = [seen.sentence for want in _rungs(state) if not (seen := verdict(client, want)).holds]
        return Made(id, state, {**inputs, "prove": f"no longer: {'; '.join(lost)}"} if lost else inputs)

    def delete(self, call: Call, id: str, state: Properties) -> None:
        _run(call, client_of(self.clusters, state), state).clear()

    def _prove(self, call: Call, id: str, inputs: Properties) -> Made:
        client, deadline = client_of(self.clusters, inputs), time.monotonic() + settings.value(inputs, "limit_seconds")
        evidence: list[str] = []
        for want in _rungs(inputs):
            evidence += await_wants(client, [want], _until(call, deadline), self.patience)
        ran = _run(call, client, inputs).answer(_until(call, deadline))
        return Made(id, {**inputs, **_proven(client, inputs, ran), "evidence": [*evidence, str(ran)]})


def _rungs(inputs: Properties) -> list[Want]:
    """The wants of the first three rungs, in order."""
    policy = ObjectRef(POLICY_API, POLICY_KIND, settings.value(inputs, "policy"))
    return [
        NodesWant(tuple(f"{label}=true" for label in GPU_NODE_LABELS), settings.value(inputs, "expected_nodes")),
        ObjectWant(policy, ClusterPolicyReady()),
        AllocatableWant(settings.value(inputs, "resource"), settings.value(inputs, "expected_gpus")),
    ]


def _until(call: Call, deadline: float) -> Waiter:
    return Waiter(max(0.0, deadline - time.monotonic()), stop=call.stop, on_wait=call.say)


def _run(call: Call, client: KubeClient, inputs: Properties) -> JobRun:
    ref = reference(call.stack, call.name, settings.value(inputs, "namespace"))
    return JobRun(client, ref, settings.value(inputs, "labels"), settings.value(inputs, "resource"))


def _proven(client: KubeClient, inputs: Properties, ran: Answer) -> Properties:
    resource = settings.value(inputs, "resource")
    nodes = client.list("v1", "Node")
    offering = [node for node in nodes if AllocatableWant(resource, 1).judge([node]).holds]
    return {
        "gpus": AllocatableWant(resource, 1).offered(nodes),
        "nodes": len(offering),
        "simulated": ran.simulated,
        "proved_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
