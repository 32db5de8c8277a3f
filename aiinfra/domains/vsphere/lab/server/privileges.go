// Privileges: what each call needs, and what the account of the lab has not.

package main

import (
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// privileges are those that the account has not.
type privileges struct {
	world   *world
	missing []missingPrivilege
}

func newPrivileges(w *world, missing []missingPrivilege) *privileges { return &privileges{w, missing} }

// granted says whether the account has the privilege on the object: not missing there nor above it.
func (p *privileges) granted(privilege string, object ref) bool {
	at := ""
	for _, one := range p.missing {
		if one.Privilege != privilege {
			continue
		}
		if at == "" {
			at = p.world.pathOf(object)
		}
		if at == one.Path || strings.HasPrefix(at, strings.TrimSuffix(one.Path, "/")+"/") {
			return false
		}
	}
	return true
}

// need is a privilege that a call wants on an object.
type need struct {
	privilege string
	object    ref
}

// check refuses a call that the account may not make. A vCenter answers so before it begins a task.
func (p *privileges) check(method *simulator.Method) *refusal {
	if len(p.missing) == 0 {
		return nil
	}
	for _, one := range p.needs(method) {
		if !p.granted(one.privilege, one.object) {
			return noPermission(one.object, one.privilege)
		}
	}
	return nil
}

// simpleNeeds are the privileges of calls that want one on their own object. Source: vSphere Web Services API
// reference 8.0, "Required Privileges" of each method.
var simpleNeeds = map[string]string{
	"PowerOnVM_Task":            "VirtualMachine.Interact.PowerOn",
	"PowerOffVM_Task":           "VirtualMachine.Interact.PowerOff",
	"SuspendVM_Task":            "VirtualMachine.Interact.Suspend",
	"UpgradeVM_Task":            "VirtualMachine.Config.UpgradeVirtualHardware",
	"MarkAsTemplate":            "VirtualMachine.Provisioning.MarkAsTemplate",
	"CreateSnapshot_Task":       "VirtualMachine.State.CreateSnapshot",
	"RemoveAllSnapshots_Task":   "VirtualMachine.State.RemoveSnapshot",
	"UnregisterVM":              "VirtualMachine.Inventory.Unregister",
	"CreateFolder":              "Folder.Create",
	"EnterMaintenanceMode_Task": "Host.Config.Maintenance",
	"ExitMaintenanceMode_Task":  "Host.Config.Maintenance",
	"RebootHost_Task":           "Host.Config.Maintenance",
}

// needs are the privileges of a call, each with the object that they are wanted on.
func (p *privileges) needs(method *simulator.Method) []need {
	if privilege, ok := simpleNeeds[method.Name]; ok {
		return []need{{privilege, method.This}}
	}
	switch req := method.Body.(type) {
	case *types.Destroy_Task:
		if req.This.Type == "VirtualMachine" {
			return []need{{"VirtualMachine.Inventory.Delete", req.This}}
		}
	case *types.Rename_Task:
		if req.This.Type == "VirtualMachine" {
			return []need{{"VirtualMachine.Config.Rename", req.This}}
		}
	case *types.CloneVM_Task:
		return p.cloneNeeds(req)
	case *types.ReconfigVM_Task:
		return configNeeds(req.This, &req.Spec)
	case *types.MarkAsVirtualMachine:
		return []need{{"VirtualMachine.Provisioning.MarkAsVM", req.This}, {"Resource.AssignVMToPool", req.Pool}}
	case *types.CreateVM_Task:
		return []need{{"VirtualMachine.Inventory.Create", req.This}, {"Resource.AssignVMToPool", req.Pool}}
	case *types.ImportVApp:
		needs := []need{{"VApp.Import", req.This}}
		if req.Folder != nil {
			needs = append(needs, need{"VirtualMachine.Inventory.Create", *req.Folder})
		}
		return needs
	case *types.PowerOnMultiVM_Task:
		var needs []need
		for _, vm := range req.Vm {
			needs = append(needs, need{"VirtualMachine.Interact.PowerOn", vm})
		}
		return needs
	case *types.UpdateGraphicsConfig:
		return []need{{"Host.Config.Settings", p.world.ownerOf(req.This)}}
	case *types.UpdatePassthruConfig:
		return []need{{"Host.Config.PciPassthru", p.world.ownerOf(req.This)}}
	}
	return nil
}

// cloneNeeds are the privileges of CloneVM_Task.
func (p *privileges) cloneNeeds(req *types.CloneVM_Task) []need {
	privilege := "VirtualMachine.Provisioning.Clone"
	template := p.world.isTemplate(req.This)
	switch {
	case template && req.Spec.Template:
		privilege = "VirtualMachine.Provisioning.CloneTemplate"
	case template:
		privilege = "VirtualMachine.Provisioning.DeployTemplate"
	case req.Spec.Template:
		privilege = "VirtualMachine.Provisioning.CreateTemplateFromVM"
	}
	needs := []need{{privilege, req.This}, {"VirtualMachine.Inventory.CreateFromExisting", req.Folder}}
	if pool := req.Spec.Location.Pool; pool != nil {
		needs = append(needs, need{"Resource.AssignVMToPool", *pool})
	}
	if store := req.Spec.Location.Datastore; store != nil {
		needs = append(needs, need{"Datastore.AllocateSpace", *store})
	}
	if req.Spec.Config != nil {
		needs = append(needs, configNeeds(req.Folder, req.Spec.Config)...)
	}
	return needs
}

// configNeeds are the privileges of what a spec changes.
func configNeeds(object ref, spec *types.VirtualMachineConfigSpec) []need {
	wanted := []struct {
		privilege string
		touched   bool
	}{
		{"VirtualMachine.Config.Rename", spec.Name != ""},
		{"VirtualMachine.Config.Annotation", spec.Annotation != ""},
		{"VirtualMachine.Config.CPUCount", spec.NumCPUs != 0 || spec.NumCoresPerSocket != nil},
		{"VirtualMachine.Config.Memory", spec.MemoryMB != 0},
		{"VirtualMachine.Config.Resource", spec.MemoryReservationLockedToMax != nil || spec.MemoryAllocation != nil || spec.CpuAllocation != nil},
		{"VirtualMachine.Config.AdvancedConfig", len(spec.ExtraConfig) > 0},
		{"VirtualMachine.Config.Settings", spec.Firmware != "" || spec.BootOptions != nil || spec.Flags != nil || spec.GuestId != "" ||
			spec.MemoryHotAddEnabled != nil || spec.CpuHotAddEnabled != nil},
	}
	var needs []need
	for _, one := range wanted {
		if one.touched {
			needs = append(needs, need{one.privilege, object})
		}
	}
	for _, change := range spec.DeviceChange {
		needs = append(needs, need{deviceNeed(change.GetVirtualDeviceConfigSpec()), object})
	}
	return needs
}

func deviceNeed(change *types.VirtualDeviceConfigSpec) string {
	_, disk := change.Device.(*types.VirtualDisk)
	switch {
	case change.Operation == types.VirtualDeviceConfigSpecOperationEdit:
		return "VirtualMachine.Config.EditDevice"
	case disk && change.Operation == types.VirtualDeviceConfigSpecOperationRemove:
		return "VirtualMachine.Config.RemoveDisk"
	case disk:
		return "VirtualMachine.Config.AddNewDisk"
	}
	return "VirtualMachine.Config.AddRemoveDevice"
}

// authorization answers who may do what; it stands in the place of the one of VMware's simulator, which grants all.
type authorization struct {
	simulator.AuthorizationManager
	world *world
}

func (a *authorization) availability(object ref, ids []string) types.EntityPrivilege {
	answer := types.EntityPrivilege{Entity: object}
	for _, id := range ids {
		answer.PrivAvailability = append(answer.PrivAvailability, types.PrivilegeAvailability{
			PrivId: id, IsGranted: a.world.denied.granted(id, object),
		})
	}
	return answer
}

// HasPrivilegeOnEntities answers for the account, whatever session is named.
func (a *authorization) HasPrivilegeOnEntities(req *types.HasPrivilegeOnEntities) soap.HasFault {
	res := &types.HasPrivilegeOnEntitiesResponse{}
	for _, object := range req.Entity {
		res.Returnval = append(res.Returnval, a.availability(object, req.PrivId))
	}
	return &methods.HasPrivilegeOnEntitiesBody{Res: res}
}

// HasUserPrivilegeOnEntities answers for the account, whatever user is named.
func (a *authorization) HasUserPrivilegeOnEntities(req *types.HasUserPrivilegeOnEntities) soap.HasFault {
	res := &types.HasUserPrivilegeOnEntitiesResponse{}
	for _, object := range req.Entities {
		res.Returnval = append(res.Returnval, a.availability(object, req.PrivId))
	}
	return &methods.HasUserPrivilegeOnEntitiesBody{Res: res}
}

// HasPrivilegeOnEntity answers for the account, whatever session is named.
func (a *authorization) HasPrivilegeOnEntity(req *types.HasPrivilegeOnEntity) soap.HasFault {
	res := &types.HasPrivilegeOnEntityResponse{}
	for _, id := range req.PrivId {
		res.Returnval = append(res.Returnval, a.world.denied.granted(id, req.Entity))
	}
	return &methods.HasPrivilegeOnEntityBody{Res: res}
}

// FetchUserPrivilegeOnEntities leaves out the privileges that the account has not.
func (a *authorization) FetchUserPrivilegeOnEntities(req *types.FetchUserPrivilegeOnEntities) soap.HasFault {
	answer := a.AuthorizationManager.FetchUserPrivilegeOnEntities(req)
	results := answer.(*methods.FetchUserPrivilegeOnEntitiesBody).Res.Returnval
	for i := range results {
		var granted []string
		for _, id := range results[i].Privileges {
			if a.world.denied.granted(id, results[i].Entity) {
				granted = append(granted, id)
			}
		}
		results[i].Privileges = granted
	}
	return answer
}
