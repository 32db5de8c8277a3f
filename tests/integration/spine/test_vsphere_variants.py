"""Every variant of a GPU template through `up`: what stands in the vCenter is asked of it."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.spine.site import Site, Told
from tests.integration.spine.vsphere_site import PLACE, inventory, settings, template

pytestmark = [pytest.mark.engine, pytest.mark.lab]
GROUP = "Nvidia:2@grid_a100-40c%NVLink"
A100 = {"model": "A100-PCIe-40GB", "count": 4}
CLUSTERS = {
    "gpu": {
        "hosts": {
            "a100": {"cards": [A100], "groups": [{"name": GROUP, "profiles": ["grid_a100-40c"] * 2}]},
            "l40s": {"cards": [{"model": "L40S", "count": 2, "mode": "passthrough"}]},
        }
    },
    "other": {"hosts": {"b": {"cards": [A100]}}},
}
OVF = """<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:r="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
  xmlns:v="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
<References><File ovf:href="disk.vmdk" ovf:id="file" ovf:size="4096"/></References>
<DiskSection><Info>disks</Info><Disk ovf:capacity="16" ovf:capacityAllocationUnits="byte * 2^30" ovf:diskId="disk"
  ovf:fileRef="file" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/></DiskSection>
<VirtualSystem ovf:id="image"><Info>vm</Info><Name>image</Name><VirtualHardwareSection><Info>hardware</Info>
<System><v:ElementName>x</v:ElementName><v:InstanceID>0</v:InstanceID>
<v:VirtualSystemIdentifier>image</v:VirtualSystemIdentifier><v:VirtualSystemType>vmx-15</v:VirtualSystemType></System>
<Item><r:ElementName>cpu</r:ElementName><r:InstanceID>1</r:InstanceID><r:ResourceType>3</r:ResourceType>
<r:VirtualQuantity>2</r:VirtualQuantity></Item>
<Item><r:AllocationUnits>byte * 2^20</r:AllocationUnits><r:ElementName>memory</r:ElementName>
<r:InstanceID>2</r:InstanceID><r:ResourceType>4</r:ResourceType><r:VirtualQuantity>4096</r:VirtualQuantity></Item>
<Item><r:Address>0</r:Address><r:ElementName>scsi</r:ElementName><r:InstanceID>3</r:InstanceID>
<r:ResourceSubType>VirtualSCSI</r:ResourceSubType><r:ResourceType>6</r:ResourceType></Item>
<Item><r:AddressOnParent>0</r:AddressOnParent><r:ElementName>disk</r:ElementName>
<r:HostResource>ovf:/disk/disk</r:HostResource><r:InstanceID>4</r:InstanceID><r:Parent>3</r:Parent>
<r:ResourceType>17</r:ResourceType></Item>
</VirtualHardwareSection></VirtualSystem></Envelope>"""


@pytest.fixture
def site(make_site: Callable[..., Site], toolchain: object) -> Iterator[Site]:
    made = make_site({"unused": {"kind": "things"}}, environment="vs")
    yield made
    made.run("lab", "stop", "vs")


def an_ova(path: Path) -> str:
    """A small image; its SHA-256."""
    with tarfile.open(path, "w") as archive:
        for name, content in (("image.ovf", OVF.encode()), ("disk.vmdk", b"x" * 4096)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(site: Site, stacks: Mapping[str, Any]) -> None:
    lab = {"vcenter": {"datacenters": {"dc1": {"clusters": CLUSTERS}}}}
    site.write(stacks, target="lab", lab=lab)


def outcomes(told: Told) -> dict[str, str]:
    return {result["stack"]: result["outcome"] for result in told["results"]}


def test_every_variant_stands_as_it_was_asked_for_and_goes(site: Site) -> None:
    digest = an_ova(site.folder / "image.ova")
    domains = {"a": PLACE, "b": {**PLACE, "cluster": "other"}}
    eight = {"mode": "vgpu", "model": "A100-PCIe-40GB", "memory": "8GiB"}
    per_domain = {key: value for key, value in template(eight).items() if key != "place"}
    write(
        site,
        {
            "two": template({"mode": "vgpu", "profile": "GRID_A100-40C", "count": 2}, hardware_version=21),
            "domains": {**per_domain, "failure_domains": domains},
            "static": template({"mode": "static_passthrough", "host": "l40s-0", "pci_ids": ["0000:10:00.0"]}),
            "group": template({"mode": "device_group", "group": GROUP}),
            "image": template(source={"ova": "image.ova", "sha256": digest}),
        },
    )
    first = site.result("up")
    assert set(outcomes(first).values()) == {"changed"}, first
    (two,) = settings(site, "two")
    assert two["GPU devices"] == ("vGPU grid_a100-40c", "vGPU grid_a100-40c")
    assert two["hardware version"] == 21
    assert [one["GPU devices"] for one in settings(site, "domains")] == [("vGPU grid_a100-8c",)] * 2
    (static,) = settings(site, "static")
    assert static["GPU devices"] == ("passthrough of 0000:10:00.0 (10de:26b9)",)
    (group,) = settings(site, "group")
    assert group["memory reservation locked"] is True
    assert [one["GPU devices"] for one in settings(site, "image") if one["GPU devices"]] == [("vGPU grid_a100-20c",)]
    assert set(outcomes(site.result("up")).values()) == {"unchanged"}
    assert set(outcomes(site.result("up", "--no-skip")).values()) == {"unchanged"}
    assert site.result("destroy", "--keep-lab")["exit_code"] == 0
    assert inventory(site) == ["/dc1/vm/templates/rhcos (template)"]


@pytest.mark.parametrize(
    ("gpu", "says"),
    [
        (
            {"mode": "vgpu", "profile": "grid_a100-41c"},
            "cluster gpu: no host lists the vGPU profile grid_a100-41c; needed: a profile that can be started now",
        ),
        (
            {"mode": "mig", "profile": "grid_a100-3-20c"},
            "cluster gpu: grid_a100-3-20c is listed by a100-0 and cannot be started: MIG mode is off on their free cards",
        ),
        (
            {"mode": "vgpu", "profile": "grid_a100-40c", "count": 5},
            "cluster gpu: 0 more VMs in total; needed: room for a VM of 5 GPUs and 32 GiB",
        ),
        (
            {"mode": "passthrough", "model": "H100-PCIe-80GB"},
            "cluster gpu: no such card; its hosts have NVIDIA A100-PCIE-40GB, NVIDIA L40S; needed: H100-PCIe-80GB",
        ),
    ],
)
def test_what_the_hosts_cannot_serve_is_said_before_anything_is_made(
    site: Site, gpu: dict[str, Any], says: str
) -> None:
    write(site, {"vgpu": template(gpu)})
    done = site.run("up", "vs", "--yes")
    assert done.returncode == 3
    assert f"vgpu: {says}" in done.stderr
    assert inventory(site) == ["/dc1/vm/templates/rhcos (template)"]


def test_an_image_goes_with_the_last_template_that_was_cloned_from_it(site: Site) -> None:
    digest = an_ova(site.folder / "image.ova")
    image = template(source={"ova": "image.ova", "sha256": digest})
    write(site, {"one": image, "two": image})
    assert site.result("up")["exit_code"] == 0
    assert [path for path in inventory(site) if f"-source-{digest[:8]}" in path]
    assert site.result("destroy", "--only", "one", "--keep-lab")["exit_code"] == 0
    assert [path for path in inventory(site) if f"-source-{digest[:8]}" in path]
    assert site.result("destroy", "--only", "two", "--keep-lab")["exit_code"] == 0
    assert inventory(site) == ["/dc1/vm/templates/rhcos (template)"]


def test_an_image_that_is_not_what_its_digest_says(site: Site) -> None:
    digest = an_ova(site.folder / "image.ova")
    write(site, {"image": template(source={"ova": "image.ova", "sha256": "0" * 64})})
    (failed,) = site.result("up")["results"]
    assert failed["error"]["code"] == "vsphere.image"
    assert failed["error"]["message"] == (f"the image {site.folder / 'image.ova'} has SHA-256 {digest}, not {'0' * 64}")
    assert inventory(site) == ["/dc1/vm/templates/rhcos (template)"]
