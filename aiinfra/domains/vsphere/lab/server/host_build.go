// The HostSystem objects of described hosts.

package main

import (
	"cmp"
	"time"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/simulator/esx"
	"github.com/vmware/govmomi/vim25/types"
)

// buildHost adds a described host to a cluster.
func (w *world) buildHost(c *cluster, parent *simulator.ClusterComputeResource, spec *hostSpec) {
	template := esx.HostSystem
	config := *template.Config
	config.FileSystemVolume, config.StorageDevice, config.SystemResources = nil, nil, nil
	config.OptionDef, config.Option, config.Firewall = nil, nil, nil
	template.Config = &config
	made := simulator.NewHostSystem(w.building, template)
	made.Self = ref{}
	made.Name, made.Summary.Config.Name = spec.Name, spec.Name
	w.registry.PutEntity(parent, w.registry.NewEntity(made))
	made.Summary.Host, made.Config.Host = &made.Self, made.Self
	made.Datastore, made.Network = sortedRefs(c.dc.datastores), sortedRefs(c.dc.networks)
	parent.Host = append(parent.Host, made.Self)

	h := newHost(spec)
	h.ref, h.cluster = made.Self, c
	c.hosts = append(c.hosts, h)
	w.hosts[h.ref] = h

	setHardware(made, spec)
	setProduct(made, spec)
	setNetwork(made, spec)
	setRuntime(made, spec)
	w.installHostManagers(h, made)
	w.publish(h)
	sum := parent.Summary.GetComputeResourceSummary()
	sum.TotalMemory += spec.MemoryMib << 20
	sum.EffectiveMemory += spec.MemoryMib
	sum.NumHosts++
	sum.NumEffectiveHosts++
	sum.NumCpuCores += int16(spec.Cpus)
	sum.OverallStatus = types.ManagedEntityStatusGreen
}

func setHardware(made *simulator.HostSystem, spec *hostSpec) {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte("host/"+spec.Name)).String()
	made.Hardware.SystemInfo = types.HostSystemInfo{Vendor: "Lab", Model: "GPU server", Uuid: id}
	made.Hardware.MemorySize = spec.MemoryMib << 20
	made.Hardware.CpuInfo.NumCpuCores = int16(spec.Cpus)
	made.Hardware.CpuInfo.NumCpuThreads = int16(2 * spec.Cpus)
	made.Hardware.CpuInfo.NumCpuPackages = 2
	summary := made.Summary.Hardware
	summary.Vendor, summary.Model, summary.Uuid = "Lab", "GPU server", id
	summary.MemorySize = spec.MemoryMib << 20
	summary.NumCpuPkgs, summary.NumCpuCores, summary.NumCpuThreads = 2, int16(spec.Cpus), int16(2*spec.Cpus)
}

func setProduct(made *simulator.HostSystem, spec *hostSpec) {
	made.Config.Product.Version, made.Config.Product.Build = spec.Version, spec.Build
	made.Config.Product.ApiVersion = spec.Version + ".0"
	made.Config.Product.FullName = "VMware ESXi " + spec.Version + " build-" + spec.Build
	made.Config.Product.LicenseProductName = "VMware ESX Server"
	product := made.Config.Product
	made.Summary.Config.Product = &product
}

func setNetwork(made *simulator.HostSystem, spec *hostSpec) {
	if made.Config.Network == nil {
		made.Config.Network = &types.HostNetworkInfo{}
	}
	made.Config.Network.DnsConfig = &types.HostDnsConfig{HostName: spec.Name, DomainName: "lab", Address: spec.DNS}
	made.Config.DateTimeInfo = &types.HostDateTimeInfo{
		TimeZone:            types.HostDateTimeSystemTimeZone{Key: "UTC", Name: "UTC", Description: "UTC"},
		SystemClockProtocol: "ntp",
		NtpConfig:           &types.HostNtpConfig{Server: spec.NTP},
		Enabled:             types.NewBool(spec.NTPRunning),
	}
	made.Config.Service = &types.HostServiceInfo{Service: []types.HostService{{
		Key: "ntpd", Label: "NTP Daemon", Running: spec.NTPRunning, Policy: "on", Ruleset: []string{"ntpClient"},
	}}}
}

func setRuntime(made *simulator.HostSystem, spec *hostSpec) {
	now := time.Now()
	state := types.HostSystemConnectionStateConnected
	if spec.Disconnected {
		state = types.HostSystemConnectionStateDisconnected
	}
	made.Runtime.ConnectionState = state
	made.Runtime.PowerState = types.HostSystemPowerStatePoweredOn
	made.Runtime.StandbyMode = cmp.Or(made.Runtime.StandbyMode, string(types.HostStandbyModeNone))
	made.Runtime.InMaintenanceMode = spec.Maintenance
	made.Runtime.BootTime = &now
}
