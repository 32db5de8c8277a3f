"""`aiinfra up`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiinfra.cli.acting import Watch
from aiinfra.cli.form import OutputForm

if TYPE_CHECKING:
    import typer

    from aiinfra.cli import options as o


def up(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    sets: o.SetOption,
    only: o.OnlyOption,
    summary: o.SummaryOption,
    from_: o.FromOption = "",
    until: o.UntilOption = "",
    yes: o.YesOption = False,
    parallel: o.ParallelOption = 8,
    refresh: o.RefreshOption = False,
    no_skip: o.NoSkipOption = False,
    prove: o.ProveOption = False,
    moved: o.MovedOption = False,
    output: o.OutputOption = OutputForm.TEXT,
    events: o.EventsOption = None,
    toolchain: o.ToolchainOption = None,
    offline: o.OfflineOption = False,
) -> int:
    """Bring ENV to the state that its file describes."""
    from aiinfra.session.options import Options, Selection, Tools

    watch = Watch.of(ctx, output, events, summary)
    session = watch.session(env, sets, Tools(toolchain, offline))
    watch.approve("up", session, yes=yes)
    choice = Options(
        Selection(only, from_, until), parallel=parallel, skip=not no_skip, refresh=refresh, prove=prove, moved=moved
    )
    return watch.run(lambda: session.up(choice))
