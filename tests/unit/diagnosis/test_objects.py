"""Refusals, pods, deployments and namespaces: from the words and objects to the root."""

from __future__ import annotations

import pytest

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from aiinfra.domains.kubernetes.diagnosis.cause import Diagnosis, Weight
from aiinfra.domains.kubernetes.diagnosis.diagnose import diagnose_object, diagnose_text, diagnose_wants
from aiinfra.domains.kubernetes.objects.wants import ObjectWant, RolledOut
from tests.unit.diagnosis.snapshots import (
    Object,
    a_deployment,
    a_pod,
    a_replica_set,
    a_snapshot,
    a_warning,
    an_object,
    conditions,
    running,
    waiting,
)

CALL = (
    'ClusterPolicy cluster-policy: Internal error occurred: failed calling webhook "check.example.com": '
    'failed to call webhook: Post "https://hook.tools.svc:443/v?timeout=5s": dial tcp 10.0.0.7:443: '
    "connect: connection refused"
)


def a_webhook(**client: object) -> Object:
    hook = {"name": "check.example.com", "clientConfig": client}
    api = "admissionregistration.k8s.io/v1"
    return an_object(api, "ValidatingWebhookConfiguration", "checks", webhooks=[hook])


SERVICE = {"service": {"namespace": "tools", "name": "hook"}}


def a_service() -> Object:
    return an_object("v1", "Service", "hook", "tools", spec={"selector": {"app": "hook"}})


def test_a_webhook_that_nobody_answers() -> None:
    found = diagnose_text(a_snapshot(a_webhook(url="https://10.0.0.7/v")), CALL)
    assert found.causes == [
        "ValidatingWebhookConfiguration checks calls https://10.0.0.7/v, which does not answer: connection refused"
    ]
    assert found.hint == "bring its server back, or delete ValidatingWebhookConfiguration checks"


@pytest.mark.parametrize(
    ("objects", "root"),
    [
        ([], "service tools/hook does not exist"),
        ([a_service()], "service tools/hook has no pod"),
    ],
)
def test_a_webhook_whose_service_has_nothing_behind_it(objects: list[Object], root: str) -> None:
    assert diagnose_text(a_snapshot(a_webhook(**SERVICE), objects), CALL).causes == [
        "ValidatingWebhookConfiguration checks calls service tools/hook, which does not answer: connection refused",
        root,
    ]


def test_a_webhook_whose_pod_is_broken() -> None:
    deployment = a_deployment("hook", "tools", available=0)
    replicas = a_replica_set(deployment)
    pod = a_pod(replicas, "cpu-0", waiting("hook", "CrashLoopBackOff", last="certificate expired"))
    pod["metadata"]["labels"] = {"app": "hook"}
    snapshot = a_snapshot(a_webhook(**SERVICE), a_service(), deployment, replicas, pod)
    assert diagnose_text(snapshot, CALL).causes[1:] == ["hook on cpu-0: CrashLoopBackOff", "certificate expired"]


def test_a_webhook_that_denies() -> None:
    said = 'admission webhook "check.example.com" denied the request: no owner label'
    assert diagnose_text(a_snapshot(), said).causes == ["webhook check.example.com denies it: no owner label"]


def a_namespace_going() -> Object:
    message = "Some resources are remaining: widgets.example.com has 1 resource instances"
    found = an_object("v1", "Namespace", "ml", spec={"finalizers": ["kubernetes"]})
    found["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    remaining = conditions(("NamespaceContentRemaining", "True", "SomeResourcesRemain", message))
    return {**found, "status": {"phase": "Terminating", "conditions": remaining}}


def test_a_namespace_that_is_being_deleted_and_what_holds_it() -> None:
    said = "configmaps is forbidden: unable to create new content in namespace ml because it is being terminated"
    assert diagnose_text(a_snapshot(a_namespace_going()), said).causes == [
        "namespace ml is being deleted",
        "Some resources are remaining: widgets.example.com has 1 resource instances",
    ]


def test_a_namespace_that_an_api_without_a_server_keeps() -> None:
    message = "Discovery failed for some groups, 1 failing: metrics.k8s.io/v1beta1: stale GroupVersion discovery"
    silent = conditions(("NamespaceDeletionDiscoveryFailure", "True", "DiscoveryFailed", message))
    place = {**a_namespace_going(), "status": {"phase": "Terminating", "conditions": silent}}
    absent = conditions(("Available", "False", "ServiceNotFound", 'service/metrics-server in "x" is not present'))
    services = [
        an_object("apiregistration.k8s.io/v1", "APIService", "v1beta1.metrics.k8s.io", status={"conditions": absent}),
        an_object(
            "apiregistration.k8s.io/v1",
            "APIService",
            "v1.apps",
            status={"conditions": conditions(("Available", "True"))},
        ),
    ]
    said = "configmaps is forbidden: unable to create new content in namespace ml because it is being terminated"
    found = diagnose_text(a_snapshot(place, services), said)
    assert found.causes == [
        "namespace ml is being deleted",
        'APIService v1beta1.metrics.k8s.io is not available, as service/metrics-server in "x" is not present: '
        "no namespace can go",
    ]
    assert found.hint == "bring its server back, or delete APIService v1beta1.metrics.k8s.io"


def test_words_that_say_all_are_not_said_twice() -> None:
    assert diagnose_text(a_snapshot(), "ConfigMap a/b: field is immutable").causes == ()


def test_a_text_that_names_an_object_leads_to_it() -> None:
    deployment = a_deployment("gpu-operator", available=0)
    replicas = a_replica_set(deployment)
    pod = a_pod(replicas, "cpu-0", waiting("op", "ImagePullBackOff", "manifest unknown"), image="op:9")
    snapshot = a_snapshot(deployment, replicas, pod)
    found = diagnose_text(snapshot, "Helm release x: Deployment gpu-operator/gpu-operator: 0 of 1 replicas available")
    assert found.causes == ["gpu-operator on cpu-0: ImagePullBackOff", "image op:9 does not exist"]


def test_a_text_that_names_a_definition_which_is_not_there() -> None:
    found = diagnose_text(a_snapshot(), "Helm release x: CustomResourceDefinition widgets.example.com: it is not there")
    assert found.causes == [
        "no chart or operator has brought CustomResourceDefinition widgets.example.com to the cluster yet"
    ]


DEPLOYMENT = ObjectRef("apps/v1", "Deployment", "web", "default")


def broken(*statuses: Object, image: str = "web:1") -> list[str]:
    """The chain for a Deployment whose one pod on gpu-0 is in this state."""
    deployment = a_deployment("web", "default", available=0)
    replicas = a_replica_set(deployment)
    snapshot = a_snapshot(deployment, replicas, a_pod(replicas, "gpu-0", *statuses, image=image))
    return list(diagnose_wants(snapshot, [ObjectWant(DEPLOYMENT, RolledOut())]).causes)


@pytest.mark.parametrize(
    ("status", "chain"),
    [
        (
            waiting("c", "ErrImagePull", "toomanyrequests: You have reached your pull rate limit"),
            ["web on gpu-0: ErrImagePull", "the registry limits how often image web:1 may be pulled"],
        ),
        (
            waiting("c", "ErrImagePull", "dial tcp: lookup registry.example: no such host"),
            ["web on gpu-0: ErrImagePull", "the registry of image web:1 cannot be reached from gpu-0"],
        ),
        (
            waiting("c", "InvalidImageName", "couldn't parse image reference"),
            ["web on gpu-0: InvalidImageName", "web:1 is no image name"],
        ),
        (
            waiting("c", "CreateContainerConfigError", 'secret "token" not found'),
            ["web on gpu-0: CreateContainerConfigError", 'secret "token" not found'],
        ),
        (
            waiting("c", "CrashLoopBackOff", code=137),
            ["web on gpu-0: CrashLoopBackOff", "container c ended with exit code 137 and said nothing"],
        ),
        (
            waiting("c", "ContainerCreating"),
            ["web on gpu-0: Pending", "container c has not started"],
        ),
    ],
)
def test_what_is_wrong_with_a_pod(status: Object, chain: list[str]) -> None:
    assert broken(status) == chain


def restarted(code: int = 1, *, ended: bool = False) -> Object:
    """A container at its third try, at work or just ended as before."""
    said = {"terminated": {"exitCode": code, "reason": "Error", "message": "no more room"}}
    state = said if ended else {"running": {}}
    return {"name": "c", "ready": False, "restartCount": 2, "state": state, "lastState": said}


def test_a_container_that_fails_again_and_again_is_told_between_two_failures_too() -> None:
    crashing = ["web on gpu-0: CrashLoopBackOff", "no more room"]
    assert broken(waiting("c", "CrashLoopBackOff", last="no more room")) == crashing
    assert broken(restarted()) == crashing
    assert broken(restarted(ended=True)) == crashing
    assert broken(restarted(143)) == ["web on gpu-0: NotReady", "container c runs and is not ready"]


def test_only_a_container_that_has_ended_or_waits_to_is_called_broken_by_itself() -> None:
    deployment = a_deployment("web", "default", available=0)
    replicas = a_replica_set(deployment)
    tries, waits = a_pod(replicas, "gpu-0", restarted()), a_pod(replicas, "gpu-1", restarted(ended=True))
    again = diagnose_object(a_snapshot(deployment, replicas, tries), DEPLOYMENT)
    assert again == Diagnosis(
        ["web on gpu-0: CrashLoopBackOff", "no more room"],
        "see kubectl logs -n default web-5d8-gpu-0 -c c --previous",
        Weight.FAILING,
    )
    both = diagnose_object(a_snapshot(deployment, replicas, tries, waits), DEPLOYMENT)
    assert both == Diagnosis(
        ["web on gpu-0 and gpu-1: CrashLoopBackOff", "no more room"],
        "see kubectl logs -n default web-5d8-gpu-1 -c c --previous",
        Weight.BROKEN,
    )


def test_a_container_that_used_too_much_memory() -> None:
    status = waiting("c", "CrashLoopBackOff", last="x")
    status["lastState"]["terminated"] = {"exitCode": 137, "reason": "OOMKilled"}
    assert broken(status)[1] == "container c used more memory than its limit"


def test_a_volume_that_cannot_be_mounted_is_read_from_the_event() -> None:
    deployment = a_deployment("web", "default", available=0)
    replicas = a_replica_set(deployment)
    pod = a_pod(replicas, "gpu-0", waiting("c", "ContainerCreating"))
    event = a_warning(pod, "FailedMount", 'MountVolume.SetUp failed for volume "x" : configmap "x" not found')
    assert diagnose_object(a_snapshot(deployment, replicas, pod, event), DEPLOYMENT).causes == [
        "web on gpu-0: FailedMount",
        'MountVolume.SetUp failed for volume "x" : configmap "x" not found',
    ]


def test_a_deployment_that_may_make_no_pods() -> None:
    deployment = a_deployment("web", "default", available=0)
    deployment["status"] = {"replicas": 0}
    replicas = a_replica_set(deployment)
    event = a_warning(replicas, "FailedCreate", 'pods "x" is forbidden: violates PodSecurity "restricted:latest": root')
    assert diagnose_object(a_snapshot(deployment, replicas, event), DEPLOYMENT).causes == [
        "web: its pods are refused",
        "pod security level restricted:latest of the namespace forbids its pods",
    ]


def test_an_object_whose_namespace_is_going() -> None:
    ref = ObjectRef("v1", "ConfigMap", "x", "ml")
    assert diagnose_object(a_snapshot(a_namespace_going()), ref).causes[0] == "namespace ml is being deleted"


def test_other_objects_speak_through_their_conditions() -> None:
    ready = conditions(("Ready", "False", "NoRoute", "no route to the gateway"), ("Synced", "True"))
    obj = an_object("example.com/v1", "Gateway", "g", "default", status={"conditions": ready})
    found = diagnose_object(a_snapshot(obj), ObjectRef("example.com/v1", "Gateway", "g", "default"))
    assert found.causes == ["Ready=False: no route to the gateway"]


def test_nothing_wrong_is_nothing_said() -> None:
    deployment = a_deployment("web", "default")
    replicas = a_replica_set(deployment)
    snapshot = a_snapshot(deployment, replicas, a_pod(replicas, "gpu-0", running("c")))
    assert diagnose_object(snapshot, DEPLOYMENT).causes == ()
