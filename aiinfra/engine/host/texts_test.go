package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func TestSecretsAreHiddenInTexts(t *testing.T) {
	token := "eyJhbGciOiJSUzI1NiIsImtpZCI6Ik" + "9XdW1fa"
	m := &mask{}
	m.learnProperties(resource.PropertyMap{
		"password": resource.MakeSecret(resource.NewProperty("Pa55word")),
		"deep": resource.NewProperty(resource.PropertyMap{"list": resource.NewProperty([]resource.PropertyValue{
			resource.MakeSecret(resource.NewProperty(resource.PropertyMap{"pin": resource.NewProperty("pin-4711")})),
		})}),
		"kubeconfig": resource.MakeSecret(resource.NewProperty("server: https://127.0.0.1:6443\ntoken: " + token + "\n")),
		"short":      resource.MakeSecret(resource.NewProperty("yes")),
		"unknown":    resource.MakeSecret(resource.MakeComputed(resource.NewProperty(""))),
		"plain":      resource.NewProperty("visible"),
	})
	for said, want := range map[string]string{
		"login with Pa55word refused":                   "login with [secret] refused",
		"pin-4711 is wrong":                             "[secret] is wrong",
		"Bearer " + token + " expired":                  "Bearer [secret] expired",
		"yes, https://127.0.0.1:6443 is visible":        "yes, https://127.0.0.1:6443 is visible",
		"certificate-authority-data of visible missing": "certificate-authority-data of visible missing",
	} {
		if got := m.hide(said); got != want {
			t.Errorf("%q became %q", said, got)
		}
	}
}

func TestWhatAPluginKeepsOfItsInputsIsNoSecretByItself(t *testing.T) {
	inputs := func() resource.PropertyMap {
		return resource.PropertyMap{
			"name":     resource.NewProperty("gpu-operator"),
			"password": resource.MakeSecret(resource.NewProperty("Pa55word")),
		}
	}
	m := &mask{}
	m.learnProperties(inputs())
	m.learnProperties(resource.PropertyMap{
		"name":     resource.NewProperty("gpu-operator"),
		"__inputs": resource.MakeSecret(resource.NewProperty(inputs())),
	})
	if got := m.hide(`Helm release "gpu-operator/gpu-operator": Pa55word`); got != `Helm release "gpu-operator/gpu-operator": [secret]` {
		t.Error(got)
	}
}

func TestAnOrdinaryWordInASecretListIsNotHidden(t *testing.T) {
	m := &mask{}
	login := resource.PropertyMap{"user": resource.NewProperty("administrator"), "pin": resource.NewProperty("pin-4711")}
	m.learnProperties(resource.PropertyMap{
		"login": resource.MakeSecret(resource.NewProperty(login)),
		"role":  resource.NewProperty("administrator"),
	})
	if got := m.hide("administrator with pin-4711"); got != "administrator with [secret]" {
		t.Error(got)
	}
	m.learnProperties(resource.PropertyMap{"word": resource.MakeSecret(resource.NewProperty("administrator"))})
	if got := m.hide("administrator"); got != "[secret]" {
		t.Error("what is secret by itself is hidden, wherever else it stands:", got)
	}
}

func TestOfASecretThatBeginsWithAnotherNothingRemains(t *testing.T) {
	m := &mask{}
	for _, secret := range []string{"Pa55word", "Pa55word-of-ada", "Pa55word-of"} {
		m.add(secret)
	}
	if got := m.hide("login with Pa55word-of-ada"); got != "login with [secret]" {
		t.Error(got)
	}
}

func TestALockedStackNamesItsHolder(t *testing.T) {
	err := fail("", "the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete "+
		"the lock file with `pulumi cancel`.\n  file:///s/.pulumi/locks/x.json: created by ada@gpu-1 (pid 7) at 2026-11-01T10:00:00Z")
	got := stateFailure("net", &plain{err.Message})
	if got.Code != codeLocked || got.Message != "stack net is locked: by ada@gpu-1 (pid 7) at 2026-11-01T10:00:00Z" {
		t.Error(got.Code, got.Message)
	}
}

type plain struct{ text string }

func (p *plain) Error() string { return p.text }

func TestOlderS3ParametersAreTaken(t *testing.T) {
	t.Setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "")
	for given, want := range map[string]string{
		"region=eu-west-1":                     "region=eu-west-1",
		"endpoint=minio:9000&disableSSL=true":  "disable_https=true&endpoint=http://minio:9000&request_checksum_calculation=when_required",
		"endpoint=https://s3.example":          "endpoint=https://s3.example&request_checksum_calculation=when_required",
		"endpoint=s3.example&disableSSL=false": "endpoint=https://s3.example&request_checksum_calculation=when_required",
	} {
		query, err := url.ParseQuery(given)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := url.QueryUnescape(modernS3(query).Encode()); got != want {
			t.Errorf("%s became %s", given, got)
		}
	}
}

func TestTheRootOfAFileURL(t *testing.T) {
	t.Setenv("HOME", "/home/ada")
	for address, want := range map[string]string{
		"file:///var/state":               "/var/state",
		"file:///var/state?no_tmp_dir=on": "/var/state",
		"s3://bucket":                     "",
	} {
		if got, err := (&storage{url: address}).root(); err != nil || got != want {
			t.Errorf("%s: %s, %v", address, got, err)
		}
	}
	if got, err := (&storage{url: "file://~/state"}).root(); err != nil || !strings.HasSuffix(got, "/state") || got == "~/state" {
		t.Errorf("~: %s, %v", got, err)
	}
}

func TestOutputsKeepSecretsAndUnknownsAtAnyDepth(t *testing.T) {
	got, err := encodeTree(resource.PropertyMap{"a": resource.NewProperty(resource.PropertyMap{
		"hidden":  resource.MakeSecret(resource.NewProperty("x")),
		"later":   resource.MakeSecret(resource.MakeComputed(resource.NewProperty(""))),
		"numbers": resource.NewProperty([]resource.PropertyValue{resource.NewProperty(3.0), resource.MakeComputed(resource.NewProperty(""))}),
	})})
	want := `{"a":{"hidden":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","value":"x"},` +
		`"later":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","value":"04da6b54-80e4-46f7-96ec-b56ff0331ba9"},` +
		`"numbers":[3,"04da6b54-80e4-46f7-96ec-b56ff0331ba9"]}}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}

func TestAStateThatIsNotHereIsSaidShortly(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: &plain{"connection refused"}}
	if got := outside(fmt.Errorf("read meta: operation error S3: exceeded attempts: %w", refused)); got != "the state does not answer: dial tcp: connection refused" {
		t.Error(got)
	}
	if got := outside(fmt.Errorf("read meta: %w", denied{})); got != "the state refused: AccessDenied: not you" {
		t.Error(got)
	}
}

func TestTheParametersOfAURLAreNotSaid(t *testing.T) {
	for said, want := range map[string]string{
		`open bucket s3://states/a?endpoint=http%3A%2F%2Fme:pw%40h&nope=1: unknown query parameter "nope"`: `open bucket s3://states/a: unknown query parameter "nope"`,
		`for URL "s3://me:pw@states?x=1"; available`:                                                       `for URL "s3://states"; available`,
		"is this right? file:///a: no":                                                                     "is this right? file:///a: no",
	} {
		if got := outside(&plain{said}); got != want {
			t.Errorf("%q became %q", said, got)
		}
	}
	silent := fmt.Errorf("read meta: %w", context.DeadlineExceeded)
	if got := outside(silent); got != "the state does not answer: no answer within 25 s" {
		t.Error(got)
	}
}

type denied struct{ error }

func (denied) ErrorCode() string    { return "AccessDenied" }
func (denied) ErrorMessage() string { return "not you" }

func TestADamagedStateIsSaidAsSuch(t *testing.T) {
	got := stateFailure("net", &plain{"failed to load checkpoint: place 1: unexpected end of JSON input"})
	want := "the state of stack net is damaged: failed to load checkpoint: place 1: unexpected end of JSON input"
	if got.Code != codeDamaged || got.Message != want {
		t.Error(got.Code, got.Message)
	}
}

func TestAStateOfAnotherFormatIsSaidAsSuch(t *testing.T) {
	for meta, want := range map[string]string{"version: 2\n": codeNewer, "version: 0\n": codeLegacy} {
		root := t.TempDir()
		e := newTestEnvironment(t, root, "x")
		if err := e.storage.write(t.Context(), ".pulumi/meta.yaml", []byte(meta)); err != nil {
			t.Fatal(err)
		}
		_, err := e.find(t.Context(), "s")
		if got := asFailure(err, codeFailed); got.Code != want {
			t.Errorf("%q: %s, %s", meta, got.Code, got.Message)
		}
	}
}
