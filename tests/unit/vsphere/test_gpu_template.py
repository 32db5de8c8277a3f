"""`aiinfra:vsphere:GpuTemplate` before any vCenter is asked: what it refuses, and what a change of it means."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from aiinfra.domains.vsphere.provider.gpu_template import GpuTemplate
from aiinfra.domains.vsphere.provider.vcenters import VCenters
from aiinfra.domains.vsphere.spec import GpuTemplateSpec
from aiinfra.engine.wire import Secret
from aiinfra.errors import StepError
from aiinfra.providers.contract import Call, CheckFailure
from tests.unit.vsphere.worlds import VGPU, changed

CALL = Call(
    "urn:pulumi:vgpu::dc1::aiinfra:vsphere:GpuTemplate::template", {}, threading.Event(), lambda what, since: None
)
IMAGE = changed(VGPU, source={"ova": "/images/rhcos.ova", "sha256": "ab" * 32})


def inputs(spec: Any = VGPU, **changes: Any) -> dict[str, Any]:
    connection = {"host": "vc.dc1.example", "user": "u", "password": Secret("canary"), "port": 443}
    owner = {"environment": "dc1", "environment_id": "0123456789ab", "stack": "vgpu"}
    tree = spec.dump() if isinstance(spec, GpuTemplateSpec) else spec
    return {"connection": connection, "owner": owner, "spec": tree, **changes}


def diff(old: GpuTemplateSpec, new: GpuTemplateSpec, **olds: Any) -> tuple[list[str], list[str]]:
    """The paths that differ, and those of them that need another template."""
    found = GpuTemplate(VCenters()).diff(CALL, "id", olds, inputs(old), inputs(new))
    return list(found.changed), list(found.replace)


def check(given: dict[str, Any]) -> list[CheckFailure]:
    return list(GpuTemplate(VCenters()).check(CALL, given)[1])


def test_a_good_spec_is_accepted_and_the_password_is_secret() -> None:
    given = inputs(connection={"host": "vc.dc1.example", "user": "u", "password": "canary"})
    checked, failures = GpuTemplate(VCenters()).check(CALL, given)
    assert failures == []
    assert checked["connection"] == {"host": "vc.dc1.example", "user": "u", "password": Secret("canary")}


def test_what_is_missing_is_named() -> None:
    assert check({"spec": None}) == [
        CheckFailure("connection", "is required"),
        CheckFailure("owner", "is required"),
        CheckFailure("spec", "is required"),
    ]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"cpus": "many"}, "spec.cpus"),
        ({"gpu": {"mode": "vgpu", "count": 99}}, "spec.gpu.vgpu.count"),
        ({"colour": "red"}, "spec.colour"),
    ],
)
def test_a_part_that_is_no_spec_is_named_by_its_path(changes: dict[str, Any], where: str) -> None:
    assert [failure.property for failure in check(inputs({**VGPU.dump(), **changes}))] == [where]


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"cpus": 32}, ["spec.cpus"]),
        ({"gpu": {"profile": "grid_a100-20c"}}, ["spec.gpu.profile"]),
        ({"extra_config": {"pciPassthru.allowP2P": "TRUE"}}, ["spec.extra_config.pciPassthru.allowP2P"]),
    ],
)
def test_a_change_of_what_it_is_needs_another_template(changes: dict[str, Any], paths: list[str]) -> None:
    assert diff(VGPU, changed(VGPU, **changes)) == (paths, paths)


def test_a_change_of_how_it_is_made_is_an_update() -> None:
    assert diff(VGPU, changed(VGPU, manage_hosts=True)) == (["spec.manage_hosts"], [])
    assert diff(VGPU, changed(VGPU, verify="power_on"), verified="") == (["spec.verify", "verified"], [])


def test_waits_the_guest_s_driver_and_where_an_image_lies_make_no_difference() -> None:
    other = {"limit_seconds": 60, "wait_for_host_mig": True, "guest_driver": ""}
    assert diff(VGPU, changed(VGPU, **other)) == ([], [])
    assert diff(IMAGE, changed(IMAGE, source={"ova": "/elsewhere.ova", "sha256": "ab" * 32})) == ([], [])
    assert diff(IMAGE, changed(IMAGE, source={"ova": "/images/rhcos.ova", "sha256": "cd" * 32}))[1] == [
        "spec.source.sha256"
    ]


def test_what_a_refresh_found_changed_by_hand_is_an_update() -> None:
    assert diff(VGPU, VGPU, drift=["CPUs: is 4, should be 16"]) == (["drift"], [])


def test_a_name_that_vcenter_would_refuse_is_refused_before_anything_is_made() -> None:
    owner = {"environment": "e" * 50, "environment_id": "0123456789ab", "stack": "s" * 30}
    with pytest.raises(StepError) as caught:
        GpuTemplate(VCenters()).create(CALL, inputs(owner=owner))
    assert caught.value.record.code == "vsphere.name"
