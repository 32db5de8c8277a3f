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
	mux.HandleFunc("GET /faults", func(out http.ResponseWriter, _ *http.Request) { tell(out, faultsSaid{w.faults.all()}, nil) })
	mux.HandleFunc("POST /faults", asked(func(said faultsSaid) (any, error) { return said, w.setFaults(said.Faults) }))
	mux.HandleFunc("GET /calls", func(out http.ResponseWriter, _ *http.Request) { tell(out, w.calls.report(), nil) })
	mux.HandleFunc("POST /calls/reset", func(out http.ResponseWriter, _ *http.Request) { w.calls.reset(); tell(out, w.calls.report(), nil) })
	mux.HandleFunc("POST /hosts/mig", asked(func(said shellSaid) (any, error) { return said, w.shellMig(said) }))
	mux.HandleFunc("POST /hosts/reboot", asked(func(said shellSaid) (any, error) { return said, w.shellReboot(said) }))
	mux.HandleFunc("POST /hosts/maintenance", asked(func(said shellSaid) (any, error) { return said, w.shellMaintenance(said) }))
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if token != "" && subtle.ConstantTimeCompare([]byte(in.Header.Get("Authorization")), []byte("Bearer "+token)) != 1 {
			out.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(out, in)
	})}
	return server.Serve(listener)
}

type faultsSaid struct {
	Faults []fault `json:"faults"`
}

// shellSaid is a command on a host: `nvidia-smi -i N -mig 0|1`, a restart, maintenance mode.
type shellSaid struct {
	Host  string `json:"host"`
	PciID string `json:"pciId,omitempty"`
	Mig   bool   `json:"mig,omitempty"`
	On    bool   `json:"on,omitempty"`
}

var errBusy = errors.New("in use")

// asked reads the body strictly, does it, and tells the outcome.
func asked[T any](do func(T) (any, error)) http.HandlerFunc {
	return func(out http.ResponseWriter, in *http.Request) {
		var said T
		decoder := json.NewDecoder(in.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&said); err != nil {
			tell(out, nil, err)
			return
		}
		answer, err := do(said)
		tell(out, answer, err)
	}
}

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

func (w *world) shellHost(said shellSaid) (*host, error) {
	if h := w.hostNamed(said.Host); h != nil {
		return h, nil
	}
	return nil, fmt.Errorf("no host is named %q", said.Host)
}

// shellMig switches MIG mode, which no API does; the card must be idle. It resets the card, so it is in effect at once.
func (w *world) shellMig(said shellSaid) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, err := w.shellHost(said)
	if err != nil {
		return err
	}
	for _, c := range h.cards {
		if said.PciID != "" && c.said.PciID != said.PciID {
			continue
		}
		switch {
		case !c.said.MigCapable:
			return fmt.Errorf("MIG mode is not supported by GPU %s", c.said.PciID)
		case !c.idle():
			return fmt.Errorf("%w: GPU %s is used by another client", errBusy, c.said.PciID)
		}
		c.mig = said.Mig
	}
	if said.PciID != "" && h.card(said.PciID) == nil {
		return fmt.Errorf("host %s has no GPU %s", said.Host, said.PciID)
	}
	w.publish(h)
	return nil
}

func (w *world) shellReboot(said shellSaid) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, err := w.shellHost(said)
	if err != nil {
		return err
	}
	if len(h.memory) > 0 {
		return fmt.Errorf("%w: %d VMs run on %s", errBusy, len(h.memory), said.Host)
	}
	h.restart()
	w.publish(h)
	return nil
}

func (w *world) shellMaintenance(said shellSaid) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, err := w.shellHost(said)
	if err != nil {
		return err
	}
	h.maintenance = said.On
	w.publish(h)
	return nil
}
