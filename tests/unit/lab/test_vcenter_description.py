"""From `lab.vcenter` to what the lab's vCenter is told to be."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from aiinfra.domains.vsphere.lab.block import LabCards, LabDatacenter, LabEsxCluster, LabEsxHosts, LabVCenter, LabVm
from aiinfra.domains.vsphere.lab.description import vcenter_description


def described(*cards: LabCards, **hosts: Any) -> dict[str, Any]:
    """One host with these cards."""
    group = LabEsxHosts(cards=cards, **hosts)
    spec = LabVCenter(datacenters={"dc1": LabDatacenter(clusters={"gpu": LabEsxCluster(hosts={"esx": group})})})
    return dict(vcenter_description(spec, user="u", password="p"))


def the_cards(*cards: LabCards, **hosts: Any) -> list[dict[str, Any]]:
    return described(*cards, **hosts)["datacenters"][0]["clusters"][0]["hosts"][0]["cards"]


def test_by_default_there_are_two_hosts_in_one_cluster_and_a_template_to_clone() -> None:
    (datacenter,) = vcenter_description(LabVCenter(), user="u", password="p")["datacenters"]
    (cluster,) = datacenter["clusters"]
    assert (datacenter["name"], cluster["name"]) == ("dc1", "gpu")
    assert [(host["name"], len(host["cards"])) for host in cluster["hosts"]] == [("esx-0", 2), ("esx-1", 2)]
    assert [(vm["name"], vm["folder"], vm["template"]) for vm in datacenter["vms"]] == [("rhcos", "templates", True)]


def test_a_card_is_the_hardware_that_is_known_of_its_model() -> None:
    (card,) = the_cards(LabCards(model="A100-PCIe-40GB"))
    told = {key: card[key] for key in ("name", "vendorId", "deviceId", "memoryMib", "migCapable", "slices")}
    assert told == {
        "name": "NVIDIA A100-PCIE-40GB",
        "vendorId": 4318,
        "deviceId": 0x20F1,
        "memoryMib": 40960,
        "migCapable": True,
        "slices": 7,
    }


def test_profiles_are_named_as_hosts_list_them() -> None:
    (card,) = the_cards(LabCards(model="A100-PCIe-40GB"))
    by_name = {profile["name"]: profile for profile in card["profiles"]}
    assert list(by_name)[:6] == [f"grid_a100-{size}c" for size in (4, 5, 8, 10, 20, 40)]
    assert by_name["grid_a100-1-5cme"] == {
        "name": "grid_a100-1-5cme",
        "frameBufferGib": 5,
        "sharing": "mig",
        "class": "compute",
        "max": 1,
        "slices": 1,
    }


def test_a_card_that_is_passed_through_waits_for_the_restart_that_is_pending() -> None:
    (card,) = the_cards(LabCards(model="L40S", mode="passthrough", label="gpu-l40s"), reboot_pending=True)
    assert card["passthrough"] == {"capable": True, "enabled": True, "active": False, "label": "gpu-l40s"}


def test_a_host_without_driver_has_no_vib_of_nvidia() -> None:
    host = described(LabCards(model="A30"), driver="")["datacenters"][0]["clusters"][0]["hosts"][0]
    assert host["vibs"] == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"model": "A100"}, "no GPU model is named 'A100'"),
        ({"model": "L40S", "mig": True}, "L40S has no MIG"),
        ({"model": "A30", "mig": True, "mixed_size": True}, "a card in MIG mode has no mixed-size mode"),
        ({"model": "A30", "label": "gpu-a30"}, "only a card that is passed through has a label"),
    ],
)
def test_hardware_that_cannot_be_is_refused(said: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        LabCards(**said)


def test_a_vm_stands_where_there_is_something() -> None:
    with pytest.raises(ValidationError, match=r"vms\.db\.host: there is no host 'esx-9'"):
        LabDatacenter(vms={"db": LabVm(host="esx-9")})


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            {"clusters": {"gpu": {}, "gpu/a": {"hosts": {}}}},
            "/host/gpu would be both a cluster and a folder of clusters",
        ),
        (
            {"datastores": {"fast/ssd": {}, "slow/ssd": {}}},
            "datastore ssd would be both /datastore/fast/ssd and /datastore/slow/ssd",
        ),
        ({"folders": ["rhcos"], "vms": {"rhcos": {}}}, "/vm/rhcos would be both a folder of VMs and a VM"),
        ({"vms": {"rhcos": {}, "rhcos/old": {}}}, "/vm/rhcos would be both a VM and a folder of VMs"),
        ({"clusters": {"a//b": {}}}, "'' is no name in a vCenter"),
        ({"folders": ["a" * 81]}, f"'{'a' * 81}' has 81 characters, and a name at most 80"),
        ({"clusters": {"gpu": {"pools": ["50%"]}}}, "'50%' is no name in a vCenter"),
    ],
)
def test_one_object_stands_at_one_path(said: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(why)):
        LabDatacenter.model_validate(said)


def test_a_datacenter_is_no_folder_of_datacenters() -> None:
    with pytest.raises(ValidationError, match="/eu would be both a datacenter and a folder of datacenters"):
        LabVCenter.model_validate({"datacenters": {"eu": {}, "eu/dc1": {}}})
