"""`aiinfra refresh`."""

from __future__ import annotations

import typer

from aiinfra.cli import options as o
from aiinfra.cli.acting import Watch
from aiinfra.cli.form import OutputForm


def refresh(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    sets: o.SetOption,
    only: o.OnlyOption,
    summary: o.SummaryOption,
    from_: o.FromOption = "",
    until: o.UntilOption = "",
    parallel: o.ParallelOption = 8,
    moved: o.MovedOption = False,
    output: o.OutputOption = OutputForm.TEXT,
    events: o.EventsOption = None,
    toolchain: o.ToolchainOption = None,
    offline: o.OfflineOption = False,
) -> int:
    """Read the world again and record what drifted; the next `up` repairs it."""
    from aiinfra.session.options import Options, Selection, Tools

    watch = Watch.of(ctx, output, events, summary)
    session = watch.session(env, sets, Tools(toolchain, offline))
    choice = Options(Selection(only, from_, until), parallel=parallel, moved=moved)
    return watch.run(lambda: session.refresh(choice))
