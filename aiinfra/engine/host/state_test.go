package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

func newTestEnvironment(t *testing.T, root string, phrase string) *environment {
	t.Helper()
	t.Setenv("PULUMI_HOME", t.TempDir())
	e, err := newEnvironment(t.Context(), settings{Backend: "file://" + root, Project: "p", Passphrase: &phrase})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	return e
}

func TestReadingAnEnvironmentThatNeverWasWritesNothing(t *testing.T) {
	root := filepath.Join(t.TempDir(), "deep", "state")
	e := newTestEnvironment(t, root, "x")
	if found, err := e.find(t.Context(), "s"); found != nil || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
	if found, err := e.keys.existing(t.Context()); found != nil || err != nil {
		t.Errorf("opened %v, %v", found, err)
	}
	if keys, err := e.storage.list(t.Context(), ""); len(keys) != 0 || err != nil {
		t.Errorf("listed %v, %v", keys, err)
	}
	if _, err := os.Stat(root); !os.IsNotExist(err) {
		t.Errorf("the root was made: %v", err)
	}
}

func TestTheRootOfAStateIsMadeForItsOwnerOnly(t *testing.T) {
	root := filepath.Join(t.TempDir(), "deep", "state")
	e := newTestEnvironment(t, root, "x")
	if _, err := e.make(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(root)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestOneSaltForAllWhoAskAtOnce(t *testing.T) {
	e := newTestEnvironment(t, t.TempDir(), "x")
	var all sync.WaitGroup
	states := make([]string, 20)
	for number := range states {
		all.Go(func() {
			manager, err := e.keys.forWriting(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			states[number] = string(manager.State())
		})
	}
	all.Wait()
	for _, state := range states {
		if state != states[0] || !strings.HasPrefix(state, `{"salt":"v1:`) {
			t.Errorf("a second salt: %s", state)
		}
	}
}

func TestASaltIsFoundAgain(t *testing.T) {
	root := t.TempDir()
	made, err := newTestEnvironment(t, root, "right").keys.forWriting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := newTestEnvironment(t, root, "right").keys.forWriting(t.Context())
	if err != nil || string(again.State()) != string(made.State()) {
		t.Errorf("another salt: %v", err)
	}
}

func TestANoteIsCreatedOnce(t *testing.T) {
	s := &storage{url: "file://" + t.TempDir()}
	var all sync.WaitGroup
	var first sync.Map
	for number := range 20 {
		all.Go(func() {
			made, err := s.create(context.Background(), ".aiinfra/p/lock.json", []byte{byte(number)})
			if err != nil {
				t.Error(err)
			}
			if made {
				first.Store(number, true)
			}
		})
	}
	all.Wait()
	count := 0
	first.Range(func(any, any) bool { count++; return true })
	if count != 1 {
		t.Errorf("%d callers made the note", count)
	}
}

func TestEventsReachTheirOperationOnly(t *testing.T) {
	s, err := newEventServer()
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	heard := map[string]int{}
	var lock sync.Mutex
	hear := func(name string) func(apitype.EngineEvent) {
		return func(apitype.EngineEvent) { lock.Lock(); heard[name]++; lock.Unlock() }
	}
	one, forgetOne := s.listen(hear("one"))
	two, forgetTwo := s.listen(hear("two"))
	send(t, one, 3)
	send(t, two, 2)
	send(t, "tcp://"+eventScheme+":///guessed", 1)
	forgetOne()
	forgetTwo()
	send(t, one, 1)
	if heard["one"] != 3 || heard["two"] != 2 {
		t.Errorf("heard %v", heard)
	}
}

// send sends events as Pulumi does (pkg/v3 v3.259.0 backend/display/display.go, startEventLogger).
func send(t *testing.T, path string, count int) {
	t.Helper()
	connection, err := grpc.NewClient(strings.TrimPrefix(path, "tcp://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	stream, err := pulumirpc.NewEventsClient(connection).StreamEvents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range count {
		if err := stream.Send(&pulumirpc.EventRequest{Event: `{"summaryEvent":{}}`}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := stream.CloseAndRecv(); err != nil {
		t.Fatal(err)
	}
}

func TestAListingDoesNotMindFilesThatComeAndGo(t *testing.T) {
	root := t.TempDir()
	e := newTestEnvironment(t, root, "x")
	if _, err := e.make(t.Context(), "kept"); err != nil {
		t.Fatal(err)
	}
	backend, err := e.existing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(root, ".pulumi", "stacks", "p")
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Add(1)
	go func() {
		defer all.Done()
		draft := filepath.Join(folder, "other.json.1.tmp")
		for {
			select {
			case <-stop:
				return
			default:
				_ = os.WriteFile(draft, []byte("{}"), 0o600)
				_ = os.Remove(draft)
			}
		}
	}()
	for range 2000 {
		refs, err := projectStacks(t.Context(), backend, "p")
		if err != nil && asFailure(err, codeState).Code != codeChanging {
			t.Fatal(err)
		}
		if err == nil && (len(refs) != 1 || refs[0].Name().String() != "kept") {
			t.Fatalf("found %v", refs)
		}
	}
	close(stop)
	all.Wait()
}

func TestAListingThatFailsOnceIsTriedAgain(t *testing.T) {
	asked := 0
	gone := &os.PathError{Op: "lstat", Path: "x.tmp", Err: os.ErrNotExist}
	found, err := steadily(func() (int, error) {
		if asked++; asked == 1 {
			return 0, gone
		}
		return 7, nil
	})
	if found != 7 || err != nil {
		t.Errorf("%d, %v", found, err)
	}
	_, err = steadily(func() (int, error) { return 0, gone })
	if got := asFailure(err, codeState); got.Code != codeChanging {
		t.Errorf("%+v", got)
	}
}
