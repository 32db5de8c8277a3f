"""Runs the CUDA Job of a proof, reads its answer and clears it away, whatever happened."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError, Unreachable
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.diagnosis.cause import Diagnosis
from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_object
from aiinfra.domains.kubernetes.diagnosis.gather import gather
from aiinfra.domains.kubernetes.objects.removing import await_gone
from aiinfra.domains.kubernetes.objects.wants import condition
from aiinfra.domains.kubernetes.provider.cuda_job import Answer, answer, image_of, job
from aiinfra.domains.kubernetes.provider.diagnosed_wait import DiagnosedPoll
from aiinfra.domains.kubernetes.provider.step_errors import leftovers_error
from aiinfra.errors import StepError
from aiinfra.waiting import Pending, TimedOut, Waiter

CLEARING = 60.0
"""Seconds that clearing an old Job away may take."""
OUTLIVES = 60
"""Seconds by which the Job's own deadline comes after ours: at its deadline its pods go, and with them the reason."""


@dataclass(frozen=True, slots=True)
class JobRun:
    client: KubeClient
    ref: ObjectRef
    marks: Mapping[str, str]
    resource: str

    def answer(self, waiter: Waiter) -> Answer:
        """Run the Job. Raises `StepError` when it does not end with the expected answer, `Stopped`, `KubeError`."""
        self.clear()
        try:
            image = image_of(self.client.list("apps/v1", "DaemonSet", self.ref.namespace))
            self.client.apply(job(self.ref, self.marks, self.resource, image, int(waiter.limit) + OUTLIVES))
            return self._await(waiter)
        finally:
            with suppress(KubeError):  # what is left carries our marks and is swept
                self.client.delete(self.ref)

    def clear(self) -> None:
        """Delete the Job and its pods, from an earlier run perhaps, and see them gone."""
        if self.client.get(self.ref) is None:
            return
        pods = {ObjectRef.of(pod): pod["metadata"]["uid"] for pod in self._pods()}
        self.client.delete(self.ref)
        if left := await_gone(self.client, [self.ref, *pods], pods, Waiter(CLEARING)):
            raise leftovers_error(self.client, left)

    def _await(self, waiter: Waiter) -> Answer:
        try:
            succeeded = waiter.until(DiagnosedPoll(self._ask, self._look))
        except TimedOut as error:
            raise self._failed(f"{self.ref} did not finish after {waiter.limit:.0f} s") from error
        if not succeeded:
            raise self._failed(f"{self.ref} failed")
        found = next(filter(None, map(answer, self._pods())), None)
        if found is None or found.gpus < 1:
            raise self._failed(f"{self.ref} finished without the expected answer")
        return found

    def _ask(self) -> bool | Pending:
        """Whether the Job succeeded, once it has ended."""
        live = self.client.get(self.ref) or {}
        if (condition(live, "Complete") or {}).get("status") == "True":
            return True
        if (condition(live, "Failed") or {}).get("status") == "True":
            return False
        shown = ", ".join(map(_shown, self._pods())) or "no pod yet"
        return Pending(f"{self.ref} to finish ({shown})")

    def _look(self) -> Diagnosis:
        """What the newest pod suffers from, else the Job."""
        try:
            pods = sorted(self._pods(), key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
            return diagnose_object(gather(self.client), ObjectRef.of(pods[-1]) if pods else self.ref)
        except Unreachable:
            return Diagnosis()

    def _pods(self) -> list[Object]:
        return self.client.list("v1", "Pod", self.ref.namespace, labels=f"batch.kubernetes.io/job-name={self.ref.name}")

    def _failed(self, message: str) -> StepError:
        found = self._look()
        return StepError(message, causes=found.causes, code="proof.failed", hint=found.hint)


def _shown(pod: Object) -> str:
    phase = pod.get("status", {}).get("phase", "Pending")
    return f"{pod['metadata']['name']} {phase}" + (f" on {node}" if (node := pod["spec"].get("nodeName")) else "")
