// The managers of a host for graphics, PCI passthrough and VIBs.

package main

import (
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// installHostManagers gives a host the managers that VMware's simulator only names.
func (w *world) installHostManagers(h *host, object *simulator.HostSystem) {
	own := func(kind string) ref { return ref{Type: kind, Value: strings.ToLower(kind) + "-" + h.ref.Value} }
	graphics := &graphicsManager{world: w, host: h}
	graphics.Self = own("HostGraphicsManager")
	passthru := &passthruSystem{world: w, host: h}
	passthru.Self = own("HostPciPassthruSystem")
	images := &imageManager{world: w, host: h}
	images.Self = own("HostImageConfigManager")
	object.ConfigManager.GraphicsManager = &graphics.Self
	object.ConfigManager.PciPassthruSystem = &passthru.Self
	object.ConfigManager.ImageConfigManager = &images.Self
	for _, manager := range []mo.Reference{graphics, passthru, images} {
		w.registry.Put(manager)
	}
}

// ownerOf is the host of one of its managers.
func (w *world) ownerOf(manager ref) ref {
	switch found := w.registry.Get(manager).(type) {
	case *graphicsManager:
		return found.host.ref
	case *passthruSystem:
		return found.host.ref
	}
	return manager
}

type graphicsManager struct {
	mo.HostGraphicsManager
	world *world
	host  *host
}

// Get shows what the host shows.
func (g *graphicsManager) Get() mo.Reference {
	config := g.world.registry.Get(g.host.ref).(*simulator.HostSystem).Config
	return &mo.HostGraphicsManager{
		ExtensibleManagedObject: mo.ExtensibleManagedObject{Self: g.Self},
		GraphicsInfo:            config.GraphicsInfo,
		GraphicsConfig:          config.GraphicsConfig,
		SharedPassthruGpuTypes:  config.SharedPassthruGpuTypes,
		SharedGpuCapabilities:   config.SharedGpuCapabilities,
	}
}

// RetrieveVgpuDeviceInfo lists the models of cards that serve vGPUs.
func (g *graphicsManager) RetrieveVgpuDeviceInfo(*types.RetrieveVgpuDeviceInfo) soap.HasFault {
	g.world.mu.Lock()
	defer g.world.mu.Unlock()
	return &methods.RetrieveVgpuDeviceInfoBody{Res: &types.RetrieveVgpuDeviceInfoResponse{Returnval: g.host.vgpuDevices()}}
}

// RetrieveVgpuProfileInfo lists the profiles that the driver of the host knows.
func (g *graphicsManager) RetrieveVgpuProfileInfo(*types.RetrieveVgpuProfileInfo) soap.HasFault {
	g.world.mu.Lock()
	defer g.world.mu.Unlock()
	return &methods.RetrieveVgpuProfileInfoBody{Res: &types.RetrieveVgpuProfileInfoResponse{Returnval: g.host.vgpuProfiles()}}
}

// RefreshGraphicsManager has nothing to do: what is shown is never stale.
func (g *graphicsManager) RefreshGraphicsManager(*types.RefreshGraphicsManager) soap.HasFault {
	return &methods.RefreshGraphicsManagerBody{Res: &types.RefreshGraphicsManagerResponse{}}
}

// IsSharedGraphicsActive is always true.
func (g *graphicsManager) IsSharedGraphicsActive(*types.IsSharedGraphicsActive) soap.HasFault {
	return &methods.IsSharedGraphicsActiveBody{Res: &types.IsSharedGraphicsActiveResponse{Returnval: true}}
}

// UpdateGraphicsConfig is in effect after a restart of the host.
func (g *graphicsManager) UpdateGraphicsConfig(req *types.UpdateGraphicsConfig) soap.HasFault {
	g.world.mu.Lock()
	defer g.world.mu.Unlock()
	if !slices.Contains([]string{graphicsShared, graphicsSharedDirect}, req.Config.HostDefaultGraphicsType) {
		return invalidArgument("config.hostDefaultGraphicsType").answer()
	}
	if !slices.Contains([]string{"performance", "consolidation"}, req.Config.SharedPassthruAssignmentPolicy) {
		return invalidArgument("config.sharedPassthruAssignmentPolicy").answer()
	}
	for _, device := range req.Config.DeviceType {
		if g.host.card(device.DeviceId) == nil {
			return invalidArgument("config.deviceType.deviceId").answer()
		}
	}
	g.host.configureGraphics(&req.Config)
	g.world.publish(g.host)
	return &methods.UpdateGraphicsConfigBody{Res: &types.UpdateGraphicsConfigResponse{}}
}

// configureGraphics keeps what is to be in effect after a restart, and whether one is needed.
func (h *host) configureGraphics(config *types.HostGraphicsConfig) {
	h.reboot = h.reboot || config.HostDefaultGraphicsType != h.defaultGraphics
	h.defaultNext, h.policy = config.HostDefaultGraphicsType, config.SharedPassthruAssignmentPolicy
	for _, c := range h.cards {
		c.graphicsNext = h.defaultNext
	}
	for _, device := range config.DeviceType {
		c := h.card(device.DeviceId)
		c.graphicsNext = device.GraphicsType
		if device.VgpuMode != "" {
			c.mixedNext = device.VgpuMode == vgpuMixedSize
		}
	}
	for _, c := range h.cards {
		h.reboot = h.reboot || c.graphics != c.graphicsNext || c.mixed != c.mixedNext
	}
}

// card finds a card by its PCI id; nil when the host has none there.
func (h *host) card(pciID string) *card {
	for _, c := range h.cards {
		if c.spec.PciID == pciID {
			return c
		}
	}
	return nil
}

type passthruSystem struct {
	mo.HostPciPassthruSystem
	world *world
	host  *host
}

// Get shows what the host shows.
func (p *passthruSystem) Get() mo.Reference {
	config := p.world.registry.Get(p.host.ref).(*simulator.HostSystem).Config
	return &mo.HostPciPassthruSystem{
		ExtensibleManagedObject: mo.ExtensibleManagedObject{Self: p.Self}, PciPassthruInfo: config.PciPassthruInfo,
	}
}

// Refresh has nothing to do: what is shown is never stale.
func (p *passthruSystem) Refresh(*types.Refresh) soap.HasFault {
	return &methods.RefreshBody{Res: &types.RefreshResponse{}}
}

// UpdatePassthruConfig: what is not applied now is enabled but not active until the host restarts.
func (p *passthruSystem) UpdatePassthruConfig(req *types.UpdatePassthruConfig) soap.HasFault {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	for _, each := range req.Config {
		change := each.GetHostPciPassthruConfig()
		c := p.host.card(change.Id)
		switch {
		case c == nil:
			return invalidArgument("config.id").answer()
		case !c.passthrough.Capable:
			fault := &types.HostConfigFault{}
			return (&refusal{fault, "The PCI device " + change.Id + " cannot be passed through."}).answer()
		case !c.idle():
			fault := &types.HostConfigFault{}
			return (&refusal{fault, "The PCI device " + change.Id + " is in use by a virtual machine."}).answer()
		}
	}
	for _, each := range req.Config {
		change := each.GetHostPciPassthruConfig()
		p.host.configurePassthru(p.host.card(change.Id), change)
	}
	p.world.publish(p.host)
	return &methods.UpdatePassthruConfigBody{Res: &types.UpdatePassthruConfigResponse{}}
}

// configurePassthru enables or disables passthrough of a card, now or at the next restart.
func (h *host) configurePassthru(c *card, change *types.HostPciPassthruConfig) {
	c.passthroughNext = change.PassthruEnabled
	c.passthrough.Label = change.HardwareLabel
	if change.ApplyNow != nil && *change.ApplyNow {
		c.passthrough.Enabled, c.passthrough.Active = change.PassthruEnabled, change.PassthruEnabled
	}
	h.reboot = h.reboot || c.passthroughNext != c.passthrough.Active
}

type imageManager struct {
	mo.HostImageConfigManager
	world *world
	host  *host
}

// FetchSoftwarePackages lists the VIBs of the host.
func (i *imageManager) FetchSoftwarePackages(*types.FetchSoftwarePackages) soap.HasFault {
	i.world.mu.Lock()
	defer i.world.mu.Unlock()
	var packages []types.SoftwarePackage
	for _, vib := range append([]vibSpec{{"esx-base", i.host.spec.Version + "-0.0." + i.host.spec.Build, "VMware"}}, i.host.vibs...) {
		packages = append(packages, types.SoftwarePackage{
			Name: vib.Name, Version: vib.Version, Vendor: vib.Vendor, Type: "bootbank", AcceptanceLevel: "vmware_accepted",
			Summary: vib.Name, Description: vib.Name, Capability: types.SoftwarePackageCapability{},
		})
	}
	return &methods.FetchSoftwarePackagesBody{Res: &types.FetchSoftwarePackagesResponse{Returnval: packages}}
}

// HostImageConfigGetAcceptance is always `partner`.
func (i *imageManager) HostImageConfigGetAcceptance(*types.HostImageConfigGetAcceptance) soap.HasFault {
	return &methods.HostImageConfigGetAcceptanceBody{Res: &types.HostImageConfigGetAcceptanceResponse{Returnval: "partner"}}
}
