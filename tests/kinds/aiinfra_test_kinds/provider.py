"""`aiinfra:test:Thing`: echoes its properties, with effects on demand that stand for a resource of the world.

`file` is a path; the thing in the world is the file `<file>.<id>`, so that one made twice is seen as two files.
`mark` and the urn are written into it by the creating call, and Create looks for them first. `delay` seconds pass
after the world has changed and before the call answers; a call that is to stop answers at once. `fail` is an
error's message, told after the effect.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiinfra.engine.wire import reveal
from aiinfra.errors import StepError
from aiinfra.providers.compare import changed_paths
from aiinfra.providers.contract import Call, CheckFailure, Diff, Made, Properties
from aiinfra.waiting import Pending, Stopped, TimedOut, Waiter

EFFECTS = ("file", "mark", "delay", "fail")


class TestThing:
    __test__ = False  # no test case, whatever its name says to pytest

    def check(self, call: Call, inputs: Properties) -> tuple[Properties, Sequence[CheckFailure]]:
        delay = inputs.get("delay", 0)
        wrong = isinstance(delay, str | list | dict | bool)
        return inputs, [CheckFailure("delay", "must be a number of seconds")] if wrong else []

    def diff(self, call: Call, id: str, olds: Properties, old_inputs: Properties, news: Properties) -> Diff:
        return Diff(changed_paths(old_inputs, news))

    def create(self, call: Call, inputs: Properties) -> Made:
        if call.preview:
            return Made("", inputs)
        effects = _effects(inputs)
        path = _marked(effects, call.urn)
        id = path.suffix.removeprefix(".") if path else uuid.uuid4().hex[:12]
        _write(effects, call.urn, id)
        self._answer_late(call, effects)
        return Made(id, inputs)

    def read(self, call: Call, id: str, inputs: Properties, state: Properties) -> Made | None:
        effects = _effects(state)
        if "file" in effects and not _path(effects, id).exists():
            return None
        return Made(id, state)

    def update(self, call: Call, id: str, olds: Properties, news: Properties) -> Made:
        if not call.preview:
            effects = _effects(news)
            _write(effects, call.urn, id)
            self._answer_late(call, effects)
        return Made(id, news)

    def delete(self, call: Call, id: str, state: Properties) -> None:
        effects = _effects(state)
        if "file" in effects:
            _path(effects, id).unlink(missing_ok=True)
        self._answer_late(call, {**effects, "fail": ""})

    def _answer_late(self, call: Call, effects: dict[str, Any]) -> None:
        if delay := float(effects.get("delay") or 0):
            _pass(delay, call)
        if message := effects.get("fail"):
            raise StepError(str(message), code="test.failed")


def thing(connections: None, patience: float) -> TestThing:
    """The handler; its world needs no connections."""
    return TestThing()


def _effects(properties: Properties) -> dict[str, Any]:
    return {key: reveal(properties[key]) for key in EFFECTS if properties.get(key) not in (None, "")}


def _path(effects: dict[str, Any], id: str) -> Path:
    return Path(f"{effects['file']}.{id}")


def _marked(effects: dict[str, Any], urn: str) -> Path | None:
    """The file that an earlier call for this urn and mark made."""
    if "file" not in effects:
        return None
    wanted = {"urn": urn, "mark": effects.get("mark", "")}
    base = Path(effects["file"])
    found = (path for path in sorted(base.parent.glob(f"{base.name}.*")) if json.loads(path.read_text()) == wanted)
    return next(found, None)


def _write(effects: dict[str, Any], urn: str, id: str) -> None:
    if "file" not in effects:
        return
    path = _path(effects, id)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.parent / f".{path.name}"
    draft.write_text(json.dumps({"urn": urn, "mark": effects.get("mark", "")}))
    draft.replace(path)


def _pass(seconds: float, call: Call) -> None:
    waiter = Waiter(seconds, every=seconds, stop=call.stop, on_wait=call.say)
    try:
        waiter.until(lambda: Pending(f"{seconds:g} s to pass"))
    except (TimedOut, Stopped):
        return
