from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.stacks.judged import CLUSTER, problems

NFD = {"nfd": {"kind": "nfd", "cluster": "${cluster}"}}
OPERATOR = {"kind": "gpu_operator", "cluster": "${cluster}", "nfd": "${nfd}"}


def said(folder: Path, **changes: Any) -> list[str]:
    return problems(folder, {**CLUSTER, **NFD, "gpu": {**OPERATOR, **changes}})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, []),
        ({"driver": {"enabled": False}, "toolkit": {"enabled": False}}, []),
        ({"driver": {"version": "580.105.08", "kernel_module_type": "open"}}, []),
        ({"driver": {"version": "580", "precompiled": True}}, []),
        ({"sharing": {"time_slicing": {"replicas": 2, "rename": True}}}, []),
        ({"values": {"gdrcopy": {"enabled": True}}}, []),
        ({"version": "26.7.0"}, ["stacks.gpu.version: 26.7.0 lacks its leading v (write v26.7.0)"]),
        (
            {"driver": {"version": "580.105.08-ubuntu24.04"}},
            [
                "stacks.gpu.driver.version: 580.105.08-ubuntu24.04 carries an OS, which the operator appends itself "
                "(write 580.105.08)"
            ],
        ),
        (
            {"driver": {"version": "580.105.08", "precompiled": True}},
            ['stacks.gpu.driver.version: precompiled drivers are chosen by branch, not by 580.105.08 (write "580")'],
        ),
        (
            {"driver": {"enabled": False, "version": "580.105.08"}},
            ["stacks.gpu.driver.enabled: the driver is disabled and configured at once (drop the other fields)"],
        ),
        (
            {"mig": {"strategy": "mixed"}, "sharing": {"time_slicing": {"replicas": 4}}},
            [
                "stacks.gpu.sharing.time_slicing: time-slicing of nvidia.com/gpu does nothing under mig.strategy "
                "mixed, which offers nvidia.com/mig-… (set mig.strategy: single)"
            ],
        ),
        (
            {"values": {"nfd": {"enabled": True}}},
            ["stacks.gpu.values.nfd.enabled: who labels the nodes is said by nfd (drop it from values)"],
        ),
        (
            {"values": {"drivr": {"enabled": True}}},
            ["stacks.gpu.values.drivr: chart gpu-operator v26.7.0: no value drivr is known (did you mean driver?)"],
        ),
        (
            {"values": {"driver": {"startupProbes": {}}}},
            [
                "stacks.gpu.values.driver.startupProbes: chart gpu-operator v26.7.0: no value driver.startupProbes "
                "is known (did you mean startupProbe?)"
            ],
        ),
        (
            {"values": {"toolkit": {"enabled": "yes"}}},
            [
                "stacks.gpu.values.toolkit.enabled: chart gpu-operator v26.7.0: toolkit.enabled is a text, "
                "where true or false is wanted"
            ],
        ),
        (
            {"version": "v26.3.3", "values": {"onlyInOtherVersions": 1}},
            [
                "stacks.gpu.version: a lab stands in for chart gpu-operator v26.7.0, not for v26.3.3 "
                "(rehearse with --set stacks.gpu.version=v26.7.0)"
            ],
        ),
        ({"driver": {"version": "580.105.08"}, "values": {"driver": {"version": "580.105.08"}}}, []),
        ({"values": {"mig": {"strategy": "mixed"}}}, []),
        (
            {"values": {"mig": {"strategy": "mixed"}}, "sharing": {"time_slicing": {"replicas": 2}}},
            [
                "stacks.gpu.sharing.time_slicing: time-slicing of nvidia.com/gpu does nothing under mig.strategy "
                "mixed, which offers nvidia.com/mig-… (set mig.strategy: single)"
            ],
        ),
        (
            {"driver": {"kernel_module_type": "proprietary"}, "values": {"gds": {"enabled": True}}},
            [
                "stacks.gpu.values.gds.enabled: GPUDirect Storage needs the open kernel modules "
                "(set driver.kernel_module_type: open)"
            ],
        ),
    ],
)
def test_rules(tmp_path: Path, changes: dict[str, Any], says: list[str]) -> None:
    assert said(tmp_path, **changes) == says


def test_a_gpu_is_shared_by_two_or_more(tmp_path: Path) -> None:
    (problem,) = said(tmp_path, sharing={"time_slicing": {"replicas": 1}})

    assert problem.startswith("stacks.gpu.sharing.time_slicing.replicas: ")
    assert "2" in problem


def test_somebody_must_label_the_nodes(tmp_path: Path) -> None:
    without = {key: value for key, value in OPERATOR.items() if key != "nfd"}
    (problem,) = problems(tmp_path, {**CLUSTER, **NFD, "gpu": without})

    assert problem.startswith("stacks.gpu.nfd: ")


def test_only_one_may_label_the_nodes_of_a_cluster(tmp_path: Path) -> None:
    assert said(tmp_path, nfd="bundled") == [
        "stacks.gpu.nfd: bundled NFD and the stack nfd would both label the nodes of ${cluster} "
        "(write nfd: ${nfd}, or drop the stack nfd)"
    ]


def test_two_clusters_may_each_have_their_own(tmp_path: Path) -> None:
    stacks = {
        **CLUSTER,
        **NFD,
        "west": {"kind": "existing_cluster"},
        "gpu": {**OPERATOR, "cluster": "${west}", "nfd": "bundled"},
    }

    assert problems(tmp_path, stacks) == []
