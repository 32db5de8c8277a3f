"""Why the API server does not know a kind. Pure."""

from __future__ import annotations

import re

from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.diagnosis.cause import Cause
from aiinfra.domains.kubernetes.diagnosis.readings import clean
from aiinfra.domains.kubernetes.diagnosis.scene import Scene, condition, name

CRD = "CustomResourceDefinition"
_NO_MATCH = re.compile(r"no matches for kind \"?(?P<kind>\w+)\"? in version \"?(?P<version>[\w./-]+?)\"?(?:$|[\s,;])")


def missing_kind(scene: Scene, text: str) -> Cause | None:
    """The cause behind `no matches for kind "X" in version "g/v"`."""
    found = _NO_MATCH.search(text)
    return definition(scene, found["version"], found["kind"]) if found else None


def definition(scene: Scene, api_version: str, kind: str) -> Cause | None:
    """What is wrong with the CustomResourceDefinition of a kind; None when it is established."""
    group = api_version.rpartition("/")[0]
    crd = next((obj for obj in scene.all(CRD) if _defines(obj, group, kind)), None)
    if crd is None and CRD in scene.unasked:
        return None
    if crd is None:
        return Cause(
            f"{CRD} of {kind} in {group} does not exist",
            f"install the chart or operator that brings {kind}, or see why it did not",
        )
    return not_established(crd)


def not_established(crd: Object) -> Cause | None:
    ref = ObjectRef.of(crd)
    established, names = condition(crd, "Established"), condition(crd, "NamesAccepted")
    if crd["metadata"].get("deletionTimestamp"):
        return Cause(f"{ref} is being deleted", "wait until it is gone, then run again")
    if names.get("status") == "False":
        return Cause(
            f"{ref} is not accepted: {clean(str(names.get('message', '')))}", "remove the one it conflicts with"
        )
    if established.get("status") == "True":
        return None
    why = clean(str(established.get("message") or "the API server has not taken it up"))
    return Cause(f"{ref} is not established: {why}", f"look at {name(crd)}")


def _defines(crd: Object, group: str, kind: str) -> bool:
    return bool(crd["spec"]["group"] == group and crd["spec"]["names"]["kind"] == kind)
