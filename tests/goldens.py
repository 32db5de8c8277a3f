"""Whole outputs kept as files under `tests/golden/`; `pytest --update-golden` writes them anew."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Golden:
    update: bool

    def check(self, name: str, text: str) -> None:
        """Fails with a diff when `text` is not what `tests/golden/<name>` holds."""
        path = FOLDER / name
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        kept = path.read_text(encoding="utf-8") if path.exists() else ""
        if text != kept:
            difference = difflib.unified_diff(
                kept.splitlines(), text.splitlines(), f"golden/{name}", "now", lineterm=""
            )
            pytest.fail("\n".join([*difference, "run pytest --update-golden when this is meant"]), pytrace=False)

    def check_tree(self, folder: str, texts: Mapping[str, str]) -> None:
        """The same for a folder: no file more, none less."""
        for name, text in texts.items():
            self.check(f"{folder}/{name}", text)
        kept = {str(path.relative_to(FOLDER / folder)) for path in (FOLDER / folder).rglob("*") if path.is_file()}
        for name in sorted(kept - set(texts)):
            if not self.update:
                pytest.fail(f"golden/{folder}/{name} is not made any more; run pytest --update-golden", pytrace=False)
            (FOLDER / folder / name).unlink()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(bool(request.config.getoption("--update-golden")))
