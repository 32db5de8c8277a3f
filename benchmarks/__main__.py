"""`python -m benchmarks [--quick] [--json FILE]`: every figure that design budgets name, as a table and as JSON.

Budgets are goals on two cores. A figure over its budget is marked, and is no failure of this command.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import kubernetes
from benchmarks.measure import Row, machine, run, timed
from benchmarks.sites import KINDS, dependent_stacks, small_stacks, terraform


class Bench:
    """Commands in a folder of their own."""

    def __init__(self, folder: Path, quick: bool) -> None:
        self.folder = folder
        self.runs = 3 if quick else 7
        self.sizes = (20, 100) if quick else (20, 100, 300)
        path = os.pathsep.join([str(KINDS), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.environ = {**os.environ, "PYTHONPATH": path, "PULUMI_CONFIG_PASSPHRASE": "benchmark"}

    def aiinfra(self, *arguments: str) -> None:
        run([sys.executable, "-m", "aiinfra", *arguments], self.folder, self.environ)

    def start_up(self) -> Iterator[Row]:
        dependent_stacks(self.folder, 20)
        yield timed("--version", lambda: self.aiinfra("--version"), self.runs, 0.05)
        yield timed("--help", lambda: self.aiinfra("--help"), self.runs, 0.10)
        yield timed("validate, 20 stacks", lambda: self.aiinfra("validate", "chain"), self.runs, 0.15)
        yield timed("plan, 20 stacks", lambda: self.aiinfra("plan", "chain"), self.runs, 0.15)
        yield timed(
            "import pulumi (floor)", lambda: run([sys.executable, "-c", "import pulumi"], self.folder, self.environ), 3
        )

    def stacks(self) -> Iterator[Row]:
        budgets = {20: 1.0, 300: 12.0}
        for number in self.sizes:
            small_stacks(self.folder, number)
            yield timed(
                f"first up, {number} stacks", lambda: self.aiinfra("up", "many", "--yes"), 1, budgets.get(number)
            )
            if number == self.sizes[0]:
                again = self.runs
                yield timed("up unchanged, 20 stacks", lambda: self.aiinfra("up", "many", "--yes"), again, 0.4)
                yield timed(
                    "up --no-skip, 20 stacks", lambda: self.aiinfra("up", "many", "--yes", "--no-skip"), again, 0.9
                )
            yield timed(f"destroy, {number} stacks", lambda: self.aiinfra("destroy", "many", "--yes"), 1)

    def terraform(self) -> Iterator[Row]:
        program = shutil.which("terraform") or shutil.which("tofu")
        if program is None:
            return
        folders = terraform(self.folder / "terraform", 20)
        script = f"printf '%s\\n' {' '.join(map(str, folders))} | xargs -P 4 -I{{}} {program} -chdir={{}} "
        run(["sh", "-c", script + "init -input=false"], self.folder, self.environ)
        apply = script + "apply -input=false -auto-approve"
        yield timed("terraform: first apply, 20", lambda: run(["sh", "-c", apply], self.folder, self.environ), 1)
        yield timed(
            "terraform: no-op apply, 20", lambda: run(["sh", "-c", apply], self.folder, self.environ), self.runs
        )

    def lab(self) -> Iterator[Row]:
        shutil.copy(Path(__file__).parent.parent / "examples" / "lab.yaml", self.folder / "lab.yaml")
        try:
            yield timed("first up lab", lambda: self.aiinfra("up", "lab", "--yes"), 1)
            yield timed("up lab unchanged", lambda: self.aiinfra("up", "lab", "--yes"), self.runs, 0.5)
            yield from kubernetes.rows(self.folder, self.environ, self.runs)
        finally:
            self.aiinfra("destroy", "lab", "--yes")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="fewer runs and sizes")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aiinfra-bench-") as folder:
        bench = Bench(Path(folder), asked.quick)
        rows = [row for part in (bench.start_up, bench.stacks, bench.terraform, bench.lab) for row in part()]
    told = {"at": datetime.now(UTC).isoformat(), "machine": machine(), "rows": [row.as_json() for row in rows]}
    if asked.json:
        asked.json.write_text(json.dumps(told, indent=2) + "\n")
    _show(rows, told["machine"])


def _show(rows: list[Row], facts: object) -> None:
    table = Table(
        "what", "runs", "least s", "median s", "most s", "budget s", "", title=str(facts), title_justify="left"
    )
    for row in rows:
        verdict = {None: "", True: "within", False: "OVER"}[row.within]
        budget = "" if row.budget is None else f"{row.budget:.2f}"
        table.add_row(
            row.name, str(row.runs), f"{row.least:.3f}", f"{row.median:.3f}", f"{row.most:.3f}", budget, verdict
        )
    Console().print(table)


if __name__ == "__main__":
    main()
