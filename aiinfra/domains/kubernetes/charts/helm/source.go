package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/registry"
	"sigs.k8s.io/yaml"
)

const (
	connectLimit = 5 * time.Second
	limit        = 2 * time.Minute
	maxBytes     = 64 << 20
)

// loadedChart is a chart and, for charts that come as an archive, its bytes.
type loadedChart struct {
	chart   *chart.Chart
	about   about
	archive []byte
}

// load gets the chart of a request.
func load(asked request) (*loadedChart, *problem) {
	archive, found := obtain(asked)
	if found != nil {
		return nil, found
	}
	made, err := read(asked, archive)
	if err != nil {
		return nil, &problem{"invalid", fmt.Sprintf("%s is no chart: %s", asked.Chart, err)}
	}
	named := about{made.Name(), made.Metadata.Version, made.Metadata.AppVersion, ""}
	if archive != nil {
		sum := sha256.Sum256(archive)
		named.SHA256 = hex.EncodeToString(sum[:])
	}
	if asked.Save != "" {
		if err := os.WriteFile(asked.Save, archive, 0o644); err != nil {
			return nil, &problem{"invalid", err.Error()}
		}
	}
	return &loadedChart{made, named, archive}, nil
}

func read(asked request, archive []byte) (*chart.Chart, error) {
	if archive == nil {
		return loader.LoadDir(asked.Chart)
	}
	return loader.LoadArchive(bytes.NewReader(archive))
}

// obtain returns the archive; nil for a chart that is a folder.
func obtain(asked request) ([]byte, *problem) {
	switch {
	case registry.IsOCI(asked.Chart):
		return pull(asked)
	case asked.Repository != "":
		return fromRepository(asked)
	case strings.HasPrefix(asked.Chart, "https://"), strings.HasPrefix(asked.Chart, "http://"):
		return download(asked, asked.Chart)
	}
	info, err := os.Stat(asked.Chart)
	if err == nil && info.IsDir() {
		return nil, nil
	}
	archive, err := os.ReadFile(asked.Chart)
	if err != nil {
		return nil, &problem{"absent", err.Error()}
	}
	return archive, nil
}

// pull gets a chart from an OCI registry, as Helm does.
func pull(asked request) ([]byte, *problem) {
	client, err := httpClient(asked)
	if err != nil {
		return nil, &problem{"invalid", err.Error()}
	}
	options := []registry.ClientOption{
		registry.ClientOptHTTPClient(client), registry.ClientOptWriter(io.Discard),
		registry.ClientOptCredentialsFile(os.DevNull),
	}
	if asked.User != "" {
		options = append(options, registry.ClientOptBasicAuth(asked.User, asked.Password))
	}
	made, err := registry.NewClient(options...)
	if err != nil {
		return nil, &problem{"invalid", err.Error()}
	}
	reference := strings.TrimPrefix(asked.Chart, registry.OCIScheme+"://")
	if asked.Version != "" {
		reference += ":" + strings.ReplaceAll(asked.Version, "+", "_")
	}
	pulled, err := made.Pull(reference)
	if err != nil {
		found := refusal(asked.Chart+" "+asked.Version, err)
		if found.Kind == "absent" {
			found.Message = fmt.Sprintf("%s has no version %s", asked.Chart, asked.Version)
		}
		return nil, found
	}
	return pulled.Chart.Data, nil
}

// index is the part of a repository's index.yaml that says where archives are.
type index struct {
	Entries map[string][]struct {
		Version string   `json:"version"`
		URLs    []string `json:"urls"`
	} `json:"entries"`
}

func fromRepository(asked request) ([]byte, *problem) {
	base := strings.TrimSuffix(asked.Repository, "/") + "/"
	raw, found := download(asked, base+"index.yaml")
	if found != nil {
		return nil, found
	}
	var listed index
	if err := yaml.Unmarshal(raw, &listed); err != nil {
		return nil, &problem{"invalid", fmt.Sprintf("%sindex.yaml cannot be read: %s", base, err)}
	}
	for _, entry := range listed.Entries[asked.Chart] {
		if !sameVersion(entry.Version, asked.Version) || len(entry.URLs) == 0 {
			continue
		}
		target, err := resolve(base, entry.URLs[0])
		if err != nil {
			return nil, &problem{"invalid", err.Error()}
		}
		return download(asked, target)
	}
	return nil, &problem{"absent", fmt.Sprintf("the repository %s has no chart %s %s", asked.Repository, asked.Chart, asked.Version)}
}

// sameVersion compares as Helm does: v26.7.0 is 26.7.0.
func sameVersion(one, other string) bool {
	first, err := semver.NewVersion(one)
	second, failed := semver.NewVersion(other)
	return one == other || (err == nil && failed == nil && first.Equal(second))
}

func resolve(base, reference string) (string, error) {
	from, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	to, err := url.Parse(reference)
	if err != nil {
		return "", err
	}
	return from.ResolveReference(to).String(), nil
}

// download gets a URL. Credentials go to the host of the chart's source alone.
func download(asked request, target string) ([]byte, *problem) {
	client, err := httpClient(asked)
	if err != nil {
		return nil, &problem{"invalid", err.Error()}
	}
	ask, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		return nil, &problem{"invalid", err.Error()}
	}
	if asked.User != "" && sameHost(target, sourceOf(asked)) {
		ask.SetBasicAuth(asked.User, asked.Password)
	}
	got, err := client.Do(ask)
	if err != nil {
		return nil, refusal(target, err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		kind := "unreachable"
		if got.StatusCode == http.StatusNotFound {
			kind = "absent"
		}
		return nil, &problem{kind, fmt.Sprintf("%s answers %s", target, got.Status)}
	}
	archive, err := io.ReadAll(io.LimitReader(got.Body, maxBytes))
	if err != nil {
		return nil, refusal(target, err)
	}
	return archive, nil
}

func sourceOf(asked request) string {
	if asked.Repository != "" {
		return asked.Repository
	}
	return asked.Chart
}

func sameHost(target, source string) bool {
	one, err := url.Parse(target)
	other, failed := url.Parse(source)
	return err == nil && failed == nil && one.Scheme == other.Scheme && one.Host == other.Host
}

func httpClient(asked request) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: connectLimit}).DialContext
	if asked.CA != "" {
		pem, err := os.ReadFile(asked.CA)
		if err != nil {
			return nil, err
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", asked.CA)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport, Timeout: limit}, nil
}

func refusal(target string, err error) *problem {
	var failed *url.Error
	message := err.Error()
	if errors.As(err, &failed) {
		message = failed.Err.Error()
	}
	kind := "unreachable"
	if strings.HasSuffix(message, ": not found") || strings.HasSuffix(message, "404") {
		kind = "absent"
	}
	return &problem{kind, fmt.Sprintf("%s: %s", target, message)}
}
