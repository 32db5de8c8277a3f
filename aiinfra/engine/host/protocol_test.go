package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestALineMayHaveAnyLength(t *testing.T) {
	for _, length := range []int{1, 70_000, 5_000_000} {
		input := strings.Repeat("x", length) + "\nlast"
		var lines []string
		if err := eachLine(strings.NewReader(input), func(line []byte) { lines = append(lines, string(line)) }); err != nil {
			t.Fatal(err)
		}
		if len(lines) != 2 || len(lines[0]) != length+1 || lines[1] != "last" {
			t.Errorf("a line of %d bytes came as %d lines", length, len(lines))
		}
	}
}

func TestParsingARequest(t *testing.T) {
	for line, want := range map[string]struct{ id, says string }{
		`{"id":"1","op":"up","stack":"s"}`: {"1", ""},
		`{`:                                {"", "the request is not valid: unexpected end of JSON input"},
		`{"id":"7","parallel":"many"}`:     {"7", "the request is not valid: "},
		`{"op":"up"}`:                      {"", "the request has no id"},
		`[]`:                               {"", "the request is not valid: "},
	} {
		r, err := parse([]byte(line))
		said := ""
		if err != nil {
			said = err.Error()
		}
		if r.ID != want.id || !strings.HasPrefix(said, want.says) || (want.says == "") != (said == "") {
			t.Errorf("%s: id %q, error %q", line, r.ID, said)
		}
	}
}

func TestEveryErrorHasACode(t *testing.T) {
	known := fmt.Errorf("while doing: %w", fail(codeLocked, "held"))
	if got := asFailure(known, codeState); got.Code != codeLocked {
		t.Errorf("a wrapped failure lost its code: %v", got)
	}
	if got := asFailure(errors.New("odd"), codeState); got.Code != codeState || got.Message != "odd" {
		t.Errorf("an error without a code became %v", got)
	}
}

func TestAReplyIsOneLine(t *testing.T) {
	var out bytes.Buffer
	newReplies(&out).say(reply{ID: "1", Done: true, Result: map[string]string{"a": "<b>\n"}})
	if got := out.String(); got != `{"id":"1","done":true,"result":{"a":"<b>\n"}}`+"\n" {
		t.Error(got)
	}
}

func TestACallerThatIsGoneIsNoError(t *testing.T) {
	newReplies(broken{}).say(reply{ID: "1", Done: true})
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// decodeLines reads what a host said.
func decodeLines(t *testing.T, raw []byte) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for _, line := range bytes.Split(bytes.TrimSpace(raw), []byte("\n")) {
		var decoded map[string]any
		if err := json.Unmarshal(line, &decoded); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		lines = append(lines, decoded)
	}
	return lines
}
