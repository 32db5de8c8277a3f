"""`aiinfra rehearse`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from aiinfra.cli import options as o
from aiinfra.cli.acting import Watch
from aiinfra.cli.complete import fault_names
from aiinfra.cli.form import OutputForm

if TYPE_CHECKING:
    from aiinfra.session.packages import Scope

FaultOption = Annotated[
    str,
    typer.Option(
        "--fault",
        metavar="NAME[@STACK]",
        help="Break this during an up first, at one stack or everywhere.",
        autocompletion=fault_names,
    ),
]


RealOperatorsOption = Annotated[
    bool,
    typer.Option("--real-operators", help="Run NVIDIA's real GPU Operator (built at first use), not its stand-in."),
]
OfficialOption = Annotated[
    bool,
    typer.Option(
        "--official-plugins", help="Let the installed official Pulumi plugins run against the lab, not stand-ins."
    ),
]


def rehearse(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    fault: FaultOption = "",
    real_operators: RealOperatorsOption = False,
    sets: o.SetOption,
    summary: o.SummaryOption,
    parallel: o.ParallelOption = 8,
    output: o.OutputOption = OutputForm.TEXT,
    events: o.EventsOption = None,
    packages: o.PackagesOption = False,
    official_plugins: OfficialOption = False,
    toolchain: o.ToolchainOption = None,
    offline: o.OfflineOption = False,
) -> int:
    """Run any ENV, also one of a real site, in a throw-away lab: up, proof, destroy, a verdict."""
    from aiinfra.session.options import Options, Tools
    from aiinfra.session.rehearsal.fault_injection import Fault
    from aiinfra.session.rehearsal.official import official_plugins as find_plugins
    from aiinfra.session.rehearsal.rehearse import rehearse

    watch = Watch.of(ctx, output, events, summary)
    session = watch.session(env, sets, Tools(toolchain, offline), "lab", real_operators=real_operators)
    if official_plugins:
        tools = replace(session.places.tools, official=find_plugins(session.places))
        session = replace(session, places=replace(session.places, tools=tools))
    choice = Options(parallel=parallel)
    scope: Scope = "all" if packages else "ready"
    chosen = Fault.parse(fault) if fault else None
    return watch.rehearse(lambda: rehearse(session, chosen, choice, scope, real_operators=real_operators))
