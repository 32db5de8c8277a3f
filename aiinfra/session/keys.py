"""The key of an environment's digests, and whether the state's secrets open.

The key comes from the passphrase, or is kept here when a key service seals the state.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from aiinfra.engine.digest import key_from, key_from_random, keyed
from aiinfra.engine.journal import Journal
from aiinfra.engine.notes import FileNotes
from aiinfra.engine.state_format import check_format
from aiinfra.model.state_url import PASSPHRASE
from aiinfra.session.engine import Engine
from aiinfra.session.place.place import Place
from aiinfra.world import World

NEVER_UP = "0" * 12
"""The id of an environment that has none yet."""


def digest_key(world: World, place: Place, environment_id: str) -> bytes:
    """Return the digest key, the same for all runs that share notes. A machine without it runs each stack once."""
    if place.secrets == PASSPHRASE:
        return (key_from_random if place.random_passphrase else key_from)(place.passphrase, environment_id)
    if environment_id in {"", NEVER_UP}:
        return secrets.token_bytes(32)
    kept = _key_store(world)
    kept.create(environment_id, secrets.token_bytes(32))
    return kept.get(environment_id) or b""


def forget_key(world: World, environment_id: str) -> None:
    """Delete the key of an environment of which nothing is left."""
    if environment_id:
        _key_store(world).delete(environment_id)


def _key_store(world: World) -> FileNotes:
    return FileNotes(Path(world.state()) / "keys")


def open_secrets(engine: Engine, journal: Journal, place: Place) -> None:
    """Check that the state's secrets can be opened before anything is begun; checked once for each key.

    Raises `EngineError` `engine.passphrase` or `engine.key_service`.
    """
    _check_format(engine, place)
    known = journal.environment_id()
    if known is None or journal.seal() != _seal(engine.world, place, known):
        engine.prepared_host().ready(make=False)


def make_environment(engine: Engine, journal: Journal, place: Place, name: str) -> str:
    """Return the environment's id, created when it has none, once its secrets are open."""
    _check_format(engine, place)
    known = journal.environment_id()
    if known is not None and journal.seal() == _seal(engine.world, place, known):
        return known
    engine.prepared_host().ready(make=place.secrets != PASSPHRASE)
    made = known or journal.make_environment_id(name, engine.world.now())
    journal.keep_seal(_seal(engine.world, place, made))
    return made


def _check_format(engine: Engine, place: Place) -> None:
    """Check that the state has the format that we work on. The host does so whenever it lists stacks.

    Raises `EngineError` `engine.newer`, `engine.legacy` or `engine.damaged`.
    """
    if isinstance(place.notes, FileNotes):
        check_format(place.notes.root.parents[1])
    else:
        engine.host().stacks()


def _seal(world: World, place: Place, environment_id: str) -> str:
    return keyed(digest_key(world, place, environment_id), "seal")
