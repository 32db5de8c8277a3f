// New VMs by CreateVM_Task, and those that the description lists.

package main

import (
	"cmp"
	"fmt"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// buildVM makes a VM of the description, by the ways that a client has.
func (w *world) buildVM(dc *datacenter, spec *vmSpec) error {
	h := dc.hostFor(spec)
	if h == nil {
		return fmt.Errorf("there is no host for it")
	}
	_, name := splitPath(cmp.Or(spec.Datastore, dc.spec.Datastores[0].Name))
	store := dc.datastores[name]
	folder, err := w.folderBelow(dc.vmFolder, spec.Folder)
	if err != nil {
		return err
	}
	network := sortedKeys(dc.networks)[0]
	if len(dc.spec.Networks) > 0 {
		network = dc.spec.Networks[0]
	}
	changes, err := spec.configSpec(store, network, h)
	if err != nil {
		return err
	}
	site := machine{dc: dc, folder: folder, pool: &h.cluster.pool, host: h, datastore: store}
	site.config = blank(spec.Name, w.datastoreName(store))
	if refused := w.configure(site.config, changes, site, false); refused != nil {
		return fmt.Errorf("%s", refused.message)
	}
	if spec.Template {
		site.config.Template, site.pool = true, nil
	}
	vm, refused := w.add(site)
	if refused != nil {
		return fmt.Errorf("%s", refused.message)
	}
	for i := range spec.Snapshots {
		w.snapshot(vm, fmt.Sprintf("snapshot-%d", i+1), "")
	}
	if spec.PoweredOn {
		if refused := w.powerOn(vm, false); refused != nil {
			return fmt.Errorf("%s", refused.message)
		}
	}
	return nil
}

// hostFor is the host of a described VM: the one that is named, or the first of its cluster; nil when there is none.
func (dc *datacenter) hostFor(spec *vmSpec) *host {
	for _, c := range dc.clusters {
		for _, h := range c.hosts {
			if spec.Host == h.spec.Name || spec.Host == "" && (spec.Cluster == "" || spec.Cluster == c.spec.Name) {
				return h
			}
		}
	}
	return nil
}

// CreateVMTask starts a task that makes a VM from a spec.
func (d *desk) CreateVMTask(ctx *simulator.Context, req *types.CreateVM_Task) soap.HasFault {
	folder, ok := d.registry.Get(req.This).(*simulator.Folder)
	if !ok {
		return gone(req.This).answer()
	}
	task := d.start(ctx, folder, "CreateVM_Task", req.Config.Name, func(j *job) (types.AnyType, *refusal) {
		vm, refused := j.create(&req.Config, folder.Self, req.Pool, req.Host)
		if refused != nil {
			return nil, refused
		}
		return vm.Self, nil
	})
	return &methods.CreateVM_TaskBody{Res: &types.CreateVM_TaskResponse{Returnval: task}}
}

// create makes a VM from nothing but a spec.
func (w *world) create(spec *types.VirtualMachineConfigSpec, folder, pool ref, on *ref) (*simulator.VirtualMachine, *refusal) {
	c := w.clusterOfPool(pool)
	if c == nil {
		return nil, gone(pool)
	}
	if !validName(spec.Name) {
		return nil, invalidName(spec.Name)
	}
	site := machine{dc: c.dc, folder: folder, pool: &pool, host: c.anyHost()}
	if on != nil && w.hosts[*on] != nil {
		site.host = w.hosts[*on]
	}
	store, refused := datastoreOf(spec, c.dc)
	if refused != nil {
		return nil, refused
	}
	site.datastore = store
	site.config = blank(spec.Name, w.datastoreName(store))
	if refused := w.configure(site.config, spec, site, false); refused != nil {
		w.freeDisks(site.config)
		return nil, refused
	}
	vm, refused := w.add(site)
	if refused != nil {
		w.freeDisks(site.config)
	}
	return vm, refused
}
