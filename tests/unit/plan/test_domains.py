"""Domains from other packages, found by their entry points, and what of them must be of one domain alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aiinfra.catalog import Kind, blocks, domain_of, domains, domains_of
from aiinfra.errors import ConfigError
from aiinfra.providers.aiinfra_provider import spec
from aiinfra.stack import Inputs, Outputs, StackType
from aiinfra.toolchain.tools import InstalledTools

Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """A package with the domain `cloud`, made with these arguments of `Domain`."""

    def package(arguments: str) -> None:
        info = tmp_path / "cloud-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cloud\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[aiinfra.domains]\ncloud = {tmp_path.name}:DOMAIN\n")
        (tmp_path / f"{tmp_path.name}.py").write_text(
            "from aiinfra.domain import Block, Domain\n"
            "from aiinfra.domains.vsphere.lab.tools import TOOLS\n"
            f"DOMAIN = Domain(name='cloud', summary='A cloud.', {arguments})\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))

    return package


def said(ask: Callable[[], object]) -> tuple[str, str, str]:
    with pytest.raises(ConfigError) as caught:
        ask()
    record = caught.value.record
    return record.code, record.message, record.hint


def a_kind(*names: str) -> Kind:
    return StackType("app", "An app.", Inputs, Outputs, "none:none", domains=names)


def test_a_package_adds_a_domain(install: Install) -> None:
    install("resources={'aiinfra:cloud:Machine': 'none:none'}, documents={'cloud:': 'none:none'}")
    assert list(domains()) == ["kubernetes", "vsphere", "cloud"]
    assert list(domains_of([a_kind("cloud", "vsphere")])) == ["vsphere", "cloud"]
    assert "aiinfra:cloud:Machine" in spec().resources
    tokens = ("aiinfra:cloud:Machine", "cloud:compute:Disk", "kubernetes:core/v1:Pod", "other:a:B", "aiinfra:cloud:New")
    assert [domain_of(token) for token in tokens] == ["cloud", "cloud", "kubernetes", "", ""]


def test_a_domain_that_is_not_installed_is_named() -> None:
    assert said(lambda: domains_of([a_kind("clouds")])) == (
        "catalog.broken_package",
        "the kind app works in the domain clouds, which is not installed",
        "see domains= of its StackType; installed are kubernetes, vsphere",
    )


@pytest.mark.parametrize(
    ("arguments", "ask", "message"),
    [
        (
            "block=Block('vcenter', 'none:none', {})",
            blocks,
            "the key vcenter belongs to the domain vsphere and to the domain cloud",
        ),
        (
            "resources={'aiinfra:vsphere:GpuTemplate': 'none:none'}",
            spec,
            "the resource type aiinfra:vsphere:GpuTemplate of the domain cloud is that of another domain too",
        ),
        (
            "tools=f'{__name__}:TOOLS'",
            lambda: list(InstalledTools()),
            "the program vcenter of the domain cloud is brought by another domain too",
        ),
    ],
)
def test_what_two_domains_bring_is_refused(
    install: Install, arguments: str, ask: Callable[[], object], message: str
) -> None:
    install(arguments)
    assert said(ask) == ("catalog.duplicate", message, "uninstall one of them")
