"""Drivers that cannot work, as the file says and describes it, and as nodes show it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.kubernetes.world import ClusterFacts
from aiinfra.stack import Ref, StackName
from stacks.gpu_operator.checks import Checks
from stacks.gpu_operator.spec import GpuOperatorInputs
from tests.unit.stacks.judged import CLUSTER, problems

B200 = {"gpu": "B200", "gpus": 8}
A100 = {"gpu": "A100-SXM4-40GB", "gpus": 8}


def judged(folder: Path, nodes: dict[str, Any], **changes: Any) -> list[str]:
    operator = {"kind": "gpu_operator", "cluster": "${cluster}", "nfd": "bundled", **changes}
    return problems(folder, {**CLUSTER, "gpu": operator}, lab={"clusters": {"cluster": {"nodes": nodes}}})


@pytest.mark.parametrize(
    ("nodes", "changes", "says"),
    [
        ({"gpu": B200}, {}, []),
        ({"gpu": A100}, {"driver": {"kernel_module_type": "proprietary"}}, []),
        (
            {"gpu": B200},
            {"driver": {"kernel_module_type": "proprietary"}},
            [
                "stacks.gpu.driver: on the nodes gpu of the lab: B200 works with the open kernel modules only, not "
                "with the proprietary ones (set driver.kernel_module_type: open)"
            ],
        ),
        (
            {"gh": {"gpu": "GH200-480GB", "gpus": 1}},
            {"values": {"driver": {"kernelModuleType": "proprietary"}}},
            [
                "stacks.gpu.driver: on the nodes gh of the lab: GH200-480GB works with the open kernel modules only, "
                "not with the proprietary ones (set driver.kernel_module_type: open)"
            ],
        ),
        (
            {"gpu": A100},
            {"driver": {"version": "535.183.06"}},
            [
                "stacks.gpu.driver.version: driver 535.183.06 knows no kernel_module_type auto, which came with "
                "570.86.15 (set driver.kernel_module_type to open or proprietary)"
            ],
        ),
        ({"gpu": A100}, {"driver": {"version": "535.183.06", "kernel_module_type": "proprietary"}}, []),
        (
            {"gpu": B200},
            {"driver": {"version": "550.144.03", "kernel_module_type": "open"}},
            [
                "stacks.gpu.driver: on the nodes gpu of the lab: driver 550.144.03 does not drive B200, which needs "
                "570.133.20 (set driver.version to 570.133.20 or later)"
            ],
        ),
        (
            {"old": {"gpu": "V100-SXM2-32GB", "gpus": 4}},
            {},
            [
                "stacks.gpu.driver: on the nodes old of the lab: driver 595.91.07 no longer drives V100-SXM2-32GB: "
                "branch 580 is the last that does (set driver.version to one of branch 580)"
            ],
        ),
        ({"old": {"gpu": "V100-SXM2-32GB", "gpus": 4}}, {"driver": {"version": "580.105.08"}}, []),
        (
            {"gpu": A100},
            {"driver": {"precompiled": True}},
            ['stacks.gpu.driver.version: precompiled drivers are chosen by branch, not by 595.91.07 (write "595")'],
        ),
        (
            {"gpu": {**A100, "kernel": "6.14.0-33-generic"}},
            {"driver": {"precompiled": True, "version": "580"}},
            [
                "stacks.gpu.driver: on the nodes gpu of the lab: NVIDIA builds no precompiled driver 580 for "
                "ubuntu24.04, kernel 6.14.0-33-generic (set driver.precompiled: false, or driver.repository to images "
                "of your own)"
            ],
        ),
        ({"gpu": A100}, {"driver": {"precompiled": True, "version": "550", "kernel_module_type": "open"}}, []),
        (
            {"gpu": {**A100, "os": "debian12"}},
            {},
            [
                "stacks.gpu.driver: on the nodes gpu of the lab: NVIDIA publishes no driver image for debian12 (use "
                "one of ubuntu22.04, ubuntu24.04, ubuntu26.04, rhel8, rhel9, rhel10, rocky8, rocky9, rocky10, "
                "rhcos4.18, rhcos4.19, rhcos4.20, rhcos4.21, rhcos4.22; or set driver.repository to images of your own)"
            ],
        ),
        ({"gpu": {**A100, "os": "debian12"}}, {"driver": {"repository": "registry.corp.example/nvidia"}}, []),
        (
            {"a": A100, "b": {**A100, "os": "ubuntu22.04"}},
            {},
            [
                "stacks.gpu.driver: the operator takes one driver image for all nodes, and those with GPUs are of "
                "ubuntu22.04 and ubuntu24.04 (give all nodes with GPUs one system, or set "
                "values.driver.nvidiaDriverCRD.enabled: true)"
            ],
        ),
        ({"a": A100, "b": {"os": "ubuntu22.04"}}, {}, []),
        ({"a": {**A100, "os": "rhel9.4"}, "b": {**A100, "os": "rhel9.6"}}, {}, []),
        (
            {"a": A100, "b": {**A100, "os": "ubuntu22.04"}},
            {"values": {"driver": {"nvidiaDriverCRD": {"enabled": True}}}},
            [],
        ),
        ({"gpu": {**A100, "host_driver": "580.105.08"}}, {"driver": {"enabled": False}}, []),
        (
            {"gpu": A100},
            {"driver": {"enabled": False}, "toolkit": {"enabled": False}},
            [
                "stacks.gpu.driver.enabled: is false, and the nodes gpu of the lab bring no driver of their own (set "
                "driver.enabled: true, or lab.clusters.cluster.nodes.gpu.host_driver to the version that their image "
                "has)",
                "stacks.gpu.toolkit.enabled: is false, and the nodes gpu of the lab bring no container toolkit of "
                "their own (set toolkit.enabled: true, or lab.clusters.cluster.nodes.gpu.host_driver to the version "
                "that their image has)",
            ],
        ),
        (
            {"vm": {**A100, "gpus": 1, "vgpu": "A100X-20C"}},
            {},
            [
                "stacks.gpu.driver: on the nodes vm of the lab: its GPUs are vGPUs, which want NVIDIA's guest driver: "
                "there is no public image of it (set driver.repository, driver.image and driver.version to your guest "
                "driver)"
            ],
        ),
    ],
)
def test_what_cannot_work_on_described_nodes_is_refused(
    tmp_path: Path, nodes: dict[str, Any], changes: dict[str, Any], says: list[str]
) -> None:
    assert judged(tmp_path, nodes, **changes) == says


def a_node(name: str = "gpu-0", product: str = "", image: str = "Ubuntu 24.04.3 LTS", **labels: str) -> dict[str, Any]:
    found = {"nvidia.com/gpu.present": "true", "nvidia.com/gpu.product": product} if product else {}
    info = {"osImage": image, "kernelVersion": "6.8.0-85-generic"}
    return {"metadata": {"name": name, "labels": {**found, **labels}}, "status": {"nodeInfo": info}}


def seen(*nodes: dict[str, Any], version: str = "v1.36.3", **changes: Any) -> list[str]:
    cluster: Any = Ref(StackName("cluster"), ())
    inputs = GpuOperatorInputs.model_construct(cluster=cluster, nfd="bundled", **changes)
    found = Checks().preflight(inputs, {"kubernetes": {"cluster": ClusterFacts(version, nodes)}})
    return [f"{one.level} {one.about}: {one.read}" for one in found]


def driver(**fields: Any) -> Any:
    return GpuOperatorInputs.model_fields["driver"].annotation(**fields)  # type: ignore[misc]


def test_nodes_that_show_nothing_against_the_driver() -> None:
    assert seen(a_node(product="NVIDIA-A100-SXM4-40GB-SHARED"), a_node("gpu-1", "NVIDIA-B200-MIG-1g.23gb")) == [
        "ok gpu-0, gpu-1 of cluster: nothing is known against driver 595.91.07"
    ]


def test_gpus_that_the_driver_does_not_drive_stop_a_run() -> None:
    nodes = [a_node(f"gpu-{number}", "NVIDIA-B200") for number in range(5)]
    assert seen(*nodes, driver=driver(kernel_module_type="proprietary")) == [
        "error gpu-0, gpu-1, gpu-2 and 2 more of cluster: B200 works with the open kernel modules only, not with the"
        " proprietary ones"
    ]


def test_a_system_without_driver_images_is_a_warning_until_gpus_are_seen() -> None:
    image = "Debian GNU/Linux 12 (bookworm)"
    assert seen(a_node(image=image)) == [
        "warning gpu-0 of cluster: NVIDIA publishes no driver image for debian12; whether they have GPUs is not known"
        " yet"
    ]
    assert seen(a_node(product="NVIDIA-L4", image=image)) == [
        "error gpu-0 of cluster: NVIDIA publishes no driver image for debian12"
    ]


def test_two_systems_below_one_policy_stop_a_run() -> None:
    other = a_node("gpu-1", "NVIDIA-L4", "Red Hat Enterprise Linux 9.6 (Plow)")
    assert seen(a_node(product="NVIDIA-L4"), other) == [
        "error nodes of cluster: the operator takes one driver image for all nodes, and those with GPUs are of rhel9"
        " and ubuntu24.04"
    ]


def test_what_nobody_knows_is_a_warning() -> None:
    assert seen(a_node(product="NVIDIA-L4"), driver=driver(version="999.99.99")) == [
        "warning driver 999.99.99: no driver branch 999 was known in August 2026",
        "ok gpu-0 of cluster: nothing is known against driver 999.99.99",
    ]
    assert seen(a_node(product="NVIDIA-L4", image="Ubuntu 20.04.6 LTS")) == [
        "warning gpu-0 of cluster: no driver image of NVIDIA is known for ubuntu20.04"
    ]


def test_a_kubernetes_that_the_release_was_not_validated_with_is_a_warning() -> None:
    assert seen(version="v1.30.4") == ["warning cluster of cluster: v1.30.4"]


def test_nodes_that_get_no_driver_are_not_judged() -> None:
    kept_off = a_node(product="NVIDIA-B200", **{"nvidia.com/gpu.deploy.driver": "pre-installed"})
    assert seen(kept_off, driver=driver(kernel_module_type="proprietary")) == []
    assert seen(a_node(product="NVIDIA-B200"), driver=driver(enabled=False)) == []
