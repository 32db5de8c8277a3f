"""Where a run takes place: the state, its encryption, and what replaces the outside world.

A value, created once per run by `lab.py` or `real.py`; nothing after it asks whether the world is a lab.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING

from aiinfra.dataclass import dataclass
from aiinfra.domain_lab import Connection
from aiinfra.engine.notes import Notes
from aiinfra.errors import AiinfraError, ConfigError, Interrupted, OutsideError, StepError
from aiinfra.stack import SecretSource

if TYPE_CHECKING:
    from aiinfra.providers.contract import ProviderSpec


@dataclass(frozen=True, slots=True)
class Place:
    """Everything that depends on the target."""

    state_url: str
    secrets: str
    """`passphrase`, or the URL of a key service."""
    passphrase: str = field(repr=False)
    """Empty when none is needed."""
    environ: Mapping[str, str] = field(repr=False)
    """Environment of the engine host: an allow-list."""
    notes: Notes | None
    """None when the notes are in a remote state and are reached through the engine host."""
    connection: Connection = field(default_factory=Connection, repr=False)
    """What the lab gives to stacks in place of connection inputs; nothing on a real target."""
    secret: Callable[[SecretSource], str] | None = field(default=None, repr=False)
    """Opens secret sources; with None the real ones are read."""
    stand_ins: Callable[[], Sequence[ProviderSpec]] = tuple
    """Providers attached under official names."""
    simulated: Sequence[str] = ()
    """What is simulated here, one sentence each."""
    official_plugins: bool = True
    """Whether official plugins may run; a lab's stand-ins take their place unless a rehearsal asks for them."""
    in_lab: bool = False
    random_passphrase: bool = False
    """True when the passphrase was generated."""
    patience: float = 300.0
    """Seconds for which the same broken root cause is tolerated before a wait ends."""
    sweeping: float = 300.0
    """Seconds that objects swept by a destroy may take to go."""
    sequel: Callable[[], Sequence[str]] = tuple
    """Called when a destroy left nothing: removes the place itself and returns one sentence for each thing removed."""

    gone: Callable[[], OutsideError | None] = lambda: None
    """Returns why nothing can work here any more, when the place ended while it was used."""

    @contextmanager
    def reporting_end(self) -> Iterator[None]:
        """Raise the error of `gone` inside the block in place of errors that it caused."""
        try:
            yield
        except (ConfigError, Interrupted):
            raise
        except AiinfraError as error:
            raise self.gone() or error from error

    def with_end_as_cause(self, error: AiinfraError) -> AiinfraError:
        """Return the error, with the end of the place as its root cause when it ended."""
        root = self.gone()
        if root is None:
            return error
        record, why = error.record, root.record
        causes = (*(error.causes if isinstance(error, StepError) else ()), why.message)
        return StepError(
            record.message, causes=causes, code=why.code, where=record.where, hint=why.hint, transient=True
        )

    @property
    def is_simulated(self) -> bool:
        return self.in_lab or not self.official_plugins
