"""What is cut out of an answer, and what stays."""

from __future__ import annotations

from aiinfra.domains.vsphere.client.pruning import current, gpus_only, nvidias_packages, offers_only, pruning

DISK = b'<VirtualDevice xsi:type="VirtualDisk"><key>2000</key><backing xsi:type="X"></backing></VirtualDevice>'
GPU = b'<VirtualDevice xsi:type="VirtualPCIPassthrough"><key>13000</key></VirtualDevice>'
BRIDGE = b"<HostPciDevice><id>0000:00:00.0</id><vendorId>-32634</vendorId></HostPciDevice>"
CARD = b"<HostPciDevice><id>0000:3b:00.0</id><vendorId>4318</vendorId></HostPciDevice>"


def test_devices_other_than_gpus_are_cut_out() -> None:
    assert gpus_only(b"<a>" + DISK + GPU + DISK + BRIDGE + CARD + b"</a>") == b"<a>" + GPU + CARD + b"</a>"


def test_what_can_be_passed_through_besides_gpus_is_cut_out() -> None:
    gpu = b"<HostPciPassthruInfo xsi:type='HostSriovInfo'><id>0000:3b:00.0</id></HostPciPassthruInfo>"
    bridge = b"<HostPciPassthruInfo><id>0000:00:00.0</id></HostPciPassthruInfo>"
    assert gpus_only(bridge + gpu + BRIDGE + CARD) == gpu + CARD
    assert gpus_only(bridge + gpu) == bridge + gpu, "no device of this page is known"


def test_services_other_than_ntp_are_cut_out() -> None:
    ntp = b"<HostService><key>ntpd</key><running>true</running></HostService>"
    shell = b"<HostService><key>TSM</key><running>false</running></HostService>"
    assert gpus_only(shell + ntp + shell) == ntp


def package(vendor: str) -> bytes:
    return b"<returnval><name>x</name><vendor>" + vendor.encode() + b"</vendor><tag>a</tag></returnval>"


def test_packages_that_nvidia_did_not_make_are_cut_out() -> None:
    body = b"<r>" + package("VMware") + package("NVD") + package("MEL") + package("NVIDIA") + b"</r>"
    assert nvidias_packages(body) == b"<r>" + package("NVD") + package("NVIDIA") + b"</r>"


def test_virtual_functions_and_port_groups_are_cut_out_of_what_a_host_offers() -> None:
    function = b"<sriov><name>0000:3b:00.4</name><pciDevice><id>0000:3b:00.4</id></pciDevice></sriov>"
    group = b"<distributedVirtualPortgroup><portgroupName>vlan-7</portgroupName></distributedVirtualPortgroup>"
    card = b"<pciPassthrough><pciDevice><id>0000:3b:00.0</id></pciDevice></pciPassthrough>"
    assert offers_only(function + group + card + function) == card


def test_another_name_space_of_the_type_is_understood() -> None:
    assert gpus_only(DISK.replace(b"xsi:", b"XMLSchema-instance:")) == b""
    assert gpus_only(GPU.replace(b"xsi:", b"XMLSchema-instance:")) != b""


def test_what_is_written_otherwise_is_left_whole() -> None:
    strange = b"<v:VirtualDevice v:t='VirtualDisk'></v:VirtualDevice>"
    assert gpus_only(strange) == strange


def test_nothing_is_cut_unless_asked_for() -> None:
    assert current.get()(DISK) == DISK
    with pruning(gpus_only):
        assert current.get()(DISK) == b""
    assert current.get()(DISK) == DISK
