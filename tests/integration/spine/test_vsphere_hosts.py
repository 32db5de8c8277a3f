"""What is done on hosts: by somebody in their shell while `up` waits, and by `up` itself where it may."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.integration.spine.site import Site, Told, follow
from tests.integration.spine.vsphere_site import inventory, lab_folder_of, template, write

pytestmark = [pytest.mark.engine, pytest.mark.lab]
SOURCE = "/dc1/vm/templates/rhcos (template)"
ONE = {"a100": {"count": 1, "cards": [{"model": "A100-PCIe-40GB", "count": 2}]}}
COMMANDS = (
    "a100-0: switch MIG mode in the host's shell "
    "esxcli system maintenanceMode set --enable true "
    "nvidia-smi -i 00000000:10:00.0 -mig 1 "
    "nvidia-smi -i 00000000:18:00.0 -mig 1 "
    "reboot "
    "nvidia-smi -i 00000000:10:00.0 --query-gpu=mig.mode.current --format=csv,noheader   # must say Enabled "
    "nvidia-smi -i 00000000:18:00.0 --query-gpu=mig.mode.current --format=csv,noheader   # must say Enabled "
    "esxcli system maintenanceMode set --enable false"
)


@pytest.fixture
def site(make_site: Callable[..., Site], toolchain: object) -> Iterator[Site]:
    made = make_site({"unused": {"kind": "things"}}, environment="vs")
    yield made
    made.run("lab", "stop", "vs")


def shell(site: Site, path: str, said: dict[str, Any]) -> None:
    """What somebody does in the shell of a host."""
    home = lab_folder_of(site) / "vcenter"
    port = json.loads((home / "ready.json").read_text())["controlPort"]
    headers = {"Authorization": f"Bearer {(home / 'token').read_text()}"}
    answer = httpx.post(f"http://127.0.0.1:{port}{path}", json=said, headers=headers, trust_env=False)
    assert answer.is_success, answer.text


def templates(site: Site) -> list[str]:
    return [path for path in inventory(site) if path != SOURCE]


def findings(site: Site) -> dict[str, list[str]]:
    """Of stacks, `level about: read`, by code."""
    told = json.loads(site.run("doctor", "vs", "--output", "json").stdout)
    found: dict[str, list[str]] = {}
    for one in told["findings"]:
        found.setdefault(one["code"], []).append(f"{one['level']} {one['about']}: {one['read']}")
    return found


def test_up_waits_for_mig_with_the_commands_and_goes_on_once_somebody_ran_them(site: Site) -> None:
    gpu = {"mode": "mig", "profile": "grid_a100-3-20c"}
    write(site, {"mig": template(gpu, wait_for_host_mig=True, limit="5m")}, hosts=ONE)
    awaited: list[str] = []

    def on_event(event: Told, pid: int) -> bool:
        if event["type"] == "waiting" and "MIG mode" in event["what"] and not awaited:
            awaited.append(event["what"])
            for pci_id in ("0000:10:00.0", "0000:18:00.0"):
                shell(site, "/hosts/mig", {"host": "a100-0", "pciId": pci_id, "mig": True})
        return False

    assert site.until(on_event, "up", "vs", "--yes") == 0, site.stderr.read_text()
    assert awaited == [f"MIG mode on the hosts: {COMMANDS}"]
    assert len(templates(site)) == 1


def test_without_waiting_the_same_is_an_error_before_anything_is_made(site: Site) -> None:
    write(site, {"mig": template({"mode": "mig", "profile": "grid_a100-3-20c"})}, hosts=ONE)
    done = site.run("up", "vs", "--yes")
    assert done.returncode == 3
    assert "mig: a100-0 0000:10:00.0: MIG off; needed: MIG on" in done.stderr
    assert "nvidia-smi -i 00000000:10:00.0 -mig 1" in done.stderr
    assert templates(site) == []


def test_passthrough_and_labels_are_set_where_that_is_allowed_and_shown_before(site: Site) -> None:
    l40s = {"l40s": {"count": 1, "cards": [{"model": "L40S", "count": 2}]}}
    gpu = {"mode": "passthrough", "model": "L40S", "label": "gpu-l40s", "count": 2}
    write(site, {"whole": template(gpu)}, hosts=l40s)
    refused = site.run("up", "vs", "--yes")
    assert refused.returncode == 3
    assert "whole: l40s-0 0000:10:00.0: off; needed: passthrough on" in refused.stderr
    write(site, {"whole": template(gpu, manage_hosts=True)}, hosts=l40s)
    assert findings(site)["vsphere.host_change"] == [
        "warning l40s-0: `up` will set 0000:10:00.0: passthrough on, hardware label gpu-l40s",
        "warning l40s-0: `up` will set 0000:18:00.0: passthrough on, hardware label gpu-l40s",
    ]
    assert findings(site)["vsphere.passthrough"] == [
        "warning l40s-0 0000:10:00.0: off",
        "warning l40s-0 0000:18:00.0: off",
    ]
    done = site.run("up", "vs", "--yes")
    assert done.returncode == 0, done.stderr
    follow(site, done.stdout + done.stderr, "doctor vs")
    assert len(templates(site)) == 1
    after = findings(site)
    assert after["vsphere.passthrough"] == ["ok l40s-0 0000:10:00.0: on", "ok l40s-0 0000:18:00.0: on"]
    assert after["vsphere.label"] == [
        "ok l40s-0 0000:10:00.0: label gpu-l40s",
        "ok l40s-0 0000:18:00.0: label gpu-l40s",
    ]
    assert "vsphere.host_change" not in after


def test_the_graphics_type_is_set_and_what_is_left_to_do_is_said(site: Site) -> None:
    shared = {"a100": {**ONE["a100"], "default_graphics_type": "shared"}}
    write(site, {"vgpu": template(manage_hosts=True)}, hosts=shared)
    first = site.run("up", "vs", "--yes")
    assert first.returncode != 0
    assert "→ reboot a100-0: what was set on hosts takes effect then" in first.stderr + first.stdout
    assert findings(site)["vsphere.reboot"] == ["error a100-0: waits for a reboot"]
    shell(site, "/hosts/reboot", {"host": "a100-0"})
    assert site.run("up", "vs", "--yes").returncode == 0
    assert len(templates(site)) == 1
