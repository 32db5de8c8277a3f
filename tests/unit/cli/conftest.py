from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aiinfra.cli.entry import run

SMALL = """\
version: v1
name: small
target: lab
stacks:
  cluster: {kind: existing_cluster}
  nfd: {kind: nfd, cluster: "${cluster}"}
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document


Aiinfra = Callable[..., Answer]


@pytest.fixture
def aiinfra(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Aiinfra:
    """Runs the command line in an empty folder that has `small.yaml`, with a home of its own and no terminal."""
    (tmp_path / "small.yaml").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)

    def call(*argv: str) -> Answer:
        code = run(argv)
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return call


def words(text: str) -> Sequence[str]:
    return text.split()
