"""The content of one VM template with GPUs, resolved from its spec: devices, settings, name; and differences from it.

The OpenShift actuator clones a template and describes no GPU, firmware or memory lock of its own (openshift/
machine-api-operator `pkg/controller/vsphere/reconciler.go`), so all of it is in the template.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.inventory_paths import NAME_LIMIT
from aiinfra.domains.vsphere.marks import MARK_DOMAIN, MARK_SPEC, Owner, template_name

IMAGE: Final = "sha256:"
"""Prefix of the source of a template that is cloned from an imported image, before the digest of the OVA."""
USE_MMIO: Final = "pciPassthru.use64bitMMIO"
MMIO_SIZE: Final = "pciPassthru.64bitMMIOSizeGB"
DISK_UUID: Final = "disk.EnableUUID"
TEMPLATE: Final = "template"
HARDWARE_VERSION: Final = "hardware version"
"""At least: a source with a newer one keeps it."""

Value = str | int | bool | tuple[str, ...] | None


@dataclass(frozen=True, slots=True, order=True)
class Vgpu:
    """A vGPU, time-sliced or MIG-backed: the profile tells which."""

    profile: str

    def __str__(self) -> str:
        return f"vGPU {self.profile}"


@dataclass(frozen=True, slots=True, order=True)
class DynamicPassthrough:
    """Dynamic DirectPath I/O: placement finds a host with such a card."""

    vendor_id: int
    device_id: int
    label: str = ""
    """Hardware label that the card must have; empty: any."""

    def __str__(self) -> str:
        labelled = f" labelled {self.label}" if self.label else ""
        return f"passthrough of {self.vendor_id:04x}:{self.device_id:04x}{labelled}"


@dataclass(frozen=True, slots=True, order=True)
class StaticPassthrough:
    """One card of one host; the VM runs nowhere else."""

    pci_id: str
    vendor_id: int
    device_id: int
    system_id: str
    name: str = ""

    def __str__(self) -> str:
        return f"passthrough of {self.pci_id} ({self.vendor_id:04x}:{self.device_id:04x})"


Device = Vgpu | DynamicPassthrough | StaticPassthrough


@dataclass(frozen=True, slots=True)
class ResolvedPlacement:
    """Where a template is, by inventory paths."""

    failure_domain: str
    """Name of the failure domain; empty when there is only one."""
    cluster: str
    datastore: str
    folder: str
    resource_pool: str = ""
    """Empty: the cluster's own."""


@dataclass(frozen=True, slots=True)
class TemplateContent:
    """One template. A change of any part needs a new template; its name follows the content."""

    placement: ResolvedPlacement
    source: str
    """Inventory path of a VM or template, or the digest of an OVA."""
    devices: Sequence[Device]
    """GPU devices; empty with device groups, which have their own."""
    cpus: int
    cores_per_socket: int
    memory_mib: int
    hardware_version: int
    mmio_gb: int
    """Size of the MMIO space; 0: no MMIO keys are set."""
    device_groups: Sequence[str] = ()
    extra_config: Mapping[str, str] = field(default_factory=dict)

    @property
    def image(self) -> str:
        """The digest of the OVA that it is cloned from; empty when it is none."""
        return self.source if self.source.startswith(IMAGE) else ""

    @property
    def digest(self) -> str:
        """SHA-256 of the content, hexadecimal. The order of devices and keys does not count."""
        content = asdict(self) | {
            "devices": sorted(f"{type(device).__name__} {json.dumps(asdict(device))}" for device in self.devices),
            "device_groups": sorted(self.device_groups),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def name(self, owner: Owner) -> str:
        """`<environment>-<stack>-<hash8>`. Raises `ValueError` when vCenter would refuse its length."""
        name = template_name(owner.environment, owner.stack, self.digest)
        if len(name) > NAME_LIMIT:
            raise ValueError(f"the name {name} has {len(name)} characters, vCenter takes {NAME_LIMIT}")
        return name

    def settings(self) -> dict[str, Value]:
        """Every field that is set and read back, by the name that a difference shows."""
        return {
            "firmware": "efi",
            "secure boot": False,
            HARDWARE_VERSION: self.hardware_version,
            "CPUs": self.cpus,
            "cores per socket": self.cores_per_socket,
            "memory MiB": self.memory_mib,
            "memory reservation locked": True,
            "memory reservation MiB": self.memory_mib,
            "CPU hot add": False,
            "memory hot add": False,
            "disk UUID": True,
            **({"GPU devices": tuple(sorted(map(str, self.devices)))} if self.devices else {}),
            "device groups": tuple(sorted(self.device_groups)),
            **{f"extraConfig {key}": value for key, value in self.keys().items()},
        }

    def expected(self, owner: Owner) -> dict[str, Value]:
        """The settings as read back from the template, with its name, its folder and the marks."""
        domain = self.placement.failure_domain
        marks = {**owner.marks(), MARK_SPEC: self.digest, **({MARK_DOMAIN: domain} if domain else {})}
        return {
            TEMPLATE: True,
            "name": self.name(owner),
            "folder": self.placement.folder,
            **self.settings(),
            **{f"extraConfig {key}": value for key, value in marks.items()},
        }

    def keys(self) -> dict[str, str]:
        """The extraConfig keys, without the marks."""
        mmio = {USE_MMIO: "TRUE", MMIO_SIZE: str(self.mmio_gb)} if self.mmio_gb else {}
        return {DISK_UUID: "TRUE", **mmio, **self.extra_config}


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not as it should be."""

    field: str
    want: Value
    have: Value

    def __str__(self) -> str:
        return f"{self.field}: is {_shown(self.have)}, should be {_shown(self.want)}"


def differences(want: Mapping[str, Value], have: Mapping[str, Value]) -> list[Difference]:
    """Return what differs, field by field, in the order of `want`; further fields of `have` do not count."""
    pairs = [(name, value, have.get(name)) for name, value in want.items()]
    return [Difference(name, value, there) for name, value, there in pairs if not _same(name, value, there)]


def _same(name: str, want: Value, have: Value) -> bool:
    """Whether a value is as it should be: vCenter writes `TRUE` or `true` and never lowers a hardware version."""
    if name == HARDWARE_VERSION and isinstance(want, int) and isinstance(have, int):
        return have >= want
    if isinstance(want, str) and isinstance(have, str):
        return want == have or (want.lower() in ("true", "false") and want.lower() == have.lower())
    return want == have


def _shown(value: Value) -> str:
    match value:
        case None:
            return "absent"
        case bool():
            return "on" if value else "off"
        case tuple():
            return " and ".join(value) or "none"
    return str(value)


def tree_of(content: TemplateContent) -> dict[str, Any]:
    """Return the content as a tree for Pulumi's state; `content_of` reads it back."""
    devices = [{"kind": type(device).__name__, **asdict(device)} for device in content.devices]
    return asdict(content) | {"devices": devices}


def content_of(tree: Mapping[str, Any]) -> TemplateContent:
    """Parse what `tree_of` wrote. Numbers may come back as floats, as Pulumi has no others."""
    fields = dict(tree)
    fields["placement"] = ResolvedPlacement(**fields["placement"])
    fields["devices"] = tuple(_device(one) for one in fields["devices"])
    fields["device_groups"] = tuple(fields["device_groups"])
    for name in ("cpus", "cores_per_socket", "memory_mib", "hardware_version", "mmio_gb"):
        fields[name] = int(fields[name])
    return TemplateContent(**fields)


def _device(tree: Mapping[str, Any]) -> Device:
    fields = {key: int(value) if key.endswith(("vendor_id", "device_id")) else value for key, value in tree.items()}
    kind: Any = _DEVICES[str(fields.pop("kind"))]
    device: Device = kind(**fields)
    return device


_DEVICES: Final = {kind.__name__: kind for kind in (Vgpu, DynamicPassthrough, StaticPassthrough)}
