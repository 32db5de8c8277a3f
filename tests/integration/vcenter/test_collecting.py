"""Properties of many objects, as doctor reads them."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim, vmodl

from aiinfra.domains.vsphere.lab.block import LabCards, LabDeviceGroup, LabVm
from tests.integration.vcenter.client import Simulator
from tests.integration.vcenter.conftest import A100, Start

Collector = vmodl.query.PropertyCollector
MARK = 'config.extraConfig["aiinfra.dev/environment"]'


def pages(there: Simulator, kind: Any, paths: list[str], size: int = 0) -> list[list[Any]]:
    view = there.content.viewManager.CreateContainerView(there.content.rootFolder, [kind], True)
    walk = Collector.TraversalSpec(name="all", path="view", skip=False, type=vim.view.ContainerView)
    wanted = Collector.FilterSpec(
        objectSet=[Collector.ObjectSpec(obj=view, skip=True, selectSet=[walk])],
        propSet=[Collector.PropertySpec(type=kind, pathSet=paths)],
    )
    collector = there.content.propertyCollector
    answer = collector.RetrievePropertiesEx([wanted], Collector.RetrieveOptions(maxObjects=size or None))
    read = [answer.objects]
    while answer.token:
        answer = collector.ContinueRetrievePropertiesEx(answer.token)
        read.append(answer.objects)
    return read


def test_a_large_site_is_read_in_pages_of_the_size_that_is_asked(start: Start) -> None:
    marked = {f"vm-{number}": LabVm(extra_config={"aiinfra.dev/environment": f"e{number}"}) for number in range(2000)}
    cards = LabCards(model=A100, count=8)
    there = start(
        cards, host={"count": 100}, dc={"vms": marked, "datastores": {"ssd": {"capacity": "64TiB", "free": "64TiB"}}}
    )
    read = pages(there, vim.VirtualMachine, ["name", MARK], size=300)
    assert [len(page) for page in read] == [300] * 6 + [200]
    assert (
        len({property.val.value for page in read for one in page for property in one.propSet if property.name == MARK})
        == 2000
    )
    (hosts,) = pages(there, vim.HostSystem, ["config.graphicsInfo"])
    assert [len(host.propSet[0].val) for host in hosts] == [8] * 100


def test_what_is_not_set_is_left_out(start: Start) -> None:
    (objects,) = pages(start(), vim.VirtualMachine, ["name", "resourcePool", "config.annotation", MARK])
    assert [property.name for property in objects[0].propSet] == ["name"]
    assert list(objects[0].missingSet) == []


def test_what_may_not_be_read_is_named_with_the_privilege(start: Start) -> None:
    there = start(missing_privileges=[{"privilege": "System.Read", "path": "/dc1/vm"}])
    (objects,) = pages(there, vim.VirtualMachine, ["name", "config.version"])
    (missed,) = objects[0].missingSet
    assert (missed.path, missed.fault.privilegeId) == ("config.version", "System.Read")


def test_a_device_group_names_the_card_of_each_of_its_vgpus(start: Start) -> None:
    group = LabDeviceGroup(name="Nvidia:2@grid_a100-40c%NVLink", profiles=("grid_a100-40c",) * 2)
    there = start(host={"groups": (group,)})
    (cluster,) = there.all(vim.ClusterComputeResource)
    (told,) = cluster.environmentBrowser.QueryConfigTarget(None).vendorDeviceGroupInfo
    components = [
        (one.type, one.vendorName, one.deviceName, one.device.backing.vgpu) for one in told.componentDeviceInfo
    ]
    assert components == [("nvidiaVgpu", "NVIDIA", "NVIDIA A100-PCIE-40GB", "grid_a100-40c")] * 2
