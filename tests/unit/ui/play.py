"""Plays a story to a live view in real time: `python -m tests.unit.ui.play [speed]`. For looking at it in a terminal."""

from __future__ import annotations

import sys
import threading
from datetime import datetime

from aiinfra.engine.events import Event, Message, RunStarted
from aiinfra.ui.output import Output
from aiinfra.ui.screen import LiveDisplay
from aiinfra.ui.terminal import Terminal
from aiinfra.ui.views import Display, PlainDisplay, View
from aiinfra.world import World
from tests.unit.ui.story import START, failing_up


def main(speed: float) -> None:
    world, out, told = World.real(), Output(sys.stdout), world_time()
    terminal = Terminal.of(world)

    def now() -> datetime:
        return START + (world.now() - told) * speed

    sight: Display = LiveDisplay(out, terminal, now) if terminal.live else PlainDisplay(out, terminal)
    pause = threading.Event()
    with View(sight, now) as view:
        for event in failing_up():
            pause.wait(max(0.0, (_at(event) - now()).total_seconds() / speed))
            view(event)
            if isinstance(event, RunStarted):
                view(
                    Message(
                        "the lab of lab is started in ~/.local/state/aiinfra/labs/lab, it takes about 5 s", event.at
                    )
                )


def world_time() -> datetime:
    return World.real().now()


def _at(event: Event) -> datetime:
    return event.at


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 40)
