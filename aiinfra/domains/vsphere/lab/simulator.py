"""The lab's vCenter: one process of its own, all of its world in memory. It is not started again when it ends."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from aiinfra.domains.kubernetes.lab.partition import LOOPBACK
from aiinfra.domains.vsphere.lab.account import ACCOUNT, FOLDER, WANTED, VCenterAccount
from aiinfra.errors import OutsideError
from aiinfra.lab.children import Children
from aiinfra.lab.faults import Fault
from aiinfra.lab.record import write_atomic
from aiinfra.waiting import Pending, TimedOut, Waiter

VCENTER: Final = FOLDER
"""Name of the process, of its program and of its folder."""
START_LIMIT: Final = 60.0
"""Seconds; it takes a tenth of one."""
ANSWER_LIMIT: Final = 10.0
_DESCRIPTION, _READY, _TOKEN = "description.json", "ready.json", "token"


@dataclass(frozen=True, slots=True)
class SimulatedVCenter:
    """A vCenter that answers."""

    folder: Path
    """The lab's."""
    children: Children

    def start(self, wanted: Mapping[str, Any], program: str) -> None:
        """Start what `wanted` describes, with an account of its own.

        Raises `OutsideError` `lab.vcenter_failed`; then nothing of it runs.
        """
        home = self.folder / VCENTER
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700)
        account = {"user": "administrator@vsphere.local", "password": secrets.token_urlsafe(18)}
        write_atomic(home / _DESCRIPTION, json.dumps({**wanted, **account}))
        write_atomic(home / WANTED, json.dumps(wanted))
        write_atomic(home / _TOKEN, secrets.token_urlsafe(24))
        self.children.start(VCENTER, self._command(program))
        try:
            told = Waiter(START_LIMIT, every=0.02).until(self._ready)
        except TimedOut as error:
            self.children.stop([VCENTER])
            raise _failed(f"it did not answer within {START_LIMIT:g} s") from error
        reached = VCenterAccount(LOOPBACK, told["port"], fingerprint=told["fingerprint"], **account)
        write_atomic(home / ACCOUNT, json.dumps(asdict(reached)))

    def break_by(self, faults: Iterable[Fault]) -> None:
        """Let exactly these faults hold. Raises `OutsideError`."""
        home = self.folder / VCENTER
        port = json.loads((home / _READY).read_text())["controlPort"]
        wanted = [{"name": fault.name, "place": fault.place} for fault in faults]
        try:
            answer = httpx.post(
                f"http://{LOOPBACK}:{port}/faults",
                json={"faults": wanted},
                headers={"Authorization": f"Bearer {(home / _TOKEN).read_text()}"},
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
        for child in self.children.ended((VCENTER,)):
            why = child.why_ended()
            self.children.stop([VCENTER])
            raise _failed(why)
        try:
            told: Mapping[str, Any] = json.loads((self.folder / VCENTER / _READY).read_text())
        except FileNotFoundError:
            return Pending("the lab's vCenter")
        return told


def _failed(why: str) -> OutsideError:
    return OutsideError(f"the lab's vCenter did not start: {why}", code="lab.vcenter_failed", where="lab.vcenter")
