"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import settings

from aiinfra.toolchain import Toolchain
from aiinfra.toolchain.record import record_path
from aiinfra.world import World
from tests.goldens import golden, pytest_addoption
from tests.slowest import pytest_terminal_summary

__all__ = ["golden", "pytest_addoption", "pytest_terminal_summary"]

KINDS = Path(__file__).parent / "kinds"
"""A package with kinds and a domain of its own, found by its entry points when this folder is on the path."""
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")

LAB_SERVERS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")


class Programs(dict[str, Path]):
    """The real programs by name, each found, fetched or built when it is first asked for."""

    def __missing__(self, name: str) -> Path:
        self.update(Toolchain(World.real()).ensure([name]))
        return self[name]


@pytest.fixture
def other_kinds(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package of kinds for tests is installed, in this process."""
    monkeypatch.syspath_prepend(str(KINDS))
    return KINDS


@pytest.fixture(scope="session")
def toolchain() -> Mapping[str, Path]:
    """`toolchain["aiinfra-engine"]`; AIINFRA_TOOLCHAIN names a folder that is looked at first."""
    return Programs()


@pytest.fixture(scope="session")
def lab_servers() -> Mapping[str, Path]:
    """The programs that `Lab.open` wants."""
    return Toolchain(World.real()).ensure(LAB_SERVERS)


@pytest.fixture(scope="session")
def toolchain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All programs in one folder, for a command that runs with a HOME of its own: its AIINFRA_TOOLCHAIN."""
    folder, toolchain = tmp_path_factory.mktemp("toolchain"), Toolchain(World.real())
    for name, program in toolchain.ensure(toolchain.usual).items():
        (folder / name).symlink_to(program)
        if record_path(program).exists():
            (folder / f"{name}.json").symlink_to(record_path(program))
    return folder
