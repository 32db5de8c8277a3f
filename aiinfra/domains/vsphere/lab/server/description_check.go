// Defaults of the description, and what it is refused for.

package main

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

var (
	pciID       = regexp.MustCompile(`^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$`)
	esxiVersion = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
)

// complete fills in what a description may leave out.
func (d *description) complete() {
	d.APIVersion = cmp.Or(d.APIVersion, "8.0.3.0")
	d.Version = cmp.Or(d.Version, "8.0.3")
	d.Build = cmp.Or(d.Build, "24022515")
	d.License = cmp.Or(d.License, "VMware vSphere 8 Enterprise Plus")
	for i := range d.Datacenters {
		d.Datacenters[i].complete(d)
	}
}

func (dc *datacenterSpec) complete(d *description) {
	for i := range dc.Clusters {
		cluster := &dc.Clusters[i]
		cluster.Drs.Behavior = cmp.Or(cluster.Drs.Behavior, string(types.DrsBehaviorFullyAutomated))
		for j := range cluster.Hosts {
			host := &cluster.Hosts[j]
			host.Version = cmp.Or(host.Version, d.Version)
			host.Build = cmp.Or(host.Build, "24022510")
			host.License = cmp.Or(host.License, d.License)
			host.MemoryMib = cmp.Or(host.MemoryMib, 1<<20)
			host.Cpus = cmp.Or(host.Cpus, 64)
			host.DefaultGraphicsType = cmp.Or(host.DefaultGraphicsType, graphicsShared)
			host.AssignmentPolicy = cmp.Or(host.AssignmentPolicy, "performance")
		}
	}
	for i := range dc.VMs {
		vm := &dc.VMs[i]
		vm.HardwareVersion = cmp.Or(vm.HardwareVersion, 15)
		vm.GuestID = cmp.Or(vm.GuestID, "otherGuest64")
		vm.Firmware = cmp.Or(vm.Firmware, "bios")
		vm.MemoryMib = cmp.Or(vm.MemoryMib, 4096)
		vm.Cpus = cmp.Or(vm.Cpus, 2)
	}
}

// check collects everything that is wrong, each with where it stands.
func (d *description) check() error {
	var wrong []error
	say := func(where, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
	}
	if d.User == "" || d.Password == "" {
		say("user", "user and password must be given")
	}
	if len(d.Datacenters) == 0 {
		say("datacenters", "there must be one")
	}
	places(d.Datacenters, func(dc datacenterSpec) string { return dc.Name }, "datacenters", say)
	for _, dc := range d.Datacenters {
		dc.check("/"+dc.Name, say)
	}
	return errors.Join(wrong...)
}

type sayWrong func(where, format string, args ...any)

// check says what is wrong with a datacenter.
func (dc datacenterSpec) check(where string, say sayWrong) {
	if len(dc.Datastores) == 0 {
		say(where+".datastores", "there must be one")
	}
	places(dc.Datastores, func(ds datastoreSpec) string { return ds.Name }, where+".datastores", say)
	unique(dc.Datastores, func(ds datastoreSpec) string { return path.Base(ds.Name) }, where+".datastores", say)
	places(dc.Clusters, func(c clusterSpec) string { return c.Name }, where+".clusters", say)
	for _, ds := range dc.Datastores {
		if ds.CapacityMib <= 0 || ds.FreeMib < 0 || ds.FreeMib > ds.CapacityMib {
			say(where+"/"+ds.Name, "freeMib must be between 0 and capacityMib")
		}
	}
	hosts := map[string]bool{}
	for _, cluster := range dc.Clusters {
		oneOf(where+"/"+cluster.Name+".drs.behavior", cluster.Drs.Behavior, say, "manual", "partiallyAutomated", "fullyAutomated")
		for _, pool := range cluster.Pools {
			checkPath(pool, where+"/"+cluster.Name+".pools", say)
		}
		unique(cluster.Hosts, func(h hostSpec) string { return h.Name }, where+"/"+cluster.Name+".hosts", say)
		for _, host := range cluster.Hosts {
			hosts[host.Name] = true
			host.check(where+"/"+cluster.Name+"/"+host.Name, say)
		}
	}
	if len(dc.VMs) > 0 && len(hosts) == 0 {
		say(where+".vms", "there is no host for them")
	}
	for _, vm := range dc.VMs {
		dc.checkVM(vm, hosts, where+"/vm/"+vm.Name, say)
	}
}

func (dc datacenterSpec) checkVM(vm vmSpec, hosts map[string]bool, where string, say sayWrong) {
	if vm.Host != "" && !hosts[vm.Host] {
		say(where+".host", "no host is named %q", vm.Host)
	}
	if vm.Folder != "" {
		checkPath(vm.Folder, where+".folder", say)
	}
	if vm.Datastore != "" && !slices.ContainsFunc(dc.Datastores, func(ds datastoreSpec) bool { return ds.Name == vm.Datastore }) {
		say(where+".datastore", "no datastore is named %q", vm.Datastore)
	}
	if vm.Template && vm.PoweredOn {
		say(where+".poweredOn", "a template cannot be powered on")
	}
	oneOf(where+".firmware", vm.Firmware, say, "bios", "efi")
}

// check says what is wrong with a host.
func (h hostSpec) check(where string, say sayWrong) {
	oneOf(where+".defaultGraphicsType", h.DefaultGraphicsType, say, graphicsShared, graphicsSharedDirect)
	oneOf(where+".assignmentPolicy", h.AssignmentPolicy, say, "performance", "consolidation")
	if !esxiVersion.MatchString(h.Version) {
		say(where+".version", "wants a form such as 8.0.3, not %q", h.Version)
	}
	unique(h.Cards, func(c cardSpec) string { return c.PciID }, where+".cards", say)
	for _, card := range h.Cards {
		card.check(where+"/"+card.PciID, say)
	}
}

// check says what is wrong with a card.
func (c cardSpec) check(where string, say sayWrong) {
	if !pciID.MatchString(c.PciID) {
		say(where+".pciId", "wants a form such as 0000:3b:00.0")
	}
	if c.MemoryMib <= 0 {
		say(where+".memoryMib", "must be given")
	}
	if c.Mig && !c.MigCapable {
		say(where+".mig", "the card has no MIG")
	}
	if c.MigCapable && migMemorySlices[c.Slices] == 0 {
		say(where+".slices", "a card with MIG has 7, 4 or 2")
	}
	if c.Passthrough.Active && !c.Passthrough.Enabled {
		say(where+".passthrough.active", "it is not enabled")
	}
	oneOf(where+".graphicsType", c.GraphicsType, say, "", graphicsBasic, graphicsShared, graphicsDirect, graphicsSharedDirect)
	oneOf(where+".vgpuMode", c.VgpuMode, say, "", vgpuNone, vgpuSameSize, vgpuMixedSize, vgpuMultiInstance)
	for _, profile := range c.Profiles {
		oneOf(where+"/"+profile.Name+".sharing", profile.Sharing, say, sharingTimeSliced, sharingMig)
		oneOf(where+"/"+profile.Name+".class", profile.Class, say, "compute", "quadro")
		if profile.Max <= 0 || profile.FrameBufferGib <= 0 {
			say(where+"/"+profile.Name, "max and frameBufferGib must be given")
		}
		if profile.Sharing == sharingMig && profile.Slices <= 0 {
			say(where+"/"+profile.Name+".slices", "a MIG profile has some")
		}
	}
}

func oneOf(where, value string, say sayWrong, known ...string) {
	if !slices.Contains(known, value) {
		say(where, "%q is none of %s", value, strings.Join(slices.DeleteFunc(known, func(s string) bool { return s == "" }), ", "))
	}
}

func unique[T any](all []T, name func(T) string, where string, say sayWrong) {
	seen := map[string]bool{}
	for _, one := range all {
		if name(one) == "" || seen[name(one)] {
			say(where, "names must be given and be different: %q", name(one))
		}
		seen[name(one)] = true
	}
}

// places: paths are given, different, and none of them leads through another, which is no folder.
func places[T any](all []T, name func(T) string, where string, say sayWrong) {
	unique(all, name, where, say)
	for _, one := range all {
		checkPath(name(one), where, say)
		for _, other := range all {
			if strings.HasPrefix(name(other), name(one)+"/") {
				say(where, "%q is no folder that could hold %q", name(one), name(other))
			}
		}
	}
}

func checkPath(at, where string, say sayWrong) {
	for _, name := range strings.Split(at, "/") {
		if !validName(name) {
			say(where, "%q is no path of names", at)
			return
		}
	}
}
