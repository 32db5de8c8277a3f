"""Reads what preflights and placement need of a vCenter in few requests: at most 10, and 3 for each host.

Their number does not depend on VMs or cards. A fact that cannot be read is None, with a reason; errors are only a
vCenter that does not answer or refuses the login, a stop, and a cluster that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.client.errors import NotFound, VSphereError
from aiinfra.domains.vsphere.client.parallel import asking_at_once
from aiinfra.domains.vsphere.client.properties import Query
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.inventory_paths import absolute, pool_path
from aiinfra.domains.vsphere.reading import inventory, privileges, vcenter_wide
from aiinfra.domains.vsphere.reading.datastore_and_source import DATASTORE_PATHS, datastore
from aiinfra.domains.vsphere.reading.hosts import BROWSER, MEMBERS, HostsReading, read_hosts
from aiinfra.domains.vsphere.reading.inventory import Entity
from aiinfra.domains.vsphere.reading.observed import Cluster, MissingPrivilege, Pool, Role, Site, SiteQuestion, Source
from aiinfra.domains.vsphere.reading.vcenter_wide import Fact, fact_or_reason

DRS: Final = "configurationEx.drsConfig"
POOL: Final = "resourcePool"
_LICENCES: Final = "licenseAssignmentManager"


def read_sites(vcenter: VCenter, questions: Sequence[SiteQuestion]) -> list[Site]:
    """Read one site for each question, all at one moment. Raises `NotFound` for a cluster that is not there."""
    vcenter.require_api("7.0", "reading the GPUs of hosts")
    with asking_at_once(vcenter) as asking:
        found = _walked(vcenter, pools=any(question.resource_pool for question in questions))
        places = [_location(vcenter, site, found) for site in questions]
        licences = asking.ask(lambda: fact_or_reason(lambda: vcenter_wide.licences(_licence_manager(found))))
        settings = asking.ask(lambda: fact_or_reason(lambda: vcenter_wide.settings(vcenter)))
        sources = asking.ask(lambda: vcenter_wide.sources(vcenter, [place.source for place in places]))
        hosts = read_hosts(vcenter, asking, {place.cluster.moref: place.cluster for place in places})
        granted = fact_or_reason(lambda: _granted(vcenter, places, sources.result()))
        whole = _VCenterFacts(licences.result(), settings.result(), sources.result(), granted)
        return [_site(vcenter, place, whole, hosts) for place in places]


@dataclass(frozen=True, slots=True)
class _Location:
    """The managed objects of one site, as far as they exist."""

    question: SiteQuestion
    cluster: Entity
    datastore: Entity | None
    folder: Entity | None
    pool: Pool | None
    source: str
    """Inventory path; empty when nothing is cloned."""

    def morefs(self, source: Source | None) -> Mapping[Role, tuple[str, str]]:
        """Return path and moref of the objects that privileges are needed on, by role."""
        found: dict[Role, tuple[str, str]] = {}
        if self.pool:
            found["resource_pool"] = (self.pool.path, self.pool.moref)
        if self.datastore:
            found["datastore"] = (self.datastore.path, self.datastore.moref)
        if self.folder:
            found["folder"] = (self.folder.path, self.folder.moref)
        if source:
            found["source"] = (source.path, source.moref)
        return found


@dataclass(frozen=True, slots=True)
class _VCenterFacts:
    """Facts about the vCenter as a whole."""

    licences: Fact[Mapping[str, str]]
    settings: Fact[Mapping[str, str]]
    sources: Mapping[str, Fact[Source]]
    granted: Fact[Mapping[str, frozenset[str]]]

    def source(self, place: _Location) -> Source | None:
        found = self.sources.get(place.source)
        return found.value if found else None


def _walked(vcenter: VCenter, *, pools: bool) -> Mapping[str, Sequence[Entity]]:
    paths: dict[str, Sequence[str]] = {"ClusterComputeResource": (DRS, POOL, BROWSER, MEMBERS)}
    paths |= {"Datastore": DATASTORE_PATHS, **({"ResourcePool": ()} if pools else {})}
    licences = Query([vcenter.content.licenseManager], {"LicenseManager": [_LICENCES]})
    return inventory.walk(vcenter, paths, [licences])


def _licence_manager(found: Mapping[str, Sequence[Entity]]) -> Any:
    return next((entity.row.get(_LICENCES) for entity in found.get("LicenseManager", ())), None)


def _location(vcenter: VCenter, site: SiteQuestion, found: Mapping[str, Sequence[Entity]]) -> _Location:
    by_path = {kind: {entity.path: entity for entity in entities} for kind, entities in found.items()}
    clusters = by_path["ClusterComputeResource"]
    path = absolute(site.cluster, site.datacenter, "host")
    if path not in clusters:
        there = ", ".join(sorted(clusters)) or "none that the account may see"
        message = f"cluster {path} does not exist in {vcenter.access}"
        raise NotFound(message, where=path, hint=f"its clusters are: {there}")
    row = clusters[path].row
    if why := next((row.unread[part] for part in (POOL, BROWSER, MEMBERS) if part in row.unread), ""):
        raise VSphereError(f"cluster {path} cannot be read: {why}", where=path, hint="let the account read the cluster")
    return _Location(
        site,
        clusters[path],
        by_path["Datastore"].get(absolute(site.datastore, site.datacenter, "datastore")),
        by_path["Folder"].get(absolute(site.folder, site.datacenter, "vm")),
        _pool(site, clusters[path], by_path.get("ResourcePool", {})),
        absolute(site.source, site.datacenter, "vm") if site.source else "",
    )


def _pool(site: SiteQuestion, cluster: Entity, pools: Mapping[str, Entity]) -> Pool | None:
    path = pool_path(site.resource_pool, cluster.path)
    if not site.resource_pool:
        return Pool(cluster.row.get(POOL)._moId, path)
    return Pool(pools[path].moref, path) if path in pools else None


def _granted(
    vcenter: VCenter, places: Sequence[_Location], sources: Mapping[str, Fact[Source]]
) -> Mapping[str, frozenset[str]]:
    needs = [need for place in places for need in place.question.privileges]
    kinds: Mapping[Role, str] = {
        "source": "VirtualMachine",
        "folder": "Folder",
        "datastore": "Datastore",
        "resource_pool": "ResourcePool",
    }
    objects = {
        moref: vcenter.object(moref, kinds[role])
        for place in places
        for role, (_, moref) in place.morefs(sources.get(place.source, Fact()).value).items()
    }
    return vcenter_wide.granted(vcenter, needs, objects)


def _site(vcenter: VCenter, place: _Location, whole: _VCenterFacts, hosts: HostsReading) -> Site:
    source = whole.source(place)
    return Site(
        vcenter=str(vcenter.access),
        instance_uuid=vcenter.about.instance_uuid,
        version=vcenter.about.version,
        api_version=vcenter.about.api_version,
        cluster=_cluster(place.cluster, hosts, whole.licences),
        datastore=datastore(place.datastore) if place.datastore else None,
        folder=place.folder.path if place.folder else None,
        source=source,
        resource_pool=place.pool,
        missing_privileges=_missing(place, whole, source),
        settings=whole.settings.value or {},
        unread=_unread(place, whole),
    )


def _cluster(entity: Entity, hosts: HostsReading, licences: Fact[Mapping[str, str]]) -> Cluster:
    drs = entity.row.get(DRS)
    why = entity.row.unread.get(DRS, "vCenter does not tell it")
    return Cluster(
        moref=entity.moref,
        path=entity.path,
        name=entity.name,
        drs_enabled=bool(drs.enabled) if drs else None,
        drs_behavior=str(drs.defaultVmBehavior or "") if drs else None,
        drs_options={option.key: str(option.value) for option in (drs.option or () if drs else ())},
        hosts=hosts.hosts(entity.moref, licences),
        unread={} if drs else {"drs_enabled": why, "drs_behavior": why, "drs_options": why},
    )


def _missing(place: _Location, whole: _VCenterFacts, source: Source | None) -> list[MissingPrivilege] | None:
    if whole.granted.value is None:
        return None
    from_template = source is None or source.is_template
    places = place.morefs(source)
    return list(privileges.missing(place.question.privileges, places, whole.granted.value, from_template=from_template))


def _unread(place: _Location, whole: _VCenterFacts) -> Mapping[str, str]:
    question = place.question
    store = absolute(question.datastore, question.datacenter, "datastore")
    folder = absolute(question.folder, question.datacenter, "vm")
    reasons = {
        "datastore": "" if place.datastore else f"{store} does not exist",
        "folder": "" if place.folder else f"{folder} does not exist",
        "resource_pool": ""
        if place.pool
        else f"{pool_path(question.resource_pool, place.cluster.path)} does not exist",
        "source": whole.sources.get(place.source, Fact()).why,
        "missing_privileges": whole.granted.why,
        "settings": whole.settings.why,
    }
    return {name: why for name, why in reasons.items() if why}
