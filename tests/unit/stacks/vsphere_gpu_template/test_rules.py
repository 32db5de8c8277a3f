"""What is said of a template's inputs before any vCenter is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiinfra.catalog import Catalog
from aiinfra.domains.vsphere.spec import VgpuDevices
from stacks import vsphere_gpu_template
from tests.unit.stacks.judged import problems

PLACE = {"datacenter": "dc1", "cluster": "gpu", "datastore": "ssd", "folder": "templates"}
VGPU = {"mode": "vgpu", "profile": "grid_a100-40c"}
TEMPLATE = {"kind": "vsphere_gpu_template", "source": "rhcos-4.22", "place": PLACE, "gpu": VGPU}
KINDS = Catalog.of(vsphere_gpu_template.STACK)


def said(folder: Path, **changes: Any) -> list[str]:
    entry = {key: value for key, value in {**TEMPLATE, **changes}.items() if value is not None}
    return problems(folder, {"t": entry}, catalog=KINDS)


def intent(**changes: Any) -> dict[str, Any]:
    gpu = {"mode": "vgpu", "model": "A100-PCIe-40GB", "memory": "20GiB", **changes}
    return {"gpu": {key: value for key, value in gpu.items() if value is not None}}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, []),
        (intent(), []),
        (intent(mode="mig", count=2), []),
        ({"gpu": {"mode": "passthrough", "model": "L40S", "label": "gpu-l40s"}}, []),
        ({"gpu": {"mode": "static_passthrough", "host": "esx-01", "pci_ids": ["0000:3b:00.0"]}}, []),
        ({"gpu": {"mode": "device_group", "group": "Nvidia:2@grid_a100-40c%NVLink"}}, []),
        ({"place": None, "failure_domains": {"a": PLACE, "b": {**PLACE, "cluster": "gpu-b"}}}, []),
        ({"source": {"ova": "rhcos.ova", "sha256": "0" * 64}, "mmio": 2048, "verify": "power_on"}, []),
        (
            {"place": None},
            ["stacks.t.place: is required (write datacenter, cluster and datastore, or failure_domains)"],
        ),
        (
            {"failure_domains": {"a": PLACE}},
            ["stacks.t.place: cannot stand beside failure_domains (give each failure domain its place)"],
        ),
        (
            {"place": {**PLACE, "datastore": ""}},
            ["stacks.t.place.datastore: is empty (name it as vCenter shows it)"],
        ),
        (
            {"gpu": {"mode": "vgpu"}},
            ["stacks.t.gpu: which vGPU is not said (write profile: NAME, or model: MODEL with memory: SIZE)"],
        ),
        (
            intent(profile="grid_a100-40c"),
            [
                "stacks.t.gpu: profile and model both say which vGPU it is "
                "(write profile: NAME, or model: MODEL with memory: SIZE)"
            ],
        ),
        (
            intent(memory=None),
            ["stacks.t.gpu.memory: is required beside model (say how much each device needs: memory: 20GiB)"],
        ),
        (intent(mode="mig", model="L40S"), ["stacks.t.gpu.mode: L40S has no MIG (set gpu.mode: vgpu)"]),
        (
            {"gpu": {"mode": "vgpu", "profile": "grid_a100-3-20c"}},
            ["stacks.t.gpu.mode: grid_a100-3-20c is MIG-backed (set gpu.mode: mig)"],
        ),
        (
            {"gpu": {"mode": "mig", "profile": "grid_a100-20c"}},
            ["stacks.t.gpu.mode: grid_a100-20c is time-sliced (set gpu.mode: vgpu)"],
        ),
        (
            {"gpu": {"mode": "static_passthrough", "host": "esx-01", "pci_ids": ["0000:3b:00.0"] * 2}},
            ["stacks.t.gpu.pci_ids: names a card twice (name each card once)"],
        ),
        (
            {"cpus": 6, "cores_per_socket": 4},
            ["stacks.t.cores_per_socket: 6 CPUs do not fill sockets of 4 cores (let it divide cpus)"],
        ),
        (
            {"extra_config": {"aiinfra.dev/stack": "mine"}},
            ['stacks.t.extra_config["aiinfra.dev/stack"]: is a key of aiinfra\'s own marks (choose another name)'],
        ),
        (
            {"memory": "40GB"},
            ["stacks.t.memory: '40GB' is not a size such as 512MiB, 40GiB or 2TiB"],
        ),
        (
            {"gpu": {"mode": "vgpu", "profile": "grid_t4-1a"}},
            [
                "stacks.t.gpu.profile: grid_t4-1a is of series A, for virtual applications: it has no CUDA (name one of"
                " series C or Q)"
            ],
        ),
        (
            {"gpu": {"mode": "vgpu", "profile": "grid_a40-2b"}},
            [
                "stacks.t.gpu.profile: grid_a40-2b is of series B, for virtual PCs: it has no CUDA (name one of series"
                " C or Q)"
            ],
        ),
        (
            {"extra_config": {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "64"}},
            [
                'stacks.t.extra_config["pciPassthru.64bitMMIOSizeGB"]: is what mmio sets (take it out: mmio computes'
                " the size, or takes a number)",
                'stacks.t.extra_config["pciPassthru.use64bitMMIO"]: is what mmio sets (take it out: mmio computes the'
                " size, or takes a number)",
            ],
        ),
        ({"extra_config": {"pciPassthru.64bitMMIOSizeGB": "64"}, "mmio": 0}, []),
        (
            {**intent(model="A100-PCIe-80GB", memory="80GiB", count=2), "mmio": 128},
            ["stacks.t.mmio: 128 GB are too few for 2 x 80 GB of GPU memory (set mmio: auto)"],
        ),
        (
            {
                "gpu": {"mode": "vgpu", "profile": "grid_a100d-80c", "count": 2},
                "extra_config": {"pcipassthru.64bitmmiosizegb": "64"},
                "mmio": 0,
            },
            [
                'stacks.t.extra_config["pcipassthru.64bitmmiosizegb"]: 64 GB are too few for 2 x 80 GB of GPU memory'
                " (set mmio: auto, and take it out)"
            ],
        ),
        ({"gpu": {"mode": "passthrough", "pci_device": "2203", "memory": "24GiB"}}, []),
        (
            {"gpu": {"mode": "passthrough"}},
            ["stacks.t.gpu.model: is empty (name the GPU model, such as A100-PCIe-40GB, or its pci_device)"],
        ),
        (
            {"gpu": {"mode": "passthrough", "pci_device": "2203", "model": "L4"}},
            ["stacks.t.gpu: model and pci_device both say which GPU it is (write one of them)"],
        ),
        (
            intent(model="RTX-3090-Ti"),
            [
                "stacks.t.gpu.model: no GPU model is named 'RTX-3090-Ti'; known are P4, P40, P100-PCIe-16GB, "
                "V100-SXM2-16GB, V100-SXM2-32GB, V100-PCIe-16GB, V100-PCIe-32GB, T4, Quadro-RTX-6000, A2, A16, A10, "
                "A10G, A30, A40, RTX-A5000, RTX-A6000, A100-SXM4-40GB, A100-PCIe-40GB, A100-SXM4-80GB, "
                "A100-PCIe-80GB, L4, L20, L40, L40S, GeForce-RTX-4090, RTX-6000-Ada, H100-SXM5-80GB, H100-PCIe-80GB, "
                "H100-NVL, H20, H800-PCIe, H800, H200, H200-NVL, GH200-480GB, GH200-144G-HBM3e, B200, GB200, "
                "RTX-PRO-6000-Blackwell-Server"
            ],
        ),
        (
            intent(model="A100-PCIE-41GB"),
            ["stacks.t.gpu.model: no GPU model is named 'A100-PCIE-41GB'; did you mean 'A100-PCIe-40GB'?"],
        ),
    ],
)
def test_inputs(tmp_path: Path, changes: dict[str, Any], says: list[str]) -> None:
    assert said(tmp_path, **changes) == says


def test_a_model_in_any_case_is_the_one_of_our_table() -> None:
    gpu = VgpuDevices.model_validate(intent(model="a100-pcie-40gb")["gpu"])
    assert (gpu.model, gpu.memory) == ("A100-PCIe-40GB", 20480)


def in_place(**changes: str) -> dict[str, Any]:
    return {"place": {**PLACE, **changes}}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (in_place(datacenter="/europe/dc1", cluster="/europe/dc1/host/prod/gpu", folder="/europe/dc1/vm"), []),
        (in_place(resource_pool="/dc1/host/gpu/Resources/team-a/training"), []),
        ({"source": "/dc2/vm/images/rhcos"}, []),
        (
            in_place(datacenter="dc1", cluster="/europe/dc1/host/gpu"),
            [
                "stacks.t.place.cluster: /europe/dc1/host/gpu is not below /dc1/host"
                " (write a path below /dc1/host, or the datacenter that it is in)"
            ],
        ),
        (
            in_place(datastore="/dc1/host/gpu"),
            [
                "stacks.t.place.datastore: /dc1/host/gpu is not below /dc1/datastore"
                " (write a path below /dc1/datastore, or the datacenter that it is in)"
            ],
        ),
        (
            in_place(resource_pool="/dc1/host/other/Resources/team-a"),
            [
                "stacks.t.place.resource_pool: /dc1/host/other/Resources/team-a is no resource pool of the cluster"
                " /dc1/host/gpu (write a path below /dc1/host/gpu/Resources)"
            ],
        ),
        (
            {"source": "/dc1/datastore/rhcos"},
            [
                "stacks.t.source: /dc1/datastore/rhcos is not below a datacenter's folder vm"
                " (write the path of a VM or template: /DATACENTER/vm/FOLDER/NAME)"
            ],
        ),
        (
            {"source": "/dc1/vm/templates"},
            [
                "stacks.t.source: /dc1/vm/templates would be both a folder of VMs and a VM"
                " (a vCenter has one of them: correct this path, or stacks.t.place.folder)"
            ],
        ),
        (
            {"place": None, "failure_domains": {"a": PLACE, "b": {**PLACE, "datastore": "fast/ssd"}}},
            [
                "stacks.t.failure_domains.b.datastore: datastore ssd of /dc1 would be both /dc1/datastore/ssd and"
                " /dc1/datastore/fast/ssd (a vCenter has one of them: correct this path, or"
                " stacks.t.failure_domains.a.datastore)"
            ],
        ),
    ],
)
def test_paths_lead_to_one_kind_of_object_in_one_datacenter(
    changes: dict[str, Any], says: list[str], tmp_path: Path
) -> None:
    assert said(tmp_path, **changes) == says


def test_a_path_that_two_stacks_name_in_one_vcenter_is_one_object(tmp_path: Path) -> None:
    here, there = ({"host": host, "user": "u", "password": "${env:PASSWORD}"} for host in ("vc-a", "vc-b"))
    stacks = {
        "s": {**TEMPLATE, **in_place(datacenter="europe/dc1", cluster="gpu"), "vcenter": here},
        "t": {**TEMPLATE, **in_place(datacenter="/europe/dc1", cluster="gpu/a"), "vcenter": here},
        "u": {**TEMPLATE, **in_place(datacenter="europe"), "vcenter": there},
    }
    assert problems(tmp_path, stacks, "real", catalog=KINDS) == [
        "stacks.t.place.cluster: /europe/dc1/host/gpu would be both a cluster and a folder of clusters"
        " (a vCenter has one of them: correct this path, or stacks.s.place.cluster)"
    ]
