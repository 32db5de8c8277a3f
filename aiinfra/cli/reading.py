"""What the commands share that only read the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiinfra.cli.console import Console
from aiinfra.cli.form import OutputForm, output_form

if TYPE_CHECKING:
    from pathlib import Path

    import typer

    from aiinfra.config import Loaded
    from aiinfra.domain_packages import PackageReport
    from aiinfra.session.packages import PackageJudge


def load(ctx: typer.Context, env: str, sets: Sequence[str], output: OutputForm = OutputForm.TEXT) -> Loaded:
    """Return the checked file of ENV and its plan. Raises `ConfigError` with every problem."""
    from aiinfra.catalog import Catalog
    from aiinfra.config import load_environment

    console = Console.of(ctx)
    console.form = output_form(output, None)
    return load_environment(env, sets=sets, world=console.world, catalog=Catalog.installed())


def package_judge(ctx: typer.Context, loaded: Loaded, toolchain: Path | None, *, offline: bool) -> PackageJudge:
    """Return what judges the packages of ENV."""
    from aiinfra.session.packages import PackageJudge
    from aiinfra.toolchain import Toolchain

    console = Console.of(ctx)
    tools = Toolchain(console.world, toolchain, offline)
    return PackageJudge(loaded, console.world, tools, console.hide, console.err.line)


def judge_packages(
    ctx: typer.Context, loaded: Loaded, toolchain: Path | None, *, offline: bool
) -> Sequence[PackageReport]:
    """Let the packages that ENV installs judge what they get.

    Raises `ConfigError` with every problem, `OutsideError` when one cannot be judged.
    """
    return package_judge(ctx, loaded, toolchain, offline=offline).judge_all()
