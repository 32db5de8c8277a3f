"""The contract of a stack kind: what it takes, what it gives, the program that declares it.

A kind is a folder `stacks/<kind>/` with `spec.py` (inputs, outputs), `checks.py` (pure rules), `program.py`
(the Pulumi program, the only module there that imports pulumi) and `__init__.py` (`STACK = StackType(...)`).
This module imports no Pulumi: read-only commands load every kind and must stay fast.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    Literal,
    NewType,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    cast,
    runtime_checkable,
)

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from aiinfra.errors import ConfigError

if TYPE_CHECKING:
    from pulumi import Output

StackName = NewType("StackName", str)
"""The key of an entry under `stacks:`; also the name of its Pulumi stack. `[a-z][a-z0-9_-]{0,39}`."""


@dataclass(frozen=True, slots=True)
class Ref:
    """`${stack}` (`output == ()`: the whole record) or `${stack.output.field}`."""

    stack: StackName
    output: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "${" + ".".join((self.stack, *self.output)) + "}"


@dataclass(frozen=True, slots=True)
class SecretSource:
    """`${env:NAME}` or `${file:PATH}`: read only by commands that act; its value is a secret."""

    scheme: Literal["env", "file"]
    name: str

    def __str__(self) -> str:
        return "${" + f"{self.scheme}:{self.name}" + "}"


@dataclass(frozen=True, slots=True)
class _Late:
    """Marks a field that may hold a `Ref` or `SecretSource` until the run resolves it.

    Documents are validated as JSON, where a late value is a token; the validation context says what it stands for.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        record = _record(source)

        def validate(raw: Any, literal: Callable[[Any], Any], info: ValidationInfo) -> Any:
            value = info.context.get(raw, raw) if info.context and isinstance(raw, str) else raw
            if isinstance(value, Ref | SecretSource) or (record and isinstance(value, record)):
                return value
            if record:
                raise PydanticCustomError("reference_type", "wants a reference to another stack")
            return literal(value)

        return core_schema.with_info_wrap_validator_function(validate, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        reference = {"type": "string", "pattern": LATE_PATTERN}
        inner = cast("CoreSchema", cast("dict[str, Any]", schema)["schema"])
        return reference if _is_record(inner) else {"anyOf": [handler(inner), reference]}


def _record(source: Any) -> type[Outputs] | None:
    """The model of a field that links a whole record."""
    return source if isinstance(source, type) and issubclass(source, Outputs) else None


def _is_record(schema: CoreSchema) -> bool:
    return _record(schema.get("cls")) is not None


LATE_PATTERN = r"^\$\{[^{}]+\}$"
"""The form of `${stack}`, `${stack.output}`, `${env:NAME}` and `${file:PATH}`, for editors."""
T = TypeVar("T")
LATE = _Late()

if TYPE_CHECKING:
    Input: TypeAlias = T | Output[T]
    """Type of a field that may be a reference: a plain `T`, or an `Output[T]` inside the program."""
    Linked: TypeAlias = Annotated[T, LATE]
else:
    Input = Annotated[T, LATE]
    Linked = Annotated[T, LATE]
# `Linked[SomeOutputs]`: a reference to another stack's whole record (`${cluster}`). Inside the program it is that
# model, and each of its fields is an Output.


class Inputs(BaseModel):
    """What a person writes for a stack: strict, frozen. Fields that may be references are `Input[T]` or `Linked[R]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


@dataclass(frozen=True, slots=True)
class SecretField:
    """Marker of an output that is a secret from birth: `kubeconfig: Annotated[Input[str], SECRET]`."""


SECRET = SecretField()


class Outputs(BaseModel):
    """What a stack gives to others. Inside a program build it with `.of(...)`: the values are Outputs then."""

    model_config = ConfigDict(extra="ignore", frozen=True, arbitrary_types_allowed=True)

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Build without validation, as values are not known yet; refuses unknown and missing fields (`TypeError`)."""
        odd = [f"{name} is none of its fields" for name in values if name not in cls.model_fields]
        odd += [f"{name} is missing" for name in cls.model_fields if name not in values]
        if odd:
            raise TypeError(f"{cls.__name__}.of: {', '.join(odd)}")
        return cast("Self", cls.model_construct(**values))


R = TypeVar("R", bound=Outputs)
I = TypeVar("I", bound=Inputs)  # noqa: E741  the contract reads StackType[I, O]
O = TypeVar("O", bound=Outputs)  # noqa: E741

MARK_ENVIRONMENT = "aiinfra.dev/environment"
MARK_ID = "aiinfra.dev/environment-id"
MARK_STACK = "aiinfra.dev/stack"


@dataclass(frozen=True, slots=True)
class StackContext:
    """What a program may know about where it stands."""

    environment: str
    environment_id: str
    """Eight or more hex digits, made by the first `up`; what sweeps match."""
    stack: StackName
    proof: str = ""
    """A token that changes when a proof is to run again (`up --prove`)."""

    def labels(self) -> dict[str, str]:
        """The marks that everything we make in the world carries."""
        return {MARK_ENVIRONMENT: self.environment, MARK_ID: self.environment_id, MARK_STACK: self.stack}


Program = Callable[[StackContext, Any], Outputs]


@dataclass(frozen=True, slots=True)
class NodeTraces:
    """What an operator writes on nodes and leaves there when it is uninstalled; a whole destroy takes it off."""

    prefixes: tuple[str, ...]
    """Of the names of labels and annotations."""
    managers: tuple[str, ...]
    """Field managers of the operator's programs: what others set under the same prefixes stays."""
    definition: str
    """Name of a CustomResourceDefinition that the operator works by: while it stands, one may be at work."""


@dataclass(frozen=True, slots=True)
class StackType(Generic[I, O]):
    """One kind."""

    kind: str
    summary: str
    """One line for `aiinfra kinds`."""
    inputs: type[I]
    outputs: type[O]
    program: str
    """`package.module:function`, imported only when it runs: `def program(context: StackContext, inputs: I) -> O`."""
    checks: object = None
    """May answer `Rules`, `RulesAround`, `Preflight`, `LabNeeds`; see those."""
    plugins: tuple[str, ...] = ()
    """Official providers that the program uses: `kubernetes`."""
    proves: bool = False
    """A proof: its success grows old, and `up --prove` runs it again."""
    connection: tuple[str, ...] = ()
    """Inputs that say how to reach the outside; a lab puts their defaults in their place and reads none of them."""
    lab_defaults: Mapping[str, Any] = field(default_factory=dict)
    """Defaults of inputs that are others in a lab."""
    foreign: str = ""
    """What others decide of the outcome, in words (`its chart's objects`): a plan of it is likely, never exact."""
    traces: tuple[NodeTraces, ...] = ()
    """What remains of it on nodes."""
    foretold: tuple[str, ...] = ()
    """Outputs that follow from the stack's own values in the file, so that they are known before it ever ran."""
    sources: tuple[Path, ...] = field(default=())
    """More files or folders whose change means the stack must run again (its templates)."""

    def watched(self) -> tuple[Path, ...]:
        """The folder of its program, and `sources`."""
        try:
            spec = importlib.util.find_spec(self.program.partition(":")[0])
        except ModuleNotFoundError:
            spec = None
        own = (Path(spec.origin).parent,) if spec and spec.origin else ()
        return tuple(dict.fromkeys((*own, *self.sources)))

    def load_program(self) -> Program:
        """Raises `ConfigError` when there is none under its name."""
        module, _, function = self.program.partition(":")
        try:
            return cast("Program", getattr(importlib.import_module(module), function))
        except (ImportError, AttributeError) as error:
            raise ConfigError(
                f"the program {self.program} of the kind {self.kind} cannot be loaded: {error}",
                code="catalog.broken_package",
                where=self.program,
                hint="see program= of its StackType",
            ) from error


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule of a kind that the inputs break. `at` is the path below the stack's entry: `("expect", "gpus")`."""

    at: tuple[str | int, ...]
    message: str
    hint: str = ""


@runtime_checkable
class Rules(Protocol):
    """Pure rules over inputs; late values (`Ref`, `SecretSource`) may stand where literals would."""

    def rules(self, inputs: Any) -> Iterable[Broken]: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What a preflight found. `unknown` is never ok."""

    level: Literal["ok", "warning", "error", "unknown"]
    about: str
    """The object: a host, a cluster, a quota."""
    read: str
    needed: str
    hint: str = ""
    source: str = ""
    code: str = "preflight.finding"
    host: str = ""
    """Name of the host that it is about; empty when it is about no host."""


@runtime_checkable
class Preflight(Protocol):
    """Judges facts that adapters asked for. `facts` maps a fact's name (`kubernetes`) to its value object."""

    wants: tuple[str, ...]

    def preflight(self, inputs: Any, facts: Mapping[str, Any]) -> Iterable[Finding]: ...


@dataclass(frozen=True, slots=True)
class ClusterNeed:
    """Hardware that a stack asks of the cluster it runs on; a rehearsal provides it and says it is assumed."""

    cluster: StackName | None
    """The stack that provides the cluster, or None when it cannot be told."""
    gpu_model: str = ""
    gpu_nodes: int = 0
    gpus_per_node: int = 0


@dataclass(frozen=True, slots=True)
class VCenterNeed:
    """What a stack asks of a vCenter: names as the file has them; a rehearsal provides them and says so."""

    datacenter: str
    cluster: str
    datastore: str
    folder: str
    """Below the datacenter's folder of VMs; empty: that one."""
    source: str
    """Of a template, below the same folder; empty when there is none."""
    gpu_model: str
    mode: Literal["vgpu", "mig", "passthrough"]
    gpus: int
    """In one VM."""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rules of a kind may know of the environment around one stack."""

    target: Literal["real", "lab"]
    stacks: Mapping[StackName, tuple[str, Inputs]]
    """Kind and inputs of every stack, the one that is judged included."""


@runtime_checkable
class LabNeeds(Protocol):
    """Which hardware a rehearsal must have, where the file describes none."""

    def lab_needs(self, inputs: Any, around: Surroundings) -> Iterable[ClusterNeed | VCenterNeed]: ...


@runtime_checkable
class RulesAround(Protocol):
    """Pure rules over a stack and what stands around it: the target, the other stacks."""

    def rules_around(self, name: StackName, inputs: Any, around: Surroundings) -> Iterable[Broken]: ...
