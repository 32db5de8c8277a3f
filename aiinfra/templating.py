"""Documents from `templates/`: one template a document, values computed before.

The only user of jinja2, which is imported when the first document is rendered.
"""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def render(name: str, folder: Path | None = None, **context: Any) -> str:
    """Return the document `name` (`gpu_operator/device-plugin.yaml.j2`) with every value of `context` written as JSON.

    Raises `jinja2.UndefinedError` for a value that the template uses and `context` lacks.
    """
    return _environment(folder or templates()).get_template(name).render(context)


@cache
def templates() -> Path:
    """Return the folder of our templates: beside `stacks/` in a checkout, in its data where it is installed."""
    spec = importlib.util.find_spec("stacks")
    assert spec is not None and spec.origin is not None
    package = Path(spec.origin).parent
    installed = package / "_data" / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


@cache
def _environment(folder: Path) -> Environment:
    """YAML takes JSON scalars, so each value is written as JSON: `true`, `4`, `"a text"`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    def as_json(value: Any) -> Any:
        return value if isinstance(value, StrictUndefined) else json.dumps(value)

    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
        finalize=as_json,
    )
