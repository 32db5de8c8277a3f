package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func refusedDescription(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "world.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := readDescription(path)
	if err == nil {
		t.Fatal("it was read")
	}
	return strings.TrimPrefix(err.Error(), "description "+path+": ")
}

func TestWhatADescriptionIsRefusedFor(t *testing.T) {
	const before, after = `{"user": "u", "password": "p", "datacenters": [{"name": "dc1", "datastores": [{"name": "ssd", "capacityMib": 1}], `, `}]}`
	cases := map[string]string{
		`{"usr": "u"}`: `json: unknown field "usr"`,
		`{"user": "u", "password": "p", "datacenters": []} {}`:                                               `something follows the description`,
		`{"datacenters": [{"name": "dc1", "datastores": [{"name": "ssd", "capacityMib": 1}]}]}`:              `user: user and password must be given`,
		before + `"vms": [{"name": "a", "host": "esx-9"}]` + after:                                           "/dc1.vms: there is no host for them\n/dc1/vm/a.host: no host is named \"esx-9\"",
		before + `"clusters": [{"name": "c", "hosts": [{"name": "h", "version": "8"}]}]` + after:             `/dc1/c/h.version: wants a form such as 8.0.3, not "8"`,
		before + `"clusters": [{"name": "c", "hosts": [{"name": "h"}, {"name": "h"}]}]` + after:              `/dc1/c.hosts: names must be given and be different: "h"`,
		before + `"clusters": [{"name": "c", "hosts": [{"name": "h", "cards": [{"pciId": "3b"}]}]}]` + after: "/dc1/c/h/3b.pciId: wants a form such as 0000:3b:00.0\n/dc1/c/h/3b.memoryMib: must be given",
		before + `"clusters": [{"name": "c"}, {"name": "c/d"}]` + after:                                      `/dc1.clusters: "c" is no folder that could hold "c/d"`,
		before + `"clusters": [{"name": "c", "pools": ["a//b"]}]` + after:                                    `/dc1/c.pools: "a//b" is no path of names`,
	}
	for text, want := range cases {
		if got := refusedDescription(t, text); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}
