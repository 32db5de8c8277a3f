"""kill -9 while a template is cloned, configured, marked or proved: the next run converges, asked of the vCenter."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.integration.spine.site import Site
from tests.integration.spine.strikes import Moment, strike
from tests.integration.spine.vsphere_site import inventory, template, write

pytestmark = [pytest.mark.engine, pytest.mark.lab]
SOURCE = "/dc1/vm/templates/rhcos (template)"
KEEP = ("--keep-lab",)
ONE_CARD = {"a100": {"cards": [{"model": "A100-PCIe-40GB", "count": 1}]}}
WHOLE = {"mode": "vgpu", "profile": "grid_a100-40c"}
"""All of the only card: while a proof that was struck holds it, nothing else starts."""
CLONE = ({"CloneVM_Task": 900}, "cloning /dc1/vm/templates/vs-vgpu-")
CONFIGURE = ({"ReconfigVM_Task": 900}, "configuring /dc1/vm/templates/vs-vgpu-")
MARK = ({"MarkAsTemplate": 2500}, "marking /dc1/vm/templates/vs-vgpu-")
PROVE = ({"PowerOnMultiVM_Task": 900}, "placing /dc1/vm/templates/vs-vgpu-")
START = ({"PowerOnVM_Task": 900}, "powering on /dc1/vm/templates/vs-vgpu-")
REMOVE = ({"Destroy_Task": 900}, "removing /dc1/vm/templates/vs-vgpu-")
MOMENTS = {"clone": CLONE, "configure": CONFIGURE, "mark": MARK, "prove": PROVE, "start": START, "discard": REMOVE}
EVERYDAY = [("clone", "both", "edit"), ("mark", "engine", "up"), ("prove", "caller", "up")]
OTHERS = [
    (moment, victim, then)
    for moment in MOMENTS
    for victim in ("caller", "engine", "both")
    for then in ("up", "edit", "destroy")
    if (moment, victim, then) not in EVERYDAY
]


@pytest.fixture
def site(make_site: Callable[..., Site], toolchain: object) -> Iterator[Site]:
    made = make_site({"unused": {"kind": "things"}}, environment="vs")
    yield made
    made.run("lab", "stop", "vs")


@pytest.mark.parametrize(
    ("moment", "victim", "then"), [*EVERYDAY, *(pytest.param(*each, marks=pytest.mark.slow) for each in OTHERS)]
)
def test_the_next_run_converges(site: Site, moment: str, victim: str, then: str) -> None:
    delays, about = MOMENTS[moment]
    write(site, {"vgpu": template(WHOLE)}, delays=delays, hosts=ONE_CARD)
    struck = strike(site, Moment("up", "waiting", "vgpu", about), victim)
    assert struck.came
    assert struck.inside
    if then == "edit":
        write(site, {"vgpu": template(WHOLE, cpus=16)}, delays=delays, hosts=ONE_CARD)
    if then != "destroy":
        ended = site.result("up")
        assert ended["exit_code"] == 0, ended
        (made,) = [path for path in inventory(site) if path != SOURCE]
        assert made.endswith(" (template)")
        assert site.result("up")["results"][0]["outcome"] == "unchanged"
    ended = site.result("destroy", *KEEP)
    assert ended["exit_code"] == 0, ended
    assert inventory(site) == [SOURCE]
