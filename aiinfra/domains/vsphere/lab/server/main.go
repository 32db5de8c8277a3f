// The lab's vCenter: VMware's simulator (govmomi) with hosts full of described cards, on which powered-on VMs take
// what they hold, and with the refusals of a real vCenter. Its world is one JSON description; all of it is in memory.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

type options struct {
	description string
	listen      string
	control     string
	ready       string
	tokenFile   string
	certificate string
}

func main() {
	var o options
	flag.StringVar(&o.description, "description", "", "file with the description of the world, JSON")
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "address of the API")
	flag.StringVar(&o.control, "control", "127.0.0.1:0", "address of the control port")
	flag.StringVar(&o.ready, "ready", "", "file that is written when everything answers")
	flag.StringVar(&o.tokenFile, "token-file", "", "file with the bearer token of the control port; none: no token")
	flag.StringVar(&o.certificate, "certificate", certificateGood, "kind of certificate: "+strings.Join(certificateKinds, ", "))
	version := flag.Bool("version", false, "print the version of the simulator")
	flag.Parse()
	if *version {
		fmt.Println(simulatorVersion())
		return
	}
	if err := serve(o); err != nil {
		fmt.Fprintln(os.Stderr, "vcenter:", err)
		os.Exit(1)
	}
}

// serve runs the server until it is told to stop, or until it cannot serve any more.
func serve(o options) error {
	described, err := readDescription(o.description)
	if err != nil {
		return err
	}
	token, err := readToken(o.tokenFile)
	if err != nil {
		return err
	}
	identity, err := newIdentity(o.certificate, time.Now())
	if err != nil {
		return err
	}
	world, err := newWorld(described)
	if err != nil {
		return err
	}
	api, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", o.control)
	if err != nil {
		return err
	}
	ended := make(chan error, 2)
	go func() { ended <- world.serveAPI(api, identity) }()
	go func() { ended <- world.serveControl(control, token) }()
	if err := writeReady(o.ready, api, control, identity); err != nil {
		return err
	}
	stop, done := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer done()
	select {
	case <-stop.Done():
		return nil
	case err := <-ended:
		log.Printf("stopped serving: %v", err)
		return err
	}
}

func readToken(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(raw))
	if token == "" {
		return "", fmt.Errorf("%s holds no token", path)
	}
	return token, nil
}

func simulatorVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/vmware/govmomi" {
				return "govmomi " + module.Version
			}
		}
	}
	return "govmomi"
}
