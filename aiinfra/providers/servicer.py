"""Pulumi's gRPC ResourceProvider over a `ProviderSpec`.

The only module that answers the engine. Source of the protocol: pulumi/pulumi proto/pulumi/provider.proto.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto import provider_pb2 as pp
from pulumi.runtime.proto import provider_pb2_grpc as pg

from aiinfra.dataclass import dataclass
from aiinfra.errors import StepError
from aiinfra.providers.border import Border
from aiinfra.providers.connections import Connections
from aiinfra.providers.contract import Call, Diff, Made, Properties, ProviderSpec, ResourceHandler
from aiinfra.providers.marshal import struct_of, tree_of
from aiinfra.providers.masking import mask

MESSAGE_LIMIT = 400 * 1024 * 1024
NO_SUCH_TYPE = "provider.no_such_type"
THREADS = 512
"""Upper bound; threads are started as calls need them, so waiting creates never hold up others."""

OnWaiting = Callable[[str, str, float], None]
"""`(urn, what, seconds)`."""


def ignore_waiting(urn: str, what: str, seconds: float) -> None:
    """Discard what a resource waits for."""


class Servicer(pg.ResourceProviderServicer):
    """The service of one provider. `on_waiting` gets what its resources wait for; tracebacks of bugs go to `log`."""

    def __init__(self, spec: ProviderSpec, on_waiting: OnWaiting = ignore_waiting, log: Path | None = None) -> None:
        self.spec, self._on_waiting, self._log = spec, on_waiting, log
        self.connections = Connections()

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.connections.begin(context.peer())
        return pp.ProviderHandshakeResponse(accept_secrets=True, accept_resources=False, accept_outputs=False)

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        return Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=self.spec.version)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        resources: dict[str, dict[str, object]] = {token: {} for token in self.spec.resources}
        schema = {"name": self.spec.name, "version": self.spec.version, "resources": resources}
        return pp.GetSchemaResponse(schema=json.dumps(schema))

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return pp.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        changed = _differing(request.old_inputs, request.news)
        return _diff_response(Diff(changed=changed))

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.connections.configure(context.peer(), tree_of(request.args))
        return pp.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.connections.cancel(context.peer())
        return Empty()

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        call, news = self._call(request.urn, context), tree_of(request.news)
        with self._border(context, "Check", call, news):
            inputs, failures = self._handler(call).check(call, news)
            found = [pp.CheckFailure(property=f.property, reason=f.reason) for f in failures]
            return pp.CheckResponse(inputs=struct_of(inputs), failures=found)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        call = self._call(request.urn, context)
        olds, old_inputs, news = map(tree_of, (request.olds, request.old_inputs, request.news))
        with self._border(context, "Diff", call, olds, news):
            return _diff_response(self._handler(call).diff(call, request.id, olds, old_inputs, news))

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs = tree_of(request.properties)
        call = self._call(request.urn, context, request.preview, (inputs,))
        with self._border(context, "Create", call, inputs):
            made = self._handler(call).create(call, inputs)
            return pp.CreateResponse(id="" if request.preview else made.id, properties=struct_of(made.outputs))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        call = self._call(request.urn, context)
        inputs, state = tree_of(request.inputs), tree_of(request.properties)
        with self._border(context, "Read", call, inputs, state):
            return _read_response(self._handler(call).read(call, request.id, inputs, state), inputs)

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        olds, news = tree_of(request.olds), tree_of(request.news)
        call = self._call(request.urn, context, request.preview, (olds, news))
        with self._border(context, "Update", call, olds, news):
            made = self._handler(call).update(call, request.id, olds, news)
            return pp.UpdateResponse(properties=struct_of(made.outputs))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        state = {**tree_of(request.old_inputs), **tree_of(request.properties)}
        call = self._call(request.urn, context, secrets=(state,))
        with self._border(context, "Delete", call, state):
            self._handler(call).delete(call, request.id, state)
            return Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        call, args = self._call(f"urn:pulumi:invoke::invoke::{request.tok}::invoke", context), tree_of(request.args)
        with self._border(context, "Invoke", call, args):
            if (invoke := self.spec.invokes.get(request.tok)) is None:
                raise StepError(
                    f"provider {self.spec.name} has no function {request.tok}", code="provider.no_such_type"
                )
            return pp.InvokeResponse(**{"return": struct_of(invoke(call, args))})

    def _call(
        self, urn: str, context: grpc.ServicerContext, preview: bool = False, secrets: Sequence[Properties] = ()
    ) -> Call:
        """Return the context of a request; what it reports is masked with the secrets in these properties."""
        connection = self.connections.get(context.peer())

        def say(what: str, seconds: float) -> None:
            self._on_waiting(urn, mask(what, *secrets), seconds)

        return Call(urn, connection.config, connection.stop, say, preview)

    def _handler(self, call: Call) -> ResourceHandler:
        handler = self.spec.resources.get(call.type) or self.spec.fallback
        if handler is None:
            raise StepError(f"provider {self.spec.name} has no resource type {call.type}", code=NO_SUCH_TYPE)
        return handler

    def _border(self, context: grpc.ServicerContext, method: str, call: Call, *trees: Properties) -> Border:
        return Border(context, f"{method} of {call.name} ({call.type})", (call.config, *trees), self._log)


def _differing(old: Any, new: Any) -> list[str]:
    return sorted(key for key in {*old.fields, *new.fields} if old.fields.get(key) != new.fields.get(key))


def _diff_response(diff: Diff) -> Any:
    changes = pp.DiffResponse.DIFF_SOME if diff.changed else pp.DiffResponse.DIFF_NONE
    kinds = {path: pp.PropertyDiff.UPDATE for path in diff.changed}
    kinds |= {path: pp.PropertyDiff.UPDATE_REPLACE for path in diff.replace}
    return pp.DiffResponse(
        changes=changes,
        diffs=sorted({path.partition(".")[0].partition("[")[0] for path in diff.changed}),
        replaces=list(diff.replace),
        deleteBeforeReplace=diff.delete_before_replace,
        detailedDiff={path: pp.PropertyDiff(kind=kind, inputDiff=True) for path, kind in kinds.items()},
        hasDetailedDiff=bool(kinds),
    )


def _read_response(made: Made | None, inputs: Properties) -> Any:
    """Return the response to a read; an empty id means that the resource is gone."""
    if made is None:
        return pp.ReadResponse()
    shown = inputs if made.inputs is None else made.inputs
    return pp.ReadResponse(id=made.id, properties=struct_of(made.outputs), inputs=struct_of(shown))


@dataclass(frozen=True, slots=True)
class Served:
    """Providers that listen on 127.0.0.1."""

    ports: Mapping[str, int]
    _servers: Sequence[grpc.Server]
    _servicers: Sequence[Servicer] = field(default=())

    def stop(self, grace: float = 2.0) -> None:
        """End running calls: waits see their stop event at once; `grace` seconds for the rest."""
        for servicer in self._servicers:
            servicer.connections.cancel_all()
        for ended in [server.stop(grace) for server in self._servers]:
            ended.wait()
        for servicer in self._servicers:
            servicer.spec.close()


def serve(specs: Sequence[ProviderSpec], on_waiting: OnWaiting = ignore_waiting, log: Path | None = None) -> Served:
    """Serve each provider on a port of its own."""
    servicers = [Servicer(spec, on_waiting, log) for spec in specs]
    started = [_start(servicer) for servicer in servicers]
    ports = {spec.name: port for spec, (_, port) in zip(specs, started, strict=True)}
    return Served(ports, [server for server, _ in started], servicers)


def _start(servicer: Servicer) -> tuple[grpc.Server, int]:
    limits = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.max_send_message_length", MESSAGE_LIMIT)]
    server = grpc.server(ThreadPoolExecutor(THREADS, thread_name_prefix="provider"), options=limits)
    pg.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port
