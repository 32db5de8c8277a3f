"""DRS, which places VMs with GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiinfra.domains.vsphere.checks.findings import API, Topic
from aiinfra.domains.vsphere.reading.observed import Site
from aiinfra.domains.vsphere.spec import GpuTemplateSpec
from aiinfra.stack import Finding

EVACUATES: Final = "VgpuMMAutomationTimeoutSecs"
HOT_MIGRATE: Final = "vgpu.hotmigrate.enabled"
DRS: Final = Topic("vsphere.drs", f"{API}: Datacenter.PowerOnMultiVM")
EVACUATION: Final = Topic("vsphere.evacuation", "Broadcom KB 88271")


def drs(site: Site, spec: GpuTemplateSpec) -> Iterator[Finding]:
    cluster, needed = site.cluster, "DRS on: it finds the host that has the GPUs free"
    about = f"cluster {cluster.name}"
    if cluster.drs_enabled is None:
        yield DRS.unread(cluster, "drs_enabled", about, needed, "look at DRS of the cluster in vCenter")
    elif not cluster.drs_enabled:
        yield DRS.error(about, "off", needed, "switch DRS on, or name a host with static_passthrough")
    elif cluster.drs_behavior == "manual":
        hint = "set it to fully automated, or place each VM by hand; machine sets override it at power-on"
        yield DRS.warning(about, "on, manual", needed, hint)
    else:
        yield DRS.ok(about, f"on, {cluster.drs_behavior or 'automation not told'}", needed)


def evacuation(site: Site, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield what maintenance mode does with vGPU VMs."""
    if not spec.shares_cards:
        return
    about, needed = f"cluster {site.cluster.name}", "vGPU VMs leave a host that enters maintenance"
    if "settings" in site.unread:
        hint = f"look at {HOT_MIGRATE} in the vCenter's advanced settings"
        yield EVACUATION.unread(site, "settings", about, needed, hint)
        return
    enabled = site.settings.get(HOT_MIGRATE, "").lower() == "true"
    waits = site.cluster.drs_options.get(EVACUATES)
    read = f"{HOT_MIGRATE}={'true' if enabled else 'not set'}, {EVACUATES}={waits or 'not set'}"
    if enabled and waits == "-1":
        yield EVACUATION.ok(about, read, needed)
    else:
        hint = f"set both ({EVACUATES}=-1), or drain and power off such VMs by hand"
        yield EVACUATION.warning(about, read, needed, hint)
