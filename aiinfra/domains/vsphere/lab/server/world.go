// The whole simulated vCenter: what is known of it beside VMware's registry of objects.

package main

import (
	"context"
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/simulator/esx"
	"github.com/vmware/govmomi/simulator/vpx"
)

// world is the simulated vCenter: VMware's registry of objects, and beside it what that does not know.
type world struct {
	description *description
	service     *simulator.Service
	registry    *simulator.Registry
	building    *simulator.Context
	calls       calls
	logins      logins
	faults      *faults
	denied      *privileges
	rest        *restAPI
	jobs        sync.Map // ref of a task -> *job
	leases      sync.Map // ref of a lease -> *lease
	pages       sync.Map // token -> []page
	turns       sync.Map // ref of a VM -> *sync.Mutex
	files       sync.Map // name of a disk file on a datastore -> true
	counter     atomic.Int64
	address     string // of the API

	mu          sync.Mutex // guards hosts, cards, and who holds them; taken before the lock of any object
	datacenters []*datacenter
	hosts       map[ref]*host
}

type datacenter struct {
	spec       *datacenterSpec
	ref        ref
	vmFolder   ref
	datastores map[string]ref // by name, which is unique in a datacenter
	networks   map[string]ref
	clusters   []*cluster
}

// newWorld builds the inventory that is described. Its account is the one of the description.
func newWorld(d *description) (*world, error) {
	content := vpx.ServiceContent
	about := &content.About
	about.ApiVersion, about.Version, about.Build = d.APIVersion, d.Version, d.Build
	about.Name, about.FullName = "VMware vCenter Server", "VMware vCenter Server "+d.Version+" build-"+d.Build
	about.InstanceUuid = uuid.NewString()
	esx.AdvancedOptions = esx.AdvancedOptions[:min(20, len(esx.AdvancedOptions))] // copied for each host, and no use here

	instance, _ := simulator.NewServiceInstance(simulator.NewContext(), content, vpx.RootFolder)
	w := &world{description: d, building: instance, registry: instance.Map, hosts: map[ref]*host{}}
	w.service = simulator.New(instance, nil)
	w.service.Listen = &url.URL{User: url.UserPassword(d.User, d.Password)}
	w.rest = newRestAPI(w)
	w.faults = newFaults()
	w.denied = newPrivileges(w, d.Privileges.Missing)
	w.installDoor()
	w.installManagers()
	w.registry.AddHandler(&taskNames{})
	for i := range d.Datacenters {
		if err := w.buildDatacenter(&d.Datacenters[i]); err != nil {
			return nil, err
		}
	}
	w.installLicenses()
	return w, nil
}

// newContext is one on whose behalf locks are held; work that runs beside a request has its own.
func (w *world) newContext(session *simulator.Session) *simulator.Context {
	if session == nil {
		session = w.building.Session
	}
	return &simulator.Context{Context: context.Background(), Session: session, Map: w.registry}
}

func (w *world) next() int64 { return w.counter.Add(1) }

// hostNamed is nil when no host has the name.
func (w *world) hostNamed(name string) *host {
	for _, h := range w.hosts {
		if h.spec.Name == name {
			return h
		}
	}
	return nil
}
