"""Setting and lifting faults."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aiinfra.errors import ConfigError
from aiinfra.lab.faults import (
    CLUSTER_FAULTS,
    FAULTS,
    VCENTER_FAULTS,
    Fault,
    check_name,
    partitioned,
    read,
    with_fault,
    without_fault,
    write,
)

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
SINCE = "2026-11-22T08:00:00+00:00"


def test_the_faults_are_these() -> None:
    assert list(CLUSTER_FAULTS) == ["api-partition", "crd-late", "driver-kernel-mismatch", "image-pull", "webhook-down"]
    assert list(VCENTER_FAULTS) == [
        "clone-fails-halfway",
        "profile-missing",
        "reboot-pending",
        "task-hangs",
        "vcenter-host-full",
        "vcenter-session-expired",
        "vib-mismatch",
    ]
    assert list(FAULTS) == sorted([*CLUSTER_FAULTS, *VCENTER_FAULTS])


def test_a_fault_is_set_once_at_a_place() -> None:
    faults = with_fault(with_fault((), "image-pull", "dc1", NOW), "image-pull", "dc1", NOW)
    assert faults == (Fault("image-pull", "dc1", SINCE),)


def test_lifting_without_a_place_lifts_everywhere() -> None:
    faults = with_fault(with_fault((), "image-pull", "dc1", NOW), "image-pull", "", NOW)
    assert without_fault(faults, "image-pull", "dc1") == (Fault("image-pull", "", SINCE),)
    assert without_fault(faults, "image-pull", "") == ()


def test_an_unknown_fault_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError) as caught:
        check_name("image-pul")
    record = caught.value.record
    assert (record.message, record.hint, record.code) == (
        "no fault is named 'image-pul'",
        "did you mean 'image-pull'?",
        "lab.unknown_fault",
    )


def test_a_name_far_from_all_lists_them() -> None:
    with pytest.raises(ConfigError) as caught:
        check_name("flood")
    assert caught.value.record.hint == (f"there are: {', '.join(FAULTS)}")


def test_the_file_has_the_form_that_the_controllers_read(tmp_path: Path) -> None:
    write(tmp_path, [Fault("crd-late", "gpu_operator", SINCE)])
    assert json.loads((tmp_path / "faults.json").read_text()) == {
        "faults": [{"name": "crd-late", "place": "gpu_operator", "since": SINCE}]
    }
    assert read(tmp_path) == (Fault("crd-late", "gpu_operator", SINCE),)


def test_without_a_file_nothing_is_broken(tmp_path: Path) -> None:
    assert read(tmp_path) == ()


@pytest.mark.parametrize(("place", "cut"), [("", {"a", "b"}), ("b", {"b"}), ("c", set())])
def test_a_partition_cuts_off_one_cluster_or_all(place: str, cut: set[str]) -> None:
    assert partitioned([Fault("api-partition", place, SINCE), Fault("crd-late", "a", SINCE)], ["a", "b"]) == cut
