"""Check the outside world of an environment and return findings. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aiinfra.disk import CACHE, STATE, why_unusable
from aiinfra.errors import AiinfraError, ConfigError
from aiinfra.model.state_url import redact_url
from aiinfra.report.examined import Examined
from aiinfra.session.engine import Engine
from aiinfra.session.place.place import Place
from aiinfra.session.session import Session
from aiinfra.session.worlds import health, preflights
from aiinfra.stack import Finding
from aiinfra.world import World


def examine(session: Session) -> list[Examined]:
    """Return every finding, `ok` ones included; the list is never empty."""
    return list(_examine(session))


def _examine(session: Session) -> Iterator[Examined]:
    yield from _folders(session.world)
    yield from _toolchain(session)
    yield from _plugins(session)
    try:
        secrets = session.secrets()
    except ConfigError as error:
        for problem in error.problems:
            yield Examined(
                "secrets", Finding("error", problem.path, problem.message, "a value", problem.hint, code=problem.code)
            )
        return
    yield Examined("secrets", Finding("ok", "secret sources", f"{len(secrets)} read", "all of them"))
    with session.reading() as (place_words, place, engine):
        name = session.plan.environment.name
        if place is None or engine is None:
            yield Examined(
                "state", Finding("ok", place_words, "not started yet", f"nothing: aiinfra up {name} starts it")
            )
            return
        state = _answered("state", lambda: _state(engine, place))
        yield state
        if state.finding.level == "error":
            return
        run = session.reading_run(place, engine, secrets)
        yield from health(run)
        yield from preflights(run, list(run.plan.steps.values()), before_run=False)


def _folders(world: World) -> Iterator[Examined]:
    for folder, variable in ((world.state(), STATE), (world.cache(), CACHE)):
        if why := why_unusable(folder):
            hint = f"set {variable} to a folder that you may write to, on a disk with space"
            yield Examined("machine", Finding("error", str(folder), why, "to be usable", hint, code="machine.folder"))
        else:
            yield Examined("machine", Finding("ok", str(folder), "usable", "to be usable"))


def _toolchain(session: Session) -> Iterator[Examined]:
    names = ("aiinfra-engine", *session.places.lab_tools)
    toolchain = session.places.toolchain
    for name in names:
        if toolchain.find(toolchain.tools[name]) is None:
            yield Examined(
                "toolchain", Finding("warning", name, "not here yet", "to be here", "aiinfra toolchain install")
            )
        else:
            yield Examined("toolchain", Finding("ok", name, "here", "to be here"))


def _plugins(session: Session) -> Iterator[Examined]:
    """Whether the official plugins are here that the kinds of a real target need."""
    from aiinfra.session.plugins import plugins_of
    from aiinfra.toolchain.plugins import missing_error

    wanted = plugins_of(session.plan)
    lacking = session.places.plugins.lacking(wanted) if wanted else ()
    for plugin in wanted:
        about, needed = f"Pulumi plugin {plugin}", "to be here"
        if plugin in lacking:
            record = missing_error([plugin], session.plan.environment.name).record
            finding = Finding("error", about, "not on this machine", needed, record.hint, code=record.code)
        else:
            finding = Finding("ok", about, "here", needed)
        yield Examined("toolchain", finding)


def _state(engine: Engine, place: Place) -> Finding:
    stacks = engine.host().stacks()
    engine.host().ready()
    return Finding("ok", redact_url(place.state_url), f"{len(stacks)} stacks", "to be readable, its secrets to open")


def _answered(subject: str, ask: Callable[[], Finding]) -> Examined:
    try:
        return Examined(subject, ask())
    except AiinfraError as error:
        record = error.record
        return Examined(
            subject,
            Finding("error", record.where or subject, record.message, "an answer", record.hint, code=record.code),
        )
