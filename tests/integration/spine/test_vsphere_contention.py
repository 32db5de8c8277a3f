"""Templates whose proofs need the same card: each is proved, and what a dead run's proof holds is freed first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.integration.spine.site import Site
from tests.integration.spine.strikes import Moment, strike
from tests.integration.spine.vsphere_site import inventory, settings, template, write

pytestmark = [pytest.mark.engine, pytest.mark.lab]
SOURCE = "/dc1/vm/templates/rhcos (template)"
ONE_CARD = {"a100": {"cards": [{"model": "A100-PCIe-40GB", "count": 1}]}}
WHOLE = {"mode": "vgpu", "profile": "grid_a100-40c"}
SMALL = {"mode": "vgpu", "model": "A100-PCIe-40GB", "memory": "8GiB"}


@pytest.fixture
def site(make_site: Callable[..., Site], toolchain: object) -> Iterator[Site]:
    made = make_site({"unused": {"kind": "things"}}, environment="vs")
    yield made
    made.run("lab", "stop", "vs")


def devices(site: Site, stack: str) -> str:
    (standing,) = settings(site, stack)
    return ", ".join(standing["GPU devices"])


def test_templates_that_need_one_card_are_proved_one_after_another(site: Site) -> None:
    stacks = {"one": template(WHOLE), "two": template(WHOLE), "small": template(SMALL)}
    write(site, stacks, hosts=ONE_CARD, delays={"PowerOffVM_Task": 1500})
    ended = site.result("up", "--parallel", "2")
    assert [(each["stack"], each["outcome"]) for each in ended["results"]] == [
        ("one", "changed"),
        ("two", "changed"),
        ("small", "changed"),
    ], ended
    assert [devices(site, stack) for stack in stacks] == [
        "vGPU grid_a100-40c",
        "vGPU grid_a100-40c",
        "vGPU grid_a100-8c",
    ]
    assert [path.endswith(" (template)") for path in inventory(site)] == [True] * 4


@pytest.mark.parametrize("victim", ["both", "caller"])
def test_gpus_that_a_dead_run_holds_are_freed_before_they_are_counted(site: Site, victim: str) -> None:
    delays = {"PowerOnMultiVM_Task": 900, "Destroy_Task": 900}
    write(site, {"one": template(WHOLE), "other": template(WHOLE)}, hosts=ONE_CARD, delays=delays)
    assert site.result("up", "--only", "other")["exit_code"] == 0
    struck = strike(site, Moment("up", "waiting", "one", "placing /dc1/vm/templates/vs-one-"), victim)
    assert struck.came
    write(site, {"one": template(WHOLE), "other": template(WHOLE, cpus=16)}, hosts=ONE_CARD, delays=delays)
    ended = site.result("up", "--only", "other")
    assert ended["exit_code"] == 0, ended
    assert site.result("up")["exit_code"] == 0
    assert [path.endswith(" (template)") for path in inventory(site)] == [True] * 3
    assert site.result("destroy", "--keep-lab")["exit_code"] == 0
    assert inventory(site) == [SOURCE]
