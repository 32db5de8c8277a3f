// ESXi hosts: their cards, drivers, profiles, memory and hardware versions.

package main

import (
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// host is one ESXi host with what runs on it. Guarded by world.mu.
type host struct {
	spec    *hostSpec
	ref     ref
	cluster *cluster

	cards           []*card
	vibs            []vibSpec
	defaultGraphics string
	defaultNext     string
	policy          string
	maintenance     bool
	reboot          bool            // asked for, by a change that waits for it
	memory          map[ref]int64   // MiB reserved, by VM
	hidden          map[string]bool // profiles that the host does not list; "" is all of them
	brokenVib       bool            // the installed NVIDIA driver is of another branch than the kernel module
	pendingFault    bool            // `reboot-pending`: nothing that was configured is in effect
	groups          []groupSpec
}

type cluster struct {
	spec  *clusterSpec
	ref   ref
	dc    *datacenter
	pool  ref
	hosts []*host
}

// newHost is a host as the description sets it, on which nothing runs.
func newHost(spec *hostSpec) *host {
	h := &host{
		spec:            spec,
		vibs:            slices.Clone(spec.Vibs),
		defaultGraphics: spec.DefaultGraphicsType,
		defaultNext:     spec.DefaultGraphicsType,
		policy:          spec.AssignmentPolicy,
		maintenance:     spec.Maintenance,
		reboot:          spec.RebootPending,
		memory:          map[ref]int64{},
		hidden:          map[string]bool{},
		groups:          spec.Groups,
	}
	for i := range spec.Cards {
		h.cards = append(h.cards, newCard(&spec.Cards[i], spec))
	}
	return h
}

// hasDriver: NVIDIA's vGPU manager is installed.
func (h *host) hasDriver() bool { return slices.ContainsFunc(h.vibs, vibSpec.isNvidias) }

// isNvidias knows NVIDIA's VIBs by their vendor: NVD since vGPU 15, NVIDIA before.
func (v vibSpec) isNvidias() bool {
	return strings.EqualFold(v.Vendor, "NVD") || strings.EqualFold(v.Vendor, "NVIDIA")
}

// serving are the cards whose vGPUs the host offers.
func (h *host) serving() []*card {
	if !h.hasDriver() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(h.cards), func(c *card) bool { return !h.serves(c) })
}

func (h *host) serves(c *card) bool {
	return h.hasDriver() && !h.pendingFault && c.servesVgpus()
}

func (h *host) lists(profile *profileSpec) bool {
	return !h.hidden[""] && !h.hidden[strings.ToLower(profile.Name)]
}

// profiles that the driver knows, each with a card that has it; MIG ones also while MIG is off.
func (h *host) profiles() []listedProfile {
	var all []listedProfile
	seen := map[string]bool{}
	for _, card := range h.serving() {
		for i := range card.spec.Profiles {
			profile := &card.spec.Profiles[i]
			if !seen[profile.Name] && h.lists(profile) {
				seen[profile.Name] = true
				all = append(all, listedProfile{profile, card})
			}
		}
	}
	return all
}

type listedProfile struct {
	*profileSpec
	card *card
}

// startable are the names of the profiles of which one more can be started now.
func (h *host) startable() []string {
	var names []string
	for _, listed := range h.profiles() {
		if slices.ContainsFunc(h.serving(), func(c *card) bool { own := c.profile(listed.Name); return own != nil && c.takes(own) }) {
			names = append(names, listed.Name)
		}
	}
	return names
}

func (h *host) passthroughActive(c *card) bool { return c.passthrough.Active && !h.pendingFault }

// freeMemory that no VM has reserved, MiB. ESXi keeps some for itself.
func (h *host) freeMemory() int64 {
	free := h.spec.MemoryMib - hostOverheadMib
	for _, reserved := range h.memory {
		free -= reserved
	}
	return free
}

const hostOverheadMib = 4096

// restart makes effective what waits for a restart of the host.
func (h *host) restart() {
	h.defaultGraphics, h.reboot = h.defaultNext, false
	for _, card := range h.cards {
		card.restart()
	}
}

// newestHardware by ESXi version, newest first (VMware KB 315655).
var newestHardware = []struct {
	from    [3]int
	version types.HardwareVersion
}{
	{[3]int{9, 0, 0}, types.VMX22}, {[3]int{8, 0, 2}, types.VMX21}, {[3]int{8, 0, 0}, types.VMX20}, {[3]int{7, 0, 2}, types.VMX19},
	{[3]int{7, 0, 1}, types.VMX18}, {[3]int{7, 0, 0}, types.VMX17}, {[3]int{6, 7, 2}, types.VMX15}, {[3]int{6, 7, 0}, types.VMX14},
}

// hardwareVersion is the newest that VMs on the host can have.
func (h *host) hardwareVersion() types.HardwareVersion {
	for _, row := range newestHardware {
		if !versionBelow(h.spec.Version, row.from[:]...) {
			return row.version
		}
	}
	return types.VMX13
}
