package main

import (
	"cmp"
	"time"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/simulator/esx"
	"github.com/vmware/govmomi/vim25/types"
)

func (w *world) buildHost(c *cluster, parent *simulator.ClusterComputeResource, said *hostSaid) {
	template := esx.HostSystem
	config := *template.Config
	config.FileSystemVolume, config.StorageDevice, config.SystemResources = nil, nil, nil
	config.OptionDef, config.Option, config.Firewall = nil, nil, nil
	template.Config = &config
	made := simulator.NewHostSystem(w.building, template)
	made.Self = ref{}
	made.Name, made.Summary.Config.Name = said.Name, said.Name
	w.registry.PutEntity(parent, w.registry.NewEntity(made))
	made.Summary.Host, made.Config.Host = &made.Self, made.Self
	made.Datastore, made.Network = sortedRefs(c.dc.datastores), sortedRefs(c.dc.networks)
	parent.Host = append(parent.Host, made.Self)

	h := newHost(said)
	h.ref, h.cluster = made.Self, c
	c.hosts = append(c.hosts, h)
	w.hosts[h.ref] = h

	setHardware(made, said)
	setProduct(made, said)
	setNetwork(made, said)
	setRuntime(made, said)
	w.installHostManagers(h, made)
	w.publish(h)
	sum := parent.Summary.GetComputeResourceSummary()
	sum.TotalMemory += said.MemoryMib << 20
	sum.EffectiveMemory += said.MemoryMib
	sum.NumHosts++
	sum.NumEffectiveHosts++
	sum.NumCpuCores += int16(said.Cpus)
	sum.OverallStatus = types.ManagedEntityStatusGreen
}

func setHardware(made *simulator.HostSystem, said *hostSaid) {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte("host/"+said.Name)).String()
	made.Hardware.SystemInfo = types.HostSystemInfo{Vendor: "Lab", Model: "GPU server", Uuid: id}
	made.Hardware.MemorySize = said.MemoryMib << 20
	made.Hardware.CpuInfo.NumCpuCores = int16(said.Cpus)
	made.Hardware.CpuInfo.NumCpuThreads = int16(2 * said.Cpus)
	made.Hardware.CpuInfo.NumCpuPackages = 2
	summary := made.Summary.Hardware
	summary.Vendor, summary.Model, summary.Uuid = "Lab", "GPU server", id
	summary.MemorySize = said.MemoryMib << 20
	summary.NumCpuPkgs, summary.NumCpuCores, summary.NumCpuThreads = 2, int16(said.Cpus), int16(2*said.Cpus)
}

func setProduct(made *simulator.HostSystem, said *hostSaid) {
	made.Config.Product.Version, made.Config.Product.Build = said.Version, said.Build
	made.Config.Product.ApiVersion = said.Version + ".0"
	made.Config.Product.FullName = "VMware ESXi " + said.Version + " build-" + said.Build
	made.Config.Product.LicenseProductName = "VMware ESX Server"
	product := made.Config.Product
	made.Summary.Config.Product = &product
}

func setNetwork(made *simulator.HostSystem, said *hostSaid) {
	if made.Config.Network == nil {
		made.Config.Network = &types.HostNetworkInfo{}
	}
	made.Config.Network.DnsConfig = &types.HostDnsConfig{HostName: said.Name, DomainName: "lab", Address: said.DNS}
	made.Config.DateTimeInfo = &types.HostDateTimeInfo{
		TimeZone:            types.HostDateTimeSystemTimeZone{Key: "UTC", Name: "UTC", Description: "UTC"},
		SystemClockProtocol: "ntp",
		NtpConfig:           &types.HostNtpConfig{Server: said.NTP},
		Enabled:             types.NewBool(said.NTPRunning),
	}
	made.Config.Service = &types.HostServiceInfo{Service: []types.HostService{{
		Key: "ntpd", Label: "NTP Daemon", Running: said.NTPRunning, Policy: "on", Ruleset: []string{"ntpClient"},
	}}}
}

func setRuntime(made *simulator.HostSystem, said *hostSaid) {
	now := time.Now()
	state := types.HostSystemConnectionStateConnected
	if said.Disconnected {
		state = types.HostSystemConnectionStateDisconnected
	}
	made.Runtime.ConnectionState = state
	made.Runtime.PowerState = types.HostSystemPowerStatePoweredOn
	made.Runtime.StandbyMode = cmp.Or(made.Runtime.StandbyMode, string(types.HostStandbyModeNone))
	made.Runtime.InMaintenanceMode = said.Maintenance
	made.Runtime.BootTime = &now
}
