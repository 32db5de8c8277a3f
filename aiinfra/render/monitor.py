"""The engine's side of a program's run, without an engine: every resource is accepted and written down.

A resource's outputs are its inputs and what its domain adds, as unknown, as in the preview of a fresh environment.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import field
from typing import Any

import grpc
from google.protobuf import empty_pb2

from aiinfra.catalog import domains
from aiinfra.dataclass import dataclass
from aiinfra.domain import for_token, load
from aiinfra.engine.pulumi_names import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc
from aiinfra.engine.wire import Tree
from aiinfra.providers.marshal import struct_of, tree_of

STACK_TYPE = "pulumi:pulumi:Stack"
FEATURES = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
)
THREADS = 32


@dataclass(frozen=True, slots=True)
class RegisteredResource:
    """One resource as its program declared it."""

    type: str
    name: str
    urn: str
    properties: Mapping[str, Tree]
    dependencies: frozenset[str]
    """URNs of everything it comes after, its provider's included."""
    sources: Mapping[str, frozenset[str]]
    """By property: URNs of what its value comes from."""


@dataclass(slots=True)
class Recording:
    """What one run of a program declared."""

    stack: str
    project: str
    resources: list[RegisteredResource] = field(default_factory=list)
    outputs: Mapping[str, Tree] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    """Errors that the program or the SDK reported."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def urn(self, type: str, name: str) -> str:
        return f"urn:pulumi:{self.stack}::{self.project}::{type}::{name}"


class _Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        return resource_pb2.DeploymentInfo(supportedFeatures=FEATURES)

    def RegisterResource(self, request: Any, context: Any) -> Any:
        urn = self._recording.urn(request.type, request.name)
        if request.type != STACK_TYPE:
            provider = request.provider.rpartition("::")[0]
            recorded = RegisteredResource(
                type=request.type,
                name=request.name,
                urn=urn,
                properties=tree_of(request.object),
                dependencies=frozenset(request.dependencies) | ({provider} if provider else set()),
                sources={key: frozenset(value.urns) for key, value in request.propertyDependencies.items()},
            )
            with self._recording.lock:
                self._recording.resources.append(recorded)
        return resource_pb2.RegisterResourceResponse(urn=urn, object=_preview_outputs(request.type, request.object))

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        if f"::{STACK_TYPE}::" in request.urn:
            self._recording.outputs = tree_of(request.outputs)
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        context.abort(grpc.StatusCode.UNAVAILABLE, f"{request.tok} asks the world, which render does not do")

    def ReadResource(self, request: Any, context: Any) -> Any:
        context.abort(grpc.StatusCode.UNAVAILABLE, f"reading {request.type} asks the world, which render does not do")


def _preview_outputs(type: str, inputs: Any) -> Any:
    """Return the inputs with what the world would add to them, according to the domain of the resource."""
    entries = {token: target for domain in domains().values() for token, target in domain.previews.items()}
    target = for_token(entries, type)
    return struct_of(load(target)(tree_of(inputs))) if target else inputs


class _Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._root = ""

    def Log(self, request: Any, context: Any) -> Any:
        if request.severity == engine_pb2.ERROR:
            self._recording.errors.append(request.message.strip())
        return empty_pb2.Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: Any, context: Any) -> Any:
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()


@contextmanager
def serve(recording: Recording) -> Iterator[str]:
    """Serve `recording` on 127.0.0.1 while the block runs; yields the address."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="render") as pool:
        server = grpc.server(pool)
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(_Monitor(recording), server)
        engine_pb2_grpc.add_EngineServicer_to_server(_Engine(recording), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(grace=5).wait()


def in_dependency_order(resources: Sequence[RegisteredResource]) -> list[RegisteredResource]:
    """Return each resource after its dependencies, otherwise by type and name: the same order in every run."""
    left = {resource.urn: resource for resource in sorted(resources, key=lambda r: (r.type, r.name))}
    placed: list[RegisteredResource] = []
    while left:
        free = next((r for r in left.values() if not r.dependencies & set(left) - {r.urn}), None)
        assert free is not None, "resources depend on each other in a circle"
        placed.append(left.pop(free.urn))
    return placed
