package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// A schema checks values against docs/json.schema.json. It knows the words of
// JSON Schema that the file uses, and fails on others.
type schema struct {
	root map[string]any
}

func loadSchema(t *testing.T) *schema {
	t.Helper()
	b, err := os.ReadFile("../../../../docs/json.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(b, &s.root); err != nil {
		t.Fatal(err)
	}
	return &s
}

// check returns what is wrong with v, or "".
func (s *schema) check(node map[string]any, v any) string {
	for word, want := range node {
		if bad := s.word(node, word, want, v); bad != "" {
			return bad
		}
	}
	return ""
}

func (s *schema) word(node map[string]any, word string, want, v any) string {
	switch word {
	case "$schema", "$id", "$defs", "title", "description":
		return ""
	case "$ref":
		name := strings.TrimPrefix(want.(string), "#/$defs/")
		return s.check(s.root["$defs"].(map[string]any)[name].(map[string]any), v)
	case "oneOf", "anyOf":
		return s.choice(word, want.([]any), v)
	case "const":
		return unless(reflect.DeepEqual(v, want), "%v is not %v", v, want)
	case "enum":
		return unless(slices.Contains(want.([]any), v), "%v is not of %v", v, want)
	case "type":
		return unless(hasType(want, v), "%v is not of type %v", v, want)
	case "pattern":
		text, ok := v.(string)
		return unless(ok && regexp.MustCompile(want.(string)).MatchString(text), "%v does not match %v", v, want)
	case "minLength":
		text, ok := v.(string)
		return unless(!ok || float64(utf8.RuneCountInString(text)) >= want.(float64), "%q is too short", text)
	case "minimum":
		n, ok := v.(float64)
		return unless(!ok || n >= want.(float64), "%v is below %v", v, want)
	case "maximum":
		n, ok := v.(float64)
		return unless(!ok || n <= want.(float64), "%v is above %v", v, want)
	case "items":
		return s.items(want.(map[string]any), v)
	case "required", "properties", "additionalProperties":
		object, ok := v.(map[string]any)
		if !ok {
			return "" // type decides whether it may be something else
		}
		return s.object(node, word, object)
	}
	return "the test does not know the word " + word
}

func (s *schema) items(node map[string]any, v any) string {
	list, _ := v.([]any) // type decides whether it may be something else
	for i, item := range list {
		if bad := s.check(node, item); bad != "" {
			return fmt.Sprintf("item %d: %s", i, bad)
		}
	}
	return ""
}

func (s *schema) object(node map[string]any, word string, v map[string]any) string {
	properties, _ := node["properties"].(map[string]any)
	switch word {
	case "required":
		for _, key := range node["required"].([]any) {
			if _, ok := v[key.(string)]; !ok {
				return fmt.Sprintf("no %v", key)
			}
		}
	case "additionalProperties":
		for key := range v {
			if properties[key] == nil {
				return "unknown key " + key
			}
		}
	case "properties":
		for key, sub := range properties {
			value, ok := v[key]
			if !ok {
				continue
			}
			if bad := s.check(sub.(map[string]any), value); bad != "" {
				return key + ": " + bad
			}
		}
	}
	return ""
}

func (s *schema) choice(word string, subs []any, v any) string {
	fits, why := 0, []string{}
	for _, sub := range subs {
		if bad := s.check(sub.(map[string]any), v); bad != "" {
			why = append(why, bad)
			continue
		}
		fits++
	}
	return unless(fits == 1 || fits > 1 && word == "anyOf", "%d of %s fit: %s", fits, word, strings.Join(why, "; "))
}

func hasType(want, v any) bool {
	types, ok := want.([]any)
	if !ok {
		types = []any{want}
	}
	n, number := v.(float64)
	return slices.ContainsFunc(types, func(t any) bool {
		switch t {
		case "null":
			return v == nil
		case "number":
			return number
		case "integer":
			return number && n == math.Trunc(n)
		case "string":
			_, ok := v.(string)
			return ok
		case "boolean":
			_, ok := v.(bool)
			return ok
		case "array":
			_, ok := v.([]any)
			return ok
		case "object":
			_, ok := v.(map[string]any)
			return ok
		}
		return false
	})
}

func unless(ok bool, format string, args ...any) string {
	if ok {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// TestSchema holds every line that can be rendered against the schema, and the
// schema against the lines: each event that it defines is among them.
func TestSchema(t *testing.T) {
	s := loadSchema(t)
	seen := map[string]bool{}
	for line := range bytes.Lines(slices.Concat(jsonLines(), traceLines(), pmtuLines(), captureLines(t), compareLines(), explainLines(), sendLines(t))) {
		var v map[string]any
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if bad := s.check(s.root, v); bad != "" {
			t.Errorf("%s%s", line, bad)
		}
		for _, sub := range s.root["oneOf"].([]any) {
			ref := sub.(map[string]any)
			seen[ref["$ref"].(string)] = seen[ref["$ref"].(string)] || s.check(ref, v) == ""
		}
	}
	for ref, ok := range seen {
		if !ok {
			t.Errorf("no line shows %s", ref)
		}
	}
}

// TestSchemaRefuses makes sure that the check can fail.
func TestSchemaRefuses(t *testing.T) {
	s := loadSchema(t)
	for _, line := range []string{
		`{}`,
		`{"event":"nonsense"}`,
		`{"event":"lost","target":"a","seq":1}`,
		`{"event":"lost","target":"a","seq":1.5,"time":"2024-04-05T19:35:22.123456789Z"}`,
		`{"event":"lost","target":"a","seq":65536,"time":"2024-04-05T19:35:22.123456789Z"}`,
		`{"event":"lost","target":"a","seq":1,"time":"2024-04-05T19:35:22Z"}`,
		`{"event":"lost","target":"a","seq":1,"time":"2024-04-05T19:35:22.123456789Z","more":1}`,
		`{"event":"stray","from":1,"why":"x"}`,
		`{"event":"hop","ttl":0,"probes":[]}`,
		`{"event":"hop","ttl":1,"probes":[{"lost":true,"open":true}]}`,
		`{"event":"hop","ttl":1,"probes":[{}]}`,
		`{"event":"hop","ttl":1,"probes":[{"from":"192.0.2.1","lost":true}]}`,
		`{"event":"packet","frame":1,"time":null,"len":1}`,
		`{"event":"packet","frame":1,"time":null,"len":1,"caplen":1,"ip":{}}`,
		`{"event":"packet","frame":1,"time":null,"len":1,"caplen":1,"ip":{"v":4,"hlim":1}}`,
		`{"event":"packet","frame":1,"time":null,"len":1,"caplen":1,"icmp":{"v":4,"len":8,"sum":"0x16f"}}`,
		`{"event":"packet","frame":1,"time":null,"len":1,"caplen":1,"icmp":{"v":4,"len":8,"sum_status":"fine"}}`,
		`{"event":"packet","frame":1,"time":null,"len":1,"caplen":1,"malformed":["truncated"]}`,
		`{"event":"pair","kind":"reply","request":0,"reply":2,"rtt_ns":1,"src":null,"dst":null}`,
		`{"event":"finding","code":"Not A Code","severity":"info","text":"x","evidence":{}}`,
	} {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		if s.check(s.root, v) == "" {
			t.Errorf("%s passes", line)
		}
	}
}
