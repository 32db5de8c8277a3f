from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.site import GOOD, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A folder with one good environment, `site.yaml`."""
    made = Site(tmp_path)
    made.write("site.yaml", GOOD)
    return made
