"""Run the programs of a plan without an engine and write down what they would apply.

Needs no network beyond loopback, no credentials and nothing of the world. Programs run in order, each with what those
before it declared as outputs; secret sources are never read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import grpc

from aiinfra.domain_packages import PackageReport
from aiinfra.engine.binding import Resolve
from aiinfra.engine.programs import ProgramServer
from aiinfra.engine.pulumi_names import language_pb2, language_pb2_grpc
from aiinfra.engine.values import resolver
from aiinfra.engine.wire import UNKNOWN, Tree
from aiinfra.errors import AiinfraError
from aiinfra.plan.planner import Plan, Step
from aiinfra.plan.types import field_spots
from aiinfra.render.document import Document
from aiinfra.render.documents import documents
from aiinfra.render.files import file_names, text, write
from aiinfra.render.monitor import Recording, in_dependency_order, serve
from aiinfra.render.tracing import program
from aiinfra.stack import Inputs, SecretSource, StackContext, StackName

ENVIRONMENT_ID = "<made by the first up>"


class RenderFailed(AiinfraError):
    """A program cannot be run without the world, or is wrong."""

    exit_code = 4
    default_code = "render.failed"


Files = Mapping[str, Mapping[str, str]]
"""Texts by file name, by stack."""


Packages = Mapping[str, Sequence[PackageReport]]
"""By stack, what became of the packages that it installs."""


def render(
    plan: Plan,
    out: Path,
    only: Collection[StackName] = (),
    base: Path = Path(),
    packages: Packages = MappingProxyType({}),
) -> Files:
    """Write the documents of the stacks in `only`, or of all, under `out/<stack>/`. `base`: the file's folder.

    What packages make is written after what the programs of their stacks declare.

    Raises `RenderFailed`, and `ConfigError` when a file cannot be written.
    """
    texts = render_texts(plan, [name for name in plan.steps if not only or name in only], base, packages)
    write(out, texts, environment="" if only else plan.environment.name)
    return texts


def render_texts(
    plan: Plan, chosen: Collection[StackName], base: Path = Path(), packages: Packages = MappingProxyType({})
) -> Files:
    """Return the texts by stack and file name. Only the programs of the chosen stacks and their dependencies run."""
    texts: dict[str, Mapping[str, str]] = {}
    for name, recording in record(plan, chosen, base, lambda _: UNKNOWN):
        made = [*documents(name, in_dependency_order(recording.resources)), *_packaged(packages.get(name, ()))]
        about = f"environment {plan.environment.name}, stack {name}"
        texts[name] = dict(zip(file_names(made), (text(each, about) for each in made), strict=True))
    return texts


def _packaged(reports: Iterable[PackageReport]) -> Iterator[Document]:
    """Yield what packages make, each object as a document that says what it is of."""
    for report in reports:
        for made in report.objects:
            name = str((made.get("metadata") or {}).get("name", ""))
            yield Document(
                str(made.get("kind", "object")), name, made, (f"Made by the {report.what}, as it renders it.",)
            )


def record(
    plan: Plan, chosen: Collection[StackName], base: Path, secret: Callable[[SecretSource], Tree]
) -> Iterator[tuple[StackName, Recording]]:
    """Yield what the program of each chosen stack declares; those of their dependencies run before."""
    outputs: dict[str, Mapping[str, Tree]] = {}
    server = ProgramServer()
    try:
        for name in _with_dependencies(plan, chosen):
            resolve = resolver(outputs.__getitem__, secret)
            recording = _record_program(server, plan, plan.steps[name], base, resolve)
            outputs[name] = recording.outputs
            if name in chosen:
                yield name, recording
    finally:
        server.close()


def _with_dependencies(plan: Plan, chosen: Collection[StackName]) -> list[StackName]:
    """Return the chosen stacks and their dependencies, in order."""
    needed = set(chosen)
    for name in reversed([*plan.steps]):
        if name in needed:
            needed |= plan.steps[name].needs
    return [name for name in plan.steps if name in needed]


def _record_program(server: ProgramServer, plan: Plan, step: Step, base: Path, resolve: Resolve) -> Recording:
    environment = plan.environment.name
    recording = Recording(step.name, environment)
    context = StackContext(environment, ENVIRONMENT_ID, step.name, base=base)
    server.register(step.name, program(step.kind, context, _inputs(plan, step), resolve))
    with serve(recording) as address, grpc.insecure_channel(server.address) as channel:
        runtime = language_pb2_grpc.LanguageRuntimeStub(channel)
        request = language_pb2.RunRequest(
            project=environment,
            stack=step.name,
            args=[address],
            monitor_address=address,
            dryRun=True,
            parallel=4,
            organization="organization",
        )
        answer = runtime.Run(request)
    server.unregister(step.name)
    if answer.error or recording.errors:
        raise RenderFailed(answer.error or recording.errors[0], where=step.name)
    return recording


def _inputs(plan: Plan, step: Step) -> Inputs:
    """In a lab, a name stands for each text that says how to reach the outside: it is printed, and never read."""
    if plan.environment.target != "lab":
        return step.inputs
    given = [
        name for name in step.kind.connection if getattr(step.inputs, name) == "" and _may_be_unresolved(step, name)
    ]
    return step.inputs.model_copy(update={name: SecretSource("env", f"{name} of the lab") for name in given})


def _may_be_unresolved(step: Step, name: str) -> bool:
    return any(spot.unresolved for spot in field_spots(step.kind.inputs.model_fields[name]))
