"""The live table on a real terminal, by Rich. Imported only when standard output is one that can redraw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from aiinfra.engine.events import Diagnostic, Event, Message, RunEnded, RunStarted, StackEnded
from aiinfra.ui.live import final_lines, table_lines
from aiinfra.ui.output import Output
from aiinfra.ui.plain import headline, lines, unreported_errors
from aiinfra.ui.progress import Progress
from aiinfra.ui.report import report_text
from aiinfra.ui.tables import wrap
from aiinfra.ui.terminal import Terminal

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

SPARED: Final = 0.3
"""Seconds before the table appears: a run of unchanged stacks is over by then, and needs none."""


class LiveDisplay:
    """What must stay readable is printed above the table; the whole table and the report replace it at the end."""

    every = 0.125

    def __init__(self, out: Output, terminal: Terminal, now: Callable[[], datetime]) -> None:
        self._out, self._terminal, self._now = out, terminal, now
        self._live: Live | None = None
        self._ended = False

    def show(self, event: Event, progress: Progress) -> None:
        if isinstance(event, RunStarted):
            self._ended = False
        elif isinstance(event, RunEnded):
            self._end(progress, report_text(event.report, self._terminal))
        elif isinstance(event, Message | Diagnostic):
            self._print(lines(event, progress, self._terminal))
        elif isinstance(event, StackEnded):
            self._print(unreported_errors(progress.of(event.result.stack), progress))
            self.tick(progress)

    def tick(self, progress: Progress) -> None:
        if self._ended or progress.started is None:
            return
        if self._live is None:
            if (self._now() - progress.started).total_seconds() < SPARED:
                return
            self._live = _open_live(self._out)
        size = self._live.console.size
        terminal = replace(self._terminal, width=size.width)
        self._live.update(self._text(table_lines(progress, self._now(), terminal, size.height)), refresh=True)

    def close(self, progress: Progress) -> None:
        if not self._ended and progress.started is not None:
            self._end(progress, "")

    def _end(self, progress: Progress, report: str) -> None:
        self._ended = True
        if self._live is not None:
            self._live.stop()
        self._live = None
        whole = "\n".join((headline(progress), *final_lines(progress, self._now(), self._terminal)))
        self._out.line(wrap(whole, self._terminal.width))
        if report:
            self._out.line(wrap(report, self._terminal.width))

    def _print(self, lines: Iterator[str]) -> None:
        for line in lines:
            if self._live is None:
                self._out.line(line)
            else:
                self._live.console.print(self._text([line]), soft_wrap=True)

    def _text(self, painted: Iterable[str]) -> Text:
        from rich.text import Text

        return Text.from_ansi(self._out.masker("\n".join(painted)), no_wrap=True, overflow="ellipsis")


def _open_live(out: Output) -> Live:
    from rich.console import Console
    from rich.live import Live

    console = Console(file=out.file(), highlight=False, markup=False, emoji=False)
    live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
    live.start()
    return live
