"""A plan as a table and as JSON: what there is to do, in which order, how sure that is. The world is not asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import Formatter

from pydantic import BaseModel

from aiinfra.catalog import blocks
from aiinfra.model.display import redact, redacted_line
from aiinfra.model.environment import Environment
from aiinfra.model.state_url import redact_url
from aiinfra.model.tree import Tree, dotted, is_list, is_map, leaves
from aiinfra.plan.certainty import NO_HISTORY, Certainty, CriticalPath, History, certainties, critical_path
from aiinfra.plan.planner import Plan, Step
from aiinfra.plan.secrets import needed_secrets
from aiinfra.stack import Ref
from aiinfra.ui.durations import duration
from aiinfra.ui.tables import table, truncate, width, wrap
from aiinfra.ui.terminal import Terminal

HEAD = ("stack", "kind", "needs", "settings", "certainty")
NARROW = 80
"""Columns below which a table that does not fit is not drawn."""
LEAST_SETTINGS = 40
"""Columns that settings get however narrow the terminal is."""


def plan_text(plan: Plan, terminal: Terminal, recorded: History = NO_HISTORY) -> str:
    """`lab · 4 stacks · …`, one row a stack, then the critical path and the secrets that `up` would read."""
    sure = certainties(plan, recorded)
    rows = [(s.name, s.kind.kind, _needs(s), _settings(plan, s), str(sure[s.name])) for s in plan.steps.values()]
    shown_rows = _fit_table([HEAD, *rows], terminal.width)
    lines = [headline(plan.environment), *(shown_rows or _blocks(rows, terminal)), *footer(plan, recorded)]
    return "\n".join(wrap(line, terminal.width) if shown_rows is None else line for line in lines)


def _fit_table(rows: Sequence[tuple[str, ...]], columns: int) -> list[str] | None:
    """Return the table with its settings truncated to the line; None when the other columns leave too little."""
    others = [max(width(row[at]) for row in rows) for at in (0, 1, 2, 4)]
    room = columns - sum(others) - 2 * len(HEAD)
    if columns < NARROW and room < min(LEAST_SETTINGS, max(width(row[3]) for row in rows)):
        return None
    cut_rows = [(*row[:3], truncate(row[3], max(LEAST_SETTINGS, room)), row[4]) for row in rows]
    return table(cut_rows, indent=2).split("\n")


def _blocks(rows: Sequence[tuple[str, ...]], terminal: Terminal) -> Iterator[str]:
    """Yield one stack below the other, for terminals that are too narrow for a table."""
    for name, *cells in rows:
        yield f"  {name}"
        yield from (
            f"    {head} {truncate(text, terminal.width * 3)}" for head, text in zip(HEAD[1:], cells, strict=True)
        )


def headline(environment: Environment) -> str:
    """`onprem · 3 stacks · state s3://infra-state`; before the state, what blocks of domains name."""
    count = len(environment.stacks)
    parts = [environment.name, f"{count} stack{'' if count == 1 else 's'}"]
    if environment.target == "lab":
        return " · ".join((*parts, "in a lab on this machine, simulated"))
    parts += [
        text
        for key, block in blocks().items()
        if (text := _block_headline(environment.blocks.get(key), block.headline))
    ]
    return " · ".join((*parts, f"state {redact_url(environment.state.url) or 'nowhere yet'}"))


def _block_headline(block: BaseModel | None, headline: str) -> str:
    """Return the block as its domain's headline names it; empty when a field that it takes is no literal text."""
    values = {name: getattr(block, name) for _, name, _, _ in Formatter().parse(headline) if block and name}
    return headline.format_map(values) if values and all(isinstance(v, str) for v in values.values()) else ""


def footer(plan: Plan, recorded: History) -> Iterator[str]:
    """Yield the critical path, what was not asked, and the secrets."""
    asked = "the world was not asked" if recorded.asked else "neither the state nor the world was asked"
    yield f"{path_text(critical_path(plan, recorded))} · {asked}"
    if sources := secret_sources(plan):
        yield f"`up` reads {', '.join(sources)}"


def path_text(path: CriticalPath) -> str:
    """`critical path cluster → nfd, usually 1m12 without nfd`: stacks that never ran are not counted."""
    chain = f"critical path {' → '.join(path.stacks)}"
    if path.seconds is None:
        return chain
    without = f" without {', '.join(path.fresh)}" if path.fresh else ""
    return f"{chain}, usually {duration(path.seconds)}{without}"


def plan_json(plan: Plan, recorded: History = NO_HISTORY) -> dict[str, object]:
    """Return the plan as JSON, with references and secret sources as the file has them."""
    sure = certainties(plan, recorded)
    return {
        "environment": plan.environment.name,
        "target": plan.environment.target,
        "state_asked": recorded.asked,
        "stacks": [_stack_json(plan, step, sure[step.name], recorded) for step in plan.steps.values()],
        **critical_path(plan, recorded).as_json(),
        "secrets": secret_sources(plan),
    }


def _stack_json(plan: Plan, step: Step, sure: Certainty, recorded: History) -> dict[str, object]:
    return {
        "name": step.name,
        "kind": step.kind.kind,
        "needs": _sorted_needs(step),
        "inputs": redact(plan.environment.stacks[step.name].inputs),
        "certainty": certainty_json(sure),
        "usual_seconds": recorded.seconds.get(step.name),
    }


def certainty_json(sure: Certainty) -> dict[str, object]:
    until = {stack: list(outputs) for stack, outputs in sure.until.items()}
    return {"level": sure.level, "until": until, "foreign": sure.external}


def secret_sources(plan: Plan) -> list[str]:
    """Return every `${env:…}` and `${file:…}` as written, each once."""
    return list(dict.fromkeys(str(source) for source, _ in needed_secrets(plan)))


def _sorted_needs(step: Step) -> list[str]:
    return sorted(step.needs)


def _needs(step: Step) -> str:
    return ", ".join(_sorted_needs(step)) or "-"


def _settings(plan: Plan, step: Step) -> str:
    """Return the settings in the order of the kind's fields, without what blocks give: the headline has that."""
    given, hidden = plan.environment.stacks[step.name].inputs, blocks()
    fields = [name for name in step.kind.inputs.model_fields if name in given and name not in hidden]
    return " · ".join(_leaf_words({name: given[name] for name in fields})) or "-"


def _leaf_words(inputs: Mapping[str, Tree]) -> Iterator[str]:
    """Yield literals and secret sources; references are in the column `needs` already."""
    for at, leaf in leaves(inputs):
        if not isinstance(leaf, Ref) and at and not (is_map(leaf) or is_list(leaf)):
            yield f"{dotted(at)} {redacted_line(leaf, at)}"
