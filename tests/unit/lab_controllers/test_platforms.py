"""Which controllers a simulated cluster has, and what is loaded to know the charts."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

from aiinfra.domains.kubernetes.charts import facts_by_name
from aiinfra.domains.kubernetes.lab.block import Platform
from aiinfra.domains.kubernetes.lab.controllers.platforms import controllers_of
from aiinfra.domains.kubernetes.lab.controllers.view import BUILT_IN
from tests.unit.lab_controllers.world import MOMENT, a_view


def test_a_plain_cluster_has_faults_first_and_kubelets_last() -> None:
    assert [controller.name for controller in controllers_of("kubernetes")] == [
        "webhook-down",
        "garbage",
        "nfd",
        "gpu-operator",
        "nvidia-driver",
        "driver-upgrades",
        "device-plugin",
        "mig-manager",
        "operator-validator",
        "kubelets",
    ]


def test_the_kinds_that_are_watched_are_those_that_controllers_name() -> None:
    watched = {kind: api for controller in controllers_of("kubernetes") for kind, api in controller.watches.items()}
    assert {kind: api for kind, api in watched.items() if kind not in BUILT_IN} == {
        "ClusterPolicy": "nvidia.com/v1",
        "NVIDIADriver": "nvidia.com/v1alpha1",
        "NodeFeature": "nfd.k8s-sigs.io/v1alpha1",
    }


def test_controllers_do_nothing_in_an_empty_cluster() -> None:
    assert [list(controller.reconcile(a_view(), MOMENT)) for controller in controllers_of("kubernetes")] == [[]] * 10


def test_each_cluster_has_controllers_of_its_own() -> None:
    assert controllers_of("kubernetes")[-1] != controllers_of("kubernetes")[-1]


def test_every_platform_that_a_file_may_name_has_controllers() -> None:
    assert get_args(Platform) == ("kubernetes",)
    assert [len(controllers_of(platform)) for platform in get_args(Platform)] == [10]


def test_knowing_the_charts_loads_none_of_their_stand_ins() -> None:
    assert set(facts_by_name()) >= {"node-feature-discovery", "gpu-operator"}
    loaded = (
        "import sys; from aiinfra.domains.kubernetes.charts import facts_by_name; facts_by_name();"
        "print([name for name in sys.modules if '.standin' in name or '.lab' in name])"
    )
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
