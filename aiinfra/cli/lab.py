"""`aiinfra lab status|stop|fault|faults`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aiinfra.cli.complete import environment_names
from aiinfra.cli.console import Console
from aiinfra.cli.form import Form, OutputForm
from aiinfra.cli.group import group
from aiinfra.cli.options import EnvArgument, OutputOption
from aiinfra.errors import OutsideError
from aiinfra.ui import lab as views

if TYPE_CHECKING:
    from aiinfra.lab.lab import Lab

app = group("The simulated world of an environment: a real control plane per cluster, on this machine alone.")


def _fault_names() -> list[str]:
    from aiinfra.lab.domains import fault_types

    return list(fault_types())


FaultArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", show_default=False, help="One of `aiinfra lab faults`.", autocompletion=_fault_names
    ),
]
AnyEnvArgument = Annotated[
    str, typer.Argument(metavar="[ENV]", show_default=False, help="A file or a name.", autocompletion=environment_names)
]
AtOption = Annotated[str, typer.Option("--at", metavar="PLACE", help="A cluster or a stack; default: everywhere.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Also under a run that uses the lab; that run fails.")]
LiftOption = Annotated[bool, typer.Option("--lift", help="Mend it instead.")]


@app.command()
def status(ctx: typer.Context, env: AnyEnvArgument = "", output: OutputOption = OutputForm.TEXT) -> None:
    """Say whether the lab of ENV runs, with its parts and what is broken in it; without ENV list all labs."""
    from aiinfra.lab.domains import lab_domains

    if not env:
        _list(Console.of(ctx), output)
        return
    console, name, lab = _find_lab(ctx, env, output)
    if lab is None:
        console.answer(output, lambda: views.no_lab_text(name), lambda: {"lab": None})
    elif not lab.alive:
        death = lab.record.death()
        dead = {"folder": str(lab.folder), "alive": False, "why": death}
        console.answer(output, lambda: views.dead_lab_text(name, str(lab.folder), death), lambda: {"lab": dead})
    else:
        live, now = dict(lab.status()), console.world.now()
        known, records = lab_domains(), live.pop("domains")
        parts = {known[domain].part: record for domain, record in records.items()}
        keys = {known[domain].key: record for domain, record in records.items()}
        console.answer(
            output,
            lambda: views.live_lab_text(name, str(lab.folder), live, parts, now),
            lambda: {"lab": {"folder": str(lab.folder), "alive": True, **live, **keys}},
        )


def _list(console: Console, output: OutputForm) -> None:
    from aiinfra.lab.domains import lab_domains
    from aiinfra.lab.folders import all_labs
    from aiinfra.lab.lab import Lab

    console.form, known = Form(output.value), lab_domains()
    found = [lab for folder in all_labs(console.world) if (lab := Lab.find(folder))]
    rows = [
        views.LabRow(
            lab.folder,
            lab.record.since if lab.alive else "",
            lab.record.death(),
            {known[domain].key: list(parts) for domain, parts in lab.record.domains.items()},
        )
        for lab in found
    ]
    now = console.world.now()
    console.answer(output, lambda: views.labs_text(rows, now), lambda: {"labs": [views.lab_json(row) for row in rows]})


@app.command()
def stop(
    ctx: typer.Context, env: EnvArgument, force: ForceOption = False, output: OutputOption = OutputForm.TEXT
) -> None:
    """Stop the lab of ENV and delete its state and its secrets. Refused while a run uses it."""
    from aiinfra.engine.lock import refuse_held
    from aiinfra.session.place.lab import notes_of

    console, name, lab = _find_lab(ctx, env, output)
    count = len(lab.record.children) + 1 if lab and lab.alive else 0

    def unused() -> None:
        if lab is not None and not force:
            hint = "wait for it, stop it with Ctrl-C, or add --force: it fails then"
            refuse_held(notes_of(lab.folder, name), console.world.now(), hint)

    if lab:
        lab.stop(console.err.line, unless=unused)
    console.answer(
        output,
        lambda: f"stopped the lab of {name}: {count} processes, and its folder" if lab else views.no_lab_text(name),
        lambda: {"stopped": lab is not None, "processes": count},
    )


@app.command("fault")
def fault_(
    ctx: typer.Context, env: EnvArgument, fault: FaultArgument, at: AtOption = "", lift: LiftOption = False
) -> None:
    """Break something in the lab of ENV, or repair it."""
    console, name, lab = _find_lab(ctx, env, OutputForm.TEXT)
    if lab is None or not lab.alive:
        hint = f"start it with aiinfra up {env}"
        raise OutsideError(f"{name} has no lab that runs", code="lab.none", where="lab", hint=hint)
    (lab.lift_fault if lift else lab.set_fault)(fault, at)
    console.out.line(f"{fault} {'lifted' if lift else 'set'} {f'at {at}' if at else 'everywhere'}")


@app.command()
def faults(ctx: typer.Context, output: OutputOption = OutputForm.TEXT) -> None:
    """List what can be broken in a lab."""
    from aiinfra.lab.domains import fault_types

    effects = {name: fault.effect for name, fault in fault_types().items()}
    Console.of(ctx).answer(output, lambda: views.faults_text(effects), lambda: {"faults": effects})


def _find_lab(ctx: typer.Context, env: str, output: OutputForm) -> tuple[Console, str, Lab | None]:
    """The environment's name and its lab, by the name and place of its file: that is not read and may be broken."""
    from aiinfra.config.lookup import find_environment
    from aiinfra.lab.folders import lab_folder
    from aiinfra.lab.lab import Lab

    console = Console.of(ctx)
    console.form = Form(output.value)
    path = find_environment(env, console.world)
    return console, path.stem, Lab.find(lab_folder(console.world, path.stem, path))
