"""The lab's vCenter: one process of its own, all of its world in memory. It is not started again when it ends."""

from __future__ import annotations

import json
import secrets
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, cast

import httpx

from aiinfra.domain_lab import LabServerContext, SetFault
from aiinfra.domains.vsphere.lab.account import ACCOUNT, FOLDER, STARTED_AS, VCenterAccount, started_as
from aiinfra.engine.wire import Tree
from aiinfra.errors import OutsideError
from aiinfra.lab.record import write_atomic
from aiinfra.waiting import Pending, TimedOut, Waiter

VCENTER: Final = FOLDER
"""Name of the process, of its program, of its folder and of its part in the record."""
LOOPBACK: Final = "127.0.0.1"
START_LIMIT: Final = 60.0
"""Seconds until the vCenter must answer; it takes a tenth of one."""
ANSWER_LIMIT: Final = 10.0
"""Seconds for an answer of the control port."""
_DESCRIPTION, _READY, _TOKEN = "description.json", "ready.json", "token"
Say = Callable[[str], None]


class SimulatedVCenter:
    """A `LabServer` with at most one part, the vCenter."""

    def __init__(self, context: LabServerContext) -> None:
        self._context = context
        self._home = context.folder / VCENTER
        self._account: VCenterAccount | None = None
        self._faults: Sequence[SetFault] = ()
        self._changing = threading.Lock()

    def ensure(self, spec: Tree, binaries: Mapping[str, str], say: Say) -> None:
        """Start what `spec` describes, with an account of its own; one that runs stays.

        Raises `OutsideError`: `lab.vcenter_failed`, and then nothing of it runs, or `lab.vcenter_changed` when it was
        started with another description: what is in it would be lost.
        """
        with self._changing:
            if VCENTER not in self._context.running():
                self._account = self._start(cast("Mapping[str, Any]", spec), binaries[VCENTER])
                self._send_faults()
                say("vcenter: answers")
            elif started_as(self._context.folder) != spec:
                raise OutsideError(
                    "the lab's vCenter was started with another description of lab.vcenter",
                    code="lab.vcenter_changed",
                    where="lab.vcenter",
                    hint="aiinfra destroy ENV, or aiinfra lab stop ENV if nothing in it matters; then run again",
                )

    def record(self) -> Mapping[str, Any]:
        account = self._account
        return {VCENTER: {"address": f"{account.host}:{account.port}", "user": account.user}} if account else {}

    def check_place(self, fault: str, place: str) -> None:
        """Accept any place: hosts come and go, and a fault at a name that no host has strikes nothing."""

    def apply_faults(self, faults: Iterable[SetFault]) -> None:
        """Set exactly these faults. Raises `OutsideError`."""
        with self._changing:
            self._faults = tuple(faults)
            if self._account is not None:
                self._send_faults()

    def stop(self) -> None:
        self._context.stop([VCENTER])

    def _start(self, description: Mapping[str, Any], program: str) -> VCenterAccount:
        shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir(mode=0o700)
        account = {"user": "administrator@vsphere.local", "password": secrets.token_urlsafe(18)}
        write_atomic(self._home / _DESCRIPTION, json.dumps({**description, **account}))
        write_atomic(self._home / _TOKEN, secrets.token_urlsafe(24))
        self._context.start(VCENTER, self._command(program))
        try:
            ready = Waiter(START_LIMIT, every=0.02).until(self._ready)
        except TimedOut as error:
            self._context.stop([VCENTER])
            raise _failed(f"it did not answer within {START_LIMIT:g} s") from error
        reached = VCenterAccount(LOOPBACK, ready["port"], fingerprint=ready["fingerprint"], **account)
        write_atomic(self._home / ACCOUNT, json.dumps(asdict(reached)))
        write_atomic(self._home / STARTED_AS, json.dumps(description))
        return reached

    def _send_faults(self) -> None:
        port = json.loads((self._home / _READY).read_text())["controlPort"]
        faults = [{"name": fault.name, "place": fault.place} for fault in self._faults]
        try:
            answer = httpx.post(
                f"http://{LOOPBACK}:{port}/faults",
                json={"faults": faults},
                headers={"Authorization": f"Bearer {(self._home / _TOKEN).read_text()}"},
                timeout=ANSWER_LIMIT,
                trust_env=False,
            )
        except httpx.HTTPError as error:
            raise _failed(f"its control port does not answer: {error}") from error
        if answer.is_error:
            raise _failed(answer.text.strip())

    def _command(self, program: str) -> tuple[str, ...]:
        return (
            program,
            f"--description={VCENTER}/{_DESCRIPTION}",
            f"--listen={LOOPBACK}:0",
            f"--control={LOOPBACK}:0",
            f"--ready={VCENTER}/{_READY}",
            f"--token-file={VCENTER}/{_TOKEN}",
        )

    def _ready(self) -> Mapping[str, Any] | Pending:
        if why := self._context.why_ended([VCENTER]):
            self._context.stop([VCENTER])
            raise _failed(why)
        try:
            ready: Mapping[str, Any] = json.loads((self._home / _READY).read_text())
        except FileNotFoundError:
            return Pending("the lab's vCenter")
        return ready


def _failed(why: str) -> OutsideError:
    return OutsideError(f"the lab's vCenter did not start: {why}", code="lab.vcenter_failed", where="lab.vcenter")
