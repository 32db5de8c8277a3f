"""What the chart's own templates and the operator's custom resource refuse, judged before anything runs. Pure.

NVIDIA/gpu-operator v26.7.0 deployments/gpu-operator/templates/validations.yaml, and the enums of
api/nvidia/v1/clusterpolicy_types.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aiinfra.stack import Violation
from stacks.gpu_operator.effective import FIELDS, effective_values
from stacks.gpu_operator.spec import GpuOperatorInputs

ENUMS: Final[Mapping[tuple[str, ...], Sequence[str]]] = {
    ("driver", "kernelModuleType"): ("auto", "open", "proprietary"),
    ("mig", "strategy"): ("none", "single", "mixed"),
    ("migManager", "config", "default"): ("all-disabled", ""),
    ("daemonsets", "updateStrategy"): ("RollingUpdate", "OnDelete"),
    ("sandboxWorkloads", "defaultWorkload"): ("container", "vm-passthrough", "vm-vgpu"),
    ("sandboxWorkloads", "mode"): ("kubevirt", "kata"),
    ("ccManager", "defaultMode"): ("on", "off", "devtools"),
}
TEXT_LISTS: Final = ("args", "imagePullSecrets", "podLabelAllowlistRegex")
"""Keys of components whose entries are texts."""


def refusals(inputs: GpuOperatorInputs) -> Iterator[Violation]:
    """Yield what the templates refuse to render, and what the API server would refuse of what they render."""
    sees = effective_values(inputs)
    yield from _validations(inputs, sees)
    for path, allowed in ENUMS.items():
        yield from _outside(inputs, path, allowed)
    for component, section in inputs.values.items():
        if isinstance(section, Mapping) and component != "node-feature-discovery":
            yield from _texts(("values", component), section)


def _validations(inputs: GpuOperatorInputs, sees: Mapping[str, Any]) -> Iterator[Violation]:
    """The rules of validations.yaml but for its last, which asks the cluster."""
    policy, cluster = _on(sees, "clusterPolicy", "deployCR"), _on(sees, "gpuCluster", "deployCR")
    if policy and cluster:
        yield _refused(
            "gpuCluster", "deployCR", says="clusterPolicy.deployCR and gpuCluster.deployCR cannot both be true"
        )
    by_objects = _on(sees, "driver", "nvidiaDriverCRD", "enabled")
    if cluster and _on(sees, "driver", "enabled") and not by_objects:
        says = "a GPUCluster takes its drivers from NVIDIADriver objects"
        yield _refused("gpuCluster", "deployCR", says=says, hint="set values.driver.nvidiaDriverCRD.enabled: true")
    if _on(sees, "cdi", "nriPluginEnabled"):
        nri = ("cdi", "nriPluginEnabled")
        if not _on(sees, "cdi", "enabled"):
            yield _refused(*nri, says="the NRI plugin cannot be enabled when CDI is disabled")
        if not _on(sees, "toolkit", "enabled"):
            says = "the NRI plugin cannot be enabled when the container toolkit is disabled"
            yield _refused(*nri, says=says, hint="set toolkit.enabled: true, or take nriPluginEnabled out")
    config = sees["devicePlugin"].get("config") or {}
    if config.get("create"):
        for key in ("name", "data"):
            if not config.get(key):
                at = ("devicePlugin", "config", "create")
                yield _refused(*at, says=f"devicePlugin.config.{key} cannot be empty when config.create is true")


def _on(sees: Mapping[str, Any], *path: str) -> bool:
    value: Any = sees
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return bool(value)


def _refused(*path: str, says: str, hint: str = "change one of them") -> Violation:
    return Violation(("values", *path), f"the chart refuses to render: {says}", hint)


def _outside(inputs: GpuOperatorInputs, path: tuple[str, ...], allowed: Sequence[str]) -> Iterator[Violation]:
    value: Any = inputs.values
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(value, str) or value in allowed:
        return
    known = " or ".join(one or '""' for one in allowed)
    hint = f"write it as {'.'.join(FIELDS[path])}" if path in FIELDS else f"write {known}"
    if path == ("migManager", "config", "default"):
        hint = f"leave it out, and give the nodes that are to have it the label nvidia.com/mig.config={value}"
    yield Violation(("values", *path), f"{'.'.join(path)} takes {known}, not {value}", hint)


def _texts(at: tuple[str | int, ...], section: Mapping[str, Any]) -> Iterator[Violation]:
    """Yield each entry that the custom resource wants as a text, as the API server converts nothing."""
    for key, value in section.items():
        here = (*at, str(key))
        if isinstance(value, Mapping):
            yield from _texts(here, value)
        elif key == "env" and isinstance(value, list):
            for number, entry in enumerate(value):
                yield from _variable((*here, number), entry)
        elif key in TEXT_LISTS and isinstance(value, list):
            for number, entry in enumerate(value):
                yield from _text((*here, number), entry)


def _variable(at: tuple[str | int, ...], entry: Any) -> Iterator[Violation]:
    if not isinstance(entry, Mapping):
        yield Violation(at, "is a map with name and value", "write {name: NAME, value: VALUE}")
        return
    if not entry.get("name"):
        yield Violation((*at, "name"), "is required", "name the variable")
    for key in ("name", "value"):
        if key in entry:
            yield from _text((*at, key), entry[key])


def _text(at: tuple[str | int, ...], value: Any) -> Iterator[Violation]:
    if isinstance(value, bool | int | float):
        written = str(value).lower() if isinstance(value, bool) else str(value)
        yield Violation(at, f"wants text, not {written}", f'quote it: "{written}"')
