"""Types of the fields of a kind's inputs and outputs: literals, references to other stacks, secret sources."""

from collections.abc import Callable
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NewType,
    Self,
    TypeAlias,
    TypeVar,
    cast,
)

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from aiinfra.dataclass import dataclass

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
class _MayBeUnresolved:
    """Marks a field that may hold a `Ref` or `SecretSource` until the run resolves it.

    Documents are validated as JSON, where an unresolved value is a token; the validation context maps it to the value.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        record = _record_model(source)

        def validate(raw: Any, literal: Callable[[Any], Any], info: ValidationInfo) -> Any:
            value = info.context.get(raw, raw) if info.context and isinstance(raw, str) else raw
            if isinstance(value, Ref | SecretSource) or (record and isinstance(value, record)):
                return value
            if record:
                raise PydanticCustomError("reference_type", "wants a reference to another stack")
            return literal(value)

        return core_schema.with_info_wrap_validator_function(validate, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        reference = {"type": "string", "pattern": UNRESOLVED_PATTERN}
        inner = cast("CoreSchema", cast("dict[str, Any]", schema)["schema"])
        return reference if _is_record(inner) else {"anyOf": [handler(inner), reference]}


def _record_model(source: Any) -> "type[Outputs] | None":
    """Return the model of a field that links a whole record, else None."""
    return source if isinstance(source, type) and issubclass(source, Outputs) else None


def _is_record(schema: CoreSchema) -> bool:
    return _record_model(schema.get("cls")) is not None


UNRESOLVED_PATTERN = r"^\$\{[^{}]+\}$"
"""The form of `${stack}`, `${stack.output}`, `${env:NAME}` and `${file:PATH}`, for editors."""
T = TypeVar("T")
UNRESOLVED = _MayBeUnresolved()

if TYPE_CHECKING:
    Input: TypeAlias = T | Output[T]
    """Type of a field that may be a reference: a plain `T`, or an `Output[T]` inside the program."""
    Linked: TypeAlias = Annotated[T, UNRESOLVED]
else:
    Input = Annotated[T, UNRESOLVED]
    Linked = Annotated[T, UNRESOLVED]
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
