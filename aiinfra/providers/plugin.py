"""`pulumi-resource-aiinfra`: the provider `aiinfra` as a plugin process, so that the plain `pulumi` works on our state.

The engine reads the port from our standard output and ends the process when it is done.
"""

from __future__ import annotations

import signal
import threading

from aiinfra.providers.aiinfra_provider import spec
from aiinfra.providers.servicer import serve


def main() -> None:
    done = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda number, frame: done.set())
    served = serve([spec()])
    print(served.ports["aiinfra"], flush=True)
    done.wait()
    served.stop()
