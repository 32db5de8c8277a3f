"""Setting and lifting faults."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aiinfra.domain_lab import FaultType, SetFault
from aiinfra.domains.kubernetes.lab.domain import LAB as KUBERNETES
from aiinfra.domains.kubernetes.lab.server import partitioned
from aiinfra.domains.vsphere.lab.domain import LAB as VSPHERE
from aiinfra.errors import ConfigError
from aiinfra.lab.domains import fault_types
from aiinfra.lab.faults import fault_type, read, with_fault, without_fault, write

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
SINCE = "2026-11-22T08:00:00+00:00"


SERVER = Path(__file__).parents[3] / "aiinfra" / "domains" / "vsphere" / "lab" / "server"


def test_the_faults_are_these() -> None:
    assert [fault.name for fault in KUBERNETES.faults] == [
        "api-partition",
        "crd-late",
        "driver-kernel-mismatch",
        "image-pull",
        "real-pace",
        "webhook-down",
    ]
    assert [fault.name for fault in VSPHERE.faults] == [
        "clone-fails-halfway",
        "profile-missing",
        "reboot-pending",
        "task-hangs",
        "vcenter-host-full",
        "vcenter-session-expired",
        "vib-mismatch",
    ]
    assert list(fault_types()) == sorted(fault.name for fault in (*KUBERNETES.faults, *VSPHERE.faults))


def test_a_fault_has_a_sign_or_is_overcome() -> None:
    assert [fault.name for fault in fault_types().values() if fault.overcome] == [
        "real-pace",
        "vcenter-session-expired",
    ]
    with pytest.raises(ValueError, match="flood: a fault has a sign, or is overcome"):
        FaultType("flood", "everything is under water")


def test_the_simulated_vcenter_knows_the_faults_that_can_be_set_in_it() -> None:
    """It knows one more, `slow`, by which tests delay a method."""
    source = (SERVER / "faults.go").read_text()
    constants = dict(re.findall(r'(fault\w+)\s+= "([a-z-]+)"', source))
    known = re.search(r"var knownFaults = \[\]string\{(.*?)\}", source, re.DOTALL)
    assert known
    names = {constants[name] for name in re.findall(r"fault\w+", known[1])}
    assert names == {*(fault.name for fault in VSPHERE.faults), "slow"}


def test_a_fault_is_set_once_at_a_place() -> None:
    faults = with_fault(with_fault((), "image-pull", "dc1", NOW), "image-pull", "dc1", NOW)
    assert faults == (SetFault("image-pull", "dc1", SINCE),)


def test_lifting_without_a_place_lifts_everywhere() -> None:
    faults = with_fault(with_fault((), "image-pull", "dc1", NOW), "image-pull", "", NOW)
    assert without_fault(faults, "image-pull", "dc1") == (SetFault("image-pull", "", SINCE),)
    assert without_fault(faults, "image-pull", "") == ()


def test_an_unknown_fault_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError) as caught:
        fault_type("image-pul")
    record = caught.value.record
    assert (record.message, record.hint, record.code) == (
        "no fault is named 'image-pul'",
        "did you mean 'image-pull'?",
        "lab.unknown_fault",
    )


def test_a_name_far_from_all_lists_them() -> None:
    with pytest.raises(ConfigError) as caught:
        fault_type("flood")
    assert caught.value.record.hint == (f"there are: {', '.join(fault_types())}")


def test_the_file_has_the_form_that_the_controllers_read(tmp_path: Path) -> None:
    write(tmp_path, [SetFault("crd-late", "gpu_operator", SINCE)])
    assert json.loads((tmp_path / "faults.json").read_text()) == {
        "faults": [{"name": "crd-late", "place": "gpu_operator", "since": SINCE}]
    }
    assert read(tmp_path) == (SetFault("crd-late", "gpu_operator", SINCE),)


def test_without_a_file_nothing_is_broken(tmp_path: Path) -> None:
    assert read(tmp_path) == ()


@pytest.mark.parametrize(("place", "cut"), [("", {"a", "b"}), ("b", {"b"}), ("c", set())])
def test_a_partition_cuts_off_one_cluster_or_all(place: str, cut: set[str]) -> None:
    assert partitioned([SetFault("api-partition", place, SINCE), SetFault("crd-late", "a", SINCE)], ["a", "b"]) == cut
