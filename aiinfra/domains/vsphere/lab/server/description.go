// The JSON description of the world that the server is started with.

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// description is the whole world as it is at the start. Hardware is described; what a vCenter shows of it follows.
type description struct {
	APIVersion  string            `json:"apiVersion"`
	Version     string            `json:"version"`
	Build       string            `json:"build"`
	User        string            `json:"user"`
	Password    string            `json:"password"`
	License     string            `json:"license"`
	Settings    map[string]string `json:"settings"`
	Delays      map[string]int    `json:"delays"` // milliseconds by SOAP method; "*" is every method
	Datacenters []datacenterSpec  `json:"datacenters"`
	Privileges  privilegesSpec    `json:"privileges"`
}

type privilegesSpec struct {
	Missing []missingPrivilege `json:"missing"`
}

// missingPrivilege is one that the account has not at this inventory path, and below it.
type missingPrivilege struct {
	Privilege string `json:"privilege"`
	Path      string `json:"path"`
}

// datacenterSpec: names of datacenters, datastores and clusters are paths below the folder that holds such objects, as
// `gpu/cluster-a` is `cluster-a` in the folder `gpu`. Folders that they and VMs are in are made.
type datacenterSpec struct {
	Name       string          `json:"name"`
	Folders    []string        `json:"folders"` // of VMs: `templates`, `team/templates`
	Networks   []string        `json:"networks"`
	Datastores []datastoreSpec `json:"datastores"`
	Clusters   []clusterSpec   `json:"clusters"`
	VMs        []vmSpec        `json:"vms"`
}

type datastoreSpec struct {
	Name        string `json:"name"`
	CapacityMib int64  `json:"capacityMib"`
	FreeMib     int64  `json:"freeMib"`
	Maintenance bool   `json:"maintenance"`
}

type clusterSpec struct {
	Name  string     `json:"name"`
	Drs   drsSpec    `json:"drs"`
	Pools []string   `json:"pools"` // below the cluster's own: `gpu/team-a` is made with the pool above it
	Hosts []hostSpec `json:"hosts"`
}

type drsSpec struct {
	Enabled  bool              `json:"enabled"`
	Behavior string            `json:"behavior"`
	Options  map[string]string `json:"options"`
}

type hostSpec struct {
	Name                string      `json:"name"`
	Version             string      `json:"version"`
	Build               string      `json:"build"`
	License             string      `json:"license"`
	MemoryMib           int64       `json:"memoryMib"`
	Cpus                int32       `json:"cpus"`
	DefaultGraphicsType string      `json:"defaultGraphicsType"`
	AssignmentPolicy    string      `json:"assignmentPolicy"`
	DNS                 []string    `json:"dns"`
	NTP                 []string    `json:"ntp"`
	NTPRunning          bool        `json:"ntpRunning"`
	Vibs                []vibSpec   `json:"vibs"`
	Maintenance         bool        `json:"maintenance"`
	Disconnected        bool        `json:"disconnected"`
	RebootPending       bool        `json:"rebootPending"`
	Cards               []cardSpec  `json:"cards"`
	Groups              []groupSpec `json:"groups"`
}

type vibSpec struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Vendor  string `json:"vendor"`
}

// groupSpec is a device group (8.0): so many devices of one profile, given as one.
type groupSpec struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Profiles    []string `json:"profiles"`
}

type cardSpec struct {
	PciID        string          `json:"pciId"`
	Name         string          `json:"name"`
	VendorID     int             `json:"vendorId"`
	DeviceID     int             `json:"deviceId"`
	SubVendorID  int             `json:"subVendorId"`
	SubDeviceID  int             `json:"subDeviceId"`
	MemoryMib    int64           `json:"memoryMib"`
	GraphicsType string          `json:"graphicsType"`
	VgpuMode     string          `json:"vgpuMode"` // as configured: sameSize, mixedSize; none where it has no vGPU
	MigCapable   bool            `json:"migCapable"`
	Mig          bool            `json:"mig"`
	MixedSize    bool            `json:"mixedSize"`
	Ecc          bool            `json:"ecc"` // no API of vCenter tells it
	Slices       int             `json:"slices"`
	MmioGiB      int             `json:"mmioGiB"` // of its BARs; 0: twice the rounded memory
	Passthrough  passthroughSpec `json:"passthrough"`
	Sriov        *sriovSpec      `json:"sriov"` // absent: the host lists it as a device without SR-IOV
	Profiles     []profileSpec   `json:"profiles"`
}

type passthroughSpec struct {
	Capable bool   `json:"capable"`
	Enabled bool   `json:"enabled"`
	Active  bool   `json:"active"`
	Label   string `json:"label"`
}

type sriovSpec struct {
	Capable   bool  `json:"capable"`
	Enabled   bool  `json:"enabled"`
	Active    bool  `json:"active"`
	Functions int32 `json:"functions"`
}

type profileSpec struct {
	Name           string `json:"name"`
	FrameBufferGib int64  `json:"frameBufferGib"`
	Sharing        string `json:"sharing"` // timeSliced or mig
	Class          string `json:"class"`   // compute or quadro
	Max            int    `json:"max"`     // of this profile alone on one card
	Slices         int    `json:"slices"`  // compute slices of a MIG profile
}

type vmSpec struct {
	Name            string            `json:"name"`
	Folder          string            `json:"folder"`
	Cluster         string            `json:"cluster"`
	Host            string            `json:"host"`
	Datastore       string            `json:"datastore"`
	Template        bool              `json:"template"`
	HardwareVersion int               `json:"hardwareVersion"`
	GuestID         string            `json:"guestId"`
	Firmware        string            `json:"firmware"`
	SecureBoot      bool              `json:"secureBoot"`
	MemoryMib       int64             `json:"memoryMib"`
	Cpus            int32             `json:"cpus"`
	DiskMib         []int64           `json:"diskMib"`
	PoweredOn       bool              `json:"poweredOn"`
	Gpus            []string          `json:"gpus"`        // vGPU profiles
	Passthrough     []string          `json:"passthrough"` // PCI ids of cards of its host
	Snapshots       int               `json:"snapshots"`
	Annotation      string            `json:"annotation"`
	ExtraConfig     map[string]string `json:"extraConfig"`
}

// readDescription refuses what it does not know, so that a misspelt field is never a field left out.
func readDescription(path string) (*description, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the description cannot be read: %w", err)
	}
	var d description
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return nil, fmt.Errorf("description %s: %w", path, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("description %s: something follows the description", path)
	}
	d.complete()
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("description %s: %w", path, err)
	}
	return &d, nil
}
