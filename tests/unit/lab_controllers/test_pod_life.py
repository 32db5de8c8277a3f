"""The life of a pod as `kubectl get pods --watch` would tell it."""

from __future__ import annotations

from aiinfra.domains.kubernetes.lab.controllers.pod_life import Crash, Fate, Notice, next_transition
from aiinfra.domains.kubernetes.lab.controllers.view import Object
from tests.unit.lab_controllers.world import an_object

NOW = "2026-11-22T12:00:00Z"
GOES_WELL = Fate()
REFUSAL = "registry.example/app:1: not found"


def a_pod(*, restart: str = "Always", init: tuple[str, ...] = ()) -> Object:
    spec = {
        "nodeName": "gpu-0",
        "restartPolicy": restart,
        "initContainers": [{"name": name, "image": "init:1"} for name in init],
        "containers": [{"name": "app", "image": "app:1"}],
    }
    return an_object("v1", "Pod", "p", "ns", spec=spec, status={"phase": "Pending"})


def seen(pod: Object) -> str:
    """What kubectl shows of a pod: `Running 1/1`, `Init:0/2`, `ImagePullBackOff`."""
    status = pod["status"]
    inits = status.get("initContainerStatuses") or ()
    done = sum(s["ready"] for s in inits)
    waiting = [
        s["state"]["waiting"]["reason"] for s in (*inits, *status["containerStatuses"]) if "waiting" in s["state"]
    ]
    bad = next((reason for reason in waiting if reason not in ("PodInitializing", "ContainerCreating")), "")
    if bad:
        return bad
    if done < len(inits):
        return f"Init:{done}/{len(inits)}"
    if status["phase"] == "Pending":
        return str(waiting[0])
    return f"{status['phase']} {sum(s['ready'] for s in status['containerStatuses'])}/1"


def told(pod: Object, fate: Fate = GOES_WELL, steps: int = 20) -> tuple[list[str], Object, list[Notice]]:
    """What is seen step by step, each once; the pod at the end; what the kubelet recorded."""
    views: list[str] = []
    notices: list[Notice] = []
    for _ in range(steps):
        step = next_transition(pod, fate, NOW)
        if step is None:
            break
        pod = {**pod, "status": step.status}
        notices += step.notices
        views += [seen(pod)] if seen(pod) not in views[-1:] else []
    return views, pod, notices


def test_a_pod_runs_and_becomes_ready() -> None:
    views, pod, _ = told(a_pod())
    assert views == ["ContainerCreating", "Running 0/1", "Running 1/1"]
    assert {c["type"]: c["status"] for c in pod["status"]["conditions"]} == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "True",
        "ContainersReady": "True",
        "PodScheduled": "True",
    }


def test_init_containers_run_one_after_the_other() -> None:
    views, _, _ = told(a_pod(init=("one", "two")))
    assert views == ["Init:0/2", "Init:1/2", "PodInitializing", "Running 0/1", "Running 1/1"]


def test_an_init_container_that_waits_holds_the_pod_and_the_conditions_name_it() -> None:
    views, pod, _ = told(a_pod(init=("driver-validation",)), Fate(held=frozenset({"driver-validation"})))
    assert views == ["Init:0/1"]
    assert "running" in pod["status"]["initContainerStatuses"][0]["state"]
    messages = {c["type"]: (c.get("reason"), c.get("message")) for c in pod["status"]["conditions"]}
    assert messages["Initialized"] == (
        "ContainersNotInitialized",
        "containers with incomplete status: [driver-validation]",
    )
    assert messages["Ready"] == ("ContainersNotReady", "containers with unready status: [app]")


def test_an_image_that_cannot_be_pulled_ends_in_back_off_and_says_so_in_events() -> None:
    views, pod, notices = told(a_pod(), Fate(unpullable={"app:1": REFUSAL}))
    assert views == ["ContainerCreating", "ErrImagePull", "ImagePullBackOff"]
    waiting = pod["status"]["containerStatuses"][0]["state"]["waiting"]
    assert waiting["message"] == f'Back-off pulling image "app:1": ErrImagePull: {REFUSAL}'
    assert [(n.kind, n.reason, n.message) for n in notices] == [
        ("Normal", "Pulling", 'Pulling image "app:1"'),
        ("Warning", "Failed", f'Failed to pull image "app:1": {REFUSAL}'),
        ("Warning", "Failed", "Error: ErrImagePull"),
        ("Normal", "BackOff", 'Back-off pulling image "app:1"'),
        ("Warning", "Failed", "Error: ImagePullBackOff"),
    ]


def test_a_pod_in_back_off_goes_on_once_the_image_is_there() -> None:
    _, stuck, _ = told(a_pod(), Fate(unpullable={"app:1": REFUSAL}))
    views, _, _ = told(stuck)
    assert views == ["Running 0/1", "Running 1/1"]


def test_a_container_that_crashes_is_restarted_later_and_later() -> None:
    fate = Fate(crashes={"app": Crash(1, "no headers")})
    views, pod, notices = told(a_pod(), fate, steps=9)
    assert views[:4] == ["ContainerCreating", "Running 0/1", "CrashLoopBackOff", "Running 0/1"]
    status = pod["status"]["containerStatuses"][0]
    assert status["restartCount"] == 2
    assert status["lastState"]["terminated"]["message"] == "no headers"
    assert notices[1].message == "Back-off restarting failed container app in pod p_ns(uid-of-p)"
    delays = []
    for _ in range(12):
        step = next_transition(pod, fate, NOW)
        assert step
        pod = {**pod, "status": step.status}
        delays.append(step.after)
    assert [delay for delay in delays if delay >= 2] == [8.0, 16.0, 30.0, 30.0]


def test_a_crashing_container_recovers_when_the_reason_is_gone() -> None:
    _, crashing, _ = told(a_pod(), Fate(crashes={"app": Crash(1, "no headers")}), steps=5)
    views, _, _ = told(crashing)
    assert views[-1] == "Running 1/1"


def test_a_job_ends_with_its_answer_as_termination_message() -> None:
    views, pod, _ = told(a_pod(restart="Never"), Fate(answer='{"ok": true}'))
    assert views == ["ContainerCreating", "Running 0/1", "Succeeded 0/1"]
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"] == '{"ok": true}'
    assert next_transition(pod, Fate(), NOW) is None


def test_a_pod_that_is_never_restarted_fails_for_good() -> None:
    views, pod, _ = told(a_pod(restart="Never"), Fate(crashes={"app": Crash(1, "no device")}))
    assert views == ["ContainerCreating", "Running 0/1", "Failed 0/1"]
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"] == "no device"


def test_a_job_that_is_restarted_on_failure_succeeds_once_it_can() -> None:
    _, crashing, _ = told(a_pod(restart="OnFailure"), Fate(crashes={"app": Crash(1, "no device")}), steps=4)
    views, _, _ = told(crashing)
    assert views[-1] == "Succeeded 0/1"


def test_volumes_that_cannot_be_mounted_keep_the_pod_creating_and_are_said_once() -> None:
    views, _, notices = told(a_pod(), Fate(unmounted='configmap "plugin" not found'))
    assert views == ["ContainerCreating"]
    assert [(n.reason, n.message) for n in notices] == [("FailedMount", 'configmap "plugin" not found')]


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    _, pod, _ = told(a_pod(), Fate(held=frozenset({"app"})))
    step = next_transition(pod, Fate(), "2026-11-22T12:05:00Z")
    assert step
    times = {c["type"]: c["lastTransitionTime"] for c in step.status["conditions"]}
    assert (times["Initialized"], times["Ready"]) == (NOW, "2026-11-22T12:05:00Z")


def test_a_kubelet_that_is_back_says_again_that_its_pods_are_ready() -> None:
    ended = {"type": "Ready", "status": "False", "lastTransitionTime": "2026-07-01T12:00:00Z"}
    running = {"name": "main", "ready": True, "started": True, "restartCount": 0, "state": {"running": {}}}
    pod = {
        "metadata": {"name": "plugin", "uid": "u"},
        "spec": {"containers": [{"name": "main"}]},
        "status": {"startTime": "t", "phase": "Running", "containerStatuses": [running], "conditions": [ended]},
    }
    step = next_transition(pod, Fate(), "2026-07-01T12:05:00Z")
    assert step is not None
    assert {"type": "Ready", "status": "True", "lastTransitionTime": "2026-07-01T12:05:00Z", "lastProbeTime": None} in (
        step.status["conditions"]
    )
    assert next_transition({**pod, "status": step.status}, Fate(), "2026-07-01T12:06:00Z") is None
