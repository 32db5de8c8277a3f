// What the faults of a lab do to hosts, cards, sessions and VMs.

package main

import (
	"fmt"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// setFaults replaces what is broken: what it does to hosts is done and undone here.
func (w *world) setFaults(all []fault) error {
	for _, one := range all {
		if err := one.check(); err != nil {
			return err
		}
		if err := w.checkPlace(one); err != nil {
			return err
		}
	}
	before := w.faults.all()
	w.faults.replace(all)
	w.showFaults(all)
	if has(all, faultSessionExpired) && !has(before, faultSessionExpired) {
		w.endSessions()
	}
	return w.occupy(all)
}

func has(all []fault, name string) bool {
	for _, one := range all {
		if one.Name == name {
			return true
		}
	}
	return false
}

// checkPlace: a fault of hosts at a place that is none would break nothing, and a test of it prove nothing.
func (w *world) checkPlace(one fault) error {
	host, profile, _ := strings.Cut(one.Place, "/")
	switch one.Name {
	case faultHostFull, faultRebootPending, faultVibMismatch:
		if one.Place != "" && w.hostNamed(one.Place) == nil {
			return fmt.Errorf("no host is named %q", one.Place)
		}
	case faultProfileMissing:
		if one.Place != "" && w.hostNamed(host) == nil && (profile != "" || !w.knowsProfile(host)) {
			return fmt.Errorf("no host and no profile is named %q", one.Place)
		}
	}
	return nil
}

func (w *world) knowsProfile(name string) bool {
	for _, h := range w.hosts {
		for _, c := range h.cards {
			if c.profile(name) != nil {
				return true
			}
		}
	}
	return false
}

// otherBranch is a vGPU branch that no guest driver of the time works with.
const otherBranch = "470.256.02-1OEM.700.1.0.15843807"

// showFaults makes all hosts show the faults that hold now, and no others.
func (w *world) showFaults(all []fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.hosts {
		h.hidden, h.pendingFault, h.brokenVib = map[string]bool{}, false, false
		h.vibs = append([]vibSpec(nil), h.spec.Vibs...)
		for _, one := range all {
			h.suffer(one)
		}
		w.publish(h)
	}
}

// suffer lets a fault hold on this host, if it is in its place.
func (h *host) suffer(one fault) {
	place, profile, split := strings.Cut(one.Place, "/")
	here := one.Place == "" || one.Place == h.spec.Name
	switch {
	case one.Name == faultRebootPending && here:
		h.pendingFault = true
	case one.Name == faultVibMismatch && here:
		h.brokenVib = true
		for i := range h.vibs {
			if h.vibs[i].isNvidias() {
				h.vibs[i].Version = otherBranch
			}
		}
	case one.Name == faultProfileMissing && here:
		h.hidden[""] = true
	case one.Name == faultProfileMissing && split && place == h.spec.Name:
		h.hidden[strings.ToLower(profile)] = true
	case one.Name == faultProfileMissing && !split:
		h.hidden[strings.ToLower(one.Place)] = true
	}
}

// endSessions logs everybody out, as vCenter does with who is idle too long.
func (w *world) endSessions() {
	manager := w.registry.SessionManager()
	ctx := w.newContext(&simulator.Session{UserSession: types.UserSession{Key: "control"}, Registry: simulator.NewRegistry(), Map: w.registry})
	everybody := ctx.Session.Get(manager.Self).(*simulator.SessionManager).SessionList
	for _, one := range everybody {
		manager.TerminateSession(ctx, &types.TerminateSession{SessionId: []string{one.Key}})
	}
	w.rest.endSessions()
}

const occupantPrefix = "occupant-"

// occupy fills the hosts that are to be full with VMs of somebody else, and removes those of hosts that no longer are.
func (w *world) occupy(all []fault) error {
	for _, dc := range w.datacenters {
		for _, c := range dc.clusters {
			for _, h := range c.hosts {
				full := false
				for _, one := range all {
					full = full || one.Name == faultHostFull && (one.Place == "" || one.Place == h.spec.Name)
				}
				if err := w.occupyHost(dc, h, full); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// occupyHost fills one host, or removes the VMs that filled it.
func (w *world) occupyHost(dc *datacenter, h *host, full bool) error {
	prefix := occupantPrefix + h.spec.Name + "-"
	there := false
	for _, child := range append([]ref(nil), w.registry.Get(dc.vmFolder).(*simulator.Folder).ChildEntity...) {
		vm := w.findVM(child)
		if vm == nil || !strings.HasPrefix(vm.Name, prefix) {
			continue
		}
		there = true
		if full {
			continue
		}
		if refused := w.powerOff(vm); refused != nil {
			return fmt.Errorf("%s", refused.message)
		}
		if refused := w.remove(vm, true); refused != nil {
			return fmt.Errorf("%s", refused.message)
		}
	}
	if !full || there || h.checkState() != nil {
		return nil
	}
	return w.fill(dc, h, prefix)
}

// fill gives every free place on the cards of the host to a VM of its own.
func (w *world) fill(dc *datacenter, h *host, prefix string) error {
	for number := 0; ; number++ {
		profile, pciID := w.vacancy(h)
		if profile == "" && pciID == "" {
			return nil
		}
		spec := &vmSpec{
			Name: fmt.Sprintf("%s%d", prefix, number), Host: h.spec.Name, HardwareVersion: 19, GuestID: "rhel9_64Guest", Firmware: "efi",
			MemoryMib: 1024, Cpus: 1, PoweredOn: true,
		}
		if profile != "" {
			spec.Gpus = []string{profile}
		} else {
			spec.Passthrough = []string{pciID}
		}
		if err := w.buildVM(dc, spec); err != nil {
			return fmt.Errorf("filling host %s: %w", h.spec.Name, err)
		}
	}
}

// vacancy is the largest vGPU profile that one more VM can start on the host, or else an idle card that can be passed
// through; both are empty when the host is full.
func (w *world) vacancy(h *host) (profile, pciID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	size := int64(0)
	if !h.brokenVib && licensedForVgpus(h.spec.License) {
		for _, listed := range h.profiles() {
			for _, c := range h.serving() {
				if own := c.profile(listed.Name); own != nil && c.takes(own) && own.FrameBufferGib > size {
					profile, size = own.Name, own.FrameBufferGib
				}
			}
		}
	}
	if profile != "" {
		return profile, ""
	}
	for _, c := range h.cards {
		if h.passthroughActive(c) && c.idle() {
			return "", c.spec.PciID
		}
	}
	return "", ""
}
