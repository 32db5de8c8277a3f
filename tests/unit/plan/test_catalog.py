"""Kinds from other packages, found by their entry points."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiinfra.catalog import Catalog
from aiinfra.errors import ConfigError
from tests.unit.kinds import APP, CLUSTER

GOOD_MODULE = """
from aiinfra.stack import Inputs, Outputs, StackType
STACK = StackType("ours", "Ours.", Inputs, Outputs, "none:none")
NFD = StackType("nfd", "Theirs.", Inputs, Outputs, "none:none")
NOT = "a kind"
"""


class Packages:
    """Installs a package whose entry point `<name> = <target>` is of our group."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, name: str, target: str, module: str = GOOD_MODULE) -> None:
        info = self.folder / "their_kinds-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-kinds\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[aiinfra.stacks]\n{name} = {target}\n")
        (self.folder / f"{target.partition(':')[0]}.py").write_text(module)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packages:
    monkeypatch.syspath_prepend(str(tmp_path))
    return Packages(tmp_path)


def refusal() -> tuple[str, str, str, str]:
    with pytest.raises(ConfigError) as caught:
        dict(Catalog.installed())
    record = caught.value.record
    return record.code, record.where, record.message, record.hint


def test_ours_are_there() -> None:
    catalog = Catalog.installed()
    assert {"existing_cluster", "nfd", "gpu_operator", "gpu_proof"} <= set(catalog)
    assert [kind.kind for kind in catalog.values()] == list(catalog)
    assert catalog.origin("nfd") == "aiinfra"


def test_a_package_adds_a_kind(packages: Packages) -> None:
    packages.install("ours", "their_good:STACK")
    catalog = Catalog.installed()
    assert catalog["ours"].summary == "Ours."
    assert catalog.origin("ours") == "their-kinds"


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("import a_module_that_is_nowhere", "ModuleNotFoundError: No module named 'a_module_that_is_nowhere'"),
        ("STACK = ", "SyntaxError: invalid syntax (their_broken.py, line 1)"),
        ("raise RuntimeError('no\\nluck')", "RuntimeError: no luck"),
        ("raise KeyError('x')", "KeyError: 'x'"),
        ("", "AttributeError: module 'their_broken' has no attribute 'STACK'"),
    ],
)
def test_a_package_that_is_broken_is_named(
    packages: Packages, monkeypatch: pytest.MonkeyPatch, module: str, reason: str
) -> None:
    monkeypatch.delitem(__import__("sys").modules, "their_broken", raising=False)
    packages.install("ours", "their_broken:STACK", module)
    assert refusal() == (
        "catalog.broken_package",
        "their_broken:STACK",
        f"the kind ours of package their-kinds cannot be loaded: {reason}",
        "repair or uninstall their-kinds",
    )


def test_a_package_that_is_broken_is_in_nobodys_way(packages: Packages) -> None:
    packages.install("ours", "their_unused:STACK", "raise RuntimeError")
    catalog = Catalog.installed()
    assert "ours" in catalog
    assert catalog["nfd"].kind == "nfd"


@pytest.mark.parametrize(
    ("name", "target", "says"),
    [
        ("ours", "their_odd:NOT", "the entry point ours of package their-kinds gives a str, not the kind ours"),
        ("other", "their_odd:STACK", "the entry point other of package their-kinds gives a kind named ours, not the kind other"),
    ],
)  # fmt: skip
def test_a_package_that_gives_something_else(packages: Packages, name: str, target: str, says: str) -> None:
    packages.install(name, target)
    assert refusal()[2] == says


def test_two_of_one_name_are_refused(packages: Packages) -> None:
    packages.install("nfd", "their_second:NFD")
    assert refusal() == (
        "catalog.duplicate",
        "nfd",
        "the kind nfd is defined by aiinfra and by their-kinds",
        "uninstall one of them",
    )
    with pytest.raises(ConfigError, match="the kind app is defined by aiinfra and by aiinfra"):
        Catalog.of(APP, CLUSTER, APP)
