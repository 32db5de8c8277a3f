// Datacenters, networks, datastores and clusters: how they are made and found.

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// buildDatacenter adds a described datacenter with all that is in it.
func (w *world) buildDatacenter(spec *datacenterSpec) error {
	parent, name, err := w.placeBelow(w.rootFolder(), spec.Name)
	if err != nil {
		return err
	}
	made := simulator.NewDatacenter(w.building, &parent.Folder)
	made.Name = name
	dc := &datacenter{
		spec:       spec,
		ref:        made.Self,
		vmFolder:   made.VmFolder,
		datastores: map[string]ref{},
		networks:   map[string]ref{},
	}
	w.datacenters = append(w.datacenters, dc)
	for _, folder := range spec.Folders {
		if _, err := w.folderBelow(dc.vmFolder, folder); err != nil {
			return err
		}
	}
	w.buildNetworks(dc, made)
	for i := range spec.Datastores {
		if err := w.buildDatastore(dc, made, &spec.Datastores[i]); err != nil {
			return err
		}
	}
	for i := range spec.Clusters {
		if err := w.buildCluster(dc, &spec.Clusters[i]); err != nil {
			return err
		}
	}
	for i := range spec.VMs {
		if err := w.buildVM(dc, &spec.VMs[i]); err != nil {
			return fmt.Errorf("/%s/vm/%s: %w", spec.Name, spec.VMs[i].Name, err)
		}
	}
	return nil
}

func (w *world) rootFolder() ref {
	return w.registry.Get(ref{Type: "ServiceInstance", Value: "ServiceInstance"}).(*simulator.ServiceInstance).Content.RootFolder
}

// buildNetworks adds to the "VM Network" that every datacenter has.
func (w *world) buildNetworks(dc *datacenter, made *simulator.Datacenter) {
	for _, one := range made.Network {
		dc.networks[w.registry.Get(one).(*mo.Network).Name] = one
	}
	folder := w.registry.Get(made.NetworkFolder).(*simulator.Folder)
	for _, name := range dc.spec.Networks {
		if _, known := dc.networks[name]; known {
			continue
		}
		network := &mo.Network{Name: name}
		network.Entity().Name = name
		w.putChild(&folder.Folder, network)
		network.Summary = &types.NetworkSummary{Network: &network.Self, Name: name, Accessible: true}
		made.Network = append(made.Network, network.Self)
		dc.networks[name] = network.Self
	}
}

// buildDatastore adds a described datastore.
func (w *world) buildDatastore(dc *datacenter, made *simulator.Datacenter, spec *datastoreSpec) error {
	folder, name, err := w.placeBelow(made.DatastoreFolder, spec.Name)
	if err != nil {
		return err
	}
	store := &simulator.Datastore{}
	store.Name = name
	w.putChild(&folder.Folder, store)
	location := "ds:///vmfs/volumes/" + uuid.NewSHA1(uuid.NameSpaceURL, []byte(dc.spec.Name+"/"+spec.Name)).String() + "/"
	free := spec.FreeMib << 20
	mode := types.DatastoreSummaryMaintenanceModeStateNormal
	if spec.Maintenance {
		mode = types.DatastoreSummaryMaintenanceModeStateInMaintenance
	}
	store.Summary = types.DatastoreSummary{
		Datastore: &store.Self, Name: name, Url: location, Capacity: spec.CapacityMib << 20, FreeSpace: free,
		Accessible: true, MultipleHostAccess: types.NewBool(true), Type: "VMFS", MaintenanceMode: string(mode),
	}
	now := time.Now()
	store.Info = &types.VmfsDatastoreInfo{DatastoreInfo: types.DatastoreInfo{
		Name: name, Url: location, FreeSpace: free, MaxFileSize: 64 << 40, Timestamp: &now,
	}}
	made.Datastore = append(made.Datastore, store.Self)
	dc.datastores[name] = store.Self
	return nil
}

// buildCluster adds a described cluster with its hosts and resource pools.
func (w *world) buildCluster(dc *datacenter, spec *clusterSpec) error {
	folder, name, err := w.placeBelow(w.registry.Get(dc.ref).(*simulator.Datacenter).HostFolder, spec.Name)
	if err != nil {
		return err
	}
	made, _ := simulator.CreateClusterComputeResource(w.building, folder, name, types.ClusterConfigSpecEx{})
	c := &cluster{spec: spec, ref: made.Self, dc: dc, pool: *made.ResourcePool}
	dc.clusters = append(dc.clusters, c)
	var options []types.BaseOptionValue
	for _, key := range sortedKeys(spec.Drs.Options) {
		options = append(options, &types.OptionValue{Key: key, Value: spec.Drs.Options[key]})
	}
	config := made.ConfigurationEx.(*types.ClusterConfigInfoEx)
	config.DrsConfig = types.ClusterDrsConfigInfo{
		Enabled:                   types.NewBool(spec.Drs.Enabled),
		EnableVmBehaviorOverrides: types.NewBool(true),
		DefaultVmBehavior:         types.DrsBehavior(spec.Drs.Behavior),
		VmotionRate:               3,
		Option:                    options,
	}
	config.DasConfig.Enabled = types.NewBool(false)
	made.Network = sortedRefs(dc.networks)
	made.Datastore = sortedRefs(dc.datastores)
	for i := range spec.Hosts {
		w.buildHost(c, made, &spec.Hosts[i])
	}
	for _, store := range made.Datastore {
		w.mount(store, made.Host)
	}
	w.installBrowser(c, made)
	for _, pool := range spec.Pools {
		if _, err := w.poolBelow(c.pool, pool); err != nil {
			return err
		}
	}
	return nil
}

// mount makes a datastore reachable from the hosts.
func (w *world) mount(store ref, hosts []ref) {
	object := w.registry.Get(store).(*simulator.Datastore)
	for _, h := range hosts {
		object.Host = append(object.Host, types.DatastoreHostMount{Key: h, MountInfo: types.HostMountInfo{
			AccessMode: string(types.HostMountModeReadWrite), Mounted: types.NewBool(true), Accessible: types.NewBool(true),
		}})
	}
}

// putChild is what VMware's simulator does for a folder and keeps to itself.
func (w *world) putChild(folder *mo.Folder, child mo.Entity) {
	ctx := w.newContext(nil)
	w.locked(ctx, folder.Self, func() {
		w.registry.NewEntity(child)
		folder.ChildEntity = entered(folder.ChildEntity, child.Reference()) // first: open views look there when it is put
		w.registry.PutEntity(folder, child)
	})
}

// entered is a list of its own with more at its end. It has room, since the simulator's views read lists of folders
// without a lock while they grow.
func entered(list []ref, more ...ref) []ref {
	if cap(list)-len(list) < len(more) || len(more) == 0 {
		list = append(make([]ref, 0, 2*len(list)+256), list...)
	}
	return append(list, more...)
}

// childNamed is what a folder has of that name.
func (w *world) childNamed(folder *simulator.Folder, name string) (found mo.Entity) {
	w.locked(w.newContext(nil), folder.Self, func() { found = w.registry.FindByName(name, folder.ChildEntity) })
	return found
}

// dropChild removes an object from the registry and from its folder.
func (w *world) dropChild(folder *mo.Folder, child ref) {
	ctx := w.newContext(nil)
	w.registry.Remove(ctx, child)
	w.locked(ctx, folder.Self, func() {
		kept := entered(folder.ChildEntity)
		simulator.RemoveReference(&kept, child)
		folder.ChildEntity = kept
	})
}

// datacenterOf is the datacenter that an object is in; nil when it is in none.
func (w *world) datacenterOf(entity mo.Entity) *datacenter {
	for at := entity; at != nil; {
		for _, dc := range w.datacenters {
			if dc.ref == at.Reference() {
				return dc
			}
		}
		parent := at.Entity().Parent
		if parent == nil {
			return nil
		}
		at, _ = w.registry.Get(*parent).(mo.Entity)
	}
	return nil
}

// pathOf is the inventory path: /dc1/vm/templates/rhcos.
func (w *world) pathOf(entity ref) string {
	at, ok := w.registry.Get(entity).(mo.Entity)
	var parts []string
	for ok && at.Entity().Parent != nil {
		parts = append(parts, at.Entity().Name)
		at, ok = w.registry.Get(*at.Entity().Parent).(mo.Entity)
	}
	slices.Reverse(parts)
	return "/" + strings.Join(parts, "/")
}

func sortedKeys[V any](all map[string]V) []string {
	keys := make([]string, 0, len(all))
	for key := range all {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func sortedRefs(all map[string]ref) []ref {
	refs := make([]ref, 0, len(all))
	for _, one := range all {
		refs = append(refs, one)
	}
	slices.SortFunc(refs, func(a, b ref) int { return cmp.Compare(a.Value, b.Value) })
	return refs
}
