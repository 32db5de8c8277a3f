"""Eight templates are cloned at once: the vCenter is asked what runs there while none of its clones can end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from aiinfra.domains.vsphere.client.properties import one
from tests.integration.spine.site import Site, Told
from tests.integration.spine.vsphere_site import PLACE, inventory, template, vcenter_of, vm_at, write

pytestmark = [pytest.mark.engine, pytest.mark.lab]
SOURCE = "/dc1/vm/templates/rhcos"
HANG = ("vs", "task-hangs")
DOMAINS = {f"hall-{number}": PLACE for number in range(4)}


@pytest.fixture
def site(make_site: Callable[..., Site], toolchain: object) -> Iterator[Site]:
    made = make_site({"unused": {"kind": "things"}}, environment="vs")
    yield made
    made.run("lab", "stop", "vs")


def stacks() -> dict[str, object]:
    """Two stacks of four templates each."""
    per_domain = {key: value for key, value in template(verify="none", limit="60s").items() if key != "place"}
    return {name: {**per_domain, "failure_domains": DOMAINS} for name in ("a", "b")}


def running(site: Site) -> int:
    """Tasks that the source of all templates is part of."""
    with vcenter_of(site) as vcenter:
        row = one(vcenter, vm_at(vcenter, SOURCE), ["recentTask"])
        tasks = (row.get("recentTask") if row else None) or []
        states = [told.get("info.state") for task in tasks if (told := one(vcenter, task, ["info.state"]))]
    return states.count("running")


def test_eight_clones_run_at_once_in_the_vcenter(site: Site) -> None:
    write(site, {"first": template()})
    assert site.result("up")["exit_code"] == 0
    assert site.run("lab", "fault", *HANG).returncode == 0
    write(site, {"first": template(), **stacks()})
    begun: set[str] = set()
    most = 0

    def on_event(event: Told, pid: int) -> bool:
        nonlocal most
        if event["type"] == "waiting" and event["what"].startswith("cloning"):
            begun.add(event["what"].split(":")[0])
        if len(begun) == 8 and not most:
            most = running(site)
            assert site.run("lab", "fault", *HANG, "--lift").returncode == 0
        return False

    assert site.until(on_event, "up", "vs", "--yes") == 0
    assert most == 8
    assert len(inventory(site)) == 10
