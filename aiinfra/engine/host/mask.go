package main

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// mask hides the secret values of one operation in the texts that are said about it. Pulumi masks secrets in
// properties, not in a provider's or a program's messages.
//
// A text that is a secret by itself is hidden. A text inside a list or an object that is one secret as a whole is
// hidden too, unless it also stands in the clear somewhere in the state: then it is an ordinary word, and no secret.
type mask struct {
	lock   sync.RWMutex
	hidden map[string]bool // secrets
	inside map[string]bool // texts of lists and objects that are secret as a whole
	clear  map[string]bool // texts that are no secret
}

// own is how the names of properties begin that a plugin keeps for itself: `__inputs`, `__defaults`.
const own = "__"

// shortest is the length below which a secret is not hidden in texts: `true` or `1` would hide half of what is said.
const shortest = 6

// credential is what a token inside a longer secret (a kubeconfig) looks like.
var credential = regexp.MustCompile(`[A-Za-z0-9+/_.=-]{20,}`)

// learn takes the secrets of a raw event.
func (m *mask) learn(e engine.Event) {
	switch p := e.Payload().(type) {
	case engine.ResourcePreEventPayload:
		m.learnStep(p.Metadata)
	case engine.ResourceOutputsEventPayload:
		m.learnStep(p.Metadata)
	case engine.ResourceOperationFailedPayload:
		m.learnStep(p.Metadata)
	}
}

func (m *mask) learnStep(step engine.StepEventMetadata) {
	for _, side := range []*engine.StepEventStateMetadata{step.Old, step.New} {
		if side != nil && side.State != nil {
			m.learnProperties(side.State.Inputs)
			m.learnProperties(side.State.Outputs)
		}
	}
}

// learnProperties takes the secrets of one resource. The official Kubernetes plugin keeps a second copy of a release's
// inputs as one secret (pulumi-kubernetes v4.32.0 provider/pkg/provider/helm_release.go, checkpointRelease), so of what
// a plugin keeps for itself only what is secret in it counts.
func (m *mask) learnProperties(properties resource.PropertyMap) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.hidden == nil {
		m.hidden, m.inside, m.clear = map[string]bool{}, map[string]bool{}, map[string]bool{}
	}
	for key, value := range properties {
		if strings.HasPrefix(string(key), own) && value.IsSecret() {
			value = value.SecretValue().Element
		}
		m.learnValue(value, m.clear)
	}
}

// learnValue takes the texts of a value into the set of what is around it, and secrets in it into theirs.
func (m *mask) learnValue(value resource.PropertyValue, into map[string]bool) {
	switch {
	case value.IsSecret():
		m.learnSecret(value.SecretValue().Element)
	case value.IsOutput() && value.OutputValue().Secret:
		m.learnSecret(value.OutputValue().Element)
	case value.IsOutput():
		m.learnValue(value.OutputValue().Element, into)
	case value.IsArray():
		for _, element := range value.ArrayValue() {
			m.learnValue(element, into)
		}
	case value.IsObject():
		for _, element := range value.ObjectValue() {
			m.learnValue(element, into)
		}
	case value.IsString():
		put(value.StringValue(), into)
	}
}

func (m *mask) learnSecret(value resource.PropertyValue) {
	if value.IsString() {
		put(value.StringValue(), m.hidden)
	} else {
		m.learnValue(value, m.inside)
	}
}

// add takes a secret that the caller knows.
func (m *mask) add(secret string) {
	m.learnProperties(resource.PropertyMap{"": resource.MakeSecret(resource.NewProperty(secret))})
}

// put takes a text, and the credentials in it.
func put(text string, into map[string]bool) {
	if into[text] {
		return
	}
	if len(text) >= shortest {
		into[text] = true
	}
	for _, part := range credential.FindAllString(text, -1) {
		if strings.ContainsAny(part, "0123456789") && strings.ToLower(part) != part {
			into[part] = true
		}
	}
}

// hide replaces secrets, the longer ones first: of one that begins with another nothing must remain.
func (m *mask) hide(text string) string {
	m.lock.RLock()
	defer m.lock.RUnlock()
	found := []string{}
	for secret := range m.hidden {
		if strings.Contains(text, secret) {
			found = append(found, secret)
		}
	}
	for secret := range m.inside {
		if !m.clear[secret] && strings.Contains(text, secret) {
			found = append(found, secret)
		}
	}
	slices.SortFunc(found, func(a, b string) int { return len(b) - len(a) })
	for _, secret := range found {
		text = strings.ReplaceAll(text, secret, "[secret]")
	}
	return text
}
