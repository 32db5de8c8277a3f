// The file that tells who started the server that everything answers.

package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
)

// ready is what who starts this process waits for: everything it names answers.
type ready struct {
	Port        int    `json:"port"`
	ControlPort int    `json:"controlPort"`
	Fingerprint string `json:"fingerprint"`
	Certificate string `json:"certificate"`
	Pid         int    `json:"pid"`
}

// writeReady puts the file in place whole, so that nobody reads half of it.
func writeReady(path string, api, control net.Listener, who *identity) error {
	if path == "" {
		return nil
	}
	raw, err := json.Marshal(ready{
		Port:        api.Addr().(*net.TCPAddr).Port,
		ControlPort: control.Addr().(*net.TCPAddr).Port,
		Fingerprint: who.fingerprint(),
		Certificate: who.pem(),
		Pid:         os.Getpid(),
	})
	if err != nil {
		return err
	}
	part := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".part")
	if err := os.WriteFile(part, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(part, path)
}
