"""The place of a real target: state by URL, encrypted with a passphrase or a key service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiinfra.engine.notes import FileNotes
from aiinfra.errors import ConfigError
from aiinfra.model.environment import StateSpec
from aiinfra.model.state_url import PASSPHRASE, folder_of
from aiinfra.session.place.place import Place
from aiinfra.world import World

PASSED_ON: Final = (
    "PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
"""Variables that the engine host and official plugins get on real targets; cloud credentials by prefix."""
CREDENTIALS: Final = ("AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_", "ARM_", "VAULT_")


def real_place(world: World, environment: str, state: StateSpec, base: Path) -> Place:
    """Return the place of `state`, whose relative paths start at the folder `base`.

    Raises `ConfigError` `state.passphrase_missing` when the state needs a passphrase and none is given.
    """
    root = folder_of(state.url, world.home(), base.absolute())
    return Place(
        state_url=f"file://{root}{_parameters(state.url)}" if root else state.url,
        secrets=state.secrets,
        passphrase=_passphrase(world, needed=state.secrets == PASSPHRASE),
        environ=allowed(world.environ),
        notes=FileNotes(root / ".aiinfra" / environment) if root else None,
    )


def _parameters(url: str) -> str:
    return "".join(url.partition("?")[1:])


def _passphrase(world: World, *, needed: bool) -> str:
    """Return the passphrase; "" when none is given or needed. With a key service one may open older stacks."""
    try:
        return passphrase(world)
    except ConfigError:
        if needed:
            raise
        return ""


def passphrase(world: World) -> str:
    """Return the passphrase of Pulumi's variables. Raises `ConfigError` when none is given or it cannot be read."""
    if given := world.environ.get("PULUMI_CONFIG_PASSPHRASE"):
        return given
    if named := world.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        try:
            return Path(named).read_text().rstrip("\n")
        except OSError as exc:
            raise ConfigError(
                f"the passphrase file cannot be read: {exc.strerror}",
                code="state.passphrase_missing",
                where=f"PULUMI_CONFIG_PASSPHRASE_FILE={named}",
            ) from exc
    raise ConfigError(
        "the state is sealed by a passphrase and none is given",
        code="state.passphrase_missing",
        where="state.secrets",
        hint="set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or name a key service in state.secrets",
    )


def allowed(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the part of our environment that the engine host gets; loopback never goes through a proxy."""
    passed = {k: v for k, v in environ.items() if k in PASSED_ON or k.startswith(CREDENTIALS)}
    loopback = ",".join(filter(None, (passed.get("NO_PROXY", ""), "127.0.0.1", "localhost")))
    return {**passed, "NO_PROXY": loopback, "no_proxy": loopback}
