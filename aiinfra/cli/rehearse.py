"""`aiinfra rehearse`."""

from __future__ import annotations

from typing import Annotated

import typer

from aiinfra.cli import options as o
from aiinfra.cli.acting import Watch
from aiinfra.cli.complete import fault_names
from aiinfra.cli.form import OutputForm

FaultOption = Annotated[
    str,
    typer.Option(
        "--fault",
        metavar="NAME[@STACK]",
        help="Break this during an up first, at one stack or everywhere.",
        autocompletion=fault_names,
    ),
]


def rehearse(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    fault: FaultOption = "",
    sets: o.SetOption,
    summary: o.SummaryOption,
    parallel: o.ParallelOption = 8,
    output: o.OutputOption = OutputForm.TEXT,
    events: o.EventsOption = None,
    toolchain: o.ToolchainOption = None,
    offline: o.OfflineOption = False,
) -> None:
    """Run any ENV, also one of a real site, in a throw-away lab: up, proof, destroy, a verdict."""
    from aiinfra.session.options import Options, Tools
    from aiinfra.session.rehearsal.fault_injection import Fault
    from aiinfra.session.rehearsal.rehearse import rehearse

    watch = Watch.of(ctx, output, events, summary)
    session = watch.session(env, sets, Tools(toolchain, offline), "lab")
    choice = Options(parallel=parallel)
    watch.rehearse(lambda: rehearse(session, Fault.parse(fault) if fault else None, choice))
