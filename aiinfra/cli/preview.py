"""`aiinfra preview`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiinfra.cli.acting import Watch
from aiinfra.cli.form import OutputForm

if TYPE_CHECKING:
    import typer

    from aiinfra.cli import options as o


def preview(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    sets: o.SetOption,
    only: o.OnlyOption,
    summary: o.SummaryOption,
    from_: o.FromOption = "",
    until: o.UntilOption = "",
    parallel: o.ParallelOption = 8,
    refresh: o.RefreshOption = False,
    no_skip: o.NoSkipOption = False,
    moved: o.MovedOption = False,
    output: o.OutputOption = OutputForm.TEXT,
    events: o.EventsOption = None,
    toolchain: o.ToolchainOption = None,
    offline: o.OfflineOption = False,
) -> int:
    """Say what `up` would change, asking the engine. Changes nothing."""
    from aiinfra.plan.certainty import critical_path
    from aiinfra.session.inspection.record import read_record
    from aiinfra.session.options import Options, Selection, Tools

    watch = Watch.of(ctx, output, events, summary)
    session = watch.session(env, sets, Tools(toolchain, offline))
    choice = Options(Selection(only, from_, until), parallel=parallel, skip=not no_skip, refresh=refresh, moved=moved)
    path = critical_path(session.plan, read_record(watch.console.world, session.plan, session.loaded.path))
    return watch.run(lambda: session.preview(choice), path)
