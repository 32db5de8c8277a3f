"""Node Feature Discovery in a lab's cluster: labels come with it, where its workers run, and go with it."""

from __future__ import annotations

import pytest

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from tests.integration.lab_controllers.conftest import Site

pytestmark = pytest.mark.lab
CLASS_AND_VENDOR = "feature.node.kubernetes.io/pci-0302_10de.present"
NAMESPACE = "node-feature-discovery"
GPU_0 = ObjectRef("v1", "Node", "gpu-0")


def labels(site: Site, node: str) -> dict[str, str]:
    found = site.client.get(ObjectRef("v1", "Node", node))
    assert found is not None
    return dict(found["metadata"]["labels"])


def test_installed_by_itself_it_labels_by_class_and_vendor_and_publishes_features(site: Site) -> None:
    site.install("node-feature-discovery", namespace=NAMESPACE)
    site.until(
        lambda: CLASS_AND_VENDOR in labels(site, "gpu-1") and CLASS_AND_VENDOR in labels(site, "gpu-0"), "labels"
    )
    assert labels(site, "gpu-0")["feature.node.kubernetes.io/kernel-version.full"] == "6.8.0-85-generic"
    site.until(lambda: "feature.node.kubernetes.io/system-os_release.ID" in labels(site, "cpu-0"), "labels of cpu-0")
    assert CLASS_AND_VENDOR not in labels(site, "cpu-0")
    feature = ObjectRef("nfd.k8s-sigs.io/v1alpha1", "NodeFeature", "gpu-0", NAMESPACE)
    site.until(lambda: site.client.get(feature), "NodeFeature")


def test_a_node_that_the_worker_does_not_tolerate_is_not_labelled(site: Site) -> None:
    taint = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    site.client.patch(GPU_0, {"spec": {"taints": [taint]}})
    try:
        site.install("node-feature-discovery", namespace=NAMESPACE)
        site.until(lambda: CLASS_AND_VENDOR in labels(site, "gpu-1"), "labels of gpu-1")
        assert CLASS_AND_VENDOR not in labels(site, "gpu-0")
    finally:
        site.client.patch(GPU_0, {"spec": {"taints": None}})


def test_the_charts_hook_after_deletion_removes_every_feature_label(site: Site) -> None:
    site.install("node-feature-discovery", namespace=NAMESPACE)
    site.until(lambda: CLASS_AND_VENDOR in labels(site, "gpu-0"), "labels")
    (manifest,) = site.installed
    for obj in manifest.objects:
        site.client.delete(ObjectRef.of(obj))
    site.until(lambda: not site.client.list("v1", "Pod", NAMESPACE), "no pod left")
    assert CLASS_AND_VENDOR in labels(site, "gpu-0")
    for obj in manifest.after_delete:
        site.client.apply(obj, force=True)
    job = next(ObjectRef.of(obj) for obj in manifest.after_delete if obj["kind"] == "Job")
    site.until(lambda: (site.client.get(job) or {}).get("status", {}).get("succeeded"), "the hook's Job")
    for node in ("cpu-0", "gpu-0", "gpu-1"):
        assert not [key for key in labels(site, node) if key.startswith("feature.node")]
    for obj in manifest.after_delete:
        site.client.delete(ObjectRef.of(obj))
