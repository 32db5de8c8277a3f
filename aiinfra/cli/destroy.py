"""`aiinfra destroy`."""

from __future__ import annotations

import typer

from aiinfra.cli import options as o
from aiinfra.cli.acting import Watch
from aiinfra.cli.form import OutputForm


def destroy(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    sets: o.SetOption,
    only: o.OnlyOption,
    forget: o.ForgetOption,
    summary: o.SummaryOption,
    yes: o.YesOption = False,
    with_dependents: o.WithDependentsOption = False,
    parallel: o.ParallelOption = 8,
    keep_lab: o.KeepLabOption = False,
    environment_id: o.EnvironmentIdOption = "",
    moved: o.MovedOption = False,
    output: o.OutputOption = OutputForm.TEXT,
    events: o.EventsOption = None,
    toolchain: o.ToolchainOption = None,
    offline: o.OfflineOption = False,
) -> int:
    """Destroy all that ENV made, in reverse order, and prove that nothing is left."""
    from aiinfra.session.options import Options, Selection, Tools

    watch = Watch.of(ctx, output, events, summary)
    session = watch.session(env, sets, Tools(toolchain, offline))
    watch.approve("destroy", session, yes=yes, forget=forget)
    choice = Options(
        Selection(only),
        parallel=parallel,
        keep_lab=keep_lab,
        environment_id=environment_id,
        forget=forget,
        moved=moved,
        take_along=lambda dependents: with_dependents or (not yes and watch.agrees(dependents)),
    )
    return watch.run(lambda: session.destroy(choice))
