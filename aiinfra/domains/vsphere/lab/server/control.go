// The control port of the lab, which no vCenter has: it sets faults, switches MIG as a shell would, and counts calls.

package main

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// serveControl answers who runs the lab: it sets what is broken, plays the shell of the hosts, and counts calls.
func (w *world) serveControl(listener net.Listener, token string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(out http.ResponseWriter, _ *http.Request) { tell(out, map[string]bool{"ok": true}, nil) })
	mux.HandleFunc("GET /faults", func(out http.ResponseWriter, _ *http.Request) { tell(out, faultsSpec{w.faults.all()}, nil) })
	mux.HandleFunc("POST /faults", asked(func(spec faultsSpec) (any, error) { return spec, w.setFaults(spec.Faults) }))
	mux.HandleFunc("GET /calls", func(out http.ResponseWriter, _ *http.Request) { tell(out, w.calls.report(), nil) })
	mux.HandleFunc("POST /calls/reset", func(out http.ResponseWriter, _ *http.Request) { w.calls.reset(); tell(out, w.calls.report(), nil) })
	mux.HandleFunc("POST /hosts/mig", asked(func(command shellCommand) (any, error) { return command, w.shellMig(command) }))
	mux.HandleFunc("POST /hosts/reboot", asked(func(command shellCommand) (any, error) { return command, w.shellReboot(command) }))
	mux.HandleFunc("POST /hosts/maintenance", asked(func(command shellCommand) (any, error) { return command, w.shellMaintenance(command) }))
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if token != "" && subtle.ConstantTimeCompare([]byte(in.Header.Get("Authorization")), []byte("Bearer "+token)) != 1 {
			out.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(out, in)
	})}
	return server.Serve(listener)
}

type faultsSpec struct {
	Faults []fault `json:"faults"`
}

// shellCommand is a command on a host: `nvidia-smi -i N -mig 0|1`, a restart, maintenance mode.
type shellCommand struct {
	Host  string `json:"host"`
	PciID string `json:"pciId,omitempty"`
	Mig   bool   `json:"mig,omitempty"`
	On    bool   `json:"on,omitempty"`
}

var errBusy = errors.New("in use")

// asked reads the body strictly, does it, and tells the outcome.
func asked[T any](do func(T) (any, error)) http.HandlerFunc {
	return func(out http.ResponseWriter, in *http.Request) {
		var body T
		decoder := json.NewDecoder(in.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&body); err != nil {
			tell(out, nil, err)
			return
		}
		answer, err := do(body)
		tell(out, answer, err)
	}
}

// tell answers a request of the control port with JSON; an error is {"error": "…"}.
func tell(out http.ResponseWriter, answer any, err error) {
	out.Header().Set("Content-Type", "application/json")
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, errBusy) {
			status = http.StatusConflict
		}
		out.WriteHeader(status)
		answer = map[string]string{"error": err.Error()}
	}
	_ = json.NewEncoder(out).Encode(answer)
}

func (w *world) shellHost(command shellCommand) (*host, error) {
	if h := w.hostNamed(command.Host); h != nil {
		return h, nil
	}
	return nil, fmt.Errorf("no host is named %q", command.Host)
}

// shellMig switches MIG mode, which no API does; the card must be idle. It resets the card, so it is in effect at once.
func (w *world) shellMig(command shellCommand) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, err := w.shellHost(command)
	if err != nil {
		return err
	}
	for _, c := range h.cards {
		if command.PciID != "" && c.spec.PciID != command.PciID {
			continue
		}
		switch {
		case !c.spec.MigCapable:
			return fmt.Errorf("MIG mode is not supported by GPU %s", c.spec.PciID)
		case !c.idle():
			return fmt.Errorf("%w: GPU %s is used by another client", errBusy, c.spec.PciID)
		}
		c.mig = command.Mig
	}
	if command.PciID != "" && h.card(command.PciID) == nil {
		return fmt.Errorf("host %s has no GPU %s", command.Host, command.PciID)
	}
	w.publish(h)
	return nil
}

// shellReboot restarts a host on which no VM runs.
func (w *world) shellReboot(command shellCommand) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, err := w.shellHost(command)
	if err != nil {
		return err
	}
	if len(h.memory) > 0 {
		return fmt.Errorf("%w: %d VMs run on %s", errBusy, len(h.memory), command.Host)
	}
	h.restart()
	w.publish(h)
	return nil
}

// shellMaintenance puts a host into maintenance mode or takes it out.
func (w *world) shellMaintenance(command shellCommand) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, err := w.shellHost(command)
	if err != nil {
		return err
	}
	h.maintenance = command.On
	w.publish(h)
	return nil
}
