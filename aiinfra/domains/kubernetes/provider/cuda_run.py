"""Runs the CUDA Jobs of a proof, a bounded number at once, reads their answers and clears them away in any case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import field

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError, Unreachable
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.diagnosis.cause import Diagnosis
from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_object
from aiinfra.domains.kubernetes.diagnosis.gather import gather
from aiinfra.domains.kubernetes.objects.removing import await_gone
from aiinfra.domains.kubernetes.objects.wants import condition
from aiinfra.domains.kubernetes.provider.cuda_job import Answer, Image, Workload, answer, image_of, job, reference
from aiinfra.domains.kubernetes.provider.diagnosed_wait import DiagnosedPoll
from aiinfra.domains.kubernetes.provider.step_errors import leftovers_error
from aiinfra.errors import StepError
from aiinfra.report.causes import ALSO
from aiinfra.waiting import Pending, TimedOut, Waiter

AT_ONCE = 10
"""Nodes on which a pod runs at the same time."""
CLEARING = 60.0
"""Seconds that clearing old Jobs away may take."""
OUTLIVES = 60
"""Seconds by which a Job's own deadline comes after ours: at its deadline its pods go, and with them the reason."""
SHOWN = 2
"""Further nodes that failed and are told."""


@dataclass(slots=True)
class _Progress:
    """Which nodes are still to come, run and are done."""

    pending: list[str]
    running: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    failures: list[StepError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CudaRuns:
    """The Jobs of one proof resource."""

    client: KubeClient
    stack: str
    name: str
    namespace: str
    marks: Mapping[str, str]

    def answers(
        self, nodes: Mapping[str, str], image: Image, tolerations: Sequence[Mapping[str, str]], waiter: Waiter
    ) -> list[Answer]:
        """Run one Job on each of `nodes`, which name the resource to ask them for; one answer for each.

        `image` is taken when the cluster has no validator. Raises `StepError` when a Job does not end with the
        expected answer, once all have ended; `Stopped`, `KubeError`.
        """
        self.clear()
        used = image_of(self.client.list("apps/v1", "DaemonSet", self.namespace), image)
        progress, workload = _Progress(list(nodes)), Workload(self.marks, used, tolerations)

        def ask() -> bool | Pending:
            self._collect(progress)
            while progress.pending and len(progress.running) < AT_ONCE:
                node = progress.pending.pop(0)
                progress.running.append(node)
                self.client.apply(job(self._ref(node), workload, nodes[node], node, int(waiter.limit) + OUTLIVES))
            return Pending(self._awaited(progress)) if progress.running else True

        try:
            waiter.until(DiagnosedPoll(ask, lambda: self._look(progress.running[0])))
        except TimedOut:
            late = [self._failed(node, f"did not finish after {waiter.limit:.0f} s") for node in progress.running]
            progress.failures.extend(late)
        finally:
            for node in progress.running:
                self._remove(node)
        if progress.failures:
            raise _failure(progress, len(nodes))
        return sorted(progress.answers, key=lambda found: found.node)

    def clear(self) -> None:
        """Delete the Jobs and their pods, from an earlier run perhaps, and see them gone."""
        jobs = {ObjectRef.of(found): found["metadata"]["uid"] for found in self._ours("batch/v1", "Job")}
        if not jobs:
            return
        pods = {ObjectRef.of(pod): pod["metadata"]["uid"] for pod in self._ours("v1", "Pod")}
        for ref in jobs:
            self.client.delete(ref)
        if left := await_gone(self.client, [*jobs, *pods], {**jobs, **pods}, Waiter(CLEARING)):
            raise leftovers_error(self.client, left)

    def _collect(self, progress: _Progress) -> None:
        """Take the results of the Jobs that have ended, and remove those."""
        if not progress.running:
            return
        jobs = {str(found["metadata"]["name"]): found for found in self._ours("batch/v1", "Job")}
        for node in list(progress.running):
            live = jobs.get(self._ref(node).name, {})
            if (condition(live, "Complete") or {}).get("status") == "True":
                found = next(filter(None, map(answer, self._pods(node))), None)
                if found is None or found.gpus < 1:
                    progress.failures.append(self._failed(node, "finished without the expected answer"))
                else:
                    progress.answers.append(found)
            elif (condition(live, "Failed") or {}).get("status") == "True":
                progress.failures.append(self._failed(node, "failed"))
            else:
                continue
            progress.running.remove(node)
            self._remove(node)

    def _awaited(self, progress: _Progress) -> str:
        node = progress.running[0]
        shown = ", ".join(map(_shown, self._pods(node))) or "no pod yet"
        more = len(progress.running) + len(progress.pending) - 1
        others = "" if not more else " and 1 more node" if more == 1 else f" and {more} more nodes"
        return f"{self._ref(node)} to finish ({shown}){others}"

    def _look(self, node: str) -> Diagnosis:
        """What the newest pod suffers from, else the Job."""
        try:
            pods = sorted(self._pods(node), key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
            return diagnose_object(gather(self.client), ObjectRef.of(pods[-1]) if pods else self._ref(node))
        except Unreachable:
            return Diagnosis()

    def _failed(self, node: str, what: str) -> StepError:
        found = self._look(node)
        return StepError(f"{self._ref(node)} {what}", causes=found.causes, code="proof.failed", hint=found.hint)

    def _ref(self, node: str) -> ObjectRef:
        return reference(self.stack, self.name, self.namespace, node)

    def _ours(self, api_version: str, kind: str) -> list[Object]:
        """Jobs of this proof, or their pods."""
        beginning = reference(self.stack, self.name, self.namespace).name
        marks = ",".join(f"{key}={value}" for key, value in self.marks.items())
        found = self.client.list(api_version, kind, self.namespace, labels=marks)
        return [each for each in found if str(each["metadata"]["name"]).startswith(beginning)]

    def _pods(self, node: str) -> list[Object]:
        wanted = f"batch.kubernetes.io/job-name={self._ref(node).name}"
        return self.client.list("v1", "Pod", self.namespace, labels=wanted)

    def _remove(self, node: str) -> None:
        with suppress(KubeError):  # what is left carries our marks and is swept
            self.client.delete(self._ref(node))


def _failure(progress: _Progress, nodes: int) -> StepError:
    """The first failure, with the others behind it, and how many nodes gave the expected answer."""
    first, *others = progress.failures
    also = [ALSO + " ← ".join((error.record.message, *error.causes[-1:])) for error in others[:SHOWN]]
    also += [f"{ALSO}{len(others) - SHOWN} more nodes failed"] if len(others) > SHOWN else []
    told = f"; {len(progress.answers)} of {nodes} nodes gave the expected answer" if nodes > 1 else ""
    return StepError(
        first.record.message + told, causes=[*first.causes, *also], code="proof.failed", hint=first.record.hint
    )


def _shown(pod: Object) -> str:
    phase = pod.get("status", {}).get("phase", "Pending")
    return f"{pod['metadata']['name']} {phase}" + (f" on {node}" if (node := pod["spec"].get("nodeName")) else "")
