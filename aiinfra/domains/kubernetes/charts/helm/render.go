package main

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"
)

// rendering is what a chart makes of values.
type rendering struct {
	objects []map[string]interface{}
	hooks   []map[string]interface{}
	text    string
}

// renderInto fills an answer, as `helm install` renders before it asks a cluster.
func renderInto(made *answer, loaded *loadedChart, asked request) *problem {
	done, found := render(loaded, asked, asked.Values)
	if found != nil {
		return found
	}
	made.Objects, made.Hooks = done.objects, done.hooks
	unknown, found := unknownValues(loaded, asked, made.Defaults, done.text)
	made.Unknown = unknown
	return found
}

func render(loaded *loadedChart, asked request, values map[string]interface{}) (*rendering, *problem) {
	fresh, err := read(asked, loaded.archive) // as rendering changes a chart
	if err != nil {
		return nil, &problem{"invalid", err.Error()}
	}
	given := copyOf(values)
	if err := chartutil.ProcessDependenciesWithMerge(fresh, given); err != nil {
		return nil, &problem{"invalid", err.Error()}
	}
	able := chartutil.DefaultCapabilities.Copy()
	if asked.KubeVersion != "" {
		served, err := chartutil.ParseKubeVersion(asked.KubeVersion)
		if err != nil {
			return nil, &problem{"invalid", err.Error()}
		}
		able.KubeVersion = *served
	}
	able.APIVersions = append(able.APIVersions, asked.APIVersions...)
	if needs := fresh.Metadata.KubeVersion; needs != "" && !chartutil.IsCompatibleRange(needs, able.KubeVersion.String()) {
		return nil, &problem{"refused", fmt.Sprintf("the chart wants Kubernetes %s, and it is %s", needs, able.KubeVersion.String())}
	}
	release := chartutil.ReleaseOptions{Name: asked.Name, Namespace: asked.Namespace, Revision: 1, IsInstall: true}
	whole, err := chartutil.ToRenderValuesWithSchemaValidation(fresh, given, release, able, false)
	if err != nil {
		return nil, &problem{"schema", err.Error()}
	}
	files, err := engine.Engine{}.Render(fresh, whole)
	if err != nil {
		return nil, &problem{"refused", reason(err.Error())}
	}
	for name := range files {
		if path.Base(name) == "NOTES.txt" {
			delete(files, name)
		}
	}
	return sorted(files)
}

func sorted(files map[string]string) (*rendering, *problem) {
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return nil, &problem{"refused", err.Error()}
	}
	made := &rendering{}
	var whole strings.Builder
	for _, one := range manifests {
		if made.objects, err = with(made.objects, one.Content); err != nil {
			return nil, &problem{"refused", fmt.Sprintf("%s: %s", one.Name, err)}
		}
		whole.WriteString(one.Name + "\n" + one.Content + "\n")
	}
	for _, one := range hooks {
		if made.hooks, err = with(made.hooks, one.Manifest); err != nil {
			return nil, &problem{"refused", fmt.Sprintf("%s: %s", one.Path, err)}
		}
		whole.WriteString(one.Path + "\n" + one.Manifest + "\n")
	}
	made.text = whole.String()
	return made, nil
}

func with(objects []map[string]interface{}, document string) ([]map[string]interface{}, error) {
	var made map[string]interface{}
	if err := yaml.Unmarshal([]byte(document), &made); err != nil {
		return nil, err
	}
	if len(made) > 0 {
		objects = append(objects, made)
	}
	return objects, nil
}

var (
	failed   = regexp.MustCompile(`error calling (?:fail|required): (.*)$`)
	position = regexp.MustCompile(`^(?:template|execution error at) .*?: `)
)

// reason is the sentence of the chart's own `fail`, without the position in its templates, else the whole error.
func reason(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if found := failed.FindStringSubmatch(text); found != nil {
		return found[1]
	}
	if len(lines) == 1 && strings.HasPrefix(text, "execution error at (") {
		if _, said, there := strings.Cut(text, "): "); there {
			return said
		}
	}
	return position.ReplaceAllString(lines[len(lines)-1], "")
}

// definitions are the CRDs of the chart's crds folders.
func definitions(loaded *chart.Chart) ([]map[string]interface{}, *problem) {
	var made []map[string]interface{}
	for _, one := range loaded.CRDObjects() {
		for _, document := range releaseutil.SplitManifests(string(one.File.Data)) {
			var err error
			if made, err = with(made, document); err != nil {
				return nil, &problem{"invalid", fmt.Sprintf("%s: %s", one.Filename, err)}
			}
		}
	}
	return made, nil
}
