"""Waiting for a task of a vCenter: its progress is reported, its end is a result or an error, a stop cancels it.

pyVmomi's own waiter is not used: it reads the whole TaskInfo, which fails on method names that it does not know.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from aiinfra.domains.vsphere.client import properties
from aiinfra.domains.vsphere.client.errors import NotFound, TaskSlow, VSphereError
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.waiting import Pending, Stopped, TimedOut

EVERY: Final = 0.25
"""Seconds between two questions for the state of a task; they also keep the session alive."""
LIMIT: Final = 3600.0
_PATHS: Final = ("info.state", "info.progress", "info.error", "info.result")


def finish(
    vcenter: VCenter,
    task: Any,
    doing: str,
    about: str,
    *,
    limit: float = LIMIT,
    powering: bool = False,
    cancel_on_stop: bool = True,
) -> Any:
    """Wait for the end of a task and return its result. `limit` is seconds.

    `doing` says what it does, `about` names its object by inventory path: "cloning", "/dc1/vm/rhcos". `powering`: its
    error is why a VM was not started. Raises `VSphereError` for a task that failed, `TaskSlow` for one that did not
    end, `Stopped`.
    """
    try:
        ended = vcenter.waiter(limit, EVERY).until(lambda: _asked(vcenter, task, doing, about))
    except Stopped:
        if cancel_on_stop:
            _cancel(task)
        raise
    except TimedOut as error:
        message = f"{error.last} has not ended after {limit:g} s"
        hint = "look at it under Recent Tasks in vCenter: cancel it there if it hangs, then run again"
        raise TaskSlow(message, where=about, hint=hint, transient=True) from error
    if ended.get("info.state") == "error":
        fault = ended.get("info.error")
        raise vcenter.refusal(fault, about, powering=powering) from fault
    return ended.get("info.result")


def _asked(vcenter: VCenter, task: Any, doing: str, about: str) -> properties.Row | Pending:
    row = properties.one(vcenter, task, _PATHS)
    if row is None:
        message = f"vCenter no longer knows how {doing} {about} ended"
        raise NotFound(message, where=about, hint="run again: it is looked for first", transient=True)
    if row.get("info.state") in ("success", "error"):
        return row
    progress = row.get("info.progress")
    return Pending(f"{doing} {about}" + (f": {progress} %" if progress is not None else ""))


def _cancel(task: Any) -> None:
    """Cancel a task if possible: some end by themselves meanwhile, some cannot be cancelled."""
    with suppress(VSphereError):
        task.CancelTask()
