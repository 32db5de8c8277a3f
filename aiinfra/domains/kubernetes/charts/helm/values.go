package main

import (
	"encoding/json"
	"regexp"
	"sort"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
)

// unknownValues returns the paths of values that the chart does not use: its defaults and its schema do not have them,
// no template names their key, and the rendering without them is the same.
func unknownValues(loaded *loadedChart, asked request, defaults map[string]interface{}, text string) ([][]string, *problem) {
	var found [][]string
	for _, at := range undeclared(defaults, asked.Values, nil) {
		if declaredBySchema(loaded.chart, at) || namedByTemplates(loaded.chart, at) {
			continue
		}
		same, err := render(loaded, asked, without(asked.Values, at))
		if err != nil {
			return nil, err
		}
		if same.text == text {
			found = append(found, at)
		}
	}
	return found, nil
}

// undeclared returns the paths of given values that a map of defaults with other keys does not have.
func undeclared(known, given map[string]interface{}, at []string) [][]string {
	var found [][]string
	for _, key := range sortedKeys(given) {
		here := append(append([]string{}, at...), key)
		default_, there := known[key]
		inner, isMap := default_.(map[string]interface{})
		below, given := given[key].(map[string]interface{})
		switch {
		case !there:
			found = append(found, here)
		case isMap && given && len(inner) > 0:
			found = append(found, undeclared(inner, below, here)...)
		}
	}
	return found
}

func sortedKeys(values map[string]interface{}) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// declaredBySchema says whether values.schema.json of the chart, or of the subchart that the path begins with, has it.
func declaredBySchema(loaded *chart.Chart, at []string) bool {
	if len(at) > 1 {
		for _, below := range loaded.Dependencies() {
			if below.Name() == at[0] {
				return declaredBySchema(below, at[1:])
			}
		}
	}
	var schema map[string]interface{}
	if len(loaded.Schema) == 0 || json.Unmarshal(loaded.Schema, &schema) != nil {
		return false
	}
	for _, key := range at {
		properties, _ := schema["properties"].(map[string]interface{})
		below, there := properties[key].(map[string]interface{})
		if !there {
			return false
		}
		schema = below
	}
	return true
}

// namedByTemplates says whether a template of the chart, or of the subchart that the path begins with, may read a value:
// it names the value with what it is in, or uses that as a whole and names the key alone.
func namedByTemplates(loaded *chart.Chart, at []string) bool {
	if len(at) > 1 {
		for _, below := range loaded.Dependencies() {
			if below.Name() == at[0] {
				return namedByTemplates(below, at[1:])
			}
		}
	}
	parent, key := "Values", at[len(at)-1]
	if len(at) > 1 {
		parent = at[len(at)-2]
	}
	both := named(loaded, `\.`+regexp.QuoteMeta(parent)+`\.`+regexp.QuoteMeta(key)+`\b`)
	whole := len(at) > 1 && named(loaded, `\.`+regexp.QuoteMeta(parent)+`([^.\w-]|$)`)
	return both || named(loaded, `"`+regexp.QuoteMeta(key)+`"`) || whole && named(loaded, `\.`+regexp.QuoteMeta(key)+`\b`)
}

var value = regexp.MustCompile(`\.Values((?:\.[A-Za-z_][A-Za-z0-9_-]*)+)`)

// valuesNamed returns the path of each value that templates of the chart and its subcharts name, once each.
func valuesNamed(loaded *chart.Chart, at []string) [][]string {
	seen := map[string]bool{}
	var found [][]string
	for _, file := range loaded.Templates {
		for _, match := range value.FindAllStringSubmatch(string(file.Data), -1) {
			if path := match[1]; !seen[path] {
				seen[path] = true
				found = append(found, append(append([]string{}, at...), strings.Split(path[1:], ".")...))
			}
		}
	}
	for _, below := range loaded.Dependencies() {
		found = append(found, valuesNamed(below, append(append([]string{}, at...), below.Name()))...)
	}
	return found
}

func named(loaded *chart.Chart, pattern string) bool {
	wanted := regexp.MustCompile(pattern)
	for _, file := range loaded.Templates {
		if wanted.Match(file.Data) {
			return true
		}
	}
	return false
}

func without(values map[string]interface{}, at []string) map[string]interface{} {
	made := make(map[string]interface{}, len(values))
	for key, value := range values {
		switch below, isMap := value.(map[string]interface{}); {
		case key != at[0]:
			made[key] = value
		case len(at) > 1 && isMap:
			made[key] = without(below, at[1:])
		}
	}
	return made
}

// copyOf copies maps, which Helm changes while it renders.
func copyOf(values map[string]interface{}) map[string]interface{} {
	made := make(map[string]interface{}, len(values))
	for key, value := range values {
		if below, isMap := value.(map[string]interface{}); isMap {
			value = copyOf(below)
		}
		made[key] = value
	}
	return made
}
