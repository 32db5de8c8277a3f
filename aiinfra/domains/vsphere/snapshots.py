"""What a stack made in vCenters, noted after its success and looked at again before it is skipped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from aiinfra.domain_run import Comparison, RunContext
from aiinfra.domains.vsphere.client.access import Access
from aiinfra.domains.vsphere.client.errors import VSphereError
from aiinfra.domains.vsphere.client.look import fingerprints
from aiinfra.errors import OutsideError
from aiinfra.plan.planner import Step
from aiinfra.stack import StackName

TEMPLATE: Final = "aiinfra:vsphere:GpuTemplate"
KEY: Final = "templates"


def snapshot(run: RunContext, step: Step, access: Access) -> Mapping[str, str]:
    """The templates of the stack by their managed object ids: inventory path and fingerprint. Raises `OutsideError`."""
    resources = run.deployment(step.name).get("resources") or ()
    outputs = [one.get("outputs") or {} for one in resources if one["type"] == TEMPLATE and not one.get("delete")]
    paths = {str(one["moref"]): str(one["path"]) for one in outputs if one.get("moref")}
    found = _fingerprints(access, list(paths), run)
    return {KEY: json.dumps({moref: [paths[moref], fingerprint] for moref, fingerprint in found.items()})}


def changes(run: RunContext, by_access: Mapping[Access, Mapping[StackName, Mapping[str, str]]]) -> Comparison:
    """One read for each account on a vCenter."""
    changed: dict[StackName, list[str]] = {}
    unknown: dict[StackName, OutsideError] = {}
    noted = {
        access: {stack: json.loads(kept[KEY]) for stack, kept in snapshots.items() if KEY in kept}
        for access, snapshots in by_access.items()
    }
    with ThreadPoolExecutor(max(len(noted), 1), thread_name_prefix="vcenters") as pool:
        answers = pool.map(partial(_asked, run), noted.keys(), noted.values())
        for stacks, answer in zip(noted.values(), answers, strict=True):
            if isinstance(answer, OutsideError):
                unknown |= dict.fromkeys(stacks, answer)
                continue
            changed |= {stack: found for stack, kept in stacks.items() if (found := _differences(kept, answer))}
    return Comparison(changed, unknown)


def _asked(
    run: RunContext, access: Access, stacks: Mapping[StackName, Mapping[str, Any]]
) -> Mapping[str, str] | OutsideError:
    try:
        return _fingerprints(access, [moref for kept in stacks.values() for moref in kept], run)
    except OutsideError as error:
        return error


def _fingerprints(access: Access, morefs: Sequence[str], run: RunContext) -> Mapping[str, str]:
    try:
        return fingerprints(access, morefs, run.stop)
    except VSphereError as error:
        record = error.record
        raise OutsideError(
            record.message, code=record.code, where=record.where, hint=record.hint, transient=record.transient
        ) from error


def _differences(kept: Mapping[str, Any], now: Mapping[str, str]) -> list[str]:
    found = []
    for moref, (path, fingerprint) in kept.items():
        if moref not in now:
            found.append(f"the template {path} is gone")
        elif now[moref] != fingerprint:
            found.append(f"the template {path} was changed")
    return found
