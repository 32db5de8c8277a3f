"""`pulumi-resource-aiinfra`: the provider `aiinfra` as a plugin process, so that plain `pulumi` works on our state.

The engine reads the port from our standard output and ends the process when it is done; when the engine itself was
killed, the process sees that its parent changed, and ends too.
"""

from __future__ import annotations

import math
import os
import signal
import threading

from aiinfra.providers.aiinfra_provider import spec
from aiinfra.providers.servicer import serve
from aiinfra.waiting import Pending, Stopped, Waiter

LOOK_EVERY = 2.0
"""Seconds between two checks of the parent process."""


def main() -> None:
    done, parent = threading.Event(), os.getppid()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda number, frame: done.set())
    served = serve([spec()])
    print(served.ports["aiinfra"], flush=True)
    try:
        Waiter(math.inf, every=LOOK_EVERY, stop=done).until(lambda: os.getppid() != parent or Pending("the engine"))
    except Stopped:
        pass
    finally:
        served.stop()


if __name__ == "__main__":
    main()
