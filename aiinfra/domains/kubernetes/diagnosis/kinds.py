"""Why the API server does not know a kind. Pure."""

from __future__ import annotations

import re

from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.diagnosis.cause import Cause
from aiinfra.domains.kubernetes.diagnosis.messages import one_line
from aiinfra.domains.kubernetes.diagnosis.snapshot import Snapshot, condition, name

CRD = "CustomResourceDefinition"
_NO_MATCH = re.compile(r"no matches for kind \"?(?P<kind>\w+)\"? in version \"?(?P<version>[\w./-]+?)\"?(?:$|[\s,;])")


def missing_kind(snapshot: Snapshot, text: str) -> Cause | None:
    """Return the cause behind `no matches for kind "X" in version "g/v"`; None for any other text."""
    found = _NO_MATCH.search(text)
    return definition_problem(snapshot, found["version"], found["kind"]) if found else None


def definition_problem(snapshot: Snapshot, api_version: str, kind: str) -> Cause | None:
    """Return what is wrong with the CustomResourceDefinition of a kind; None when it is established."""
    group = api_version.rpartition("/")[0]
    crd = next((obj for obj in snapshot.all(CRD) if _defines(obj, group, kind)), None)
    if crd is None and CRD in snapshot.unlisted:
        return None
    if crd is None:
        return Cause(
            f"{CRD} of {kind} in {group} does not exist",
            f"install the chart or operator that brings {kind}, or see why it did not",
        )
    return establishment_problem(crd)


def establishment_problem(crd: Object) -> Cause | None:
    """Return why a CustomResourceDefinition is not established; None when it is."""
    ref = ObjectRef.of(crd)
    established, names = condition(crd, "Established"), condition(crd, "NamesAccepted")
    if crd["metadata"].get("deletionTimestamp"):
        return Cause(f"{ref} is being deleted", _until_gone(crd))
    if names.get("status") == "False":
        return Cause(
            f"{ref} is not accepted: {one_line(str(names.get('message', '')))}", "remove the one it conflicts with"
        )
    if established.get("status") == "True":
        return None
    why = one_line(str(established.get("message") or "the API server has not taken it up"))
    return Cause(f"{ref} is not established: {why}", f"look at {name(crd)}")


def _until_gone(crd: Object) -> str:
    hint = "wait until it is gone, then run again"
    if condition(crd, "Terminating").get("status") != "True":
        return hint
    return f"{hint}; if it stays, see which of its objects waits for a finalizer"


def _defines(crd: Object, group: str, kind: str) -> bool:
    return bool(crd["spec"]["group"] == group and crd["spec"]["names"]["kind"] == kind)
