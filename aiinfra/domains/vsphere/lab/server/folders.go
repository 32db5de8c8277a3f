// Folders and resource pools: what a path of the description leads through.

package main

import (
	"fmt"
	"path"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

// splitPath cuts `gpu/cluster-a` into the folder `gpu` and the name `cluster-a`.
func splitPath(at string) (above, name string) {
	above, name = path.Split(strings.Trim(at, "/"))
	return strings.TrimSuffix(above, "/"), name
}

// placeBelow is the folder that an object at a path below `top` belongs in, and the name that it has there.
func (w *world) placeBelow(top ref, at string) (*simulator.Folder, string, error) {
	above, name := splitPath(at)
	folder, err := w.folderBelow(top, above)
	if err != nil {
		return nil, "", err
	}
	return w.registry.Get(folder).(*simulator.Folder), name, nil
}

// folderBelow is the folder at a path below `top`. It is made where it is missing, with those above it.
func (w *world) folderBelow(top ref, at string) (ref, error) {
	if at == "" {
		return top, nil
	}
	parent, name, err := w.placeBelow(top, at)
	if err != nil {
		return ref{}, err
	}
	if found := w.childNamed(parent, name); found != nil {
		if _, ok := found.(*simulator.Folder); !ok {
			return ref{}, fmt.Errorf("%s is no folder", w.pathOf(found.Reference()))
		}
		return found.Reference(), nil
	}
	answer := parent.CreateFolder(w.building, &types.CreateFolder{This: parent.Self, Name: unescaped.Replace(name)})
	if fault := answer.Fault(); fault != nil {
		return ref{}, fmt.Errorf("folder %s: %s", at, fault.String)
	}
	return answer.(*methods.CreateFolderBody).Res.Returnval, nil
}

// unescaped: CreateFolder of VMware's simulator escapes every percent sign, a vCenter only one that begins no escape.
var unescaped = strings.NewReplacer("%2f", "/", "%5c", `\`, "%25", "%")

// poolBelow is the resource pool at a path below `top`. It is made where it is missing, with those above it. Its
// reservation can grow and it has no limit, as vSphere Client makes one; so it refuses nothing that the cluster admits.
func (w *world) poolBelow(top ref, at string) (ref, error) {
	if at == "" {
		return top, nil
	}
	above, name := splitPath(at)
	over, err := w.poolBelow(top, above)
	if err != nil {
		return ref{}, err
	}
	parent := w.registry.Get(over).(*simulator.ResourcePool)
	if found := w.registry.FindByName(name, parent.ResourcePool.ResourcePool); found != nil {
		return found.Reference(), nil
	}
	ask := &types.CreateResourcePool{This: over, Name: name, Spec: types.DefaultResourceConfigSpec()}
	answer := parent.CreateResourcePool(w.building, ask)
	if fault := answer.Fault(); fault != nil {
		return ref{}, fmt.Errorf("resource pool %s: %s", at, fault.String)
	}
	made := answer.(*methods.CreateResourcePoolBody).Res.Returnval
	w.ownSummary(parent)
	w.ownSummary(w.registry.Get(made).(*simulator.ResourcePool))
	return made, nil
}

// ownSummary ends that all pools of VMware's simulator share one summary, and so the name in it.
func (w *world) ownSummary(pool *simulator.ResourcePool) {
	summary := *pool.Summary.GetResourcePoolSummary()
	summary.Name = pool.Name
	summary.Config = pool.Config
	pool.Summary = &summary
}
