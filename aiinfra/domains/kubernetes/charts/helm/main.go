// Command aiinfra-helm renders one chart with Helm's own engine: a request as JSON on standard input, an answer as JSON
// on standard output. It reaches what the request names and writes only to the path that it asks for.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"helm.sh/helm/v3/pkg/chartutil"
)

// version is Helm's, whose engine this is.
const version = "3.22.0"

// request names a chart and what to do with it.
type request struct {
	// Chart is a path, an URL of an archive, an oci:// reference, or a name in Repository.
	Chart      string `json:"chart"`
	Repository string `json:"repository"`
	Version    string `json:"version"`
	User       string `json:"user"`
	Password   string `json:"password"`
	// CA is the path of a PEM file with authorities to trust besides the system's.
	CA string `json:"ca"`
	// Save is where the archive is written; empty for nowhere.
	Save        string                 `json:"save"`
	Name        string                 `json:"name"`
	Namespace   string                 `json:"namespace"`
	APIVersions []string               `json:"api_versions"`
	KubeVersion string                 `json:"kube_version"`
	Values      map[string]interface{} `json:"values"`
}

// answer is what became of it; Problem is empty when the chart was rendered.
type answer struct {
	Chart    about                  `json:"chart"`
	Defaults map[string]interface{} `json:"defaults"`
	// Named are the paths of values that templates name.
	Named [][]string `json:"named"`
	// Unknown are paths of values that the chart has no use for.
	Unknown [][]string               `json:"unknown"`
	Objects []map[string]interface{} `json:"objects"`
	Hooks   []map[string]interface{} `json:"hooks"`
	CRDs    []map[string]interface{} `json:"crds"`
	Problem *problem                 `json:"problem"`
}

type about struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	AppVersion string `json:"appVersion"`
	// SHA256 is that of the archive; empty for a folder.
	SHA256 string `json:"sha256"`
}

// problem says why there is no rendering. Kind is unreachable, absent, invalid, schema or refused.
type problem struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

func (p *problem) Error() string { return p.Message }

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		fmt.Printf("aiinfra-helm %s\n", version)
		return
	}
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fmt.Fprintln(os.Stderr, "the request cannot be read:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(respond(asked)); err != nil {
		fmt.Fprintln(os.Stderr, "the answer cannot be written:", err)
		os.Exit(1)
	}
}

func respond(asked request) answer {
	var made answer
	loaded, found := load(asked)
	if found != nil {
		made.Problem = found
		return made
	}
	made.Chart = loaded.about
	defaults, err := chartutil.CoalesceValues(loaded.chart, map[string]interface{}{})
	if err != nil {
		made.Problem = &problem{"invalid", err.Error()}
		return made
	}
	made.Defaults, made.Named = defaults, valuesNamed(loaded.chart, nil)
	if made.CRDs, found = definitions(loaded.chart); found != nil {
		made.Problem = found
		return made
	}
	made.Problem = renderInto(&made, loaded, asked)
	return made
}
