package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/resolver"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/pulumi/pulumi/pkg/v3/backend/display"
	"github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// maxMessage is what Pulumi allows on its own connections (sdk/v3 rpcutil.GrpcChannelOptions), in bytes.
const maxMessage = 400 * 1024 * 1024

// withoutProperties drops a step's states from a raw event: events say what happens, not with which values.
func withoutProperties(e engine.Event) engine.Event {
	switch p := e.Payload().(type) {
	case engine.ResourcePreEventPayload:
		p.Metadata = bare(p.Metadata)
		return engine.NewEvent(p)
	case engine.ResourceOutputsEventPayload:
		p.Metadata = bare(p.Metadata)
		return engine.NewEvent(p)
	case engine.ResourceOperationFailedPayload:
		p.Metadata = bare(p.Metadata)
		return engine.NewEvent(p)
	}
	return e
}

func bare(step engine.StepEventMetadata) engine.StepEventMetadata {
	step.Old, step.New, step.Res = nil, nil, nil
	return step
}

func convert(e engine.Event) (apitype.EngineEvent, error) {
	return display.ConvertEngineEvent(withoutProperties(e), false)
}

// eventScheme is the scheme of a gRPC target that leads back to this process; the rest of the target says for which
// operation. Pulumi takes such a target as the path of its event log.
const eventScheme = "aiinfra-events"

// eventServer hears the events of operations whose calls take no channel (refresh, destroy, import), and stands in as
// the language runtime of operations that run no program.
type eventServer struct {
	pulumirpc.UnimplementedEventsServer
	pulumirpc.UnimplementedLanguageRuntimeServer
	server  *grpc.Server
	address string

	lock      sync.Mutex
	listeners map[string]func(apitype.EngineEvent)
}

func newEventServer() (*eventServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &eventServer{address: listener.Addr().String(), listeners: map[string]func(apitype.EngineEvent){}}
	s.server = grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage))
	pulumirpc.RegisterEventsServer(s.server, s)
	pulumirpc.RegisterLanguageRuntimeServer(s.server, s)
	resolver.Register(selfResolver{s.address})
	go func() {
		if err := s.server.Serve(listener); err != nil {
			diary.Printf("serving events: %v", err)
		}
	}()
	return s, nil
}

func (s *eventServer) stop() { s.server.Stop() }

// listen gives an event log path for one operation. The name in it cannot be guessed, so no other local process can
// send events.
func (s *eventServer) listen(hear func(apitype.EngineEvent)) (path string, forget func()) {
	secret := make([]byte, 16)
	_, _ = rand.Read(secret)
	name := hex.EncodeToString(secret)
	s.lock.Lock()
	s.listeners[name] = hear
	s.lock.Unlock()
	return "tcp://" + eventScheme + ":///" + name, func() {
		s.lock.Lock()
		delete(s.listeners, name)
		s.lock.Unlock()
	}
}

func (s *eventServer) StreamEvents(stream pulumirpc.Events_StreamEventsServer) error {
	hear := s.listener(stream)
	for {
		told, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&emptypb.Empty{})
		}
		if err != nil {
			return err
		}
		var event apitype.EngineEvent
		if err := json.Unmarshal([]byte(told.Event), &event); err != nil {
			diary.Printf("an event is not readable: %v", err)
			continue
		}
		hear(event)
	}
}

func (s *eventServer) listener(stream pulumirpc.Events_StreamEventsServer) func(apitype.EngineEvent) {
	incoming, _ := metadata.FromIncomingContext(stream.Context())
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, name := range incoming.Get(":authority") {
		if hear := s.listeners[name]; hear != nil {
			return hear
		}
	}
	return func(apitype.EngineEvent) {}
}

// selfResolver leads every target of eventScheme to one address; the name becomes the request's authority.
type selfResolver struct{ address string }

func (r selfResolver) Scheme() string { return eventScheme }

func (r selfResolver) Build(
	_ resolver.Target, to resolver.ClientConn, _ resolver.BuildOptions,
) (resolver.Resolver, error) {
	return r, to.UpdateState(resolver.State{Addresses: []resolver.Address{{Addr: r.address}}})
}

func (r selfResolver) ResolveNow(resolver.ResolveNowOptions) {}
func (r selfResolver) Close()                                {}
