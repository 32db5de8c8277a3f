"""`python -m aiinfra.lab.controllers --lab FOLDER`: the controllers of all clusters of a lab, until SIGTERM."""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from aiinfra.lab.controllers.lab import LabControllers


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="aiinfra.lab.controllers")
    parser.add_argument("--lab", type=Path, required=True)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    LabControllers(parser.parse_args(argv).lab, stop).run()


if __name__ == "__main__":
    main()
