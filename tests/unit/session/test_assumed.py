"""The simulated world of a rehearsal, where the file describes none."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiinfra.catalog import Catalog
from aiinfra.config import load_environment
from aiinfra.domains.vsphere.lab.block import LabVCenter
from aiinfra.domains.vsphere.lab.description import vcenter_description
from aiinfra.plan.planner import Plan
from aiinfra.session.rehearsal.assumed import assumed_lab
from tests.unit.site import a_world

ROOT = Path(__file__).parents[3]


def planned(example: str) -> Plan:
    path = str(ROOT / "examples" / f"{example}.yaml")
    return load_environment(path, world=a_world(ROOT), catalog=Catalog.installed(), target="lab").plan


def test_a_vcenter_has_what_the_stacks_name() -> None:
    lab, assumed = assumed_lab(planned("vsphere"))
    assert assumed == [
        "vCenter, cluster dc1/gpu-a: 2 hosts with 2 x A100-PCIe-80GB (vgpu)",
        "vCenter, cluster dc1/gpu-b: 2 hosts with 2 x A100-PCIe-80GB (vgpu)",
        "vCenter, cluster dc1/gpu-mig: 2 hosts with 2 x A100-PCIe-80GB (mig)",
        "vCenter, cluster dc1/gpu-b: 2 hosts with 2 x L40S labelled gpu-l40s (passthrough)",
    ]
    vcenter = LabVCenter.model_validate(lab["vcenter"])
    datacenter = vcenter.datacenters["dc1"]
    assert list(datacenter.datastores) == ["ssd-a", "ssd-b"]
    assert datacenter.folders == ("gpu-templates", "images")
    assert {name: vm.folder for name, vm in datacenter.vms.items()} == {"rhcos-4.22": "images"}
    assert datacenter.clusters["gpu-b"].host_names() == [
        "gpu-b-vgpu-1-0", "gpu-b-vgpu-1-1", "gpu-b-passthrough-2-0", "gpu-b-passthrough-2-1",
    ]  # fmt: skip
    assert vcenter_description(vcenter, user="u", password="p")["datacenters"]


@pytest.mark.parametrize("example", ["lab", "onprem"])
def test_what_the_file_describes_or_does_not_use_is_not_assumed(example: str) -> None:
    plan = planned(example)
    lab, assumed = assumed_lab(plan)
    assert lab.get("vcenter") == plan.environment.lab.get("vcenter")
    assert [told for told in assumed if told.startswith("vCenter")] == []


def test_a_cluster_that_the_file_does_not_describe_has_what_the_stacks_ask_for() -> None:
    lab, assumed = assumed_lab(planned("onprem"))
    described = dict(lab)["clusters"]
    assert isinstance(described, dict)
    assert [sentence for sentence in assumed if sentence.startswith("cluster")] == [
        f"cluster {name}: {cluster['nodes']['gpu']['count']} nodes with "
        f"{cluster['nodes']['gpu']['gpus']} x {cluster['nodes']['gpu']['gpu']} each, and 1 without a GPU"
        for name, cluster in described.items()
    ]
