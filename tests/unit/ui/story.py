"""A run told by events, for the views."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from aiinfra.engine.events import (
    Event,
    ResourceChanged,
    RunEnded,
    RunStarted,
    StackEnded,
    StackStarted,
    StackWaits,
    Waiting,
)
from aiinfra.errors import ErrorRecord
from aiinfra.report.run import Outcome, Reason, RunReport, StackResult, Verb

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
DAEMONSET = "DaemonSet gpu-operator/nvidia-driver-daemonset"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


CLUSTER = StackResult(
    "cluster",
    "existing_cluster",
    Outcome.UNCHANGED,
    0.02,
    Reason.INPUTS_UNCHANGED,
    last_seen=START - timedelta(hours=2),
)
NFD = StackResult("nfd", "nfd", Outcome.CHANGED, 38, changes={"create": 3, "same": 1})
OPERATOR = StackResult(
    "gpu-operator",
    "gpu_operator",
    Outcome.FAILED,
    372,
    changes={"create": 1},
    error=ErrorRecord(
        "kube.not_ready",
        "gpu-operator",
        "ClusterPolicy cluster-policy is not ready",
        "set driver.version to one that has an image for this kernel, or use precompiled drivers",
    ),
    causes=(
        "nvidia-driver-daemonset on gpu-0: ImagePullBackOff",
        "image nvcr.io/nvidia/driver:580 for kernel 5.14.0-570 does not exist",
    ),
)
PROOF = StackResult(
    "gpu-proof",
    "gpu_proof",
    Outcome.BLOCKED,
    0.0,
    Reason.NEEDED_FAILED,
    related="gpu-operator",
    related_outcome=Outcome.FAILED,
)
REPORT = RunReport(
    Verb.UP,
    "lab",
    "7c41d0aa",
    (CLUSTER, NFD, OPERATOR, PROOF),
    412,
    4,
    simulated=("CUDA does not run",),
    ended_at=START + timedelta(seconds=412),
)


def started(
    verb: Verb = Verb.UP, stacks: Sequence[str] = ("cluster", "nfd", "gpu-operator", "gpu-proof")
) -> RunStarted:
    return RunStarted(verb, "lab", stacks, True, START)


def failing_up() -> list[Event]:
    """An up that ends with a failed operator and a proof that did not start."""
    crd = "aiinfra:kubernetes:Bundle"
    return [
        started(),
        StackWaits("nfd", ("cluster",), at(0)),
        StackWaits("gpu-operator", ("cluster", "nfd"), at(0)),
        StackWaits("gpu-proof", ("cluster", "gpu-operator"), at(0)),
        StackStarted("cluster", "existing_cluster", at(0)),
        StackEnded(CLUSTER, at(0.02)),
        StackStarted("nfd", "nfd", at(1)),
        ResourceChanged("nfd", "kubernetes:helm.sh/v3:Release", "nfd", "create", "started", at(1)),
        ResourceChanged("nfd", "kubernetes:helm.sh/v3:Release", "nfd", "create", "done", at(30)),
        Waiting("nfd", "labels on 2 nodes", 8, 20, at(38)),
        StackEnded(NFD, at(39)),
        StackStarted("gpu-operator", "gpu_operator", at(40)),
        ResourceChanged("gpu-operator", crd, "policy", "create", "started", at(41)),
        ResourceChanged("gpu-operator", crd, "policy", "create", "done", at(42)),
        ResourceChanged("gpu-operator", "aiinfra:kubernetes:Ready", "ready", "create", "started", at(42)),
        Waiting("gpu-operator", DAEMONSET, 90, 240, at(132)),
        ResourceChanged("gpu-operator", "aiinfra:kubernetes:Ready", "ready", "create", "failed", at(411)),
        StackEnded(OPERATOR, at(412)),
        StackEnded(PROOF, at(412)),
        RunEnded(REPORT, at(412)),
    ]
