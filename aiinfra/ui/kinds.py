"""The catalogue as a table and as JSON."""

from __future__ import annotations

from aiinfra.catalog import Catalog
from aiinfra.ui.tables import table


def kinds_text(catalog: Catalog) -> str:
    """One kind a line; the package stands behind those that are not ours."""
    rows = [(name, kind.summary + _origin_words(catalog.origin(name))) for name, kind in catalog.items()]
    return table(rows)


def _origin_words(package: str) -> str:
    return "" if package == "aiinfra" else f" [{package}]"


def kinds_json(catalog: Catalog) -> dict[str, object]:
    return {
        "kinds": [
            {
                "kind": name,
                "summary": kind.summary,
                "package": catalog.origin(name),
                "inputs": sorted(kind.inputs.model_fields),
                "outputs": sorted(kind.outputs.model_fields),
            }
            for name, kind in catalog.items()
        ]
    }
