// The engine host of aiinfra: one process that runs the Pulumi operations of all stacks of one environment, on
// Pulumi's own packages. PROTOCOL.md says what it speaks on stdin and stdout.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"os/user"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
)

// diary is what the host says besides the protocol. The standard logger is silenced by a package of Pulumi's.
var diary = log.New(os.Stderr, strconv.Itoa(os.Getpid())+" ", log.LstdFlags|log.LUTC|log.Lmicroseconds)

func main() {
	logFile := flag.String("log", "", "file that is appended with what the host has to say besides the protocol")
	printVersion := flag.Bool("version", false, "print the versions of the protocol and of Pulumi")
	flag.Parse()
	if *printVersion {
		fmt.Printf("protocol %d, pulumi %s\n", protocolVersion, version.Version)
		return
	}
	out, err := takeStdout(*logFile)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	nameUser()
	stayOffTheDesktop()
	serve(out)
}

// serve answers requests until stdin ends, a shutdown is asked for, or the process is told to end; then it cancels
// what runs, lets it be saved, and returns.
func serve(out *os.File) {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGINT, syscall.SIGHUP) // a dead caller closes our stdout: finish and save
	h := newHost(context.Background(), newReplies(out))
	h.replies.say(greeting(os.Getpid()))
	told := make(chan os.Signal, 2)
	signal.Notify(told, syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := eachLine(os.Stdin, h.handle); err != nil {
			diary.Printf("reading requests: %v", err)
		}
	}()
	select {
	case <-ended:
		diary.Print("the caller is gone")
	case <-told:
		diary.Print("told to end")
	case <-h.ended:
	}
	go func() {
		<-told
		h.stopAll((*operation).terminate)
	}()
	h.finish()
}

// takeStdout keeps the real stdout for the protocol and sends everything else that this process writes, whoever
// writes it, to the log.
func takeStdout(path string) (*os.File, error) {
	protocol, err := unix.Dup(1)
	if err != nil {
		return nil, fmt.Errorf("keeping stdout: %w", err)
	}
	unix.CloseOnExec(protocol)
	target := os.Stderr
	if path != "" {
		target, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("opening the log: %w", err)
		}
	}
	for _, descriptor := range []int{1, 2} {
		if err := unix.Dup2(int(target.Fd()), descriptor); err != nil {
			return nil, fmt.Errorf("sending output to the log: %w", err)
		}
	}
	return os.NewFile(uintptr(protocol), "protocol"), nil
}

// stayOffTheDesktop keeps Pulumi from starting a D-Bus session to ask a desktop not to sleep (pkg/v3 util/nosleep).
func stayOffTheDesktop() {
	if _, given := os.LookupEnv("DBUS_SESSION_BUS_ADDRESS"); !given {
		_ = os.Setenv("DBUS_SESSION_BUS_ADDRESS", "none:")
	}
}

// nameUser gives a process without a passwd entry a name: Pulumi writes one into its locks and refuses without.
func nameUser() {
	if os.Getenv("USER") == "" {
		_ = os.Setenv("USER", strconv.Itoa(os.Getuid()))
	}
	if os.Getenv("HOME") == "" {
		_ = os.Setenv("HOME", os.TempDir())
	}
	if _, err := user.Current(); err != nil {
		diary.Printf("no user: %v", err)
	}
}
