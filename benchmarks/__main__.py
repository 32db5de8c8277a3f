"""`python -m benchmarks [--quick] [--part NAME] [--json FILE]`: each figure that has a budget, as a table and as JSON.

Budgets are goals for wall time on two idle cores. A figure over its budget is marked, and is no failure; what could
not be measured is, with exit 1. Each command runs once before it is timed, so that its byte code is there. On a busy
machine, which the load at the start tells, CPU times and the ratios to the floor still mean something.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from aiinfra.errors import AiinfraError
from benchmarks import kubernetes, memory, templates, vcenter
from benchmarks.goals import LIBRARIES, MEMORY, OVERHEAD, PULUMI, PYTHON, PYVMOMI, TERRAFORM, bare
from benchmarks.measure import Failed, Samples, machine, run
from benchmarks.report import Row, rows, show
from benchmarks.sites import KINDS, dependent_stacks, small_stacks, terraform

ROOT = Path(__file__).parent.parent
UP = ("up", "many", "--yes")
DESTROY = ("destroy", "many", "--yes")
PARTS = ("start_up", "stacks", "overhead", "memory", "terraform", "control_plane", "vcenter", "templates", "lab")


@dataclass(slots=True)
class Bench:
    """Commands in a folder of their own, and what they took."""

    folder: Path
    runs: int
    sizes: tuple[int, ...]
    samples: Samples = field(default_factory=Samples)
    figures: list[Row] = field(default_factory=list)
    """What is no time of a run."""
    troubles: list[str] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        path = os.pathsep.join([str(KINDS), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        bytecode = {"PYTHONPYCACHEPREFIX": str(self.folder / "bytecode")}
        return {**kept, **bytecode, "PYTHONPATH": path, "PULUMI_CONFIG_PASSPHRASE": "benchmark"}

    def python(self, *arguments: str) -> None:
        run([sys.executable, *arguments], self.folder, self.environ)

    def aiinfra(self, *arguments: str) -> None:
        self.python("-m", "aiinfra", *arguments)

    def again(self, name: str, act: Callable[[], object]) -> None:
        """What can be run any number of times: once untimed, then timed."""
        act()
        self.samples.take(name, act, self.runs)

    def part(self, measure: Callable[[], None]) -> None:
        """One part; where it fails, the others are measured all the same."""
        try:
            measure()
        except (Failed, AiinfraError) as error:
            self.troubles.append(f"{measure.__name__}: {error}")

    def start_up(self) -> None:
        dependent_stacks(self.folder, 20)
        self.again(PYTHON, lambda: self.python("-c", "pass"))
        imports = (
            "import typer, ruamel.yaml, pydantic\nclass M(pydantic.BaseModel):\n  a: int\npydantic.TypeAdapter(str)"
        )
        self.again(LIBRARIES, lambda: self.python("-c", imports))
        self.again(PULUMI, lambda: self.python("-c", "import pulumi"))
        self.again("--version", lambda: self.aiinfra("--version"))
        self.again("--help", lambda: self.aiinfra("--help"))
        self.again("validate, 20 stacks", lambda: self.aiinfra("validate", "chain"))
        self.again("plan, 20 stacks", lambda: self.aiinfra("plan", "chain"))

    def stacks(self) -> None:
        self._compiled()
        for number in self.sizes:
            small_stacks(self.folder, number)
            for _ in range(self.runs if number == 20 else 1):
                self._floor(number)
                self.samples.take(f"first up, {number} stacks", lambda: self.aiinfra(*UP))
                if number == 20:
                    self.samples.take("up unchanged, 20 stacks", lambda: self.aiinfra(*UP))
                    self.samples.take("up --no-skip, 20 stacks", lambda: self.aiinfra(*UP, "--no-skip"))
                self.samples.take(f"destroy, {number} stacks", lambda: self.aiinfra(*DESTROY))

    def _compiled(self) -> None:
        """Everything runs once, small and untimed."""
        small_stacks(self.folder, 1)
        self.aiinfra(*UP)
        self.aiinfra(*UP)
        self.aiinfra(*DESTROY)
        with tempfile.TemporaryDirectory(dir=self.folder) as state:
            self.python("-m", "benchmarks.bare", state, "1")

    def _floor(self, number: int) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as state:
            for verb in ("first up", "second up"):
                self.samples.take(bare(verb, number), lambda: self.python("-m", "benchmarks.bare", state, str(number)))

    def overhead(self) -> None:
        """What a stack costs beyond the floor, from the difference of two sizes: what is paid once drops out."""
        small, large = self.sizes[0], self.sizes[-1]
        names = ([f"first up, {n} stacks" for n in (small, large)], [bare("first up", n) for n in (small, large)])
        ours, theirs = ([self.samples.cpu(name) for name in pair] for pair in names)
        costs = [high - low for low, high in (ours, theirs) if low is not None and high is not None]
        if len(costs) != 2:
            raise Failed("its parts were not measured")
        each = (costs[0] - costs[1]) / (large - small) * 1000
        self.figures.append(Row("CPU of a stack beyond the floor", "ms", 1, each, each, each, budget=OVERHEAD))

    def memory(self) -> None:
        small_stacks(self.folder, 20)
        held = memory.peak([sys.executable, "-m", "aiinfra", *UP], self.folder, self.environ)
        self.aiinfra(*DESTROY)
        self.figures.append(Row("memory of up and engine host, 20 stacks", "MiB", 1, held, held, held, budget=MEMORY))

    def terraform(self) -> None:
        program = shutil.which("terraform") or shutil.which("tofu")
        if program is None:
            return
        folders = terraform(self.folder / "terraform", 20)
        script = f"printf '%s\\n' {' '.join(map(str, folders))} | xargs -P 4 -I{{}} {program} -chdir={{}} "
        run(["sh", "-c", script + "init -input=false"], self.folder, self.environ)
        apply = ["sh", "-c", script + "apply -input=false -auto-approve"]
        self.samples.take(f"{TERRAFORM}: first apply, 20", lambda: run(apply, self.folder, self.environ))
        self.samples.take(f"{TERRAFORM}: unchanged, 20", lambda: run(apply, self.folder, self.environ), self.runs)

    def control_plane(self) -> None:
        """The servers of one cluster, from nothing until they answer."""
        from aiinfra.domains.kubernetes.lab.domain import LAB, clusters_spec
        from aiinfra.lab.lab import Lab
        from aiinfra.toolchain import Toolchain
        from aiinfra.world import World

        binaries = Toolchain(World.real()).ensure(LAB.tools)
        wanted = {"kubernetes": clusters_spec({"cluster": None})}
        for number in range(min(self.runs, 3)):
            folder, opened = self.folder / f"lab-{number}", list[Lab]()

            def open_lab(folder: Path = folder, opened: list[Lab] = opened) -> None:
                opened.append(Lab.open(folder, wanted, binaries, lambda text: None))

            self.samples.take("lab control plane ready", open_lab)
            opened[0].stop()

    def vcenter(self) -> None:
        self.again(PYVMOMI, lambda: self.python("-c", "from pyVmomi import vim; vim.VirtualMachine"))
        vcenter.measure(self.samples, self.figures, self.folder, self.environ, self.runs)

    def templates(self) -> None:
        templates.measure(self.samples, self.aiinfra, self.folder, min(self.runs, 3))

    def lab(self) -> None:
        from aiinfra.domains.kubernetes.lab.domain import kubeconfig
        from aiinfra.lab.folders import lab_folder
        from aiinfra.lab.lab import Lab
        from aiinfra.world import World

        shutil.copy(ROOT / "examples" / "lab.yaml", self.folder / "lab.yaml")
        try:
            self.samples.take("first up lab", lambda: self.aiinfra("up", "lab", "--yes"))
            self.again("up lab unchanged", lambda: self.aiinfra("up", "lab", "--yes"))
            lab = Lab.find(lab_folder(World.real(), "lab", self.folder / "lab.yaml"))
            if lab is None:
                raise Failed("the lab is not where it was started")
            kubernetes.measure(self.samples, kubeconfig(lab.folder, "cluster"), self.folder, self.environ, self.runs)
        finally:
            self.samples.take("destroy lab", lambda: self.aiinfra("destroy", "lab", "--yes"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="fewer runs and sizes")
    parser.add_argument("--part", action="append", choices=PARTS, help="this part alone; may be given again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON there instead of below the table")
    asked = parser.parse_args()
    facts = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **machine()}
    with tempfile.TemporaryDirectory(prefix="aiinfra-bench-") as folder:
        bench = Bench(Path(folder), *((3, (20, 100)) if asked.quick else (7, (20, 100, 300))))
        for name in asked.part or PARTS:
            bench.part(getattr(bench, name))
    found = [*rows(bench.samples), *bench.figures]
    facts["load at the end"] = machine()["load"]
    show(found, facts, bench.troubles)
    told = json.dumps({"machine": facts, "rows": [row.as_json() for row in found], "not_measured": bench.troubles})
    if asked.json:
        asked.json.write_text(told + "\n")
    else:
        sys.stdout.write(told + "\n")
    return 1 if bench.troubles else 0


if __name__ == "__main__":
    sys.exit(main())
