"""What the chart gets in the end: the typed fields and `values` together, over the chart's own defaults. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiinfra.domains.kubernetes.charts.gpu_operator.facts import CHART
from aiinfra.domains.kubernetes.charts.trees import with_defaults
from stacks.gpu_operator.spec import GpuOperatorInputs
from stacks.gpu_operator.values import chart_values

Path = tuple[str, ...]
FIELDS: Final[Mapping[Path, Path]] = {
    ("driver", "enabled"): ("driver", "enabled"),
    ("driver", "version"): ("driver", "version"),
    ("driver", "repository"): ("driver", "repository"),
    ("driver", "image"): ("driver", "image"),
    ("driver", "kernelModuleType"): ("driver", "kernel_module_type"),
    ("driver", "usePrecompiled"): ("driver", "precompiled"),
    ("driver", "imagePullSecrets"): ("driver", "pull_secrets"),
    ("toolkit", "enabled"): ("toolkit", "enabled"),
    ("toolkit", "installDir"): ("toolkit", "install_dir"),
    ("mig", "strategy"): ("mig", "strategy"),
    ("devicePlugin", "config", "name"): ("sharing", "time_slicing"),
    ("devicePlugin", "config", "default"): ("sharing", "time_slicing"),
    ("dcgmExporter", "enabled"): ("monitoring", "enabled"),
    ("dcgmExporter", "serviceMonitor", "enabled"): ("monitoring", "service_monitor"),
    ("daemonsets", "tolerations"): ("tolerations",),
}
"""The typed field of each value of the chart that has one."""


def effective_values(inputs: GpuOperatorInputs) -> dict[str, Any]:
    """Return what the templates see. Defaults are those of the version that is known, as others' are not."""
    return with_defaults(CHART.values, chart_values(inputs, "shared" if inputs.sharing.time_slicing else ""))


def where(inputs: GpuOperatorInputs, value: Path) -> Path:
    """Return where the file says a value of the chart that has a typed field: in `values`, or in the field."""
    return ("values", *value) if _at(inputs.values, value) is not None else FIELDS[value]


def _at(tree: Any, path: Path) -> Any:
    for key in path:
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree
