"""The key of an environment's digests: from its passphrase, or kept here when a key service seals the state."""

from __future__ import annotations

import secrets
from pathlib import Path

from aiinfra.engine.digest import key_from
from aiinfra.engine.notes import FileNotes
from aiinfra.session.place import Place
from aiinfra.world import World


def digest_key(world: World, place: Place, environment_id: str) -> bytes:
    """Equal for every run that may skip on the same notes. Another machine without the key runs each stack once."""
    if place.secrets == "passphrase":
        return key_from(place.passphrase, environment_id)
    kept = FileNotes(Path(world.state()) / "keys")
    kept.create(environment_id, secrets.token_bytes(32))
    (kept.root / environment_id).chmod(0o600)
    return kept.get(environment_id) or b""
