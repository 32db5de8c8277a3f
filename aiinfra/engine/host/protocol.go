package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
)

// protocolVersion changes when an old caller could no longer work with this host. See PROTOCOL.md.
const protocolVersion = 1

// request is one line on stdin. Which fields count depends on Op.
type request struct {
	ID        string             `json:"id"`
	Op        string             `json:"op"`
	Settings  *settings          `json:"settings"`
	Target    string             `json:"target"`
	Stack     string             `json:"stack"`
	Program   string             `json:"program"`
	Parallel  int32              `json:"parallel"`
	Refresh   bool               `json:"refresh"`
	Force     bool               `json:"force"`
	Limit     float64            `json:"limit"`
	Hidden    []string           `json:"hidden"`
	Resources []importedResource `json:"resources"`
	Key       string             `json:"key"`
	Prefix    string             `json:"prefix"`
	Value     []byte             `json:"value"`
	Absent    bool               `json:"absent"`
	Make      bool               `json:"make"`
	Attached  map[string]int     `json:"attached"`
}

// settings say which environment this host works for; `open` gives them once.
type settings struct {
	Backend         string         `json:"backend"`
	Project         string         `json:"project"`
	Secrets         string         `json:"secrets"`
	Passphrase      *string        `json:"passphrase"`
	Attached        map[string]int `json:"attached"`
	PulumiHome      string         `json:"pulumi_home"`
	OfficialPlugins bool           `json:"official_plugins"`
	Parallel        int32          `json:"parallel"`
}

// reply is one line on stdout: the greeting, an event of a request, or its end.
type reply struct {
	Hello  *hello               `json:"hello,omitempty"`
	ID     string               `json:"id,omitempty"`
	Event  *apitype.EngineEvent `json:"event,omitempty"`
	Done   bool                 `json:"done,omitempty"`
	Result any                  `json:"result,omitempty"`
	Error  *failure             `json:"error,omitempty"`
}

type hello struct {
	Protocol int    `json:"protocol"`
	Pulumi   string `json:"pulumi"`
	PID      int    `json:"pid"`
}

// failure is an error with a code that callers may act on.
type failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (f *failure) Error() string { return f.Message }

const (
	codeBadRequest  = "bad_request"
	codeBusy        = "busy"
	codeChanging    = "changing"
	codeDamaged     = "damaged"
	codeFailed      = "failed"
	codeInterrupted = "interrupted"
	codeKeyService  = "key_service"
	codeLegacy      = "legacy"
	codeLocked      = "locked"
	codeNewer       = "newer"
	codeNotFound    = "not_found"
	codePanic       = "panic"
	codePassphrase  = "passphrase"
	codeState       = "state"
)

func fail(code, message string) *failure { return &failure{Code: code, Message: message} }

// asFailure gives every error a code; the ones without get `otherwise`.
func asFailure(err error, otherwise string) *failure {
	var known *failure
	if errors.As(err, &known) {
		return known
	}
	return fail(otherwise, err.Error())
}

func greeting(pid int) reply {
	return reply{Hello: &hello{Protocol: protocolVersion, Pulumi: version.Version, PID: pid}}
}

// replies writes whole lines, one at a time. A caller that is gone is no error: the work is finished all the same.
type replies struct {
	sync.Mutex
	encoder *json.Encoder
}

func newReplies(to io.Writer) *replies {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	return &replies{encoder: encoder}
}

func (r *replies) say(line reply) {
	r.Lock()
	defer r.Unlock()
	_ = r.encoder.Encode(line)
}

// eachLine hands over every line of the input, however long, without its end.
func eachLine(from io.Reader, handle func(line []byte)) error {
	reader := bufio.NewReaderSize(from, 1<<16)
	for {
		line, err := reader.ReadBytes('\n')
		if len(line) > 1 {
			handle(line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// parse reads one request. When it is malformed, the id is given if it can be read at all.
func parse(line []byte) (request, error) {
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		var only struct {
			ID string `json:"id"`
		}
		_ = json.Unmarshal(line, &only)
		return request{ID: only.ID}, fail(codeBadRequest, "the request is not valid: "+err.Error())
	}
	if r.ID == "" {
		return r, fail(codeBadRequest, "the request has no id")
	}
	return r, nil
}
