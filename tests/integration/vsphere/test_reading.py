"""What is read of a site: every field, from a vCenter; what cannot be read, and why; how many requests it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.vsphere.client.errors import VSphereError
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.reading import privileges
from aiinfra.domains.vsphere.reading.observed import (
    Card,
    Cluster,
    Datastore,
    Host,
    MissingPrivilege,
    PassthroughChoice,
    PassthroughState,
    Site,
    Source,
    VgpuProfile,
    Vib,
    VmOnHost,
)
from aiinfra.domains.vsphere.reading.sites import read_sites
from aiinfra.waiting import Stopped
from tests.integration.vsphere.conftest import Opened
from tests.integration.vsphere.fronts import Authority, front
from tests.integration.vsphere.world import (
    PASSWORD,
    TIME_SLICED,
    USER,
    WANTED,
    Running,
    card,
    cluster,
    host,
    passed,
    running,
    vm,
    world,
)

A100 = 0x20F110DE
STORE = {"capacityMib": 4194304, "freeMib": 2097152}


def read(program: Path, opened: Opened, described: Mapping[str, Any], **changes: Any) -> Site:
    with running(program, described) as started:
        return read_sites(opened(started.access()), [replace(WANTED, **changes)])[0]


def one_host(*cards: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return world([cluster("gpu", host("esx-01", *cards, **changes))])


def the_host(site: Site) -> Host:
    (only,) = site.cluster.hosts
    return only


def test_the_vcenter_and_the_cluster(vcenter: VCenter, lab: Running) -> None:
    (site,) = read_sites(vcenter, [WANTED])
    assert (site.vcenter, site.version, site.api_version) == (f"127.0.0.1:{lab.port}", "8.0.3", "8.0.3.0")
    assert site.instance_uuid == vcenter.about.instance_uuid
    assert replace(site.cluster, moref="", hosts=()) == Cluster(
        moref="",
        path="/dc1/host/gpu",
        name="gpu",
        drs_enabled=True,
        drs_behavior="fullyAutomated",
        drs_options={"VgpuMMAutomationTimeoutSecs": "-1"},
    )
    assert site.resource_pool is not None
    assert site.resource_pool.path == "/dc1/host/gpu/Resources"
    assert site.settings == {"vgpu.hotmigrate.enabled": "true"}
    assert site.unread == {}


def test_a_host_in_every_field(vcenter: VCenter) -> None:
    (site,) = read_sites(vcenter, [WANTED])
    first = site.cluster.hosts[0]
    assert replace(first, moref="", cards=(), startable=(), profiles=(), datastores=()) == Host(
        moref="",
        path="/dc1/host/gpu/esx-01",
        name="esx-01",
        cluster="/dc1/host/gpu",
        connected=True,
        maintenance=False,
        version="8.0.3",
        build="24022510",
        api_version="8.0.3.0",
        license_edition="VMware vSphere 8 Enterprise Plus",
        default_graphics_type="sharedDirect",
        assignment_policy="performance",
        startable=(),
        profiles=(),
        dynamic=(),
        static=(),
        groups=(),
        vibs=(Vib("NVD-AIE_ESXi_8.0.0_Driver", "580.65.05-1OEM.800.1.0.20613240", "NVIDIA"),),
        dns=("10.0.0.53",),
        ntp=("10.0.0.123",),
        ntp_running=True,
        memory_mib=1048576,
        memory_free_mib=1048576,
        reboot_required=False,
    )
    assert first.startable == tuple(TIME_SLICED)
    assert first.datastores == (site.datastore and site.datastore.moref,)


def test_nvidia_s_packages_carry_the_vendor_nvd_or_nvidia(program: Path, opened: Opened) -> None:
    daemon = {"name": "nvdgpumgmtdaemon", "version": "580.65.05-1OEM.700.1.0.15843807", "vendor": "NVD"}
    manager = {"name": "NVD-AIE_ESXi_8.0.0_Driver", "version": "580.65.05-1OEM.800.1.0.20613240", "vendor": "NVD"}
    network = {"name": "nmlx5-core", "version": "4.23.0.66-1OEM", "vendor": "MEL"}
    only = the_host(read(program, opened, one_host(card(), vibs=[daemon, manager, network])))
    assert [vib.name for vib in only.vibs or ()] == ["nvdgpumgmtdaemon", "NVD-AIE_ESXi_8.0.0_Driver"]


def test_profiles_are_listed_while_mig_is_off(vcenter: VCenter) -> None:
    (site,) = read_sites(vcenter, [WANTED])
    profiles = {profile.name: profile for profile in site.cluster.hosts[0].profiles or ()}
    assert profiles["grid_a100-20c"] == VgpuProfile("grid_a100-20c", A100, 20, "timeSliced", "compute")
    assert profiles["grid_a100-3-20c"] == VgpuProfile("grid_a100-3-20c", A100, 20, "mig", "compute")


def test_a_card_that_serves_vgpus(vcenter: VCenter) -> None:
    (site,) = read_sites(vcenter, [WANTED])
    assert site.cluster.hosts[0].cards[0] == Card(
        pci_id="0000:3b:00.0",
        name="NVIDIA A100-PCIE-40GB",
        vendor_id=0x10DE,
        device_id=0x20F1,
        sub_vendor_id=0x10DE,
        sub_device_id=0x1445,
        memory_mib=40960,
        graphics_type="sharedDirect",
        vgpu_mode="sameSize",
        passthrough=PassthroughState(capable=True, enabled=False, active=False),
    )


def test_a_card_that_is_passed_through(vcenter: VCenter) -> None:
    (site,) = read_sites(vcenter, [WANTED])
    second = site.cluster.hosts[1]
    assert second.cards[1] == Card(
        pci_id="0000:af:00.0",
        name="NVIDIA A100-PCIE-40GB",
        vendor_id=0x10DE,
        device_id=0x20F1,
        sub_vendor_id=0x10DE,
        sub_device_id=0x1445,
        passthrough=PassthroughState(capable=True, enabled=True, active=True, label="gpu-a100"),
    )
    assert second.dynamic == (PassthroughChoice(0x10DE, 0x20F1, "NVIDIA A100-PCIE-40GB", "gpu-a100"),)
    assert [(choice.pci_id, bool(choice.system_id)) for choice in second.static or ()] == [("0000:af:00.0", True)]


def test_the_sr_iov_state_of_a_card(program: Path, opened: Opened) -> None:
    sriov = {"capable": True, "enabled": True, "active": False, "functions": 16}
    site = read(program, opened, one_host(card(sriov=sriov)))
    state = the_host(site).cards[0].passthrough
    assert state and (state.sriov_capable, state.sriov_enabled, state.sriov_active) == (True, True, False)


def test_numbers_above_7fff_are_not_negative(program: Path, opened: Opened) -> None:
    site = read(program, opened, one_host(card(deviceId=0xA0F1, subDeviceId=0x9445)))
    only = the_host(site).cards[0]
    assert (only.device_id, only.sub_device_id) == (0xA0F1, 0x9445)


def test_who_holds_what(program: Path, opened: Opened) -> None:
    vms = [
        vm("shares", folder="running", host="esx-01", poweredOn=True, gpus=["grid_a100-20c"]),
        vm("owns", folder="running", host="esx-01", poweredOn=True, passthrough=["0000:af:00.0"]),
        vm("plain", folder="running", host="esx-01", poweredOn=True),
        vm("off", folder="running", host="esx-01", gpus=["grid_a100-20c"]),
    ]
    described = world([cluster("gpu", host("esx-01", card(), passed("0000:af:00.0")))], vms)
    only = the_host(read(program, opened, described))
    assert only.vms == (
        VmOnHost("shares", profiles=("grid_a100-20c",)),
        VmOnHost("owns", passthrough=("0000:af:00.0",)),
    )
    assert [one.vms for one in only.cards] == [("shares",), ()]
    assert only.memory_free_mib == 1048576 - 2 * 16384


def test_the_datastore_and_the_source(vcenter: VCenter) -> None:
    (site,) = read_sites(vcenter, [WANTED])
    assert site.datastore and replace(site.datastore, moref="", free_mib=0) == Datastore(
        moref="", path="/dc1/datastore/ssd", name="ssd", capacity_mib=4194304, free_mib=0, accessible=True
    )
    assert site.folder == "/dc1/vm/templates"
    assert site.source and replace(site.source, moref="") == Source(
        moref="",
        path="/dc1/vm/templates/rhcos",
        is_template=True,
        powered_on=False,
        hardware_version=19,
        guest_id="rhel9_64Guest",
        firmware="efi",
        secure_boot=False,
        disk_mib=(16384,),
        snapshots=0,
    )


def test_a_source_with_two_disks_and_a_snapshot(program: Path, opened: Opened) -> None:
    plain = vm("plain", folder="templates", diskMib=[16384, 1024], snapshots=2, firmware="bios")
    site = read(program, opened, world(vms=[plain]), source="/dc1/vm/templates/plain")
    assert site.source and replace(site.source, moref="") == Source(
        moref="",
        path="/dc1/vm/templates/plain",
        is_template=False,
        powered_on=False,
        hardware_version=19,
        guest_id="rhel9_64Guest",
        firmware="bios",
        secure_boot=False,
        disk_mib=(16384, 1024),
        snapshots=2,
    )


def test_places_that_do_not_exist_are_named(vcenter: VCenter) -> None:
    (site,) = read_sites(vcenter, [replace(WANTED, datastore="hdd", folder="a/b", source="nix")])
    assert (site.datastore, site.folder, site.source) == (None, None, None)
    assert site.unread == {
        "datastore": "/dc1/datastore/hdd does not exist",
        "folder": "/dc1/vm/a/b does not exist",
        "source": "/dc1/vm/nix does not exist",
    }


def test_datacenters_clusters_datastores_and_pools_are_found_in_folders(program: Path, opened: Opened) -> None:
    described = world([cluster("prod/gpu", host("esx-01", card()), pools=["team-a/training"])])
    described["datacenters"][0].update(name="europe/dc1", datastores=[{**STORE, "name": "fast/ssd"}])
    asked: dict[str, Any] = {
        "cluster": "prod/gpu",
        "datastore": "/europe/dc1/datastore/fast/ssd",
        "resource_pool": "team-a/training",
    }
    with running(program, described) as started:
        vcenter = opened(started.access())
        for datacenter in ("europe/dc1", "/europe/dc1"):
            question = replace(WANTED, datacenter=datacenter, **asked)
            (site,) = read_sites(vcenter, [question])
            assert site.datastore is not None
            assert site.resource_pool is not None
            assert site.source is not None
            assert (site.cluster.path, site.datastore.path, site.folder, site.source.path, site.resource_pool.path) == (
                "/europe/dc1/host/prod/gpu",
                "/europe/dc1/datastore/fast/ssd",
                "/europe/dc1/vm/templates",
                "/europe/dc1/vm/templates/rhcos",
                "/europe/dc1/host/prod/gpu/Resources/team-a/training",
            )
            assert [one.path for one in site.cluster.hosts] == ["/europe/dc1/host/prod/gpu/esx-01"]
        (site,) = read_sites(vcenter, [replace(question, resource_pool="training")])
        assert site.resource_pool is None
        assert site.unread == {"resource_pool": "/europe/dc1/host/prod/gpu/Resources/training does not exist"}


def test_a_privilege_on_a_pool_is_that_of_the_pool_that_is_named(program: Path, opened: Opened) -> None:
    described = world(
        [cluster("gpu", host("esx-01", card()), pools=["team-a", "team-b"])],
        privileges=denied("Resource.AssignVMToPool", "/dc1/host/gpu/Resources/team-a"),
    )
    needs = [need for need in privileges.needed() if need.privilege == "Resource.AssignVMToPool"]
    asked = [replace(WANTED, resource_pool=pool, privileges=needs) for pool in ("team-a", "team-b")]
    with running(program, described) as started:
        denied_site, good = read_sites(opened(started.access()), asked)
    assert denied_site.missing_privileges == [
        MissingPrivilege("Resource.AssignVMToPool", "/dc1/host/gpu/Resources/team-a", "placing the clone")
    ]
    assert good.missing_privileges == []


def test_a_folder_is_no_source(vcenter: VCenter) -> None:
    (site,) = read_sites(vcenter, [replace(WANTED, source="templates")])
    assert site.unread == {"source": "/dc1/vm/templates is no VM"}


def test_a_cluster_that_does_not_exist(vcenter: VCenter, lab: Running) -> None:
    with pytest.raises(VSphereError) as caught:
        read_sites(vcenter, [replace(WANTED, cluster="gpus")])
    record = caught.value.record
    assert (record.code, record.message, record.hint) == (
        "vsphere.not_found",
        f"cluster /dc1/host/gpus does not exist in 127.0.0.1:{lab.port}",
        "its clusters are: /dc1/host/gpu",
    )


def test_missing_privileges_are_named(program: Path, opened: Opened) -> None:
    missing = [
        {"privilege": "VirtualMachine.Config.Resource", "path": "/dc1/vm/templates"},
        {"privilege": "Datastore.AllocateSpace", "path": "/dc1/datastore/ssd"},
        {"privilege": "VirtualMachine.Provisioning.Clone", "path": "/dc1/vm/templates/rhcos"},
    ]
    described = world(privileges={"missing": missing})
    site = read(program, opened, described, privileges=privileges.needed())
    assert site.missing_privileges == [
        MissingPrivilege("Datastore.AllocateSpace", "/dc1/datastore/ssd", "the template's disk"),
        MissingPrivilege("VirtualMachine.Config.Resource", "/dc1/vm/templates", "reserving all of its memory"),
    ], "a template is deployed, not cloned"


def test_no_privilege_is_missing(vcenter: VCenter) -> None:
    wanted = replace(WANTED, privileges=privileges.needed(power_on=True))
    assert read_sites(vcenter, [wanted])[0].missing_privileges == []


def test_a_host_that_is_not_connected_says_so_in_every_field(program: Path, opened: Opened) -> None:
    away = the_host(read(program, opened, one_host(card(), disconnected=True)))
    assert not away.connected
    assert (away.profiles, away.dynamic, away.static, away.groups, away.vibs) == (None, None, None, None, None)
    why = "the host is disconnected"
    assert {name: away.unread[name] for name in ("profiles", "dynamic", "vibs")} == {
        "profiles": why,
        "dynamic": why,
        "vibs": why,
    }


def denied(privilege: str, path: str) -> dict[str, Any]:
    return {"missing": [{"privilege": privilege, "path": path}]}


def test_a_host_that_may_not_be_read_is_no_host_without_cards(program: Path, opened: Opened) -> None:
    hosts = (host("esx-01", card()), host("esx-02", card()))
    described = world([cluster("gpu", *hosts)], privileges=denied("System.Read", "/dc1/host/gpu/esx-01"))
    first, second = read(program, opened, described).cluster.hosts
    assert (first.name, first.cards, first.version, second.version) == ("esx-01", (), None, "8.0.3")
    why = "the account lacks the privilege System.Read on esx-01"
    asked = ("connected", "cards", "version", "startable", "graphics", "passthrough", "memory", "datastores", "vibs")
    assert {name: first.unread.get(name) for name in asked} == dict.fromkeys(asked, why)
    assert second.unread == {}


def test_gpus_that_a_vm_holds_which_may_not_be_read_are_not_free(program: Path, opened: Opened) -> None:
    described = world(
        [cluster("gpu", host("esx-01", card()))],
        [vm("secret", folder="running", host="esx-01", poweredOn=True, gpus=["grid_a100-20c"])],
        privileges=denied("System.Read", "/dc1/vm/running/secret"),
    )
    only = the_host(read(program, opened, described))
    assert only.unread == {"vms": "GPUs of it are held by 1 VM that the account may not read"}


def test_a_source_that_may_not_be_read_says_so(program: Path, opened: Opened) -> None:
    site = read(program, opened, world(privileges=denied("System.Read", "/dc1/vm/templates/rhcos")))
    assert site.source
    assert (site.source.hardware_version, site.source.guest_id, site.source.firmware, site.source.disk_mib) == (
        None, None, None, None,
    )  # fmt: skip
    why = "the account lacks the privilege System.Read on /dc1/vm/templates/rhcos"
    assert site.source.unread == dict.fromkeys(("hardware_version", "guest_id", "firmware", "disk_mib"), why)


def test_a_host_without_gpus_offers_nothing(program: Path, opened: Opened) -> None:
    bare = the_host(read(program, opened, one_host()))
    assert (bare.cards, bare.profiles, bare.dynamic, bare.static) == ((), (), (), ())
    assert bare.unread == {"vibs": "not asked, as the host has no NVIDIA GPU"}


def test_a_host_that_waits_for_its_reboot(program: Path, opened: Opened) -> None:
    described = one_host(passed(active=False), rebootPending=True)
    waiting = the_host(read(program, opened, described))
    state = waiting.cards[0].passthrough
    assert state and (state.enabled, state.active, waiting.reboot_required) == (True, False, True)


def test_dying_in_the_middle_of_a_read_is_one_error(lab: Running, authority: Authority, opened: Opened) -> None:
    with front(authority.server(), lab.port) as before:
        access = lab.access(fingerprint="", port=before.port, ca=authority.pem)
        vcenter = opened(access)
        before.cut = "QueryConfigTarget"
        with pytest.raises(VSphereError) as caught:
            read_sites(vcenter, [WANTED])
    assert caught.value.record.message == (
        f"127.0.0.1:{before.port} broke the connection off before its answer was complete"
    )


def test_a_session_that_expires_during_a_read(lab: Running, opened: Opened) -> None:
    vcenter = opened(lab.access())
    before = read_sites(vcenter, [WANTED])
    lab.fault("vcenter-session-expired")
    lab.fault()
    assert read_sites(vcenter, [WANTED]) == before
    assert vcenter.calls["Login"] == 2


def test_a_stop_ends_a_read(vcenter: VCenter) -> None:
    vcenter.stop.set()
    with pytest.raises(Stopped):
        read_sites(vcenter, [WANTED])


def crowd(hosts: int, cards: int, vms: int) -> dict[str, Any]:
    """Hosts with as many cards, and VMs spread over them, each with a vGPU as long as there are cards."""
    ids = [f"0000:{0x10 + number:02x}:00.0" for number in range(cards)]
    machines = [host(f"esx-{number:03}", *map(card, ids)) for number in range(hosts)]
    spread = [
        vm(
            f"vm-{number:04}",
            folder="running",
            host=f"esx-{number % hosts:03}",
            poweredOn=True,
            memoryMib=1024,
            diskMib=[16],
            gpus=["grid_a100-40c"] if number < hosts * cards else [],
        )
        for number in range(vms)
    ]
    return world([cluster("gpu", *machines)], spread, settings={})


@pytest.mark.parametrize(("hosts", "cards", "vms"), [(1, 1, 1), (1, 8, 40), (12, 1, 12), (12, 8, 300)])
def test_the_number_of_requests_depends_on_hosts_alone(
    program: Path, opened: Opened, hosts: int, cards: int, vms: int
) -> None:
    with running(program, crowd(hosts, cards, vms)) as started:
        vcenter = opened(started.access())
        wanted = replace(WANTED, privileges=privileges.needed())
        (site,) = read_sites(vcenter, [wanted])
        vcenter.close()
        told = started.calls()
    assert len(site.cluster.hosts) == hosts
    assert sum(len(one.vms) for one in site.cluster.hosts) == min(vms, hosts * cards)
    assert told["total"] == 11 + 2 * hosts <= 10 + 3 * hosts


def test_hosts_are_asked_at_the_same_time(program: Path, opened: Opened) -> None:
    with running(program, {**crowd(16, 1, 0), "delays": {"QueryConfigTarget": 100}}) as started:
        vcenter = opened(started.access())
        started.forget_calls()
        read_sites(vcenter, [WANTED])
        assert started.calls()["atOnce"] >= 8


def test_two_sites_in_one_cluster_read_it_once(lab: Running, opened: Opened) -> None:
    vcenter = opened(lab.access())
    lab.forget_calls()
    first, second = read_sites(vcenter, [WANTED, replace(WANTED, folder="running")])
    assert first.cluster == second.cluster
    assert (first.folder, second.folder) == ("/dc1/vm/templates", "/dc1/vm/running")
    assert lab.calls()["methods"]["QueryConfigTarget"] == 2


def test_the_password_is_in_no_text(vcenter: VCenter) -> None:
    shown = f"{vcenter!r} {vcenter.access!r} {vcenter.access} {read_sites(vcenter, [WANTED])!r}"
    assert PASSWORD not in shown
    assert USER in repr(vcenter.access)
