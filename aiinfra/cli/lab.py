"""`aiinfra lab status|stop|fault`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aiinfra.cli import options as o
from aiinfra.cli.complete import fault_names
from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm
from aiinfra.cli.reading import loaded
from aiinfra.errors import OutsideError

if TYPE_CHECKING:
    from aiinfra.lab.lab import Lab

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="The simulated world of ENV: status, stop, faults.",
)
FaultArgument = Annotated[
    str, typer.Argument(metavar="NAME[@PLACE]", help="A fault, at a cluster or a stack.", autocompletion=fault_names)
]
LiftOption = Annotated[bool, typer.Option("--lift", help="Mend it again.")]


@app.command("status")
def status(
    ctx: typer.Context, *, env: o.EnvArgument, sets: o.SetOption, output: o.OutputOption = OutputForm.TEXT
) -> None:
    """Show the lab of ENV: clusters, processes, what is broken in it."""
    from aiinfra.ui.lab import lab_text

    console = Console.of(ctx)
    name, folder, lab = _found(ctx, env, sets, output)
    told = _status(name, folder, lab)
    console.answer(output, lambda: lab_text(told, console.world.now()), lambda: {"lab": told})


@app.command("stop")
def stop(
    ctx: typer.Context, *, env: o.EnvArgument, sets: o.SetOption, output: o.OutputOption = OutputForm.TEXT
) -> None:
    """End the lab of ENV with all that is in it, its state included: no process, no file is left."""
    name, folder, lab = _found(ctx, env, sets, output)
    if lab is not None:
        lab.stop()
    text = f"the lab of {name} is gone: 0 processes, 0 files" if lab else f"{name} has no lab"
    Console.of(ctx).answer(output, lambda: text, lambda: {"folder": str(folder), "stopped": lab is not None})


@app.command("fault")
def fault(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    name: FaultArgument,
    lift: LiftOption = False,
    sets: o.SetOption,
    output: o.OutputOption = OutputForm.TEXT,
) -> None:
    """Break something in the lab of ENV, or mend it with --lift."""
    what, _, place = name.partition("@")
    environment, _, lab = _found(ctx, env, sets, output)
    if lab is None or not lab.alive:
        hint = f"aiinfra up {environment} starts it"
        raise OutsideError("the lab does not run", code="lab.not_running", where=environment, hint=hint)
    (lab.lift_fault if lift else lab.set_fault)(what, place)
    text = f"{what} is {'lifted' if lift else 'set'}{f' at {place}' if place else ''}"
    faults = [asdict(one) for one in lab.faults()]
    Console.of(ctx).answer(output, lambda: text, lambda: {"faults": faults})


def _found(ctx: typer.Context, env: str, sets: list[str], output: OutputForm) -> tuple[str, Path, Lab | None]:
    from aiinfra.lab.folders import lab_folder
    from aiinfra.lab.lab import Lab

    found = loaded(ctx, env, sets, output)
    folder = lab_folder(Console.of(ctx).world, found.environment.name, found.path)
    return found.environment.name, folder, Lab.find(folder)


def _status(name: str, folder: Path, lab: Lab | None) -> dict[str, Any]:
    record = lab.record if lab else None
    return {
        "environment": name,
        "folder": str(folder),
        "folder_exists": lab is not None,
        "alive": bool(lab and lab.alive),
        "since": record.since if record else "",
        "clusters": {key: asdict(one) for key, one in record.clusters.items()} if record else {},
        "processes": [{"name": "supervisor", "pid": record.pid}, *map(asdict, record.survivors())] if record else [],
        "faults": [asdict(one) for one in lab.faults()] if lab else [],
    }
