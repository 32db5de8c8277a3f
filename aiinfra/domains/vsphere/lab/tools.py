"""The simulated vCenter, and how it is obtained. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from aiinfra.toolchain.table import GoModule, Tool

GOVMOMI = "0.56.0"
SERVER = GoModule("lab-vcenter", Path(__file__).resolve().parent / "server", ("-ldflags", "-s -w"), disk="1 GB")

TOOLS: Mapping[str, Tool] = MappingProxyType({"vcenter": Tool("vcenter", GOVMOMI, SERVER, ".", built_as="vcenter")})
