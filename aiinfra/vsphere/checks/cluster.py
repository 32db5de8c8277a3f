"""DRS, which places VMs with GPUs."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.stack import Finding
from aiinfra.vsphere.checks.findings import error, ok, unknown, warning
from aiinfra.vsphere.checks.wanted import WantedVm
from aiinfra.vsphere.readings import Site

EVACUATION = "VgpuMMAutomationTimeoutSecs"
HOT_MIGRATE = "vgpu.hotmigrate.enabled"


def drs(site: Site, wanted: WantedVm) -> Iterator[Finding]:
    cluster, needed = site.cluster, "DRS on: it finds the host that has the GPUs free"
    about = f"cluster {cluster.name}"
    if cluster.drs_enabled is None:
        yield unknown(
            "vsphere.drs", cluster, about, "drs_enabled", needed, hint="look at DRS of the cluster in vCenter"
        )
    elif not cluster.drs_enabled:
        yield error("vsphere.drs", about, "off", needed, "switch DRS on, or name a host with static_passthrough")
    elif cluster.drs_behavior == "manual":
        hint = "set it to fully automated, or place each VM by hand; machine sets override it at power-on"
        yield warning("vsphere.drs", about, "on, manual", needed, hint)
    else:
        yield ok("vsphere.drs", about, f"on, {cluster.drs_behavior}", needed)


def evacuation(site: Site, wanted: WantedVm) -> Iterator[Finding]:
    """What maintenance mode does with vGPU VMs (Broadcom KB 88271)."""
    if not wanted.shares_cards:
        return
    about, needed = f"cluster {site.cluster.name}", "vGPU VMs leave a host that enters maintenance"
    enabled = site.settings.get(HOT_MIGRATE, "").lower() == "true"
    waits = site.cluster.drs_options.get(EVACUATION)
    if enabled and waits == "-1":
        yield ok("vsphere.evacuation", about, f"{HOT_MIGRATE}=true, {EVACUATION}=-1", needed, "Broadcom KB 88271")
        return
    read = f"{HOT_MIGRATE}={'true' if enabled else 'not set'}, {EVACUATION}={waits or 'not set'}"
    hint = f"set both ({EVACUATION}=-1), or drain and power off such VMs by hand"
    yield warning("vsphere.evacuation", about, read, needed, hint, source="Broadcom KB 88271")
