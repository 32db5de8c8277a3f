"""The provider `kubernetes` in a lab: the same type tokens as pulumi-kubernetes 4, against a real API server.

Objects go by server-side apply, so everything that the API server refuses is refused here. Not checked, compared
with the real plugin: schemas on the client's side, `enableConfigMapMutable` and other settings of the provider but
`kubeconfig`, dry runs in previews, the awaits of Services, Ingresses and volumes, `Patch` and `List` kinds. Names that
a program leaves out end in eight digits that follow from the resource, not in random ones.

A Helm `Release` makes what the charts of `aiinfra.domains.kubernetes.charts` would, at the versions of their facts;
what each leaves out is listed in its `standin/manifest.py`. The chart of a real operator is rendered by Helm's engine.
The pods of `cert-manager` run and issue nothing. Any other chart, version or value is refused; the real plugin would
take it. `atomic`, `lint`, `verify`, `postrender` and the options of upgrades have no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiinfra.domains.kubernetes.lab.standins.charts.real import RealChart
from aiinfra.domains.kubernetes.lab.standins.clients import Clients
from aiinfra.domains.kubernetes.lab.standins.helm import HelmReleases
from aiinfra.domains.kubernetes.lab.standins.objects import Objects
from aiinfra.providers.contract import Call, ProviderSpec

VERSION = "4.34.2"
"""Version of the SDK whose programs it serves."""
RELEASE = "kubernetes:helm.sh/v3:Release"


def never(_: Call) -> bool:
    return False


def none(_: Call) -> Mapping[str, RealChart]:
    return {}


def spec(
    crds_late: Callable[[Call], bool] = never, real_charts: Callable[[Call], Mapping[str, RealChart]] = none
) -> ProviderSpec:
    """Return the stand-in provider.

    `crds_late` says whether the fault `crd-late` strikes the chart of a call, `real_charts` which charts its cluster
    has for real, by name.
    """
    clients = Clients()
    return ProviderSpec(
        name="kubernetes",
        version=VERSION,
        resources={RELEASE: HelmReleases(clients, crds_late, real_charts)},
        fallback=Objects(clients),
    )
