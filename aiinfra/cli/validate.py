"""`aiinfra validate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm
from aiinfra.cli.reading import judge_packages, load

if TYPE_CHECKING:
    import typer

    from aiinfra.cli import options as o


def validate(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    sets: o.SetOption,
    packages: o.PackagesOption = False,
    output: o.OutputOption = OutputForm.TEXT,
    toolchain: o.ToolchainOption = None,
    offline: o.OfflineOption = False,
) -> None:
    """Check the file of ENV and name every problem. By itself it reads no secret and asks nothing of the world."""
    from aiinfra.config.files import display_path
    from aiinfra.plan.files import check_files

    found = load(ctx, env, sets, output)
    check_files(found.plan, found.path.absolute().parent, found.where)
    said = [str(report) for report in judge_packages(ctx, found, toolchain, offline=offline)] if packages else []
    path = display_path(Path(found.path), Console.of(ctx).world.cwd)
    count = len(found.plan.steps)
    payload = {"environment": found.environment.name, "file": path, "stacks": list(found.plan.steps), "packages": said}
    text = "\n".join((*said, f"{path}: {count} stack{'' if count == 1 else 's'}, no problems"))
    Console.of(ctx).answer(output, lambda: text, lambda: payload)
