"""The real GPU Operator in a lab: what is asked for, refused, and laid out before it starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from aiinfra.catalog import Catalog
from aiinfra.config.load import load_environment
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import OPERANDS
from aiinfra.domains.kubernetes.lab import real_operator
from aiinfra.domains.kubernetes.lab.block import LabCluster, NodeGroup
from aiinfra.domains.kubernetes.lab.controllers.platforms import controllers_of
from aiinfra.domains.kubernetes.lab.domain import LAB, STAND_INS, KubernetesLab
from aiinfra.domains.kubernetes.lab.real_operator import Isolation
from aiinfra.domains.kubernetes.lab.simulated_cluster import STAGES
from aiinfra.domains.kubernetes.lab.standins.charts.known import check_failures
from aiinfra.domains.kubernetes.lab.tools import TOOLS
from aiinfra.errors import ConfigError, OutsideError
from aiinfra.plan.planner import Plan
from aiinfra.toolchain import Toolchain
from aiinfra.world import World
from tests.unit.session.test_assumed import ROOT, loaded
from tests.unit.site import a_world

REAL = {"cluster": {"operators": "real"}}
MODULE = "github.com/!n!v!i!d!i!a/gpu-operator@v0.0.0-20250917190837-d73a0086a6ba"


Plans = Callable[[str, object], Plan]


Files = Callable[[str, object], Path]


@pytest.fixture
def a_file(tmp_path: Path) -> Files:
    """Of an environment with the operator in a version, on clusters as `lab.clusters` describes them."""

    def make(version: str, lab: object) -> Path:
        operator = {"kind": "gpu_operator", "cluster": "${cluster}", "nfd": "bundled", "version": version}
        stacks = {"cluster": {"kind": "existing_cluster"}, "gpu": operator}
        file = tmp_path / "site.yaml"
        environment = {"version": "v1", "name": "site", "target": "lab", "stacks": stacks, "lab": {"clusters": lab}}
        file.write_text(json.dumps(environment))
        return file

    return make


@pytest.fixture
def a_plan(a_file: Files) -> Plans:
    return lambda version, lab: loaded(a_file(version, lab))


def test_another_version_than_the_one_that_can_be_had_is_refused_with_the_way_out(a_plan: Plans) -> None:
    with pytest.raises(ConfigError) as refused:
        a_plan("v26.7.0", REAL)
    (problem,) = refused.value.problems
    assert problem.message == "with operators: real a lab has gpu-operator v25.3.4, not v26.7.0"
    assert problem.hint == "add --set stacks.gpu.version=v25.3.4, or leave real operators out"
    assert LAB.spec(a_plan("v25.3.4", REAL)) is not None
    assert LAB.spec(a_plan("v26.7.0", {})) is not None
    with pytest.raises(ConfigError, match=r"a lab stands in for chart gpu-operator v26\.7\.0, not for v25\.3\.4"):
        a_plan("v25.3.4", {})


def test_a_rehearsal_with_real_operators_takes_their_version_whatever_the_file_says(a_file: Files) -> None:
    read = partial(
        load_environment, world=a_world(ROOT), catalog=Catalog.installed(), target="lab", real_operators=True
    )
    assert read(str(a_file("v25.3.4", {}))).plan.steps
    with pytest.raises(ConfigError, match="with operators: real a lab has gpu-operator v25"):
        read(str(a_file("v26.7.0", {})))


def test_its_program_is_asked_for_by_the_option_alone(a_plan: Plans) -> None:
    assert isinstance(LAB, KubernetesLab)
    assert "nvidia-gpu-operator" in LAB.tools_of(a_plan("v25.3.4", REAL))
    assert "nvidia-gpu-operator" not in LAB.tools_of(a_plan("v26.7.0", {}))
    assert TOOLS["nvidia-gpu-operator"].on_demand
    assert "nvidia-gpu-operator" not in Toolchain(World.real()).usual


def test_reports_say_which_operator_ran_and_how_old_it_is(a_plan: Plans) -> None:
    assert isinstance(LAB, KubernetesLab)
    told = LAB.simulated_of(a_plan("v25.3.4", REAL))
    assert STAND_INS not in told
    assert any("NVIDIA's own, v25.3.4, eleven months behind" in sentence for sentence in told)
    assert STAND_INS in LAB.simulated_of(a_plan("v26.7.0", {}))


def test_a_rehearsal_may_ask_for_it_whatever_the_file_says() -> None:
    assert isinstance(LAB, KubernetesLab)
    assert LAB.with_real_operators({"cluster": None, "other": {"nodes": {}}}) == {
        "cluster": {"operators": "real"},
        "other": {"nodes": {}, "operators": "real"},
    }


def test_its_stand_ins_rest_where_it_runs() -> None:
    resting = {each.name for each in controllers_of("kubernetes")} - {
        each.name for each in controllers_of("kubernetes", "real")
    }
    assert resting == {"gpu-operator", "nvidia-driver", "driver-upgrades"}


def test_its_chart_has_its_version_there_and_nowhere_else() -> None:
    chart = {"chart": "gpu-operator", "repositoryOpts": {"repo": "https://helm.ngc.nvidia.com/nvidia"}}
    real = {**chart, "version": "v25.3.4"}
    assert list(check_failures(real, real_operators=True)) == []
    (refused,) = check_failures(real)
    assert refused.reason == "the lab knows chart gpu-operator v26.7.0, not v25.3.4; use v26.7.0 there"


def test_kwok_leaves_the_pods_of_every_operand_to_the_kubelets_of_the_lab() -> None:
    stages = (STAGES / "pod.yaml").read_text()
    listed = stages.partition('test("^(')[2].partition(")")[0].split("|")
    assert sorted(listed) == sorted({operand.daemonset for operand in OPERANDS} - {"nvidia-dcgm-exporter"})


def test_it_finds_its_manifests_below_a_root_directory_of_its_own(tmp_path: Path) -> None:
    module, program = tmp_path / "mod" / MODULE, tmp_path / "cache" / "gpu-operator-25.3.4" / "gpu-operator"
    for folder in ("assets/state-driver", "manifests/state-driver"):
        (module / folder).mkdir(parents=True)
        (module / folder / "0500_daemonset.yaml").write_text("kind: DaemonSet")
    program.parent.mkdir(parents=True)
    program.write_text("")
    assert real_operator.module_folder([tmp_path / "empty", tmp_path / "mod"], program) == module
    spec = LabCluster(nodes={"gpu": NodeGroup(count=1, gpu="L40S", gpus=1, os="rhel9.6")})
    real_operator.make_root(tmp_path / "root", program, module, spec, "the kubeconfig")
    made = sorted(str(path.relative_to(tmp_path / "root")) for path in (tmp_path / "root").rglob("*") if path.is_file())
    assert made == [
        "gpu-operator",
        "host-etc/os-release",
        "kubeconfig",
        "opt/gpu-operator/manifests/state-driver/0500_daemonset.yaml",
        "opt/gpu-operator/state-driver/0500_daemonset.yaml",
    ]
    assert (tmp_path / "root" / "host-etc" / "os-release").read_text() == 'ID=rhel\nVERSION_ID="9.6"\n'


def test_without_its_manifests_it_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="in no Go module cache here") as refused:
        real_operator.module_folder([tmp_path], tmp_path / "a" / "gpu-operator")
    assert "mod download github.com/NVIDIA/gpu-operator" in refused.value.record.hint


def test_it_is_told_its_namespace_and_listens_on_the_loopback_alone(tmp_path: Path) -> None:
    words = real_operator.command(Isolation(("/usr/sbin/chroot",)), tmp_path, "gpu")
    assert words[0] == "/usr/bin/env"
    assert "OPERATOR_NAMESPACE=gpu" in words
    assert list(words[-5:-2]) == ["/usr/sbin/chroot", str(tmp_path), "/gpu-operator"]
    assert all("127.0.0.1:0" in word for word in words[-2:])
