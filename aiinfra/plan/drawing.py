"""The stacks of a plan and what passes between them, as text for Mermaid, Graphviz and machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

from aiinfra.dataclass import dataclass
from aiinfra.model.tree import dotted
from aiinfra.plan.planner import Plan
from aiinfra.plan.references import references
from aiinfra.stack import StackName


@dataclass(frozen=True, slots=True)
class Edge:
    """A stack that another one needs, and what it takes from it."""

    source: str
    target: str
    output: str = ""
    """The output that is taken; empty for the whole record, or when only the order counts."""
    at: str = ""
    """The input that takes it; empty when only the order counts (`depends_on`)."""


def draw(plan: Plan, form: Literal["mermaid", "dot", "json"]) -> str:
    match form:
        case "mermaid":
            return mermaid(plan)
        case "dot":
            return dot(plan)
        case "json":
            return json.dumps(graph(plan), indent=2)


def edges(plan: Plan) -> Iterator[Edge]:
    """Yield an edge for each reference, and for each `depends_on` that no reference repeats, in the plan's order."""
    for name in plan.steps:
        entry = plan.environment.stacks[name]
        taken = list(references(entry))
        for at, ref in taken:
            yield Edge(ref.stack, name, ".".join(ref.output), dotted(at))
        for other in entry.depends_on:
            if other not in {ref.stack for _, ref in taken}:
                yield Edge(other, name)


def graph(plan: Plan) -> dict[str, object]:
    return {
        "environment": plan.environment.name,
        "stacks": [{"name": name, "kind": step.kind.kind} for name, step in plan.steps.items()],
        "edges": [{"from": e.source, "to": e.target, "output": e.output, "input": e.at} for e in edges(plan)],
    }


def mermaid(plan: Plan) -> str:
    """Nodes are numbered, as names like `end` are words of Mermaid's own."""
    ids = {name: f"s{number}" for number, name in enumerate(plan.steps, start=1)}
    lines = ["graph TD"]
    lines += [f'  {ids[name]}["{name}<br/>{step.kind.kind}"]' for name, step in plan.steps.items()]
    lines += [f"  {ids[StackName(e.source)]} {_arrow(e)} {ids[StackName(e.target)]}" for e in _distinct_edges(plan)]
    return "\n".join(lines)


def _arrow(edge: Edge) -> str:
    return ("-->" if edge.at else "-.->") + (f"|{edge.output}|" if edge.output else "")


def dot(plan: Plan) -> str:
    lines = [f'digraph "{plan.environment.name}" {{', "  node [shape=box];"]
    lines += [f'  "{name}" [label="{name}\\n{step.kind.kind}"];' for name, step in plan.steps.items()]
    lines += [_dot_edge(edge) for edge in _distinct_edges(plan)]
    return "\n".join([*lines, "}"])


def _dot_edge(edge: Edge) -> str:
    marks = [f'label="{edge.output}"'] if edge.output else []
    marks += [] if edge.at else ["style=dashed"]
    return f'  "{edge.source}" -> "{edge.target}"' + (f" [{', '.join(marks)}]" if marks else "") + ";"


def _distinct_edges(plan: Plan) -> list[Edge]:
    """Return one edge for each pair of stacks and output, however often the output is taken."""
    return list({(edge.source, edge.target, edge.output): edge for edge in edges(plan)}.values())
