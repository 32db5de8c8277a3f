package main

import "testing"

func a100() *cardSpec {
	profiles := []profileSpec{}
	for size, most := range map[int64]int{4: 10, 5: 8, 8: 5, 10: 4, 20: 2, 40: 1} {
		profiles = append(profiles, profileSpec{Name: name("", size), FrameBufferGib: size, Sharing: sharingTimeSliced, Max: most})
	}
	for _, mig := range []struct {
		slices int
		size   int64
	}{{1, 5}, {1, 10}, {2, 10}, {3, 20}, {4, 20}, {7, 40}} {
		slices := string(rune('0'+mig.slices)) + "-"
		profiles = append(profiles, profileSpec{Name: name(slices, mig.size), FrameBufferGib: mig.size, Sharing: sharingMig, Max: 7, Slices: mig.slices})
	}
	return &cardSpec{PciID: "0000:3b:00.0", MemoryMib: 40960, MigCapable: true, Slices: 7, Profiles: profiles}
}

func name(slices string, size int64) string {
	return "grid_a100-" + slices + map[int64]string{4: "4", 5: "5", 8: "8", 10: "10", 20: "20", 40: "40"}[size] + "c"
}

// started puts vGPUs on a card until one is refused, and says how many were started and why the next was not.
func started(c *card, names ...string) (int, string) {
	for number, name := range names {
		profile := c.profile(name)
		if why := c.whyNot(profile); why != "" {
			return number, why
		}
		c.vgpus = append(c.vgpus, vgpu{ref{Type: "VirtualMachine", Value: name}, profile})
	}
	return len(names), ""
}

func serving(change func(*cardSpec)) *card {
	spec := a100()
	change(spec)
	return newCard(spec, &hostSpec{DefaultGraphicsType: graphicsSharedDirect})
}

func TestWhatACardCanStart(t *testing.T) {
	cases := []struct {
		fact   string
		change func(*cardSpec)
		names  []string
		count  int
		why    string
	}{
		{"as many of one size as the profile's most", func(*cardSpec) {}, []string{"grid_a100-20c", "grid_a100-20c", "grid_a100-20c"}, 2, "it is full"},
		{"one size only, without mixed-size mode", func(*cardSpec) {}, []string{"grid_a100-20c", "grid_a100-10c"}, 1, "vGPUs of another size run on it"},
		{"sizes that fit together, with mixed-size mode", func(c *cardSpec) { c.MixedSize = true }, []string{"grid_a100-20c", "grid_a100-10c", "grid_a100-10c", "grid_a100-4c"}, 3, "it is full"},
		{"no MIG profile while MIG is off", func(*cardSpec) {}, []string{"grid_a100-3-20c"}, 0, "MIG mode is off"},
		{"nothing but MIG profiles while it is on", func(c *cardSpec) { c.Mig = true }, []string{"grid_a100-4c"}, 0, "the card is in MIG mode"},
		{"3g + 3g leave no memory slice for 1g, though only 6 of 7 g are used", func(c *cardSpec) { c.Mig = true }, []string{"grid_a100-3-20c", "grid_a100-3-20c", "grid_a100-1-5c"}, 2, "no MIG geometry has room"},
		{"3g + 2g + 2g fit", func(c *cardSpec) { c.Mig = true }, []string{"grid_a100-2-10c", "grid_a100-3-20c", "grid_a100-2-10c"}, 3, ""},
		{"4g + 4g do not", func(c *cardSpec) { c.Mig = true }, []string{"grid_a100-4-20c", "grid_a100-4-20c"}, 1, "no MIG geometry has room"},
	}
	for _, test := range cases {
		if count, why := started(serving(test.change), test.names...); count != test.count || why != test.why {
			t.Errorf("%s: %d started, then %q", test.fact, count, why)
		}
	}
}

func TestACardInPassthroughServesNoVgpus(t *testing.T) {
	c := serving(func(spec *cardSpec) { spec.Passthrough = passthroughSpec{Capable: true, Enabled: true, Active: true} })
	if c.servesVgpus() {
		t.Error("it does")
	}
}

func TestWithoutSriovACardThatHasItServesNoVgpus(t *testing.T) {
	c := serving(func(spec *cardSpec) { spec.Sriov = &sriovSpec{Capable: true} })
	if c.servesVgpus() {
		t.Error("it does")
	}
}

func TestIdsAboveSevenFAreNegativeInPciDevices(t *testing.T) {
	c := serving(func(spec *cardSpec) { spec.VendorID, spec.DeviceID = 0x8086, 0x20f1 })
	if device := c.pciDevice(); device.VendorId != -32634 || device.DeviceId != 0x20f1 {
		t.Errorf("%d %d", device.VendorId, device.DeviceId)
	}
}
