"""Cuts out of an answer what is not needed, before pyVmomi reads it at 10 µs an element: seconds at a hundred hosts.

An answer in another form than expected is left whole, which only costs time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

Prune = Callable[[bytes], bytes]

_OTHER_DEVICE: Final = re.compile(
    rb'<VirtualDevice\b[^>]*\btype="(?!VirtualPCIPassthrough")[^"]*"[^>]*>.*?</VirtualDevice>', re.DOTALL
)
_PCI_DEVICE: Final = re.compile(rb"<HostPciDevice\b[^>]*>.*?</HostPciDevice>", re.DOTALL)
_NVIDIA: Final = b"<vendorId>4318</vendorId>"
_PASSTHROUGH: Final = re.compile(rb"<HostPciPassthruInfo\b[^>]*>.*?</HostPciPassthruInfo>", re.DOTALL)
_SERVICE: Final = re.compile(rb"<HostService\b[^>]*>.*?</HostService>", re.DOTALL)
_NTP: Final = b"<key>ntpd</key>"
_PACKAGE: Final = re.compile(rb"<returnval\b[^>]*>.*?</returnval>", re.DOTALL)
_NVIDIAS: Final = re.compile(rb"<vendor>(NVD|[^<]*NVIDIA[^<]*)</vendor>", re.IGNORECASE)
_UNASKED: Final = re.compile(rb"<(sriov|distributedVirtualPortgroup)\b[^>]*>.*?</\1>", re.DOTALL)
_ID: Final = re.compile(rb"<id>([^<]*)</id>")

current: Final[ContextVar[Prune]] = ContextVar("pruning", default=lambda body: body)
"""How the answers to this thread are shortened."""


@contextmanager
def pruning(prune: Prune) -> Iterator[None]:
    """Let `prune` shorten the answers to this thread."""
    token = current.set(prune)
    try:
        yield
    finally:
        current.reset(token)


def _id(element: bytes) -> bytes:
    found = _ID.search(element)
    return found[1] if found else b""


def gpus_only(body: bytes) -> bytes:
    """Return an answer without what is not about NVIDIA's cards.

    Left out are PCI devices of other vendors and their passthrough states, services other than NTP, and devices of VMs
    other than passthrough.

    A page holds whole hosts, so that a device and its state of passthrough are on the same one.
    """
    devices = _PCI_DEVICE.findall(body)
    kept = _PCI_DEVICE.sub(lambda found: found[0] if _NVIDIA in found[0] else b"", body)
    gpus = {_id(device) for device in devices if _NVIDIA in device}
    if devices:
        kept = _PASSTHROUGH.sub(lambda found: found[0] if _id(found[0]) in gpus else b"", kept)
    kept = _SERVICE.sub(lambda found: found[0] if _NTP in found[0] else b"", kept)
    return _OTHER_DEVICE.sub(b"", kept)


def nvidias_packages(body: bytes) -> bytes:
    """Return an answer with NVIDIA's packages alone; a host has a hundred and fifty."""
    return _PACKAGE.sub(lambda found: found[0] if _NVIDIAS.search(found[0]) else b"", body)


def offers_only(body: bytes) -> bytes:
    """Return a ConfigTarget without virtual functions and port groups, of which there are hundreds."""
    return _UNASKED.sub(b"", body)
