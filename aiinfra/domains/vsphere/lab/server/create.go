package main

import (
	"fmt"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// buildVM makes a VM of the description, by the ways that a client has.
func (w *world) buildVM(dc *datacenter, said *vmSaid) error {
	h := dc.hostFor(said)
	if h == nil {
		return fmt.Errorf("there is no host for it")
	}
	store := dc.datastores[dc.said.Datastores[0].Name]
	if said.Datastore != "" {
		store = dc.datastores[said.Datastore]
	}
	network := sortedKeys(dc.networks)[0]
	if len(dc.said.Networks) > 0 {
		network = dc.said.Networks[0]
	}
	spec, err := said.described(store, network, h)
	if err != nil {
		return err
	}
	site := machine{dc: dc, folder: dc.folders[said.Folder], pool: &h.cluster.pool, host: h, datastore: store}
	site.config = blank(said.Name, w.datastoreName(store))
	if refused := w.configure(site.config, spec, site, false); refused != nil {
		return fmt.Errorf("%s", refused.message)
	}
	if said.Template {
		site.config.Template, site.pool = true, nil
	}
	vm, refused := w.add(site)
	if refused != nil {
		return fmt.Errorf("%s", refused.message)
	}
	for i := range said.Snapshots {
		w.snapshot(vm, fmt.Sprintf("snapshot-%d", i+1), "")
	}
	if said.PoweredOn {
		if refused := w.powerOn(vm, false); refused != nil {
			return fmt.Errorf("%s", refused.message)
		}
	}
	return nil
}

func (dc *datacenter) hostFor(said *vmSaid) *host {
	for _, c := range dc.clusters {
		for _, h := range c.hosts {
			if said.Host == h.said.Name || said.Host == "" && (said.Cluster == "" || said.Cluster == c.said.Name) {
				return h
			}
		}
	}
	return nil
}

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
