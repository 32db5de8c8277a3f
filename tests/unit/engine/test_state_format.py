from __future__ import annotations

from pathlib import Path

import pytest

from aiinfra.engine.host_connection import EngineError
from aiinfra.engine.state_format import check_format


def state(folder: Path, meta: str) -> Path:
    (folder / ".pulumi").mkdir()
    (folder / ".pulumi" / "meta.yaml").write_text(meta)
    return folder


def test_our_format_and_a_state_that_is_not_there_pass(tmp_path: Path) -> None:
    check_format(tmp_path / "absent")
    check_format(state(tmp_path, "version: 1\n"))


@pytest.mark.parametrize(
    ("meta", "code", "message", "hint"),
    [
        (
            "version: 2\n",
            "engine.newer",
            "the state is of a newer format than this aiinfra knows",
            "use an aiinfra that is as new as what wrote it last, or another state.url",
        ),
        (
            "version: 0\n",
            "engine.legacy",
            "the state is of Pulumi's old format, whose stacks belong to no project",
            "run pulumi state upgrade on it",
        ),
        ("version: [", "engine.damaged", "the state does not say of which format it is", "write version: 1 to it"),
    ],
)
def test_another_format_is_named_with_a_way_out(tmp_path: Path, meta: str, code: str, message: str, hint: str) -> None:
    with pytest.raises(EngineError) as caught:
        check_format(state(tmp_path, meta))
    record = caught.value.record
    assert (record.code, record.message, record.hint) == (code, message, hint)
    assert record.where == f"{tmp_path}/.pulumi/meta.yaml"
    assert caught.value.exit_code == 3
