"""Where a run takes place: the state, its seal, and what stands in for the outside world.

A value, made once per run by `lab_place.py` or `real_place.py`; nothing after it asks whether the world is a lab.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiinfra.engine.notes import Notes
from aiinfra.engine.wire import Tree
from aiinfra.providers.contract import ProviderSpec
from aiinfra.stack import SecretSource


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
    """None: the notes lie in a remote state and are reached through the engine host."""
    kubeconfigs: Mapping[str, Tree] = field(default_factory=dict, repr=False)
    """What the lab gives to stacks that ask for an existing cluster, by stack: a secret, or unknown."""
    secret: Callable[[SecretSource], str] | None = field(default=None, repr=False)
    """Opens secret sources; None: the real ones are read."""
    stand_ins: Callable[[], Sequence[ProviderSpec]] = tuple
    """Providers attached under official names."""
    simulated: Sequence[str] = ()
    """What is simulated here, one sentence each."""
    official_plugins: bool = True
    random_passphrase: bool = False
    """Whether the passphrase is one that nobody thought of."""
    patience: float = 300.0
    """Seconds for which the same broken root may stand before a wait for it is given up."""
    sweeping: float = 300.0
    """Seconds that what a destroy sweeps may take to go."""
    sequel: Callable[[], Sequence[str]] = tuple
    """Called when a destroy left nothing: what goes with the place itself, one sentence each."""

    @property
    def is_simulated(self) -> bool:
        return not self.official_plugins
