"""The simulated world of a rehearsal, where the file describes none."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiinfra.catalog import Catalog
from aiinfra.config import load_environment
from aiinfra.domains.vsphere.lab.block import LabVCenter
from aiinfra.domains.vsphere.lab.description import vcenter_description
from aiinfra.errors import ConfigError
from aiinfra.plan.planner import Plan
from aiinfra.session.rehearsal.assumed import assumed_lab
from tests.unit.site import a_world

ROOT = Path(__file__).parents[3]


def planned(example: str) -> Plan:
    return loaded(ROOT / "examples" / f"{example}.yaml")


def loaded(file: Path) -> Plan:
    path = str(file)
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


TEMPLATE = """\
version: v1
name: site
vcenter: {{host: vcenter.corp.example, user: "${{env:VC_USER}}", password: "${{env:VC_PASSWORD}}"}}
stacks:
  node:
    kind: vsphere_gpu_template
    source: {source}
    place: {{datacenter: {datacenter}, cluster: {cluster}, datastore: {datastore}, folder: {folder}}}
    gpu: {{mode: vgpu, profile: grid_a100-20c}}
"""
PLACES = {"datacenter": "dc1", "cluster": "gpu", "datastore": "ssd", "folder": "templates", "source": "images/rhcos"}


@pytest.mark.parametrize(
    ("places", "says", "hint"),
    [
        (
            {"cluster": "prod/gpu"},
            "the cluster prod/gpu lies in a folder, and the lab's vCenter has no folders of clusters",
            "rehearse with a plain cluster name",
        ),
        (
            {"datastore": "tier1/ssd"},
            "the datastore tier1/ssd lies in a folder, and the lab's vCenter has no folders of datastores",
            "rehearse with a plain datastore name",
        ),
        (
            {"source": "/dc2/vm/images/rhcos"},
            "the source /dc2/vm/images/rhcos is a whole inventory path, and the lab's vCenter knows paths below vm only",
            "write it as a path below the datacenter's folder vm, such as images/rhcos",
        ),
        (
            {"cluster": "100%25"},
            "a lab cannot have what the stacks ask for: '100%25-vgpu-1': String should match pattern '^[^/\\\\%]+$'",
            "describe lab.vcenter in the file, or rehearse with another value",
        ),
    ],
)
def test_places_that_a_lab_cannot_have_are_refused_before_anything_starts(
    tmp_path: Path, places: dict[str, str], says: str, hint: str
) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(TEMPLATE.format(**PLACES | places), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        assumed_lab(loaded(file))
    record = caught.value.record
    assert (record.code, record.message, record.hint) == ("lab.not_simulated", says, hint)


def test_a_cluster_name_of_80_characters_leaves_room_for_the_names_of_hosts(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(TEMPLATE.format(**PLACES | {"cluster": "c" * 80}), encoding="utf-8")
    lab, _ = assumed_lab(loaded(file))
    hosts = LabVCenter.model_validate(lab["vcenter"]).datacenters["dc1"].clusters["c" * 80].host_names()
    assert hosts == ["c" * 50 + "-vgpu-1-0", "c" * 50 + "-vgpu-1-1"]


def test_more_gpus_in_a_node_than_a_lab_has_are_refused_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    stacks = """\
version: v1
name: site
stacks:
  cluster: {kind: existing_cluster, kubeconfig: "${env:KUBECONFIG_TEXT}"}
  gpu-operator: {kind: gpu_operator, cluster: "${cluster}", nfd: bundled, mig: {strategy: single}}
  proof: {kind: gpu_proof, cluster: "${cluster}", operator: "${gpu-operator}", expect: {nodes: 2, gpus: 112}}
"""
    file.write_text(stacks, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        assumed_lab(loaded(file))
    assert caught.value.record.message == (
        "the stacks ask the cluster cluster for 56 GPUs in each node, a lab has at most 16"
    )
    assert caught.value.record.hint == ("count whole GPUs in expect.gpus: no GPU of a rehearsal is cut into MIG slices")
