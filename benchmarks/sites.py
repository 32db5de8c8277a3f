"""Environments of many small stacks, for the benchmarks: each stack is three own test resources."""

from __future__ import annotations

import json
from pathlib import Path

KINDS = Path(__file__).parent.parent / "tests" / "kinds"


def small_stacks(folder: Path, number: int) -> Path:
    """Write `many.yaml` with `number` independent small stacks, and its state beside it."""
    stacks = {f"s{i}": {"kind": "things", "text": str(i)} for i in range(number)}
    document = {"version": "v1", "name": "many", "state": {"url": f"file://{folder / 'state'}"}, "stacks": stacks}
    path = folder / "many.yaml"
    path.write_text(json.dumps(document))
    return path


def dependent_stacks(folder: Path, number: int) -> Path:
    """Write `chain.yaml`: each stack takes an output of the one before."""
    stacks: dict[str, dict[str, object]] = {"s0": {"kind": "things"}}
    for i in range(1, number):
        stacks[f"s{i}"] = {"kind": "things", "after": f"${{s{i - 1}.last}}"}
    document = {"version": "v1", "name": "chain", "state": {"url": f"file://{folder / 'state'}"}, "stacks": stacks}
    path = folder / "chain.yaml"
    path.write_text(json.dumps(document))
    return path


def terraform(folder: Path, number: int) -> list[Path]:
    """The same number of small stacks for terraform: three built-in `terraform_data` resources each."""
    text = "".join(
        f'resource "terraform_data" "t{k}" {{\n  input = {f"terraform_data.t{k - 1}.id" if k else 0}\n}}\n'
        for k in range(3)
    )
    folders = []
    for i in range(number):
        stack = folder / f"s{i}"
        stack.mkdir(parents=True)
        (stack / "main.tf").write_text(text)
        folders.append(stack)
    return folders
