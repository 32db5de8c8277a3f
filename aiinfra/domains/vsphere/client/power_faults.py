"""Why a VM with GPUs is not powered on: what a vCenter says, as a cause and a hint. Pure.

Sources of the texts: ESXi's own for memory (VMware KB 2002779); Dell KB 000199172 for MMIO; NVIDIA vGPU for VMware
vSphere user guide ("the amount of graphics resource available in the parent resource pool …", "Could not initialize
plugin"); the types are those of the vSphere Web Services API 8.0.3. The first rule that fits counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aiinfra.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PowerOnCause:
    code: str
    why: str
    """The rest of "… was not powered on: "."""
    hint: str


@dataclass(frozen=True, slots=True)
class _Rule:
    cause: PowerOnCause
    faults: Sequence[str] = ()
    says: re.Pattern[str] | None = None

    def fits(self, fault: str, text: str) -> bool:
        return fault in self.faults or bool(self.says and self.says.search(text))


def _rule(code: str, why: str, hint: str, says: str = "", faults: Sequence[str] = ()) -> _Rule:
    return _Rule(PowerOnCause(code, why, hint), faults, re.compile(says, re.IGNORECASE) if says else None)


REPAIR = "aiinfra up ENV --refresh repairs a template that was changed by hand"

_RULES: Sequence[_Rule] = (
    _rule(
        "vsphere.memory_not_reserved",
        "not all of its memory is reserved, and a GPU device needs all of it",
        REPAIR,
        says=r"sched\.mem\.min|invalid memory setting|memory reservation .*(equal|full)",
    ),
    _rule(
        "vsphere.mmio",
        "its 64-bit MMIO space is too small for its GPUs",
        "raise pciPassthru.64bitMMIOSizeGB, and switch Above 4G Decoding on in the firmware of the host",
        says=r"number of pages needed\b.*exceeds limit",
    ),
    _rule(
        "vsphere.driver",
        "the vGPU manager of the host and the driver do not fit together",
        "install the vGPU manager of the guest driver's branch on the host: aiinfra doctor ENV shows both",
        says=r"(driver|vgpu|vib|manager).*version.*(mismatch|incompatible|not compatible)"
        r"|incompatible.*(driver|vgpu manager)|version mismatch",
    ),
    _rule(
        "vsphere.sizes",
        "its vGPU profile has another size than the vGPUs that run on the card, and the card is in same-size mode",
        "use the profile that runs there, free a card, or switch the card to mixed-size mode",
        says=r"same[- ]size|mixed[- ]size|different (frame ?buffer )?sizes?|profile.*size.*(running|in use)",
    ),
    _rule(
        "vsphere.passthrough",
        "its device is not active for passthrough on the host",
        "reboot the host if passthrough was just switched on; aiinfra doctor ENV shows the state of each card",
        says=r"not a passthrough device|passthrough.*(not (active|enabled|available)|reboot)|reboot.*passthrough",
        faults=("CannotAccessVmDevice", "NoCompatibleHostWithAccessToDevice"),
    ),
    _rule(
        "vsphere.licence",
        "the licence edition of the host does not allow GPU devices",
        "assign vSphere Enterprise Plus, or an edition that includes vGPU, to the host",
        says=r"\blicen[cs]e|\bedition\b",
        faults=(
            "LicenseRestricted",
            "InvalidEditionLicense",
            "LicenseExpired",
            "ExpiredFeatureLicense",
            "ExpiredEditionLicense",
            "RestrictedVersion",
        ),
    ),
    _rule(
        "vsphere.profile_unknown",
        "its vGPU profile is not offered",
        "name a profile that the hosts list: aiinfra doctor ENV shows which can be started now",
        says=r"(vgpu|profile|grid_|nvidia_).*(not (found|supported|offered|known|available)|does not exist|unknown)",
    ),
    _rule(
        "vsphere.vgpu_plugin",
        "the vGPU manager of the host could not start its vGPU",
        "aiinfra doctor ENV shows whether the vGPU manager fits; else vmware.log of the VM says why",
        says=r"could not initialize plugin|libnvidia-vgx",
    ),
    _rule(
        "vsphere.capacity",
        "no card takes its vGPU: they are full, hold vGPUs of another size, or are not in Shared Direct mode",
        "free a card, or use the profile that runs there: aiinfra doctor ENV shows what each card can start",
        says=r"graphics resource",
        faults=("InsufficientGraphicsResourcesFault",),
    ),
    _rule(
        "vsphere.capacity",
        "no card that it may have is free",
        "free a card: aiinfra doctor ENV shows who uses them",
        says=r"devices? .*required by VM .*not available|device .*already in use",
    ),
    _rule(
        "vsphere.memory",
        "not enough memory is free to be reserved for it",
        "free memory on the hosts, or give the VM less",
        says=r"memory resources? .*insufficient|(insufficient|not have sufficient) memory",
        faults=(
            "InsufficientMemoryResourcesFault",
            "InsufficientHostMemoryCapacityFault",
            "InsufficientStandbyMemoryResource",
        ),
    ),
    _rule(
        "vsphere.mmio",
        "a device could not be mapped",
        "set pciPassthru.use64bitMMIO and firmware efi, and switch Above 4G Decoding on in the firmware of the host",
        says=r"DevicePowerOn",
    ),
)
_GENERAL = _rule(
    "vsphere.capacity",
    "no host has what it needs",
    "aiinfra doctor ENV shows what each host has free",
    faults=("InsufficientResourcesFault", "InsufficientHostCapacityFault", "NoCompatibleHost", "NoActiveHostInCluster"),
)


def power_on_cause(fault: str, text: str) -> PowerOnCause | None:
    """Return the cause for a fault by its name and texts; None for a fault about something else."""
    return next((rule.cause for rule in _RULES if rule.fits(fault, text)), None)


def cause_without_detail(fault: str) -> PowerOnCause | None:
    """Return the cause for a fault that only says that the VM fits nowhere."""
    return _GENERAL.cause if _GENERAL.fits(fault, "") else None
