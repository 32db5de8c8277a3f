"""Two vCenters in one environment: each stack works in its own, and what happens to one leaves the other alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.spine.site import Site, Told
from tests.integration.spine.vcenters import SOURCE, block, in_vcenter, knowing, vcenter, vms
from tests.integration.vcenter.client import Simulator
from tests.integration.vsphere.fronts import Authority, Front, front

pytestmark = pytest.mark.engine


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return knowing(make_site({"unused": {"kind": "things"}}, environment="vs"))


@pytest.fixture
def west(tmp_path: Path, toolchain: Mapping[str, Path]) -> Iterator[Simulator]:
    with vcenter(toolchain["vcenter"], tmp_path / "west") as started:
        yield started


@pytest.fixture
def east(tmp_path: Path, toolchain: Mapping[str, Path]) -> Iterator[Simulator]:
    with vcenter(toolchain["vcenter"], tmp_path / "east") as started:
        yield started


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "authority").mkdir()
    return Authority(tmp_path / "authority")


@pytest.fixture
def gate(east: Simulator, authority: Authority) -> Iterator[Front]:
    """A door before the vCenter in the east."""
    with front(authority.server(), east.ready["port"]) as made:
        yield made


@pytest.fixture
def write(site: Site, west: Simulator, gate: Front, authority: Authority) -> Callable[..., None]:
    """`write()`: a template in each vCenter; that in the west with changes."""

    def stacks(**changes: Any) -> None:
        behind_gate = block(west, port=gate.port, ca=authority.pem)
        site.write({"west": in_vcenter(block(west), **changes), "east": in_vcenter(behind_gate)})

    return stacks


def outcomes(told: Told) -> dict[str, str]:
    return {result["stack"]: result["outcome"] for result in told["results"]}


def error(told: Told) -> str:
    (only,) = [str(result["error"]["message"]) for result in told["results"] if result["error"]]
    return only


def made(simulated: Simulator) -> list[str]:
    return [name.rpartition("-")[0] for name in vms(simulated) if name != SOURCE]


@pytest.mark.slow
def test_each_template_stands_in_its_own_vcenter(
    site: Site, west: Simulator, east: Simulator, gate: Front, write: Callable[..., None]
) -> None:
    write()
    assert outcomes(site.result("up")) == {"west": "changed", "east": "changed"}
    assert (made(west), made(east)) == (["vs-west"], ["vs-east"])
    assert outcomes(site.result("up")) == {"west": "unchanged", "east": "unchanged"}
    ended = site.result("destroy")
    marked = f"(0 objects marked {ended['environment_id']})"
    doors = [f"vCenter 127.0.0.1:{port} {marked}" for port in (west.ready["port"], gate.port)]
    assert ended["nothing_left"] == [*doors, "state (0 stacks)"]
    assert (made(west), made(east)) == ([], [])


def test_one_that_dies_in_the_middle_leaves_the_other_to_end(
    site: Site, west: Simulator, east: Simulator, gate: Front, write: Callable[..., None]
) -> None:
    write()
    gate.cut = "CloneVM_Task"
    told = site.result("up")
    assert (told["exit_code"], outcomes(told)) == (4, {"west": "changed", "east": "failed"})
    assert error(told) == f"127.0.0.1:{gate.port} broke the connection off before its answer was complete"
    gate.cut = ""
    assert outcomes(site.result("up")) == {"west": "unchanged", "east": "changed"}
    assert (made(west), made(east)) == (["vs-west"], ["vs-east"])


@pytest.mark.slow
def test_one_that_is_away_stops_nothing_but_what_works_there(
    site: Site, west: Simulator, east: Simulator, gate: Front, write: Callable[..., None]
) -> None:
    write()
    assert site.result("up")["exit_code"] == 0
    gate.status = 503
    write(cpus=16)
    assert outcomes(site.result("up")) == {"west": "changed", "east": "unchanged"}
    told = site.result("destroy")
    assert (told["exit_code"], outcomes(told)) == (4, {"west": "destroyed", "east": "failed"})
    assert error(told) == f"127.0.0.1:{gate.port} is not ready: it answers HTTP 503 Service Unavailable"
    assert (made(west), made(east)) == ([], ["vs-east"])
    gate.status = 200
    assert site.result("destroy")["exit_code"] == 0
    assert made(east) == []


def test_one_that_is_away_is_told_before_any_step_and_the_other_can_go_alone(
    site: Site, west: Simulator, gate: Front, write: Callable[..., None]
) -> None:
    write()
    gate.status = 503
    done = site.run("up", "vs", "--yes")
    assert done.returncode == 3
    assert done.stderr == (
        f"✗ east: 127.0.0.1:{gate.port}: is not ready: it answers HTTP 503 Service Unavailable; needed: an answer\n"
        "  → wait until the services of the vCenter have started\n"
        "  code vsphere.unreachable · exit 3\n"
    )
    assert made(west) == []
    assert outcomes(site.result("up", "--only", "west")) == {"west": "changed"}
    assert made(west) == ["vs-west"]
