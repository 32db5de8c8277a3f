"""What the engine does to a provider: one gRPC connection, configured once, with requests of a resource's life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf.empty_pb2 import Empty
from google.rpc.status_pb2 import Status
from pulumi.runtime.proto import provider_pb2 as pp
from pulumi.runtime.proto import provider_pb2_grpc as pg

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.engine.failure import parse_failure
from aiinfra.engine.wire import Tree
from aiinfra.errors import StepError
from aiinfra.providers.marshal import struct_of, tree_of

Properties = dict[str, Tree]


@dataclass(frozen=True)
class Site:
    """A cluster: its kubeconfig, a client of it, its uid."""

    kubeconfig: str = field(repr=False)
    client: KubeClient
    uid: str

    def access(self) -> Properties:
        return {"kubeconfig": self.kubeconfig, "uid": self.uid}


class Failed(Exception):
    """The provider answered with an error, as the user would read it."""

    def __init__(self, error: grpc.RpcError) -> None:
        self.kept, texts = _init_failure(error)
        self.text = texts[0] if texts else str(error.details())
        super().__init__(self.text)

    @property
    def step(self) -> StepError:
        found = parse_failure(self.text)
        assert found is not None, f"not readable: {self.text}"
        return found


def _init_failure(error: grpc.RpcError) -> tuple[Properties | None, Sequence[str]]:
    """What the state remembers of a resource that was made in part, and why it is not whole."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            detail = pp.ErrorResourceInitFailed()
            Status.FromString(value).details[0].Unpack(detail)
            return tree_of(detail.properties), detail.reasons
    return None, ()


class Connection:
    """A connection of its own, as each provider instance of each stack has."""

    def __init__(self, port: int, stack: str = "s") -> None:
        limit = [("grpc.max_receive_message_length", 2**28), ("grpc.use_local_subchannel_pool", 1)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", limit)
        self._stub = pg.ResourceProviderStub(self._channel)
        self._stack = stack
        self._stub.Handshake(pp.ProviderHandshakeRequest())
        self._stub.Configure(pp.ConfigureRequest(args=struct_of({}), acceptSecrets=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()

    def create(self, token: str, inputs: Mapping[str, Tree], name: str = "r", *, preview: bool = False) -> Properties:
        """Check and create; the outputs, with the id as `id`."""
        checked = self.checked(token, inputs, name)
        request = pp.CreateRequest(urn=self._urn(token, name), properties=struct_of(checked), preview=preview)
        made = self._ask(self._stub.Create, request)
        return {**tree_of(made.properties), "id": made.id}

    def checked(self, token: str, inputs: Mapping[str, Tree], name: str = "r") -> Properties:
        request = pp.CheckRequest(urn=self._urn(token, name), news=struct_of(inputs))
        answer = self._ask(self._stub.Check, request)
        problems = [f"{failure.property} {failure.reason}" for failure in answer.failures]
        assert not problems, problems
        return tree_of(answer.inputs)

    def update(self, token: str, olds: Mapping[str, Tree], news: Mapping[str, Tree], name: str = "r") -> Properties:
        checked = struct_of(self.checked(token, news, name))
        urn, id = self._urn(token, name), str(olds.get("id", "id"))
        made = self._ask(self._stub.Update, pp.UpdateRequest(id=id, urn=urn, olds=struct_of(olds), news=checked))
        return {**tree_of(made.properties), "id": id}

    def diff(self, token: str, olds: Mapping[str, Tree], news: Mapping[str, Tree], name: str = "r") -> list[str]:
        request = pp.DiffRequest(
            id="id", urn=self._urn(token, name), olds=struct_of(olds), old_inputs=struct_of(olds), news=struct_of(news)
        )
        return sorted(self._ask(self._stub.Diff, request).detailedDiff)

    def read(self, token: str, inputs: Mapping[str, Tree], state: Mapping[str, Tree], name: str = "r") -> Properties:
        """The inputs as the world shows them; `{}` when the resource is gone."""
        request = pp.ReadRequest(
            id="id", urn=self._urn(token, name), properties=struct_of(state), inputs=struct_of(inputs)
        )
        return tree_of(self._ask(self._stub.Read, request).inputs)

    def delete(self, token: str, state: Mapping[str, Tree], name: str = "r") -> None:
        kept = struct_of(state)
        self._ask(
            self._stub.Delete, pp.DeleteRequest(id="id", urn=self._urn(token, name), properties=kept, old_inputs=kept)
        )

    def cancel(self) -> None:
        self._stub.Cancel(Empty())

    def _urn(self, token: str, name: str) -> str:
        return f"urn:pulumi:{self._stack}::lab::{token}::{name}"

    def _ask(self, method: Any, request: Any) -> Any:
        try:
            return method(request)
        except grpc.RpcError as error:
            raise Failed(error) from error
