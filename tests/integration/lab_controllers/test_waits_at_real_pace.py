"""Waits for a GPU Operator that takes its time: they end when its operands have followed, and not before."""

from __future__ import annotations

import time

import pytest

from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.objects.awaiting import changed, generations
from aiinfra.domains.kubernetes.objects.wants import ClusterPolicyReady, ObjectWant
from aiinfra.domains.kubernetes.provider.diagnosed_wait import await_wants
from aiinfra.errors import StepError
from aiinfra.waiting import Waiter
from tests.integration.lab_controllers.conftest import NAMESPACE, POLICY, Site

pytestmark = pytest.mark.lab
WANT = ObjectWant(POLICY, ClusterPolicyReady())
PATIENCE = 10.0
REFUSAL = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: "
    'no runtime for "nvidia" is configured'
)


def waited(site: Site, before: dict[str, str], patience: float = PATIENCE) -> tuple[list[str], list[str]]:
    """What was found of the policy, and what was told meanwhile."""
    told: list[str] = []
    waiter = Waiter(90, on_wait=lambda what, seconds: told.append(what))
    now = generations(site.client, [WANT])
    return await_wants(site.client, [WANT], waiter, patience, changed=changed(before, now)), told


def edit(site: Site, spec: Object) -> None:
    site.client.patch(POLICY, {"spec": spec})


def env(site: Site, daemonset: str) -> dict[str, str]:
    found = site.client.get(ObjectRef("apps/v1", "DaemonSet", daemonset, NAMESPACE))
    assert found is not None
    return {each["name"]: each["value"] for each in found["spec"]["template"]["spec"]["containers"][0].get("env") or ()}


def test_a_driver_that_takes_longer_than_the_patience_ends_well(site: Site) -> None:
    site.lab.set_fault("real-pace")
    site.install()
    started = time.monotonic()
    facts, told = waited(site, {})
    assert time.monotonic() - started > 1.5 * PATIENCE
    assert facts == ["ClusterPolicy cluster-policy is ready"]
    assert site.events("FailedCreatePodSandBox") == {REFUSAL}
    assert site.allocatable() == 16
    assert any(
        "← nvidia-driver-daemonset on gpu-0 and gpu-1: NotReady ← container nvidia-driver-ctr runs and is not ready"
        in text
        for text in told
    )
    assert told[-1] == "a second look, as what is ready now may flicker"
    site.lab.lift_fault("real-pace")
    followed_by_each_change(site)


def followed_by_each_change(site: Site) -> None:
    """The status says for half a second after each change what held before."""
    before = generations(site.client, [WANT])
    edit(site, {"driver": {"version": "580.105.08"}})
    assert waited(site, before)[0] == ["ClusterPolicy cluster-policy is ready"]
    drivers = site.pods("nvidia-driver-daemonset")
    assert [pod["spec"]["containers"][0]["image"] for pod in drivers] == [
        "nvcr.io/nvidia/driver:580.105.08-ubuntu24.04"
    ] * 2
    before = generations(site.client, [WANT])
    edit(site, {"mig": {"strategy": "mixed"}})
    waited(site, before)
    assert env(site, "nvidia-device-plugin-daemonset") == {"MIG_STRATEGY": "mixed"}
    before = generations(site.client, [WANT])
    edit(site, {"driver": {"upgradePolicy": {"maxParallelUpgrades": 2}}})
    started = time.monotonic()
    _, told = waited(site, before)
    assert time.monotonic() - started >= 0.2 * PATIENCE
    assert told == ["an answer to the change: what is ready now may be of before, until it was so for 2 s"]


def test_a_driver_that_cannot_be_built_ends_the_wait_early_with_its_root(site: Site) -> None:
    site.lab.set_fault("real-pace")
    site.lab.set_fault("driver-kernel-mismatch")
    site.install()
    started = time.monotonic()
    with pytest.raises(StepError) as caught:
        waited(site, {}, patience=3)
    assert time.monotonic() - started < 20
    assert caught.value.causes[0] == "nvidia-driver-daemonset on gpu-0 and gpu-1: CrashLoopBackOff"
    assert site.events("FailedCreatePodSandBox") == {REFUSAL}
