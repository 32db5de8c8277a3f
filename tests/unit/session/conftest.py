"""An environment of three steps, each of which needs the one before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.session.site import THREE, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, THREE)
