package main

import (
	"regexp"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// mask hides the secret values of one operation in the texts that are said about it. Pulumi masks secrets in
// properties, not in a provider's or a program's messages.
type mask struct {
	lock   sync.RWMutex
	hidden map[string]bool
}

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

func (m *mask) learnProperties(properties resource.PropertyMap) {
	for _, value := range properties {
		m.learnValue(value, false)
	}
}

func (m *mask) learnValue(value resource.PropertyValue, secret bool) {
	switch {
	case value.IsSecret():
		m.learnValue(value.SecretValue().Element, true)
	case value.IsOutput():
		m.learnValue(value.OutputValue().Element, secret || value.OutputValue().Secret)
	case value.IsArray():
		for _, element := range value.ArrayValue() {
			m.learnValue(element, secret)
		}
	case value.IsObject():
		for _, element := range value.ObjectValue() {
			m.learnValue(element, secret)
		}
	case value.IsString() && secret:
		m.add(value.StringValue())
	}
}

func (m *mask) add(secret string) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.hidden == nil {
		m.hidden = map[string]bool{}
	}
	if m.hidden[secret] {
		return
	}
	if len(secret) >= shortest {
		m.hidden[secret] = true
	}
	for _, part := range credential.FindAllString(secret, -1) {
		if strings.ContainsAny(part, "0123456789") && strings.ToLower(part) != part {
			m.hidden[part] = true
		}
	}
}

func (m *mask) hide(text string) string {
	m.lock.RLock()
	defer m.lock.RUnlock()
	for secret := range m.hidden {
		text = strings.ReplaceAll(text, secret, "[secret]")
	}
	return text
}
