package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pulumi/pulumi/pkg/v3/backend"
	"github.com/pulumi/pulumi/pkg/v3/resource/stack"
	"github.com/pulumi/pulumi/pkg/v3/secrets"
	"github.com/pulumi/pulumi/pkg/v3/secrets/b64"
	"github.com/pulumi/pulumi/pkg/v3/secrets/cloud"
	"github.com/pulumi/pulumi/pkg/v3/secrets/passphrase"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// keyring opens and makes what encrypts secrets: one salt (or one wrapped data key) per environment, so that its key
// is derived once per process, whatever the number of stacks. A derivation costs 0.16 CPU seconds.
type keyring struct {
	environment *environment
	fresh       func() (secrets.Manager, error) // a new salt or data key, made at most once and not yet noted

	lock     sync.Mutex
	opened   map[string]secrets.Manager // by type and state
	own      secrets.Manager
	provider string // what new secrets are written with: "passphrase" or the URL of a key service
}

func newKeyring(e *environment) *keyring {
	provider := e.Secrets
	if provider == "" || provider == "default" {
		provider = passphrase.Type
	}
	k := &keyring{environment: e, opened: map[string]secrets.Manager{}, provider: provider}
	k.fresh = sync.OnceValues(k.newManager)
	return k
}

// OfType opens the manager of a deployment that was read. Pulumi calls it.
func (k *keyring) OfType(_ context.Context, kind string, state json.RawMessage) (secrets.Manager, error) {
	k.lock.Lock()
	defer k.lock.Unlock()
	manager, err := k.load(kind, state)
	if err != nil {
		return nil, err
	}
	return stack.NewBatchingCachingSecretsManager(manager), nil
}

// existing gives the manager that the environment's stacks use, or nil when it has none yet. It writes nothing.
func (k *keyring) existing(ctx context.Context) (secrets.Manager, error) {
	k.lock.Lock()
	defer k.lock.Unlock()
	return k.find(ctx)
}

// forWriting gives the environment's manager and makes it where there is none.
func (k *keyring) forWriting(ctx context.Context) (secrets.Manager, error) {
	k.lock.Lock()
	defer k.lock.Unlock()
	found, err := k.find(ctx)
	if err != nil {
		return nil, err
	}
	if found == nil {
		if found, err = k.make(ctx); err != nil {
			return nil, err
		}
		k.own = found
	}
	return stack.NewBatchingCachingSecretsManager(found), nil
}

// forPreview gives the environment's manager; where there is none, one whose values are never written anywhere.
func (k *keyring) forPreview(ctx context.Context) (secrets.Manager, error) {
	found, err := k.existing(ctx)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return b64.NewBase64SecretsManager(), nil
	}
	return stack.NewBatchingCachingSecretsManager(found), nil
}

// warm derives the key while the caller still prepares its first operation: the one there is, or one that an
// environment without stacks may need next. An error comes up again there.
func (k *keyring) warm(ctx context.Context) {
	found, err := k.existing(ctx)
	if err == nil && found == nil && k.provider == passphrase.Type && k.environment.Passphrase != nil {
		_, err = k.fresh()
	}
	if err != nil {
		diary.Printf("opening the secrets of the environment: %v", err)
	}
}

func (k *keyring) find(ctx context.Context) (secrets.Manager, error) {
	if k.own != nil {
		return k.own, nil
	}
	described, err := k.described(ctx)
	if err != nil || described == nil {
		return nil, err
	}
	manager, err := k.load(described.Type, described.State)
	if err != nil {
		return nil, err
	}
	k.own = manager
	return manager, nil
}

// described says what the first stack's state is encrypted with, else what the note says.
func (k *keyring) described(ctx context.Context) (*apitype.SecretsProvidersV1, error) {
	b, err := k.environment.existing(ctx)
	if err != nil {
		return nil, err
	}
	if b != nil {
		found, err := k.ofStacks(ctx, b)
		if err != nil || found != nil {
			return found, err
		}
	}
	raw, err := k.environment.storage.read(ctx, k.noteKey())
	if err != nil || raw == nil {
		return nil, err
	}
	var noted apitype.SecretsProvidersV1
	if err := json.Unmarshal(raw, &noted); err != nil || !k.wanted(&noted) {
		return nil, err
	}
	return &noted, nil
}

func (k *keyring) ofStacks(ctx context.Context, b backend.Backend) (*apitype.SecretsProvidersV1, error) {
	refs, err := projectStacks(ctx, b, k.environment.Project)
	if err != nil {
		return nil, err
	}
	var damaged error // one damaged stack does not keep the others from being worked on
	for _, ref := range refs {
		found, err := b.GetStack(ctx, ref)
		if err != nil || found == nil {
			continue
		}
		deployment, err := readDeployment(ctx, b, found)
		if err != nil {
			damaged = err
			continue
		}
		if deployment.SecretsProviders != nil && k.wanted(deployment.SecretsProviders) {
			return deployment.SecretsProviders, nil
		}
	}
	return nil, damaged
}

// wanted tells whether new secrets may be written with what is described: a file may ask for another key service
// than the one that the existing stacks use.
func (k *keyring) wanted(described *apitype.SecretsProvidersV1) bool {
	if described.Type == cloud.Type {
		var state struct{ URL string }
		return json.Unmarshal(described.State, &state) == nil && state.URL == k.provider
	}
	return described.Type == k.provider
}

func (k *keyring) load(kind string, state json.RawMessage) (secrets.Manager, error) {
	id := kind + " " + string(state)
	if known := k.opened[id]; known != nil {
		return known, nil
	}
	manager, err := k.openManager(kind, state)
	if err != nil {
		return nil, err
	}
	k.opened[id] = manager
	return manager, nil
}

func (k *keyring) openManager(kind string, state json.RawMessage) (secrets.Manager, error) {
	switch kind {
	case passphrase.Type:
		var salted struct{ Salt string }
		if err := json.Unmarshal(state, &salted); err != nil {
			return nil, fmt.Errorf("reading the salt of the state: %w", err)
		}
		phrase, err := k.phrase()
		if err != nil {
			return nil, err
		}
		manager, err := passphrase.GetPassphraseSecretsManager(phrase, salted.Salt)
		if errors.Is(err, passphrase.ErrIncorrectPassphrase) {
			return nil, fail(codePassphrase, "the passphrase does not open the secrets of this state")
		}
		return manager, err
	case cloud.Type:
		return asked("the key service did not open the secrets of this state: ", func() (secrets.Manager, error) {
			return cloud.NewCloudSecretsManagerFromState(state)
		})
	}
	return nil, fail(codePassphrase, fmt.Sprintf("secrets of type %q are not supported", kind))
}

func (k *keyring) phrase() (string, error) {
	if k.environment.Passphrase == nil {
		return "", fail(codePassphrase, "the state is encrypted with a passphrase and none was given")
	}
	return *k.environment.Passphrase, nil
}

// make makes the environment's salt or data key and notes it beside the state, before any stack uses it. Of two
// processes that do so at once, the first one's is used.
func (k *keyring) make(ctx context.Context) (secrets.Manager, error) {
	made, err := k.fresh()
	if err != nil {
		return nil, err
	}
	note, err := json.Marshal(apitype.SecretsProvidersV1{Type: made.Type(), State: made.State()})
	if err != nil {
		return nil, err
	}
	key := k.noteKey()
	first, err := k.environment.storage.create(ctx, key, note)
	if err != nil {
		return nil, err
	}
	if first {
		k.opened[made.Type()+" "+string(made.State())] = made
		return made, nil
	}
	theirs, err := k.described(ctx)
	if err != nil {
		return nil, err
	}
	if theirs != nil {
		return k.load(theirs.Type, theirs.State)
	}
	return made, k.environment.storage.write(ctx, key, note) // the note was for another provider
}

func (k *keyring) newManager() (secrets.Manager, error) {
	if k.provider == passphrase.Type {
		phrase, err := k.phrase()
		if err != nil {
			return nil, err
		}
		_, made, err := passphrase.NewPassphraseSecretsManager(phrase)
		return made, err
	}
	return asked("the key service did not seal a data key: ", func() (secrets.Manager, error) {
		return cloud.NewCloudSecretsManager(&workspace.ProjectStack{}, k.provider, false)
	})
}

// asked asks a key service, for a while: Pulumi's managers take no context.
func asked(refused string, ask func() (secrets.Manager, error)) (secrets.Manager, error) {
	type answer struct {
		manager secrets.Manager
		err     error
	}
	answers := make(chan answer, 1)
	go func() {
		manager, err := ask()
		answers <- answer{manager, err}
	}()
	select {
	case got := <-answers:
		if got.err != nil {
			return nil, fail(codeKeyService, refused+shortly(got.err))
		}
		return got.manager, nil
	case <-time.After(patience):
		return nil, fail(codeKeyService, refused+errSilent.Error())
	}
}

func (k *keyring) noteKey() string { return notesRoot + k.environment.Project + "/secrets.json" }
