"""What the Kubernetes domain does for a run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Literal

from aiinfra.dataclass import dataclass
from aiinfra.domain_packages import Declared, FindTool, KeptPackage, PackageReport
from aiinfra.domain_run import Comparison, DestroyRequest, Observation, RunContext, Teardown
from aiinfra.domains.kubernetes.reach import (
    ClusterHandle,
    accesses,
    all_clusters,
    clusters_of,
    clusters_used,
    file_access,
)
from aiinfra.errors import AiinfraError, StepError
from aiinfra.report.run import Failure
from aiinfra.report.status import WorldState
from aiinfra.stack import Finding, StackName

if TYPE_CHECKING:
    from pathlib import Path

    from aiinfra.domains.kubernetes.objects.node_state import Obstacle
    from aiinfra.plan.planner import Step

NAMED = 8
"""Nodes that take no pods and are named in one sentence."""


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """The answer to a preflight's question to this domain, for each cluster that the stack works in."""

    version: str
    """Of the API server, `v1.36.3`."""
    nodes: Sequence[Mapping[str, Any]] = field(repr=False)
    """Node objects as the API gives them."""


class KubernetesWorld:
    """Clusters as a run uses them. What speaks to API servers is imported when one is asked."""

    def verify(self, run: RunContext, chosen: Collection[StackName]) -> None:
        from aiinfra.domains.kubernetes.identity import verify

        handles = (file_access(run, name) for name in clusters_used(run.plan, chosen))
        verify([handle for handle in handles if handle is not None], run.environ)

    def observe(
        self, run: RunContext, questions: Mapping[StackName, Any], *, before_run: bool
    ) -> Mapping[StackName, Observation]:
        """The question is `True`; the answer a `ClusterFacts` by the name of each cluster's stack.

        A cluster that does not answer stops no run here: the stack that gives it says so itself.
        """
        asked: dict[str, ClusterFacts | Finding] = {}
        answers: dict[StackName, Observation] = {}
        for stack in questions:
            handles = list(accesses(run, stack))
            for handle in handles:
                asked.setdefault(handle.stack, _facts(handle, run))
            mine = {handle.stack: asked[handle.stack] for handle in handles}
            silent = [answer for answer in mine.values() if isinstance(answer, Finding)]
            findings = [replace(finding, level="unknown") for finding in silent] if before_run else silent
            facts = {name: answer for name, answer in mine.items() if isinstance(answer, ClusterFacts)}
            if mine:
                answers[stack] = Observation(None if findings else facts, findings)
        return answers

    def health(self, run: RunContext) -> Iterator[tuple[str, Finding]]:
        for name in all_clusters(run.plan):
            yield from ((name, finding) for finding in _health(run, name))

    def package_source(self, step: Step) -> Literal["", "official", "named"]:
        """Return `named` for a kind with the inputs `chart` and `charts` of which one says where the chart is."""
        if "kubernetes" not in step.kind.plugins:
            return ""
        chart, charts = getattr(step.inputs, "chart", ""), getattr(step.inputs, "charts", None)
        return "named" if chart or getattr(charts, "mirror", "") else "official"

    def judge_packages(
        self, step: Step, declared: Sequence[Declared], tool: FindTool, environ: Mapping[str, str]
    ) -> Iterator[PackageReport]:
        from aiinfra.domains.kubernetes.charts.judge import judge

        yield from judge(step, declared, tool, environ)

    def to_be_mirrored(self, step: Step, base: Path) -> Step:
        from aiinfra.domains.kubernetes.charts.sources import to_be_mirrored

        return to_be_mirrored(step, base)

    def keep_package(
        self, report: PackageReport, folder: Path, tool: FindTool, environ: Mapping[str, str]
    ) -> KeptPackage:
        from aiinfra.domains.kubernetes.charts.mirroring import keep

        return keep(report, folder, tool, environ)

    def settle(self, run: RunContext, step: Step) -> None:
        from aiinfra.domains.kubernetes.settling import settle

        settle(run, step)

    def snapshot(self, run: RunContext, step: Step) -> Mapping[str, str]:
        from aiinfra.domains.kubernetes.snapshots import snapshot

        return snapshot(run, step)

    def changes(self, run: RunContext, snapshots: Mapping[StackName, Mapping[str, str]]) -> Comparison:
        from aiinfra.domains.kubernetes.snapshots import changes

        return changes(run, snapshots)

    def explain(self, run: RunContext, stack: str, error: StepError) -> StepError | None:
        from aiinfra.domains.kubernetes.diagnosis.explain import with_root_cause

        if stack in clusters_of(run.plan, stack):
            return None
        handle = next(accesses(run, stack), None)
        return with_root_cause(error, handle.kubeconfig) if handle else None

    def current(self, run: RunContext, stack: StackName, failure: Failure | None) -> Iterator[WorldState]:
        for handle in accesses(run, stack):
            yield _current(handle, failure, run)

    def teardown(self, run: RunContext, request: DestroyRequest) -> Teardown:
        from aiinfra.domains.kubernetes.teardown import ClusterTeardown

        return ClusterTeardown(run, request)

    def attend(self, run: RunContext, stack: str) -> AbstractContextManager[Sequence[str]]:
        from aiinfra.domains.kubernetes.hooks import attend

        return attend(run, stack)


def _health(run: RunContext, stack: StackName) -> Iterator[Finding]:
    """Whether the cluster answers, and which of its nodes take no pods."""
    about = f"cluster of {stack}"
    try:
        handle = file_access(run, stack)
        if handle is None:
            yield Finding("unknown", about, "not asked, as another stack gives its kubeconfig", "to answer")
            return
        answer = _facts(handle, run)
    except AiinfraError as error:
        answer = _unanswered(stack, error)
    if isinstance(answer, Finding):
        yield answer
        return
    yield Finding("ok", about, f"{answer.version}, {len(answer.nodes)} nodes", "to answer")
    for node, obstacle in _obstacles(answer.nodes):
        yield Finding("warning", f"node {node} of {stack}", obstacle.message, "Ready and schedulable", obstacle.hint)


def _obstacles(nodes: Sequence[Mapping[str, Any]]) -> list[tuple[str, Obstacle]]:
    """Nodes that are NotReady or cordoned, by name."""
    from aiinfra.domains.kubernetes.objects.node_state import obstacles

    return sorted(
        ((str(node["metadata"]["name"]), found) for node in nodes for found in obstacles(dict(node))),
        key=lambda each: each[0],
    )


def _facts(handle: ClusterHandle, run: RunContext) -> ClusterFacts | Finding:
    from aiinfra.domains.kubernetes.client.client import KubeClient
    from aiinfra.domains.kubernetes.identity import identify

    try:
        identify(handle, run.environ)
        with KubeClient.from_kubeconfig(handle.kubeconfig) as client:
            return ClusterFacts(client.version(), client.list("v1", "Node"))
    except AiinfraError as error:
        return _unanswered(handle.stack, error)


def _unanswered(stack: str, error: AiinfraError) -> Finding:
    record = error.record
    return Finding("error", record.where or stack, record.message, "an answer", record.hint, code=record.code)


def _current(handle: ClusterHandle, failure: Failure | None, run: RunContext) -> WorldState:
    from aiinfra.domains.kubernetes.client.client import KubeClient
    from aiinfra.domains.kubernetes.diagnosis.explain import look

    place = f"cluster {handle.stack}"
    try:
        with KubeClient.from_kubeconfig(handle.kubeconfig) as client:
            uid, version, nodes = client.cluster_uid(), client.version(), client.list("v1", "Node")
    except AiinfraError as error:
        return WorldState(place, f"cannot be asked: {error}", answers=False, hint=error.record.hint)
    recorded = run.journal.success(handle.stack)
    if recorded and recorded.uid not in {"", uid}:
        says = f"another cluster answers: its identity is {uid}, not {recorded.uid}"
        return WorldState(place, says, answers=False)
    says = "; ".join((f"answers, {version}", *(f"node {n} {o.message}" for n, o in _obstacles(nodes)[:NAMED])))
    if failure is None:
        return WorldState(place, says, answers=True)
    found, looked = look(StepError(failure.error.message), handle.kubeconfig)
    return WorldState(place, says, answers=True, causes=found.causes, hint=found.record.hint, looked=looked)


WORLD = KubernetesWorld()
