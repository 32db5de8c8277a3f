"""The simulated world of a rehearsal, where the file describes none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiinfra.catalog import Catalog
from aiinfra.config import load_environment
from aiinfra.domains.kubernetes.lab.block import LabCluster
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
    assert datacenter.folders == ("gpu-templates",)
    assert list(datacenter.vms) == ["images/rhcos-4.22"]
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
    assert assumed == [
        "cluster cluster: 4 nodes with 4 x A100-SXM4-40GB each, tainted dedicated=gpu:NoSchedule, and 1 without a GPU"
    ]
    described = LabCluster.model_validate(dict(lab)["clusters"]["cluster"])  # type: ignore[call-overload,index]
    assert (described.nodes["gpu"].count, described.nodes["gpu"].gpus) == (4, 4)


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
            {"source": "/dc2/vm/images/rhcos"},
            "the source /dc2/vm/images/rhcos lies outside datacenter dc1, and a rehearsal assumes it inside",
            "describe lab.vcenter in the file, or write a path below /dc1",
        ),
        (
            {"cluster": "100%"},
            "a lab cannot have what the stacks ask for: '100%-vgpu-1': '100%-vgpu-1' is no name in a vCenter: slash,"
            " backslash and percent sign are written %2f, %5c and %25",
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


def test_a_vcenter_has_the_folders_and_pools_that_the_stacks_name(tmp_path: Path) -> None:
    stack = TEMPLATE.partition("stacks:\n")[2]
    places = {
        "datacenter": "/europe/dc1", "cluster": "prod/gpu", "datastore": "fast/ssd, resource_pool: team-a/training",
        "folder": "team/templates", "source": "/europe/dc1/vm/images/golden/rhcos",
    }  # fmt: skip
    other = {
        "datacenter": "europe/dc1", "cluster": "/europe/dc1/host/test/gpu", "datastore": "hdd", "folder": "/europe/dc1/vm",
        "source": "images/rhcos",
    }  # fmt: skip
    file = tmp_path / "site.yaml"
    file.write_text(TEMPLATE.format(**places) + stack.format(**other).replace("node:", "other:"), encoding="utf-8")
    lab, assumed = assumed_lab(loaded(file))
    assert assumed == [
        "vCenter, cluster europe/dc1/prod/gpu: 2 hosts with 2 x A100-PCIe-40GB (vgpu), and resource pool team-a/training",
        "vCenter, cluster europe/dc1/test/gpu: 2 hosts with 2 x A100-PCIe-40GB (vgpu)",
    ]
    (named,) = vcenter_description(LabVCenter.model_validate(lab["vcenter"]), user="u", password="p")["datacenters"]
    assert (named["name"], named["folders"]) == ("europe/dc1", ["team/templates"])
    assert [store["name"] for store in named["datastores"]] == ["fast/ssd", "hdd"]
    assert [(vm["folder"], vm["name"]) for vm in named["vms"]] == [("images/golden", "rhcos"), ("images", "rhcos")]
    assert [(one["name"], one["pools"], one["hosts"][0]["name"]) for one in named["clusters"]] == [
        ("prod/gpu", ["team-a/training"], "prod-gpu-vgpu-1-0"),
        ("test/gpu", [], "test-gpu-vgpu-1-0"),
    ]


def test_a_cluster_name_of_80_characters_leaves_room_for_the_names_of_hosts(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(TEMPLATE.format(**PLACES | {"cluster": "c" * 80}), encoding="utf-8")
    lab, _ = assumed_lab(loaded(file))
    hosts = LabVCenter.model_validate(lab["vcenter"]).datacenters["dc1"].clusters["c" * 80].host_names()
    assert hosts == ["c" * 50 + "-vgpu-1-0", "c" * 50 + "-vgpu-1-1"]


OPERATED = """\
version: v1
name: site
stacks:
  cluster: {{kind: existing_cluster, kubeconfig: "${{env:KUBECONFIG_TEXT}}"}}
  gpu-operator: {{kind: gpu_operator, cluster: "${{cluster}}", nfd: bundled, {operator}}}
  proof: {{kind: gpu_proof, cluster: "${{cluster}}", operator: "${{gpu-operator}}", expect: {{{expect}}}}}
"""


def of_clusters(folder: Path, operator: str, expect: str = "nodes: 2, gpus: 16") -> tuple[Any, list[str]]:
    file = folder / "site.yaml"
    file.write_text(OPERATED.format(operator=operator, expect=expect), encoding="utf-8")
    lab, assumed = assumed_lab(loaded(file))
    return dict(lab)["clusters"]["cluster"]["nodes"]["gpu"], assumed  # type: ignore[call-overload,index]


def test_more_gpus_in_a_node_than_a_lab_has_are_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        of_clusters(tmp_path, "mig: {strategy: none}", "nodes: 2, gpus: 112")
    assert caught.value.record.message == (
        "the stacks ask the cluster cluster for 56 GPUs in each node, a lab has at most 16"
    )
    assert caught.value.record.hint == "count whole GPUs in expect.gpus, or name MIG slices by expect.resource"


@pytest.mark.parametrize(
    ("operator", "expect", "gpus", "says"),
    [
        (
            "mig: {strategy: single}", "nodes: 2, gpus: 112", 8,
            "2 nodes with 8 x A100-SXM4-40GB each, cut by the label nvidia.com/mig.config=all-1g.5gb",
        ),
        (
            "mig: {strategy: mixed}", "nodes: 1, gpus: 16, resource: nvidia.com/mig-3g.40gb", 8,
            "1 nodes with 8 x A100-SXM4-80GB each, cut by the label nvidia.com/mig.config=all-3g.40gb",
        ),
        (
            "driver: {enabled: false}", "nodes: 2, gpus: 16", 8,
            "2 nodes with 8 x A100-SXM4-40GB each, whose image brings driver 595.91.07 and the container toolkit",
        ),
    ],
)  # fmt: skip
def test_nodes_have_what_the_operator_is_told_of_them(
    tmp_path: Path, operator: str, expect: str, gpus: int, says: str
) -> None:
    group, assumed = of_clusters(tmp_path, operator, expect)
    assert (group["gpus"], assumed) == (gpus, [f"cluster cluster: {says}, and 1 without a GPU"])


def test_slices_that_no_gpu_has_are_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        of_clusters(tmp_path, "mig: {strategy: mixed}", "nodes: 1, gpus: 2, resource: nvidia.com/mig-9g.99gb")
    assert caught.value.record.message == (
        "the stacks ask the cluster cluster for MIG slices 9g.99gb, and a lab knows no GPU that has them"
    )


def test_two_kinds_of_slices_are_refused_before_anything_starts(tmp_path: Path) -> None:
    more = "  more: {{kind: gpu_proof, cluster: '${{cluster}}', operator: '${{gpu-operator}}', expect: {{{second}}}}}\n"
    expect, second = (f"nodes: 1, gpus: 8, resource: nvidia.com/mig-{each}" for each in ("1g.5gb", "3g.20gb"))
    file = tmp_path / "site.yaml"
    text = (OPERATED + more).format(operator="mig: {strategy: mixed}", expect=expect, second=second)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        assumed_lab(loaded(file))
    assert caught.value.record.message == (
        "the stacks ask the cluster cluster for MIG slices 1g.5gb and 3g.20gb, and a rehearsal has one kind"
    )


@pytest.mark.parametrize(
    ("slices", "units", "says"),
    [
        ("1g.10gb", 14, "1 nodes with 2 x A100-SXM4-80GB each, cut by the label nvidia.com/mig.config=all-1g.10gb"),
        ("1g.5gb.me", 2, "1 nodes with 2 x A100-SXM4-40GB each, cut by the label nvidia.com/mig.config=all-1g.5gb.me"),
        ("1g.12gb", 9, "1 nodes with 2 x H100-NVL each, cut by the label nvidia.com/mig.config=all-1g.12gb"),
    ],
)
def test_nodes_have_gpus_that_can_be_cut_as_the_proof_asks(tmp_path: Path, slices: str, units: int, says: str) -> None:
    expect = f"nodes: 1, gpus: {units}, resource: nvidia.com/mig-{slices}"
    _, assumed = of_clusters(tmp_path, "mig: {strategy: mixed}", expect)
    assert assumed == [f"cluster cluster: {says}, and 1 without a GPU"]


@pytest.mark.parametrize(
    ("places", "gpu", "says"),
    [
        (
            {"cluster": "/dc1/host/gpu", "datastore": "/dc1/datastore/ssd", "folder": "/dc1/vm/gpu/templates"},
            "{mode: vgpu, profile: grid_a100-20c}",
            "vCenter, cluster dc1/gpu: 2 hosts with 2 x A100-PCIe-40GB (vgpu)",
        ),
        (
            {},
            '{mode: static_passthrough, host: esx01.corp.example, pci_ids: ["0000:3b:00.0", "0000:86:00.0"]}',
            "vCenter, cluster dc1/gpu: host esx01.corp.example with A100-PCIe-40GB at 0000:3b:00.0, 0000:86:00.0"
            " (passthrough)",
        ),
        (
            {},
            '{mode: device_group, group: "Nvidia:8@grid_h100xm-80c%NVSwitch"}',
            "vCenter, cluster dc1/gpu: 2 hosts with 8 x H100-SXM5-80GB (vgpu), given as the device group"
            " Nvidia:8@grid_h100xm-80c%NVSwitch",
        ),
        (
            {},
            '{mode: passthrough, pci_device: "2203", memory: 24GiB, count: 4}',
            "vCenter, cluster dc1/gpu: 2 hosts with 4 x 10de:2203 (passthrough)",
        ),
    ],
)
def test_a_vcenter_has_the_hosts_cards_and_groups_that_are_named(
    tmp_path: Path, places: dict[str, str], gpu: str, says: str
) -> None:
    file = tmp_path / "site.yaml"
    text = TEMPLATE.format(**PLACES | places).replace("{mode: vgpu, profile: grid_a100-20c}", gpu)
    file.write_text(text, encoding="utf-8")
    lab, assumed = assumed_lab(loaded(file))
    assert assumed == [says]
    assert vcenter_description(LabVCenter.model_validate(lab["vcenter"]), user="u", password="p")["datacenters"]
