// The REST API, as far as clients of virtual machines need it: sessions, under the old path and the new one, and tags.
// The sessions and tags themselves are those of VMware's simulator.

package main

import (
	"bytes"
	"encoding/json"
	"log"
	"net/http"
	"strings"
	"sync"

	vapi "github.com/vmware/govmomi/vapi/simulator"
)

const (
	restSessionPath = "/rest/com/vmware/cis/session"
	apiSessionPath  = "/api/session"
	restTaggingPath = "/rest/com/vmware/cis/tagging/"
	sessionHeader   = "vmware-api-session-id" // also the name of the cookie
)

// restAPI admits to VMware's simulator of the REST API only who has logged in with the account.
type restAPI struct {
	world    *world
	vmware   http.Handler
	mu       sync.Mutex
	sessions map[string]bool
}

// newRestAPI needs the account in w.service.Listen.
func newRestAPI(w *world) *restAPI {
	_, vmware := vapi.New(w.service.Listen, w.registry)
	return &restAPI{world: w, vmware: vmware, sessions: map[string]bool{}}
}

// install answers all requests below /rest and /api.
func (r *restAPI) install(mux *http.ServeMux) {
	mux.HandleFunc(restSessionPath, r.oldSession)
	mux.HandleFunc(apiSessionPath, r.newSession)
	mux.HandleFunc(restTaggingPath, func(out http.ResponseWriter, in *http.Request) {
		if !r.loggedIn(in) {
			unauthenticated(out, in)
			return
		}
		r.vmware.ServeHTTP(out, in)
	})
	for _, rest := range []string{"/rest/", "/api", "/api/"} {
		mux.HandleFunc(rest, func(out http.ResponseWriter, in *http.Request) {
			log.Printf("the simulated vCenter has no REST method %s %s", in.Method, in.URL.Path)
			http.NotFound(out, in)
		})
	}
}

// oldSession is the session below /rest, whose answers are wrapped: {"value": "…"}.
func (r *restAPI) oldSession(out http.ResponseWriter, in *http.Request) {
	answer := r.session(in)
	if answer.status == http.StatusUnauthorized {
		unauthenticated(out, in)
		return
	}
	for key, values := range answer.header {
		out.Header()[key] = values
	}
	out.WriteHeader(answer.status)
	_, _ = out.Write(answer.body.Bytes())
}

// newSession is the session below /api (7.0 U2 and newer), whose answers are bare values.
func (r *restAPI) newSession(out http.ResponseWriter, in *http.Request) {
	old := in.Clone(in.Context())
	old.URL.Path = restSessionPath
	answer := r.session(old)
	switch {
	case answer.status == http.StatusUnauthorized:
		unauthenticated(out, in)
	case answer.status != http.StatusOK:
		out.WriteHeader(answer.status)
	case in.Method == http.MethodDelete:
		out.WriteHeader(http.StatusNoContent)
	default:
		out.Header().Set("Content-Type", "application/json")
		if in.Method == http.MethodPost {
			out.Header().Set(sessionHeader, answer.sessionID())
			out.WriteHeader(http.StatusCreated)
		}
		_, _ = out.Write(append(answer.value(), '\n'))
	}
}

// session opens, shows and ends sessions: POST with the account, POST with `~action=get` or GET, DELETE.
func (r *restAPI) session(in *http.Request) *restAnswer {
	answer := &restAnswer{status: http.StatusOK, header: http.Header{}}
	login := in.Method == http.MethodPost && in.URL.Query().Get("~action") == ""
	if login && !r.admits(in) || !login && !r.loggedIn(in) {
		answer.status = http.StatusUnauthorized
		return answer
	}
	r.vmware.ServeHTTP(answer, in)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case login && answer.status == http.StatusOK:
		r.sessions[answer.sessionID()] = true
	case in.Method == http.MethodDelete:
		delete(r.sessions, sessionOf(in))
	}
	return answer
}

// admits is true for the account and its password. Wrong ones count with those of SOAP towards the lock.
func (r *restAPI) admits(in *http.Request) bool {
	user, password, given := in.BasicAuth()
	return given && r.world.logins.refuse(user, password, r.world.description) == nil
}

func (r *restAPI) loggedIn(in *http.Request) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions[sessionOf(in)]
}

// endSessions logs everybody out.
func (r *restAPI) endSessions() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.sessions)
}

// sessionOf is the id of the session that a request names, in a header or a cookie.
func sessionOf(in *http.Request) string {
	if id := in.Header.Get(sessionHeader); id != "" {
		return id
	}
	if cookie, err := in.Cookie(sessionHeader); err == nil {
		return cookie.Value
	}
	return ""
}

// unauthenticated refuses a request in the form that its path has.
func unauthenticated(out http.ResponseWriter, in *http.Request) {
	messages := []map[string]any{{
		"args": []string{}, "default_message": "Authentication required.",
		"id": "com.vmware.vapi.endpoint.method.authentication.required",
	}}
	body := map[string]any{"error_type": "UNAUTHENTICATED", "messages": messages}
	if strings.HasPrefix(in.URL.Path, "/rest/") {
		body = map[string]any{"type": "com.vmware.vapi.std.errors.unauthenticated", "value": map[string]any{"messages": messages}}
	}
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(http.StatusUnauthorized)
	_ = json.NewEncoder(out).Encode(body)
}

// restAnswer keeps an answer of VMware's simulator instead of sending it.
type restAnswer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (a *restAnswer) Header() http.Header            { return a.header }
func (a *restAnswer) WriteHeader(status int)         { a.status = status }
func (a *restAnswer) Write(more []byte) (int, error) { return a.body.Write(more) }

// value is what the answer wraps, as JSON.
func (a *restAnswer) value() []byte {
	var wrapped struct {
		Value json.RawMessage `json:"value"`
	}
	_ = json.Unmarshal(a.body.Bytes(), &wrapped)
	return wrapped.Value
}

func (a *restAnswer) sessionID() string {
	var id string
	_ = json.Unmarshal(a.value(), &id)
	return id
}
