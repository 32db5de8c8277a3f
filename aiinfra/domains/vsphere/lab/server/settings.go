// Advanced settings of the vCenter, and licenses.

package main

import (
	"reflect"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// installManagers puts ours in place of those of VMware's simulator. What theirs has read at its start is kept.
func (w *world) installManagers() {
	for _, entity := range w.registry.AllReference("AuthorizationManager") {
		ours := &authorization{world: w}
		theirs := entity.(*simulator.AuthorizationManager)
		reflect.ValueOf(&ours.AuthorizationManager).Elem().Set(reflect.ValueOf(theirs).Elem())
		w.registry.Put(ours)
	}
	w.setOptions()
}

// setOptions puts the described advanced settings among those of the vCenter.
func (w *world) setOptions() {
	manager := w.registry.OptionManager()
	manager.Setting = append([]types.BaseOptionValue(nil), manager.Setting...)
	var changed []types.BaseOptionValue
	for _, key := range sortedKeys(w.description.Settings) {
		changed = append(changed, &types.OptionValue{Key: key, Value: w.description.Settings[key]})
	}
	manager.UpdateOptions(&types.UpdateOptions{ChangedValue: changed})
}

// installLicenses assigns to each host and to the vCenter the license that is described.
func (w *world) installLicenses() {
	assigned := []types.LicenseAssignmentManagerLicenseAssignment{
		assignment(w.instanceID(), "vcenter.lab", "VMware vCenter Server 8 Standard"),
	}
	licenses := []types.LicenseManagerLicenseInfo{assigned[0].AssignedLicense}
	for _, dc := range w.datacenters {
		for _, c := range dc.clusters {
			for _, h := range c.hosts {
				own := assignment(h.ref.Value, h.spec.Name, h.spec.License)
				own.Scope = w.instanceID()
				assigned = append(assigned, own)
				licenses = appendNew(licenses, own.AssignedLicense)
			}
		}
	}
	for _, found := range w.registry.AllReference("LicenseAssignmentManager") {
		found.(*simulator.LicenseAssignmentManager).QueryAssignedLicensesResponse.Returnval = assigned
	}
	for _, found := range w.registry.AllReference("LicenseManager") {
		if manager, ok := found.(*simulator.LicenseManager); ok {
			manager.Licenses = licenses
		}
	}
}

func (w *world) instanceID() string {
	return w.registry.Get(ref{Type: "ServiceInstance", Value: "ServiceInstance"}).(*simulator.ServiceInstance).Content.About.InstanceUuid
}

func appendNew(all []types.LicenseManagerLicenseInfo, one types.LicenseManagerLicenseInfo) []types.LicenseManagerLicenseInfo {
	for _, known := range all {
		if known.LicenseKey == one.LicenseKey {
			return all
		}
	}
	return append(all, one)
}

func assignment(entity, display, name string) types.LicenseAssignmentManagerLicenseAssignment {
	return types.LicenseAssignmentManagerLicenseAssignment{
		EntityId:          entity,
		EntityDisplayName: display,
		AssignedLicense: types.LicenseManagerLicenseInfo{
			LicenseKey: licenseKey(name), EditionKey: editionKey(name), Name: name, CostUnit: "cpuPackageCoreLimited",
		},
	}
}

// editionKey follows from the license's name: `esx.enterprisePlus`, `esx.standard`, `eval`.
func editionKey(name string) string {
	lower := strings.ToLower(name)
	switch {
	case strings.Contains(lower, "evaluation"):
		return "eval"
	case strings.Contains(lower, "vcenter"):
		return "vc.standard.instance"
	case strings.Contains(lower, "enterprise plus"):
		return "esx.enterprisePlus.cpuPackageCoreLimited"
	case strings.Contains(lower, "foundation"):
		return "esx.foundation.cpuPackageCoreLimited"
	}
	return "esx.standard.cpuPackageCoreLimited"
}

func licenseKey(name string) string {
	sum := uint32(2166136261)
	for _, b := range []byte(name) {
		sum = (sum ^ uint32(b)) * 16777619
	}
	const digits = "0123456789ACDEFGHJKLMNPQRTUVWXYZ"
	key := make([]byte, 0, 29)
	for i := range 25 {
		if i > 0 && i%5 == 0 {
			key = append(key, '-')
		}
		sum = sum*1664525 + 1013904223
		key = append(key, digits[sum>>27])
	}
	return string(key)
}

// licensedForVgpus: vGPU and DRS want Enterprise Plus, or what contains it.
func licensedForVgpus(name string) bool {
	lower := strings.ToLower(name)
	for _, enough := range []string{"enterprise plus", "foundation", "evaluation"} {
		if strings.Contains(lower, enough) && !strings.Contains(lower, "vsphere foundation essentials") {
			return true
		}
	}
	return false
}
