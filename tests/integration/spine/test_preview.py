"""A preview that fails is a result, also where nothing stands yet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.spine.site import Site

pytestmark = pytest.mark.engine


def test_a_program_that_fails_above_a_cluster_that_is_not_there_yet_is_a_failed_stack(
    make_site: Callable[..., Site],
) -> None:
    site = make_site({})
    memo = {"kind": "notes", "cluster": "${cluster}", "names": ["a"], "fail": "no such thing"}
    site.write({"cluster": {"kind": "existing_cluster"}, "memo": memo}, target="lab", state={})
    done = site.run("preview", "world")
    assert (done.returncode, done.stderr) == (4, "")
    assert "the program failed at program.py:8: ValueError: no such thing" in done.stdout
    assert "has a bug" not in done.stdout
