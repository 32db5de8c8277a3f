"""The lab's vCenter in a good world, for tests that change nothing in it; and what stands before it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from aiinfra.domains.vsphere.client.access import Access
from aiinfra.domains.vsphere.client.session import VCenter
from tests.integration.vsphere.fronts import Authority, Front, front
from tests.integration.vsphere.world import Running, running, world

Opened = Callable[..., VCenter]


@pytest.fixture(scope="session")
def program(toolchain: Mapping[str, Path]) -> Path:
    return toolchain["vcenter"]


@pytest.fixture(scope="module")
def lab(program: Path) -> Iterator[Running]:
    with running(program, world()) as started:
        yield started


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def opened(said: list[str], stop: threading.Event) -> Iterator[Opened]:
    """`opened(access)`: a session that is closed at the end of the test."""
    sessions: list[VCenter] = []

    def open_it(access: Access, **changes: Any) -> VCenter:
        sessions.append(VCenter.open(access, stop=stop, say=said.append, **changes))
        return sessions[-1]

    yield open_it
    for session in sessions:
        session.close()


@pytest.fixture
def vcenter(lab: Running, opened: Opened) -> VCenter:
    return opened(lab.access())


@pytest.fixture
def before(lab: Running, authority: Authority) -> Iterator[Front]:
    """A front before the lab's vCenter, with a certificate of the authority."""
    with front(authority.server(), lab.port) as made:
        yield made
