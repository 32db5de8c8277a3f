"""When the GPU Operator of a lab answers, what its operands take, and what a node refuses before its toolkit is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aiinfra.domains.kubernetes.charts.gpu_operator.standin import pace
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.pace import Pace
from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.lab.controllers.controller import Moment
from aiinfra.domains.kubernetes.lab.controllers.effects import Again, Apply, Count, Create, Effect, Patch
from aiinfra.domains.kubernetes.lab.controllers.faults import PodFaults
from aiinfra.domains.kubernetes.lab.controllers.kubelet import Kubelets
from aiinfra.domains.kubernetes.lab.controllers.pod_life import Fate, Notice, next_transition
from aiinfra.domains.kubernetes.lab.controllers.view import Object, View
from tests.unit.lab_controllers.world import a_pod, a_policy, a_view, an_object, at

NOW = "2026-11-22T12:00:00Z"
CHANGE = Apply({"kind": "DaemonSet"})
STATUS = Patch(ObjectRef("nvidia.com/v1", "ClusterPolicy", "cluster-policy"), {"status": {}}, "status")
REFUSED = 'rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "nvidia" is configured'
REAL_PACE = PodFaults(frozenset({"real-pace"}))


def reconciled(view: View, moment: Moment) -> Iterator[Effect]:
    yield CHANGE
    yield STATUS


def of_generation(generation: int) -> View:
    policy = a_policy()
    policy["metadata"]["generation"] = generation
    return a_view(policy)


def test_the_first_spec_is_answered_at_once() -> None:
    operator = Pace(reconciled)
    assert list(operator.reconcile(of_generation(1), at(10.0))) == [CHANGE, STATUS]
    assert list(operator.reconcile(of_generation(1), at(20.0, REAL_PACE))) == [CHANGE, STATUS]


def test_a_change_is_looked_at_late_and_told_of_later() -> None:
    operator = Pace(reconciled)
    list(operator.reconcile(of_generation(1), at(0.0)))
    assert list(operator.reconcile(of_generation(2), at(10.0))) == [Again(10.3)]
    assert list(operator.reconcile(of_generation(2), at(10.4))) == [CHANGE, Again(10.5)]
    assert list(operator.reconcile(of_generation(2), at(10.6))) == [CHANGE, STATUS]


def test_at_real_pace_it_takes_seconds() -> None:
    operator = Pace(reconciled)
    list(operator.reconcile(of_generation(1), at(0.0, REAL_PACE)))
    assert list(operator.reconcile(of_generation(2), at(10.0, REAL_PACE))) == [Again(11.2)]
    assert next(operator.reconcile(of_generation(2), at(11.3, REAL_PACE))) == CHANGE
    assert list(operator.reconcile(of_generation(2), at(12.0, REAL_PACE))) == [CHANGE, STATUS]


@pytest.mark.parametrize(
    ("container", "real_pace", "crashes", "seconds"),
    [
        ("nvidia-driver-ctr", False, False, 0.5),
        ("nvidia-driver-ctr", True, False, 20.0),
        ("nvidia-driver-ctr", True, True, 0.5),
        ("nvidia-device-plugin", True, False, 0.1),
    ],
)
def test_a_driver_is_built_and_one_that_cannot_be_fails_at_once(
    container: str, real_pace: bool, crashes: bool, seconds: float
) -> None:
    assert pace.ready_after(container, real_pace=real_pace, crashes=crashes) == seconds


def test_a_sandbox_of_a_runtime_that_no_toolkit_has_brought_is_refused() -> None:
    view = a_view(an_object("node.k8s.io/v1", "RuntimeClass", "nvidia", handler="nvidia"))
    plugin, driver = a_pod("plugin", runtimeClassName="nvidia"), a_pod("driver")
    assert pace.sandbox_refusal(plugin, view, toolkit=False) == REFUSED
    assert pace.sandbox_refusal(plugin, view, toolkit=True) == ""
    assert pace.sandbox_refusal(driver, view, toolkit=False) == ""


def a_new_pod() -> Object:
    spec = {"nodeName": "gpu-0", "containers": [{"name": "app", "image": "app:1"}]}
    pod = an_object("v1", "Pod", "p", "ns", spec=spec, status={})
    pod["metadata"]["annotations"] = {"lab.aiinfra.dev/kubelet": "controllers"}
    step = next_transition(pod, Fate(), NOW)
    assert step is not None
    return {**pod, "status": step.status}


def ready_to_start(status: Object) -> str:
    return next(str(c["status"]) for c in status["conditions"] if c["type"] == "PodReadyToStartContainers")


def test_a_refused_sandbox_is_tried_again_and_no_container_waits_for_anything_else() -> None:
    pod, fate = a_new_pod(), Fate(unsandboxed=REFUSED)
    notice = Notice("Warning", "FailedCreatePodSandBox", f"Failed to create pod sandbox: {REFUSED}", counted=True)
    first = next_transition(pod, fate, NOW)
    assert first is not None
    assert (first.after, first.notices, ready_to_start(first.status)) == (0.1, (notice,), "False")
    again = next_transition({**pod, "status": first.status}, fate, NOW)
    assert again is not None
    assert (again.after, again.notices) == (3.0, (notice,))
    started = next_transition({**pod, "status": again.status}, Fate(), NOW)
    assert started is not None
    assert (ready_to_start(started.status), started.status["message"]) == ("True", None)


def test_a_pod_that_has_its_sandbox_keeps_it_when_the_toolkit_goes() -> None:
    pod = a_new_pod()
    step = next_transition(pod, Fate(), NOW)
    assert step is not None
    assert next_transition({**pod, "status": step.status}, Fate(unsandboxed=REFUSED), NOW) == next_transition(
        {**pod, "status": step.status}, Fate(), NOW
    )


def test_the_refusal_is_one_event_that_is_counted() -> None:
    kubelets = Kubelets([lambda view, moment: lambda pod: Fate(unsandboxed=REFUSED)])
    view = a_view(an_object("v1", "Node", "gpu-0", status={}), a_new_pod())
    found = [*kubelets.reconcile(view, at(0.0)), *kubelets.reconcile(view, at(1.0))]
    assert [type(effect) for effect in found if not isinstance(effect, Again)] == [Patch, Count]
    assert not any(isinstance(effect, Create) for effect in found)
