"""`doctor` of a large vCenter: every request that reaches it is counted there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.spine.site import Site
from tests.integration.spine.vsphere_site import PLACE, template
from tests.integration.vsphere.test_reading import crowd
from tests.integration.vsphere.world import PASSWORD, USER, Running, running

pytestmark = [pytest.mark.engine, pytest.mark.lab]
MIG = {"mode": "mig", "profile": "grid_a100-3-20c"}


def examined(site: Site, there: Running) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What `doctor` told of two stacks that share an account, and what the vCenter counted."""
    vcenter = {"host": "127.0.0.1", "port": there.port, "fingerprint": there.fingerprint}
    account = {"user": USER, "password": PASSWORD}
    stacks = {"vgpu": template(place=PLACE), "mig": template(MIG, place=PLACE)}
    site.write(stacks, vcenter={**vcenter, **account})
    there.forget_calls()
    done = site.run("doctor", site.environment, "--output", "json")
    assert done.returncode == 3, done.stderr
    return json.loads(done.stdout), there.calls()


@pytest.mark.parametrize(("hosts", "cards", "vms"), [(4, 1, 4), (4, 8, 80), (100, 8, 2000)])
def test_ten_requests_and_three_a_host_at_most_however_many_cards_and_vms(
    make_site: Callable[..., Site], toolchain: Mapping[str, Path], hosts: int, cards: int, vms: int
) -> None:
    site = make_site({"unused": {"kind": "things"}}, environment="large")
    with running(toolchain["vcenter"], {**crowd(hosts, cards, vms), "delays": {"*": 20}}) as there:
        told, counted = examined(site, there)
    about_cards = [one for one in told["findings"] if one["code"] == "vsphere.sizes"]
    assert len(about_cards) == hosts * cards
    pages = counted["methods"].get("ContinueRetrievePropertiesEx", 0)
    assert counted["total"] == sum(counted["methods"].values()) <= 10 + 3 * hosts
    assert counted["total"] - pages == 11 + 2 * hosts
    assert pages <= vms // 1000, "a vCenter cuts long answers"
    assert counted["methods"]["Login"] == 1
    assert hosts < 8 or counted["atOnce"] >= 8
