"""What a user can get wrong, and what can be wrong with the machine: one sentence, the right exit code, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.spine.lab_site import lab_folder, place_example
from tests.integration.spine.site import Site

pytestmark = pytest.mark.engine
Make = Callable[..., Site]


def things(folder: Path) -> dict[str, object]:
    return {"a": {"kind": "things", "folder": str(folder)}}


@pytest.mark.parametrize("verb", ["up", "preview", "refresh"])
def test_a_stack_that_does_not_exist_is_refused_before_a_lab_is_started(verb: str, make_site: Make) -> None:
    site = make_site({}, environment="lab")
    place_example(site)
    done = site.run(verb, "lab", "--only", "nfdd")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "✗ --only: no stack is named nfdd\n  → did you mean nfd?\n  code config.unknown_stack · exit 2\n"
    )
    assert lab_folder(site) is None
