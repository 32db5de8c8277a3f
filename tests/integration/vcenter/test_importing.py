"""An OVA on its way into a vCenter."""

from __future__ import annotations

import ssl
import urllib.request
from typing import Any

from pyVmomi import vim

from aiinfra.waiting import Pending, Waiter
from tests.integration.vcenter.client import Simulator, refusal
from tests.integration.vcenter.conftest import Start


def test_an_ova_is_imported_with_what_its_descriptor_says(start: Start) -> None:
    there = start()
    imported = lease(there)
    (where,) = imported.info.deviceUrl
    upload(where.url, b"KDMV")
    imported.HttpNfcLeaseComplete()
    config = there.find("/dc1/vm/templates/imported").config
    assert (config.firmware, config.version, config.hardware.memoryMB, config.guestId) == (
        "efi",
        "vmx-13",
        16384,
        "rhel8_64Guest",
    )
    (disk,) = [device for device in config.hardware.device if isinstance(device, vim.vm.device.VirtualDisk)]
    assert disk.capacityInKB == 16 << 20


def test_an_import_that_is_given_up_leaves_nothing(start: Start) -> None:
    there = start()
    imported = lease(there)
    assert refusal(imported.HttpNfcLeaseComplete)[0] == "InvalidState"
    imported.HttpNfcLeaseAbort()
    assert there.find("/dc1/vm/templates/imported") is None


def lease(there: Simulator) -> Any:
    (cluster,), (store,) = there.all(vim.ClusterComputeResource), there.all(vim.Datastore)
    wanted = vim.OvfManager.CreateImportSpecParams(entityName="imported", diskProvisioning="thin")
    made = there.content.ovfManager.CreateImportSpec(OVF, cluster.resourcePool, store, wanted)
    assert not made.error
    begun = cluster.resourcePool.ImportVApp(made.importSpec, there.template.parent)
    assert begun.state in ("initializing", "ready")
    done_initializing(begun)
    return begun


def done_initializing(begun: Any) -> None:
    Waiter(limit=10, every=0.02).until(lambda: True if begun.state == "ready" else Pending("the lease"))


def upload(url: str, content: bytes) -> None:
    request = urllib.request.Request(url, content, method="PUT")
    with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=10) as answer:
        assert answer.status == 201


RASD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
VSSD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
OVF = f"""<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
 xmlns:rasd="{RASD}" xmlns:vssd="{VSSD}" xmlns:vmw="http://www.vmware.com/schema/ovf">
<References><File ovf:id="file1" ovf:href="disk.vmdk" ovf:size="4"/></References>
<DiskSection><Info/><Disk ovf:diskId="vmdisk1" ovf:capacity="16" ovf:capacityAllocationUnits="byte * 2^30"
 ovf:fileRef="file1" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/></DiskSection>
<NetworkSection><Info/><Network ovf:name="VM Network"/></NetworkSection>
<VirtualSystem ovf:id="rhcos"><Info/><Name>rhcos</Name>
<OperatingSystemSection ovf:id="80" vmw:osType="rhel8_64Guest"><Info/></OperatingSystemSection>
<VirtualHardwareSection><Info/>
<System><vssd:ElementName>hw</vssd:ElementName><vssd:InstanceID>0</vssd:InstanceID>
<vssd:VirtualSystemType>vmx-13</vssd:VirtualSystemType></System>
<Item><rasd:ElementName>cpus</rasd:ElementName><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType>
<rasd:VirtualQuantity>4</rasd:VirtualQuantity></Item>
<Item><rasd:ElementName>memory</rasd:ElementName><rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType>
<rasd:VirtualQuantity>16384</rasd:VirtualQuantity></Item>
<Item><rasd:ElementName>scsi</rasd:ElementName><rasd:InstanceID>3</rasd:InstanceID>
<rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType><rasd:ResourceType>6</rasd:ResourceType></Item>
<Item><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:ElementName>disk1</rasd:ElementName>
<rasd:HostResource>ovf:/disk/vmdisk1</rasd:HostResource><rasd:InstanceID>4</rasd:InstanceID><rasd:Parent>3</rasd:Parent>
<rasd:ResourceType>17</rasd:ResourceType></Item>
<vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="efi"/>
</VirtualHardwareSection></VirtualSystem></Envelope>"""
