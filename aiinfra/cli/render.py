"""`aiinfra render`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiinfra.cli import options as o
from aiinfra.cli.complete import stack_names
from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm
from aiinfra.cli.reading import judge_packages, load

if TYPE_CHECKING:
    from aiinfra.domain_packages import PackageReport

StackArgument = Annotated[
    str, typer.Argument(metavar="[STACK]", show_default=False, help="This stack alone.", autocompletion=stack_names)
]
OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go, one folder a stack.")]


def render(
    ctx: typer.Context,
    *,
    env: o.EnvArgument,
    stack: StackArgument = "",
    out: OutOption,
    sets: o.SetOption,
    packages: o.PackagesOption = False,
    output: o.OutputOption = OutputForm.TEXT,
    toolchain: o.ToolchainOption = None,
    offline: o.OfflineOption = False,
) -> None:
    """Write every document that ENV would apply, as YAML files. Needs no engine and no network."""
    from aiinfra.plan.selection import require_stacks
    from aiinfra.render import rendering
    from aiinfra.stack import StackName
    from aiinfra.ui.rendered import rendered_json, rendered_text

    found = load(ctx, env, sets, output)
    plan = found.plan
    require_stacks(plan, "STACK", [stack] if stack else [])
    console = Console.of(ctx)
    made: dict[str, list[PackageReport]] = {}
    for report in judge_packages(ctx, found, toolchain, offline=offline) if packages else ():
        console.err.line(str(report))
        made.setdefault(report.stack, []).append(report)
    base = found.path.absolute().parent
    files = rendering.render(plan, console.world.cwd / out, [StackName(stack)] if stack else [], base, made)
    console.answer(output, lambda: rendered_text(files, out), lambda: rendered_json(files, out))
