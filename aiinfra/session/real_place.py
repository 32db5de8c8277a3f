"""The place of a real target: state by URL, sealed by a passphrase or a key service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiinfra.engine.notes import FileNotes
from aiinfra.errors import ConfigError
from aiinfra.model.environment import StateSpec
from aiinfra.session.place import Place
from aiinfra.world import World

PASSED_ON: Final = (
    "PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
"""Variables that the engine host and official plugins get on real targets; cloud credentials by prefix."""
CREDENTIALS: Final = ("AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_", "ARM_", "VAULT_")


def real_place(world: World, environment: str, state: StateSpec) -> Place:
    """Raises `ConfigError` `state.passphrase_missing` when the state's seal has no key."""
    url = state.url.replace("file://~", f"file://{world.home()}", 1)
    root = Path(url.removeprefix("file://")) if url.startswith("file://") else None
    return Place(
        state_url=url,
        secrets=state.secrets,
        passphrase=passphrase(world) if state.secrets == "passphrase" else "",
        environ=allowed(world.environ),
        notes=FileNotes(root / ".aiinfra" / environment) if root else None,
    )


def passphrase(world: World) -> str:
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
    """The part of our environment that the engine host may see; loopback never goes through a proxy."""
    passed = {k: v for k, v in environ.items() if k in PASSED_ON or k.startswith(CREDENTIALS)}
    loopback = ",".join(filter(None, (passed.get("NO_PROXY", ""), "127.0.0.1", "localhost")))
    return {**passed, "NO_PROXY": loopback, "no_proxy": loopback}
