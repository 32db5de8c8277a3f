"""Environments in folders of their own, run by the real command against the real engine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.spine.site import Site

KINDS = Path(__file__).parents[2] / "kinds"
CANARY = "canary-5f0e7d1c9a"


@pytest.fixture
def make_site(tmp_path: Path, toolchain_folder: Path) -> Iterator[Callable[..., Site]]:
    """`make_site(stacks)`: an environment `world` of test kinds whose things are files below `site.things`."""

    def make(stacks: Mapping[str, Any], *, name: str = "site", environment: str = "world") -> Site:
        site = site_in(tmp_path / name, toolchain_folder, environment)
        site.write(stacks)
        return site

    yield make
    for path in tmp_path.rglob("home"):
        assert path.is_dir()


def site_in(folder: Path, toolchain_folder: Path, environment: str) -> Site:
    """A folder with a HOME of its own, and no environment yet."""
    (folder / "home").mkdir(parents=True, exist_ok=True)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "PYTHONPATH": str(KINDS),
        "PULUMI_CONFIG_PASSPHRASE": "only a test",
        "AIINFRA_TOOLCHAIN": str(toolchain_folder),
        "CANARY": CANARY,
    }
    return Site(folder, environ, environment)


def text(document: object) -> str:
    return json.dumps(document, indent=1)
