"""Turns a fault of vSphere into an error of ours: the object by its inventory path, one sentence, one hint."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.client.errors import (
    Busy,
    Exists,
    Forbidden,
    LoginRefused,
    NotFound,
    NotStarted,
    TooOld,
    Unreachable,
    VSphereError,
)
from aiinfra.domains.vsphere.client.power_faults import PowerOnCause, cause_without_detail, power_on_cause

Naming = Callable[[Any], str]
"""The inventory path of a managed object, or its kind and id when there is none."""

UNCOMMON = "vsphere.power_on"
"""Code of a refusal to power on that the checklist does not have."""
POWERING = frozenset({"PowerOnVM_Task", "PowerOnMultiVM_Task"})


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: type[VSphereError]
    says: str
    """A format of `about`, `text`, `vcenter` and the fault's own fields."""
    hint: str = ""
    transient: bool = False
    code: str = ""


_LOCKED = _Entry(
    LoginRefused,
    "the account is locked at {vcenter}",
    "unlock it, or wait until the lockout ends",
    code="vsphere.locked",
)
_TABLE: Mapping[str, _Entry] = {
    "InvalidLogin": _Entry(
        LoginRefused,
        "{vcenter} does not accept the user or its password",
        "check both in the vcenter block",
    ),
    "PasswordExpired": _Entry(LoginRefused, "the password of the account has expired at {vcenter}", "set a new one"),
    "NotAuthenticated": _Entry(LoginRefused, "the session at {vcenter} ended at once", "run again", transient=True),
    "ManagedObjectNotFound": _Entry(
        NotFound, "{about} does not exist any more", "run again: it was removed meanwhile", transient=True
    ),
    "DuplicateName": _Entry(Exists, "the name {name} is taken already", "remove what has it, or choose another name"),
    "AlreadyExists": _Entry(Exists, "the name {name} is taken already", "remove what has it, or choose another name"),
    "FileAlreadyExists": _Entry(Exists, "the file {file} exists already", "remove it from the datastore"),
    "TaskInProgress": _Entry(Busy, "{about} is busy with another task", "wait until it ends", transient=True),
    "ConcurrentAccess": _Entry(Busy, "{about} was changed by somebody else meanwhile", "run again", transient=True),
    "InvalidPowerState": _Entry(VSphereError, "{about} is {existingState}, which does not allow this"),
    "NoDiskSpace": _Entry(
        VSphereError, "datastore {datastore} has no room for {about}", "free space on it", code="vsphere.space"
    ),
    "InsufficientStorageSpace": _Entry(
        VSphereError, "the datastore has no room for {about}", "free space on it", code="vsphere.space"
    ),
    "InvalidName": _Entry(VSphereError, "vCenter does not accept the name {name}", "use letters, digits and hyphens"),
    "NotSupported": _Entry(VSphereError, "vCenter does not support this for {about}: {text}"),
    "MethodNotFound": _Entry(
        TooOld, "{vcenter} has no {method} for {about}: its API is too old", "use a vCenter 7.0 or newer"
    ),
    "HostNotConnected": _Entry(
        VSphereError, "the host of {about} is not connected", "reconnect it in vCenter, then run again", transient=True
    ),
    "HostCommunication": _Entry(
        VSphereError, "the host of {about} does not answer", "reconnect it in vCenter, then run again", transient=True
    ),
    "RequestCanceled": _Entry(
        VSphereError, "the task on {about} was cancelled in vCenter", "run again", transient=True
    ),
    "InvalidProperty": _Entry(VSphereError, "{about} has no property {name}", "use a vCenter 7.0 or newer"),
    "Timedout": _Entry(Unreachable, "vCenter gave up on {about}: {text}", "run again", transient=True),
}


def refusal(fault: Any, *, about: Any, naming: Naming, vcenter: str, powering: bool = False) -> VSphereError:
    """Return the error for a fault.

    `about` is the managed object that was asked, or its name; `powering` says that the fault answers a power-on.
    """
    error = _error(fault, about, naming, vcenter, powering=powering)
    error.fault = fault_name(fault)
    return error


def _error(fault: Any, about: Any, naming: Naming, vcenter: str, *, powering: bool) -> VSphereError:
    name, object_name = fault_name(fault), about if isinstance(about, str) else naming(about)
    if name == "NoPermission":
        return _forbidden(fault, object_name, naming, vcenter)
    if powering and (cause := _cause(fault, naming)):
        message = f"{object_name} was not powered on: {cause.why}"
        return NotStarted(message, code=cause.code, where=object_name, hint=cause.hint)
    text = _sentence(fault)
    entry = _LOCKED if name == "InvalidLogin" and "lock" in text.lower() else _TABLE.get(name)
    if name == "ManagedObjectNotFound" and getattr(fault, "obj", None):
        object_name = naming(fault.obj)
    if entry is None:
        entry = _Entry(VSphereError, "{about}: {text}")
    fields = {**_fields(fault), "about": object_name, "text": text, "vcenter": vcenter}
    where = vcenter if entry.kind is LoginRefused else object_name
    return entry.kind(
        entry.says.format_map(_Fields(fields)),
        code=entry.code,
        where=where,
        hint=entry.hint,
        transient=entry.transient,
    )


def fault_name(fault: Any) -> str:
    """Return the short name of a fault: `InvalidPowerState` for `vim.fault.InvalidPowerState`."""
    return type(fault).__name__.rpartition(".")[2]


def _forbidden(fault: Any, object_name: str, naming: Naming, vcenter: str) -> Forbidden:
    missing = [
        (naming(one.entity), privilege)
        for one in getattr(fault, "missingPrivileges", None) or ()
        for privilege in one.privilegeIds
    ]
    place = naming(fault.object) if fault.object else object_name
    lacks = missing or [(place, fault.privilegeId or "one that vCenter does not name")]
    named = ", ".join(f"{privilege} on {where}" for where, privilege in lacks)
    noun = "privilege" if len(lacks) == 1 else "privileges"
    message = f"the account lacks the {noun} {named}"
    return Forbidden(message, where=place, hint=f"add to a role that the account has there, in {vcenter}")


def _cause(fault: Any, naming: Naming) -> PowerOnCause | None:
    """Return the cause of a refused power-on; hosts that refuse for the same cause are named together."""
    by_host = _by_host(fault, naming)
    if not by_host:
        return _own_cause(fault) or cause_without_detail(fault_name(fault))
    causes = {host: _own_cause(one) or _uncommon(one) for host, one in by_host}
    distinct = sorted(dict.fromkeys(causes.values()), key=lambda cause: cause.code == UNCOMMON)
    hosts = {cause: ", ".join(host for host, its in causes.items() if its == cause) for cause in distinct}
    why = "; ".join(f"{hosts[cause]}: {cause.why}" for cause in distinct)
    return PowerOnCause(distinct[0].code, why, distinct[0].hint)


def _uncommon(fault: Any) -> PowerOnCause:
    return cause_without_detail(fault_name(fault)) or PowerOnCause(
        UNCOMMON, _sentence(fault), "aiinfra doctor ENV shows each host"
    )


def _own_cause(fault: Any) -> PowerOnCause | None:
    chain = list(_chain(fault))
    texts = [(fault_name(one), "\n".join(_texts(one))) for one in chain]
    return next((cause for name, text in texts if (cause := power_on_cause(name, text))), None)


def _by_host(fault: Any, naming: Naming) -> Sequence[tuple[str, Any]]:
    """Return each host's fault, of a fault that gathers them."""
    hosts, errors = getattr(fault, "host", None), getattr(fault, "error", None)
    if not isinstance(hosts, list) or not isinstance(errors, list):
        return ()
    return [(naming(host).rpartition("/")[2], error) for host, error in zip(hosts, errors, strict=False)]


def _chain(fault: Any) -> Iterator[Any]:
    while fault is not None:
        yield fault
        for field in ("error", "hostFaults"):
            yield from (error for error in getattr(fault, field, None) or () if isinstance(error, Exception))
        fault = getattr(fault, "faultCause", None)


def _texts(fault: Any) -> Iterator[str]:
    yield fault.msg or ""
    yield str(getattr(fault, "reason", "") or "")
    for message in fault.faultMessage or ():
        yield message.message or ""


def _sentence(fault: Any) -> str:
    """Return the fault's message as one clause; its name in words when it has no message."""
    message = next((text.strip() for text in (*_texts(fault), *_nested(fault)) if text.strip()), "")
    if not message or "\n" in message:
        message = message.partition("\n")[0] or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", fault_name(fault)).lower()
    return message.rstrip(". ")


def _nested(fault: Any) -> Iterator[str]:
    return (text for one in list(_chain(fault))[1:] for text in _texts(one))


def _fields(fault: Any) -> Mapping[str, str]:
    fields = ((info.name, getattr(fault, info.name, None)) for info in fault._GetPropertyList())
    return {name: str(value) for name, value in fields if isinstance(value, str | int)}


class _Fields(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "unnamed"
