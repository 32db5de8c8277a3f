"""Make, from a chart, the list of values that it knows, and compare what `charts/*/facts.py` say with it.

    python -m tools.chart_values CHART                 write the list as JSON
    python -m tools.chart_values CHART --against NAME  name what the facts of chart NAME lack, or have and it has not

CHART is a folder or an archive, as `aiinfra charts mirror` fetches it. Helm's own engine reads it: its defaults with
those of its subcharts, and the values that its templates name without a default.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiinfra.domains.kubernetes.charts import facts_by_name
from aiinfra.domains.kubernetes.charts.helm_engine import PROGRAM, ChartRequest, Rendered, render
from aiinfra.toolchain import Toolchain
from aiinfra.world import World


def known_values(made: Rendered) -> dict[str, Any]:
    """Return the defaults of a chart, with null for each value that only its templates name.

    What is an empty map or a list in it takes anything.
    """
    known = json.loads(json.dumps(dict(made.defaults)))
    for path in made.named:
        _add(known, path)
    return dict(known)


def _add(known: dict[str, Any], path: Sequence[str]) -> None:
    """Add a value that templates name, unless it is inside of one that is passed on whole."""
    here: Any = known
    for part in path[:-1]:
        if part not in here:
            here[part] = {}
        elif not here[part]:
            return
        here = here[part]
        if not isinstance(here, dict):
            return
    here.setdefault(path[-1], None)


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Yield each value that only one of two lists has; what is open in one of them is not looked into."""
    for key in sorted({*ours, *theirs}):
        path = f"{at}.{key}".removeprefix(".")
        if key not in ours:
            yield f"lacks {path}"
        elif key not in theirs:
            yield f"has {path}, which the chart has not"
        elif isinstance(ours[key], Mapping) and isinstance(theirs[key], Mapping) and theirs[key]:
            yield from differences(ours[key], theirs[key], path)


def read(chart: Path, world: World) -> Rendered:
    """Let Helm read a chart. Raises `OutsideError`, and `SystemExit` for what is no chart."""
    program = Toolchain(world).ensure([PROGRAM])[PROGRAM]
    made = render(program, ChartRequest(str(chart.absolute()), "", name="x", namespace="x"), world.environ)
    if not made.defaults:
        raise SystemExit(f"{chart}: {made.message}")
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chart", type=Path)
    parser.add_argument("--against", metavar="NAME", choices=sorted(facts_by_name()))
    asked = parser.parse_args()
    known = known_values(read(asked.chart, World.real()))
    if not asked.against:
        json.dump(known, sys.stdout, indent=1, sort_keys=True)
        sys.stdout.write("\n")
        return 0
    found = list(differences(facts_by_name()[asked.against].values, known))
    sys.stdout.writelines(f"{sentence}\n" for sentence in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
