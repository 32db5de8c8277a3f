package main

import (
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// host is one ESXi host with what runs on it. Guarded by world.mu.
type host struct {
	said    *hostSaid
	ref     ref
	cluster *cluster

	cards           []*card
	vibs            []vibSaid
	defaultGraphics string
	defaultNext     string
	policy          string
	maintenance     bool
	reboot          bool            // asked for, by a change that waits for it
	memory          map[ref]int64   // MiB reserved, by VM
	hidden          map[string]bool // profiles that the host does not list; "" is all of them
	brokenVib       bool            // the installed NVIDIA driver is of another branch than the kernel module
	pendingFault    bool            // `reboot-pending`: nothing that was configured is in effect
	groups          []groupSaid
}

type cluster struct {
	said  *clusterSaid
	ref   ref
	dc    *datacenter
	pool  ref
	hosts []*host
}

func newHost(said *hostSaid) *host {
	h := &host{
		said:            said,
		vibs:            slices.Clone(said.Vibs),
		defaultGraphics: said.DefaultGraphicsType,
		defaultNext:     said.DefaultGraphicsType,
		policy:          said.AssignmentPolicy,
		maintenance:     said.Maintenance,
		reboot:          said.RebootPending,
		memory:          map[ref]int64{},
		hidden:          map[string]bool{},
		groups:          said.Groups,
	}
	for i := range said.Cards {
		h.cards = append(h.cards, newCard(&said.Cards[i], said))
	}
	return h
}

// hasDriver: NVIDIA's vGPU manager is installed. Its VIBs are known by their vendor.
func (h *host) hasDriver() bool {
	return slices.ContainsFunc(h.vibs, func(vib vibSaid) bool { return strings.EqualFold(vib.Vendor, "NVIDIA") })
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

func (h *host) lists(profile *profileSaid) bool {
	return !h.hidden[""] && !h.hidden[strings.ToLower(profile.Name)]
}

// profiles that the driver knows, each with a card that has it; MIG ones also while MIG is off.
func (h *host) profiles() []listedProfile {
	var all []listedProfile
	seen := map[string]bool{}
	for _, card := range h.serving() {
		for i := range card.said.Profiles {
			profile := &card.said.Profiles[i]
			if !seen[profile.Name] && h.lists(profile) {
				seen[profile.Name] = true
				all = append(all, listedProfile{profile, card})
			}
		}
	}
	return all
}

type listedProfile struct {
	*profileSaid
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
	free := h.said.MemoryMib - hostOverheadMib
	for _, reserved := range h.memory {
		free -= reserved
	}
	return free
}

const hostOverheadMib = 4096

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

func (h *host) hardwareVersion() types.HardwareVersion {
	for _, row := range newestHardware {
		if !versionBelow(h.said.Version, row.from[:]...) {
			return row.version
		}
	}
	return types.VMX13
}
