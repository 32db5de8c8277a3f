"""`python -m benchmarks.bare FOLDER NUMBER`: the small stacks by the engine host and Pulumi's SDK, and nothing else.

The floor under `up`: no environment file, no plan, no notes, no lock, no view. Not a test of anything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiinfra.engine.host_client import EngineHost, HostSettings, Operation
from aiinfra.report.run import Verb
from aiinfra.toolchain import Toolchain
from aiinfra.world import World

PARALLEL = 8
ENGINE = "aiinfra-engine"


def up(folder: Path, number: int) -> None:
    """Run `number` stacks of three test resources, whose state is in `folder`."""
    from aiinfra.engine.programs import ProgramServer
    from aiinfra.providers import aiinfra_provider
    from aiinfra.providers.servicer import serve

    served = serve([aiinfra_provider.spec()], on_waiting=lambda urn, what, seconds: None)
    programs = ProgramServer()
    host = EngineHost.start(Toolchain(World.real()).ensure([ENGINE])[ENGINE], _settings(folder), folder / "engine.log")
    try:
        host.attach(served.ports)

        def one(stack: str) -> None:
            programs.register(stack, _program(stack))
            done = host.operate(Operation(verb=Verb.UP, stack=stack, program=programs.address)).result()
            if done.error:
                raise RuntimeError(f"{stack}: {done.error}")

        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(one, (f"s{i}" for i in range(number))))
    finally:
        host.close()
        programs.close()
        served.stop()


def _settings(folder: Path) -> HostSettings:
    return HostSettings(
        backend_url=f"file://{folder / 'state'}",
        project="bare",
        secrets="passphrase",
        passphrase="benchmark",
        providers={},
        pulumi_home=folder / "pulumi",
        environ={},
        parallel=PARALLEL,
    )


def _program(stack: str) -> Callable[[], None]:
    from aiinfra_test_kinds.resources import Thing

    def program() -> None:
        last: object = ""
        for number in range(3):
            last = Thing(f"thing-{number}", {"text": stack, "after": last}).id

    return program


if __name__ == "__main__":
    up(Path(sys.argv[1]), int(sys.argv[2]))
