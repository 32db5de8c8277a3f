"""What `validate` passes, a rehearsal can start or refuses in a sentence, whatever the file asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from aiinfra.catalog import Catalog
from aiinfra.config import load_environment
from aiinfra.config.lab_block import lab_model
from aiinfra.domains.vsphere.lab.block import LabVCenter
from aiinfra.domains.vsphere.lab.description import vcenter_description
from aiinfra.errors import ConfigError
from aiinfra.lab.domains import lab_domains_of
from aiinfra.session.rehearsal.assumed import assumed_lab
from tests.unit.site import a_world

ROOT = Path(__file__).parents[3]
OPERATORS: list[dict[str, Any]] = [
    {},
    {"driver": {"enabled": False}},
    {"driver": {"enabled": False}, "toolkit": {"enabled": False}},
    {"driver": {"precompiled": True, "version": "580"}},
    {"driver": {"repository": "r.example/nvidia", "image": "vgpu-guest-driver", "version": "580.65.06"}},
    {"mig": {"strategy": "mixed"}},
    {"mig": {"strategy": "none"}, "sharing": {"time_slicing": {"replicas": 7, "rename": True}}},
    {"tolerations": [{"operator": "Exists"}, {"key": "dedicated", "operator": "Equal", "value": "gpu"}]},
    {"tolerations": [{"key": "bad key/", "effect": "NoExecute"}]},
    {"version": "v24.6.1"},
]
EXPECTED: list[dict[str, Any]] = [
    {"nodes": 1, "gpus": 1},
    {"nodes": 2, "gpus": 112},
    {"nodes": 3, "gpus": 10_000},
    {"nodes": 10_000, "gpus": 10_000},
    {"nodes": 1, "gpus": 14, "resource": "nvidia.com/mig-1g.5gb"},
    {"nodes": 1, "gpus": 1, "resource": "nvidia.com/mig-9g.1gb"},
    {"nodes": 1, "gpus": 1, "resource": "nvidia.com/mig-*"},
]
NAMES = ("gpu", "prod/gpu", "/dc1/host/gpu", "/dc2/host/gpu", "100%25", "a\\b", "x" * 90, "/")
DEVICES: list[dict[str, Any]] = [
    {"mode": "vgpu", "profile": "grid_a100-20c"},
    {"mode": "vgpu", "profile": "no-such_profile"},
    {"mode": "vgpu", "model": "B200", "memory": "20GiB", "count": 16},
    {"mode": "mig", "model": "A30", "memory": "6GiB"},
    {"mode": "passthrough", "model": "V100-SXM2-16GB", "label": "old", "count": 16},
    {"mode": "static_passthrough", "host": "esx01.corp.example", "pci_ids": ["0000:3b:00.0"]},
    {"mode": "passthrough", "pci_device": "2203"},
    {"mode": "static_passthrough", "host": "a/b", "pci_ids": ["0000:3b:00.0"]},
    {"mode": "device_group", "group": "Nvidia:8@grid_h100xm-80c%NVSwitch"},
    {"mode": "device_group", "group": "Nvidia:99@x%y"},
    {"mode": "device_group", "group": "anything"},
]


def _clusters() -> Iterator[dict[str, Any]]:
    pairs = [*((each, EXPECTED[1]) for each in OPERATORS), *((OPERATORS[0], each) for each in EXPECTED)]
    for operator, expect in pairs:
        yield {
            "cluster": {"kind": "existing_cluster", "kubeconfig": "${file:~/.kube/site}"},
            "operator": {"kind": "gpu_operator", "cluster": "${cluster}", "nfd": "bundled", **operator},
            "proof": {"kind": "gpu_proof", "cluster": "${cluster}", "operator": "${operator}", "expect": expect},
        }


def _vcenters() -> Iterator[dict[str, Any]]:
    good = {"source": "images/base", "datacenter": "dc1", "cluster": "gpu", "datastore": "ssd", "folder": "t"}
    named = [{**good, field: name} for field in (*good, "resource_pool") for name in NAMES]
    for place, gpu in [*((place, DEVICES[0]) for place in named), *((good, gpu) for gpu in DEVICES)]:
        at = {key: value for key, value in place.items() if key != "source"}
        yield {"node": {"kind": "vsphere_gpu_template", "source": place["source"], "place": at, "gpu": gpu}}


def _outcome(file: Path) -> str:
    """`built`, `refused`, or `invalid` when `validate` does not pass it."""
    catalog = Catalog.installed()
    try:
        plan = load_environment(str(file), world=a_world(ROOT), catalog=catalog, target="lab").plan
    except ConfigError:
        return "invalid"
    try:
        lab, _ = assumed_lab(plan)
    except ConfigError as error:
        assert error.record.code == "lab.not_simulated"
        assert error.record.message
        assert error.record.hint
        return "refused"
    lab_model().model_validate(lab)
    described = plan.environment.model_copy(update={"lab": lab})
    for domain in lab_domains_of(plan).values():
        domain.spec(type(plan)(described, plan.steps))
    if lab.get("vcenter"):
        vcenter_description(LabVCenter.model_validate(lab["vcenter"]), user="u", password="p")
    return "built"


def _outcomes(folder: Path, environments: Iterator[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    head = {"version": "v1", "name": "site", "vcenter": {"host": "vc.example", "user": "u", "password": "${env:P}"}}
    for stacks in environments:
        file = folder / "site.yaml"
        with file.open("w") as opened:
            YAML(typ="safe").dump({**head, "stacks": dict(stacks)}, opened)
        outcome = _outcome(file)
        found[outcome] = found.get(outcome, 0) + 1
    return found


def test_every_cluster_that_is_asked_for_is_built_or_refused(tmp_path: Path) -> None:
    assert _outcomes(tmp_path, _clusters()) == {"built": 9, "refused": 4, "invalid": 4}


def test_every_vcenter_that_is_named_is_built_or_refused(tmp_path: Path) -> None:
    assert _outcomes(tmp_path, _vcenters()) == {"built": 31, "refused": 13, "invalid": 15}


@pytest.mark.parametrize("example", sorted(path.stem for path in (ROOT / "examples").glob("*.yaml")))
def test_every_example_can_be_rehearsed(example: str) -> None:
    assert _outcome(ROOT / "examples" / f"{example}.yaml") == "built"
