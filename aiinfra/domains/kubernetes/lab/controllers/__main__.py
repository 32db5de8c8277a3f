"""The controllers of all clusters of a lab, until SIGTERM.

`python -m aiinfra.domains.kubernetes.lab.controllers --lab FOLDER`
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from aiinfra.domains.kubernetes.lab.controllers.lab import LabControllers

log = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="aiinfra.domains.kubernetes.lab.controllers")
    parser.add_argument("--lab", type=Path, required=True)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop, broken = threading.Event(), threading.Event()

    def end(failure: threading.ExceptHookArgs) -> None:
        """End all controllers when one thread fails: a cluster with half of them would mislead."""
        log.critical("%s ended", failure.thread and failure.thread.name, exc_info=failure.exc_value)
        broken.set()
        stop.set()

    threading.excepthook = end
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    LabControllers(parser.parse_args(argv).lab, stop).run()
    sys.exit(int(broken.is_set()))


if __name__ == "__main__":
    main()
