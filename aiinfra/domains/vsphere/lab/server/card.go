// GPUs: which vGPUs a card can start, given how it is set and what runs on it.

package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

const (
	graphicsBasic        = "basic"
	graphicsShared       = "shared"
	graphicsDirect       = "direct"
	graphicsSharedDirect = "sharedDirect"

	vgpuNone          = "none"
	vgpuSameSize      = "sameSize"
	vgpuMixedSize     = "mixedSize"
	vgpuMultiInstance = "multiInstanceGpu"

	sharingTimeSliced = "timeSliced"
	sharingMig        = "mig"
)

type ref = types.ManagedObjectReference

// card is one physical GPU: what it is, how it is set, and who holds it.
type card struct {
	spec *cardSpec

	graphics, graphicsNext string // in effect, and after the next restart
	mixed, mixedNext       bool
	mig                    bool
	passthrough            passthroughSpec
	passthroughNext        bool

	vgpus []vgpu
	owner *ref // the VM it is passed through to

	assigned bool // to the owner, by dynamic DirectPath I/O
}

// vgpu is a started virtual GPU.
type vgpu struct {
	vm      ref
	profile *profileSpec
}

// newCard is a card as the description sets it, with nothing on it.
func newCard(spec *cardSpec, host *hostSpec) *card {
	graphics := cmp.Or(spec.GraphicsType, host.DefaultGraphicsType)
	mixed := spec.MixedSize || spec.VgpuMode == vgpuMixedSize
	return &card{
		spec:            spec,
		graphics:        graphics,
		graphicsNext:    graphics,
		mixed:           mixed,
		mixedNext:       mixed,
		mig:             spec.Mig,
		passthrough:     spec.Passthrough,
		passthroughNext: spec.Passthrough.Enabled,
	}
}

// servesVgpus: the driver holds the card and may cut it up. Cards since Ampere need SR-IOV for that.
func (c *card) servesVgpus() bool {
	sriov := c.spec.Sriov == nil || c.spec.Sriov.Active
	return !c.passthrough.Active && c.graphics == graphicsSharedDirect && sriov && len(c.spec.Profiles) > 0
}

// takes says whether one more vGPU of the profile can be started on the card now.
func (c *card) takes(profile *profileSpec) bool {
	return c.servesVgpus() && c.whyNot(profile) == ""
}

// whyNot a profile cannot be started on a card that serves vGPUs; empty when it can.
func (c *card) whyNot(profile *profileSpec) string {
	switch {
	case c.mig && profile.Sharing != sharingMig:
		return "the card is in MIG mode"
	case !c.mig && profile.Sharing == sharingMig:
		return "MIG mode is off"
	case c.mig && !c.migTakes(profile):
		return "no MIG geometry has room"
	case !c.mig && !c.mixed && !c.sameSize(profile):
		return "vGPUs of another size run on it"
	case !c.mig && c.count(profile) >= profile.Max:
		return "it is full"
	case !c.mig && c.mixed && c.held()+profile.FrameBufferGib > c.nominalGib():
		return "it is full"
	}
	return ""
}

// migTakes is true when an instance of the profile fits beside those that are on the card.
func (c *card) migTakes(profile *profileSpec) bool {
	instances := []instance{migInstance(c.spec, profile)}
	for _, one := range c.vgpus {
		instances = append(instances, migInstance(c.spec, one.profile))
	}
	slices.SortFunc(instances, func(a, b instance) int { return b.memory - a.memory })
	return migFits(c.spec.Slices, instances)
}

// sameSize is true when all vGPUs on the card have the frame buffer of the profile.
func (c *card) sameSize(profile *profileSpec) bool {
	return !slices.ContainsFunc(c.vgpus, func(one vgpu) bool { return one.profile.FrameBufferGib != profile.FrameBufferGib })
}

// count of what holds the card as vGPUs; with one size only that is what counts towards the profile's most.
func (c *card) count(profile *profileSpec) int {
	if !c.mixed {
		return len(c.vgpus)
	}
	same := 0
	for _, one := range c.vgpus {
		if one.profile.Name == profile.Name {
			same++
		}
	}
	return same
}

// held is the frame buffer of all vGPUs on the card, in GiB.
func (c *card) held() int64 {
	sum := int64(0)
	for _, one := range c.vgpus {
		sum += one.profile.FrameBufferGib
	}
	return sum
}

// nominalGib is the frame buffer as NVIDIA shares it out; it is more than what the card reports as its memory.
func (c *card) nominalGib() int64 {
	most := int64(0)
	for _, profile := range c.spec.Profiles {
		if profile.Sharing == sharingTimeSliced {
			most = max(most, profile.FrameBufferGib*int64(profile.Max))
		}
	}
	return most
}

// profile finds a profile of the card by name, in any case; nil when it has none of that name.
func (c *card) profile(name string) *profileSpec {
	for i := range c.spec.Profiles {
		if strings.EqualFold(c.spec.Profiles[i].Name, name) {
			return &c.spec.Profiles[i]
		}
	}
	return nil
}

// vgpuMode as the host shows it; who has no vGPUs to share has none.
func (c *card) vgpuMode() string {
	switch {
	case !c.servesVgpus():
		return vgpuNone
	case c.mig:
		return vgpuMultiInstance
	case c.mixed:
		return vgpuMixedSize
	}
	return vgpuSameSize
}

func (c *card) idle() bool { return len(c.vgpus) == 0 && c.owner == nil }

// mmioGib is what the BARs of the card take of a VM's address space.
func (c *card) mmioGib() int {
	if c.spec.MmioGiB > 0 {
		return c.spec.MmioGiB
	}
	size := 1
	for int64(size)*1024 < c.spec.MemoryMib {
		size *= 2
	}
	return size
}

// restart makes what was only configured take effect, as a restart of the host does.
func (c *card) restart() {
	c.graphics, c.mixed = c.graphicsNext, c.mixedNext
	c.passthrough.Enabled, c.passthrough.Active = c.passthroughNext, c.passthroughNext
}

// release takes from a VM whatever it holds of the card.
func (c *card) release(vm ref) {
	c.vgpus = slices.DeleteFunc(c.vgpus, func(one vgpu) bool { return one.vm == vm })
	if c.owner != nil && *c.owner == vm {
		c.owner, c.assigned = nil, false
	}
}

// deviceVendor is how vgpuProfileInfo spells a model: device in the high 16 bits, vendor in the low ones.
func (c *card) deviceVendor() int64 { return int64(c.spec.DeviceID)<<16 | int64(c.spec.VendorID) }

// isMediaProfile: `…-1-5cme` owns the media engines of the card.
func isMediaProfile(name string) bool { return strings.HasSuffix(strings.ToLower(name), "me") }
