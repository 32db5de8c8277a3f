"""The life of one pod on a node, one transition at a time. Pure: no clock, no API, no knowledge of what runs in it.

What a container runtime and the programs in the containers would do enters as `Fate`. Waiting reasons and messages
are a kubelet's: kubernetes v1.36 pkg/kubelet/kuberuntime and pkg/kubelet/images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, Literal

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.lab.controllers.pod_status import (
    INIT,
    MAIN,
    completes,
    has_sandbox,
    initial_status,
    restarts,
    with_conditions,
)
from aiinfra.domains.kubernetes.lab.controllers.view import Object, condition, name, namespace, uid

PULL, START, FINISH, READY, RUN = 0.1, 0.05, 0.05, 0.1, 0.3
"""Seconds before: a pull is answered, an init container starts, it ends, a container is ready, a job is done."""
PULL_RETRY, RESTART, RESTART_LIMIT = 1.0, 2.0, 30.0
"""Seconds from a refused pull to back-off; to the first restart, then doubled up to the limit. Real: 10, 10, 300."""
SANDBOX, SANDBOX_RETRY = 0.1, 3.0
"""Seconds until the refusal of a sandbox, and from there to the next. Real: 10 to 15."""


@dataclass(frozen=True, slots=True)
class Crash:
    """A container that ends with an error soon after it started."""

    exit_code: int
    message: str
    """Written to its termination log."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to a pod's containers, by name or image. What is not named goes well."""

    unpullable: Mapping[str, str] = field(default_factory=dict)
    """Image to the registry's answer."""
    held: frozenset[str] = frozenset()
    """Init containers that go on waiting, and containers that are not ready yet."""
    crashes: Mapping[str, Crash] = field(default_factory=dict)
    """Containers that do not come up; one that is ready already stays."""
    answer: str = ""
    """Termination message of a container that runs to completion."""
    ready_after: float = READY
    rejected: str = ""
    """Why the node does not take the pod, which then has failed for good."""
    unmounted: str = ""
    """Why the volumes cannot be set up; the pod stays in ContainerCreating."""
    unsandboxed: str = ""
    """Why the container runtime does not make the pod's sandbox, where there is none yet; it is tried again."""

    @classmethod
    def without_api(cls, pod: Object, kind: str, api_version: str) -> Fate:
        """Return the fate of a controller whose custom kind is not served: its first container crashes."""
        message = f'no matches for kind "{kind}" in version "{api_version}"'
        return cls(crashes={pod["spec"]["containers"][0]["name"]: Crash(1, message)})

    def and_(self, other: Fate) -> Fate:
        """Combine two fates: the first answer or refusal counts, and the longer time to readiness."""
        return Fate(
            unpullable={**other.unpullable, **self.unpullable},
            held=self.held | other.held,
            crashes={**other.crashes, **self.crashes},
            answer=self.answer or other.answer,
            ready_after=max(self.ready_after, other.ready_after),
            rejected=self.rejected or other.rejected,
            unmounted=self.unmounted or other.unmounted,
            unsandboxed=self.unsandboxed or other.unsandboxed,
        )


@dataclass(frozen=True, slots=True)
class Notice:
    """One event that a kubelet records about the pod."""

    kind: Literal["Normal", "Warning"]
    reason: str
    message: str
    container: str = ""
    counted: bool = False
    """Whether it is recorded again and again, as one event with a count."""


@dataclass(frozen=True, slots=True)
class Transition:
    """The next status of a pod. It comes when the present one has lasted `after` seconds."""

    after: float
    status: Object
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class _Container:
    """One container of a pod, in its current state."""

    pod: Object
    has: Object
    """Its container status."""
    init: bool
    now: str

    @property
    def name(self) -> str:
        return str(self.has["name"])

    @property
    def image(self) -> str:
        specs = self.pod["spec"]["initContainers" if self.init else "containers"]
        return next(str(spec.get("image", "")) for spec in specs if spec["name"] == self.name)

    @property
    def waits_for(self) -> str:
        """The reason of its waiting state."""
        return str(self.has["state"]["waiting"].get("reason", ""))

    def becomes(self, after: float, *notices: Notice, **fields: Any) -> Transition:
        """Return the transition that gives its status these fields."""
        key = INIT if self.init else MAIN
        changed = [{**s, **fields} if s["name"] == self.name else s for s in self.pod["status"][key]]
        status = {
            **self.pod["status"],
            key: changed,
            **({"message": None} if self.pod["status"].get("message") else {}),
        }
        return Transition(after, with_conditions(self.pod, status, self.now), notices)

    def waits(self, after: float, reason: str, message: str, *notices: Notice, **fields: Any) -> Transition:
        state = {"waiting": {"reason": reason, "message": message}}
        return self.becomes(after, *(replace(n, container=self.name) for n in notices), state=state, **fields)


def next_transition(pod: Object, fate: Fate, now: str) -> Transition | None:
    """Return what happens next; None when nothing does until `fate` changes. `now` is a Kubernetes timestamp."""
    status = pod.get("status", {})
    if status.get("phase") in ("Succeeded", "Failed"):
        return None
    if not status.get("startTime"):
        return _rejected(pod, fate.rejected, now) if fate.rejected else Transition(0.0, initial_status(pod, now))
    if fate.unmounted:
        return _unmounted(pod, fate.unmounted)
    if fate.unsandboxed and not has_sandbox(status):
        return _unsandboxed(pod, fate.unsandboxed)
    for has in status.get(INIT) or ():
        if not has["ready"]:
            return _advance(_Container(pod, has, init=True, now=now), fate)
    containers = [_Container(pod, has, init=False, now=now) for has in status.get(MAIN) or ()]
    transitions = [found for container in containers if (found := _advance(container, fate))]
    return min(transitions, key=lambda found: found.after, default=_reported_again(pod, now))


def _reported_again(pod: Object, now: str) -> Transition | None:
    """Return the status that a kubelet reports once it is back: the node controller took its pods for not ready."""
    fitted = with_conditions(pod, pod["status"], now)
    reported, is_ready = condition(pod, "Ready"), condition({"status": fitted}, "Ready")
    return Transition(0.0, fitted) if reported and reported != is_ready else None


def _rejected(pod: Object, why: str, now: str) -> Transition:
    """Return the end of a pod that fails admission, which is not tried again.

    See kubernetes v1.36 pkg/kubelet/lifecycle/predicate.go.
    """
    reason = "UnexpectedAdmissionError"
    status = {**pod.get("status", {}), "phase": "Failed", "reason": reason, "startTime": now}
    return Transition(0.0, status | {"message": f"Pod was rejected: {why}"}, (Notice("Warning", reason, why),))


def _unmounted(pod: Object, why: str) -> Transition | None:
    """Report the failed mount once; the containers stay as they are."""
    if pod["status"].get("message") == why:
        return None
    return Transition(0.0, {**pod["status"], "message": why}, (Notice("Warning", "FailedMount", why),))


def _unsandboxed(pod: Object, why: str) -> Transition:
    """Report that the sandbox is refused, and again at each try."""
    again = pod["status"].get("message") == why
    notice = Notice("Warning", "FailedCreatePodSandBox", f"Failed to create pod sandbox: {why}", counted=True)
    return Transition(SANDBOX_RETRY if again else SANDBOX, {**pod["status"], "message": why}, (notice,))


def _advance(it: _Container, fate: Fate) -> Transition | None:
    state = it.has["state"]
    if "waiting" in state:
        return _waiting(it, fate)
    if "terminated" in state:
        return _back_off(it) if state["terminated"]["exitCode"] and restarts(it.pod) else None
    crash = fate.crashes.get(it.name)
    if crash and not it.has["ready"]:
        return _terminate(it, fate.ready_after, crash.exit_code, crash.message)
    return _running_init(it, fate) if it.init else _running(it, fate)


def _running_init(it: _Container, fate: Fate) -> Transition | None:
    return None if it.name in fate.held else _terminate(it, FINISH, 0, "")


def _running(it: _Container, fate: Fate) -> Transition | None:
    if completes(it.pod):
        return _terminate(it, RUN, 0, fate.answer)
    ready = it.name not in fate.held
    if bool(it.has["ready"]) == ready:
        return None
    return it.becomes(fate.ready_after if ready else 0.0, ready=ready, started=True)


def _waiting(it: _Container, fate: Fate) -> Transition | None:
    """An init container that has nothing to wait for is done in one step: nobody sees it run."""
    refusal = fate.unpullable.get(it.image)
    if refusal is not None:
        return _pull_refused(it, refusal)
    restarts = int(it.has["restartCount"])
    if it.waits_for == "CrashLoopBackOff":
        delay = _restart_delay(it) if it.name in fate.crashes else START
        return _start(it, delay, restarts + 1)
    if it.init and it.name not in fate.held and it.name not in fate.crashes:
        return _terminate(it, START + FINISH, 0, "")
    return _start(it, START if it.init else PULL, restarts)


def _start(it: _Container, after: float, restarts: int) -> Transition:
    notices = () if it.init else (Notice("Normal", "Started", "Container started", it.name),)
    state = {"running": {"startedAt": it.now}}
    return it.becomes(after, *notices, state=state, imageID=it.image, started=not it.init, restartCount=restarts)


def _pull_refused(it: _Container, refusal: str) -> Transition | None:
    image = it.image
    if it.waits_for == "ImagePullBackOff":
        return None
    if it.waits_for == "ErrImagePull":
        text = f'Back-off pulling image "{image}"'
        notices = (Notice("Normal", "BackOff", text), Notice("Warning", "Failed", "Error: ImagePullBackOff"))
        return it.waits(PULL_RETRY, "ImagePullBackOff", f"{text}: ErrImagePull: {refusal}", *notices)
    return it.waits(
        PULL,
        "ErrImagePull",
        refusal,
        Notice("Normal", "Pulling", f'Pulling image "{image}"'),
        Notice("Warning", "Failed", f'Failed to pull image "{image}": {refusal}'),
        Notice("Warning", "Failed", "Error: ErrImagePull"),
    )


def _terminate(it: _Container, after: float, code: int, message: str) -> Transition:
    ended = {
        "exitCode": code,
        "reason": "Error" if code else "Completed",
        "startedAt": it.has["state"].get("running", {}).get("startedAt", it.now),
        "finishedAt": it.now,
        **({"message": message} if message else {}),
    }
    return it.becomes(after, state={"terminated": ended}, ready=it.init and not code, started=False)


def _restart_delay(it: _Container) -> float:
    return min(RESTART * float(2 ** int(it.has["restartCount"])), RESTART_LIMIT)


def _back_off(it: _Container) -> Transition:
    """Return the transition from a failed end to CrashLoopBackOff."""
    whole_name = f"{name(it.pod)}_{namespace(it.pod)}({uid(it.pod)})"
    text = f"back-off {_restart_delay(it):.0f}s restarting failed container={it.name} pod={whole_name}"
    notice = Notice("Warning", "BackOff", f"Back-off restarting failed container {it.name} in pod {whole_name}")
    return it.waits(START, "CrashLoopBackOff", text, notice, lastState=it.has["state"])
