"""Ways to a vCenter that do not work, through `up`: one sentence, exit 3, and nothing made."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.integration.spine.site import Site
from tests.integration.spine.vcenters import SOURCE, block, in_vcenter, knowing, vcenter, vms
from tests.integration.vcenter.client import Simulator, refusal
from tests.integration.vsphere.fronts import DAY, NOW, Authority, front

pytestmark = pytest.mark.engine


@pytest.fixture
def simulated(tmp_path: Path, toolchain: Mapping[str, Path]) -> Iterator[Simulator]:
    with vcenter(toolchain["vcenter"], tmp_path / "vcenter") as started:
        yield started


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "authority").mkdir()
    return Authority(tmp_path / "authority")


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return knowing(make_site({"unused": {"kind": "things"}}, environment="vs"))


def refused(site: Site, simulated: Simulator, **changes: object) -> str:
    """What `up` says of a vCenter that is reached otherwise; ends with exit 3 and nothing made."""
    site.write({"vgpu": in_vcenter(block(simulated, **changes))})
    done = site.run("up", "vs", "--yes")
    assert (done.returncode, done.stdout) == (3, "")
    assert vms(simulated) == [SOURCE]
    return done.stderr


def test_a_wrong_password(site: Site, simulated: Simulator) -> None:
    at = f"127.0.0.1:{simulated.ready['port']}"
    assert refused(knowing(site, "wrong"), simulated) == (
        f"✗ vgpu: {at}: does not accept the user or its password; needed: an answer\n"
        "  → check both in the vcenter block\n"
        "  code vsphere.login · exit 3\n"
    )


def test_an_account_that_is_locked(site: Site, simulated: Simulator) -> None:
    for _ in range(5):
        assert refusal(lambda: simulated.connect(password="guess"))[0] == "InvalidLogin"
    at = f"127.0.0.1:{simulated.ready['port']}"
    assert refused(site, simulated) == (
        f"✗ vgpu: {at}: the account is locked at {at}; needed: an answer\n"
        "  → unlock it, or wait until the lockout ends\n"
        "  code vsphere.locked · exit 3\n"
    )


def test_a_certificate_that_has_expired(site: Site, simulated: Simulator, authority: Authority) -> None:
    with front(authority.server(until=NOW - DAY), simulated.ready["port"]) as expired:
        at = f"127.0.0.1:{expired.port}"
        assert refused(site, simulated, port=expired.port, ca=authority.pem) == (
            f"✗ vgpu: {at}: the certificate of {at} has expired; needed: an answer\n"
            "  → renew it on the vCenter, and check the clock of this machine\n"
            "  code vsphere.tls · exit 3\n"
        )


def test_a_vcenter_that_cannot_be_reached(site: Site, simulated: Simulator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    at = f"127.0.0.1:{port}"
    assert refused(site, simulated, port=port) == (
        f"✗ vgpu: {at}: 127.0.0.1 refuses connections on port {port}; needed: an answer\n"
        "  → check that it is up and that this machine can reach it\n"
        "  code vsphere.unreachable · exit 3\n"
    )


def test_a_vcenter_that_dies_while_it_is_read(site: Site, simulated: Simulator, authority: Authority) -> None:
    with front(authority.server(), simulated.ready["port"]) as gate:
        gate.cut = "QueryConfigTarget"
        at = f"127.0.0.1:{gate.port}"
        assert refused(site, simulated, port=gate.port, ca=authority.pem) == (
            f"✗ vgpu: {at}: broke the connection off before its answer was complete; needed: an answer\n"
            "  → check that it is up and that this machine can reach it\n"
            "  code vsphere.unreachable · exit 3\n"
        )
