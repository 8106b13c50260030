package render

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/icmp"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/trace"
)

func TestTraceTextGolden(t *testing.T) {
	tests := []struct {
		file string
		text TraceText
	}{
		{"trace.golden", TraceText{Name: traceNames}},
		{"trace-numeric.golden", TraceText{Numeric: true, Name: traceNames}},
		{"trace-verbose.golden", TraceText{Verbose: true, Extensions: true, Back: true, Name: traceNames, AS: traceSystems}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			b := tt.text.AppendStart(tt.text.AppendStart(nil, &traceHost4), &traceHost6)
			for _, r := range append(traceRows(), markRows()...) {
				b = tt.text.AppendRow(b, &r)
			}
			for _, end := range traceResults() {
				b = append(b, "# "+end.about+"\n"...)
				for i := range end.rows {
					b = tt.text.AppendRow(b, &end.rows[i])
				}
				b = tt.text.AppendSummary(b, end.host, &end.res, end.notes)
			}
			b = append(b, "# status\n"...)
			b = append(b, bytes.ReplaceAll(tt.text.AppendStatus(nil, &traceHost4, 1, 7), []byte("\r"), nil)...)
			golden(t, tt.file, b)
		})
	}
}

// traceLines renders every start, row and end.
func traceLines() []byte {
	asked, silent := TraceJSON{Name: traceNames, AS: traceSystems}, TraceJSON{}
	b := silent.AppendStart(asked.AppendStart(nil, &traceHost4, t0), &traceHost6, t0)
	for _, r := range append(traceRows(), markRows()...) {
		b = asked.AppendRow(b, &r)
	}
	for _, end := range traceResults() {
		for i := range end.rows {
			b = silent.AppendRow(b, &end.rows[i])
		}
		b = silent.AppendSummary(b, end.host, &end.res, end.notes)
	}
	return b
}

func TestTraceJSONGolden(t *testing.T) { golden(t, "trace-json.golden", traceLines()) }

func TestTraceDotGolden(t *testing.T) {
	split := []trace.Row{
		traceRow(1, hopOf("10.0.1.1", time.Millisecond, nil), hopOf("10.0.1.1", 2*time.Millisecond, nil), hopOf("10.0.1.1", time.Millisecond, nil)),
		traceRow(2, hopOf("10.0.2.1", 3*time.Millisecond, nil), hopOf("10.0.2.2", 3*time.Millisecond, nil), silence(trace.Lost)),
		traceRow(3, hopOf("10.0.3.1", 3*time.Millisecond, nil), hopOf("10.0.3.2", 3*time.Millisecond, nil), hopOf("10.0.3.3", 3*time.Millisecond, nil)),
		rowWith(traceRow(4, refusal("203.0.113.9", 3, 3), refusal("203.0.113.9", 3, 3), refusal("203.0.113.9", 3, 3)), func(r *trace.Row) { r.End = true }),
	}
	refused := []trace.Row{traceRow(1, hopOf("10.0.1.1", time.Millisecond, nil)), traceRow(2, silence(trace.Lost)), traceRow(3, refusal("10.0.3.1", 3, 13)), darkRow(4)}
	tests := []struct {
		file string
		dot  TraceDot
		host *TraceHost
		res  trace.Result
	}{
		{"trace-split.dot", TraceDot{Name: traceNames, AS: traceSystems}, &traceHost4, trace.Result{Reached: true, Rows: split}},
		{"trace-refused.dot", TraceDot{}, &traceHost6, trace.Result{Rows: refused}},
		{"trace-empty.dot", TraceDot{}, &traceHost4, trace.Result{}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			b := tt.dot.AppendGraph(nil, tt.host, &tt.res)
			golden(t, tt.file, b)
			if bytes.ContainsFunc(bytes.ReplaceAll(b, []byte("\n"), nil), unsafeRune) {
				t.Errorf("unsafe: %q", b)
			}
		})
	}
}

// FuzzTrace renders a trace out of arbitrary parts: JSON is one valid object on
// each line, and nothing reaches a terminal that it would obey.
func FuzzTrace(f *testing.F) {
	f.Add("host", "r1.example", []byte{1, 2, 3, 4, 5, 6}, int64(12345))
	f.Add("\xff\"\n", "\x1b]0;\a\\", []byte{255, 0, 200, 6, 9, 11}, int64(-1))
	f.Add("", "\u202e", []byte{}, int64(1)<<62)
	f.Fuzz(func(t *testing.T, host, name string, parts []byte, n int64) {
		part := func(i int) byte {
			if len(parts) == 0 {
				return 0
			}
			return parts[i%len(parts)]
		}
		from := netip.AddrFrom16([16]byte{0xfe, 0x80, part(0)}).WithZone(name)
		h := TraceHost{Name: host, Addr: from, Method: trace.Method(part(1)), Port: uint16(n), MaxTTL: int(n), Size: int(n), Socket: icmpx.Mode(part(2))}
		p := trace.Probe{
			State: trace.State(part(3)), TTL: int(part(4)), Asked: int(part(5)), From: from, RTT: time.Duration(n),
			Kind: icmpx.Kind(part(6)), Type: part(7), Code: part(8), Back: int(n), MTU: int(n), ReplyTTL: part(9),
			Quote: icmpx.Quote{Family: icmpx.Family(part(10)), Src: from, HasL4: true, Proto: part(11), TotalLen: int(n)},
			Extensions: []icmp.Extension{
				&icmp.RawExtension{Data: parts},
				&icmp.InterfaceInfo{Type: int(n), Interface: &net.Interface{Name: name, Index: int(n)}, Addr: &net.IPAddr{IP: parts}},
				&icmp.InterfaceIdent{Name: name, Addr: parts, AFI: int(part(1))},
			},
			Changes: trace.Change(n),
		}
		r := traceRow(int(part(4)), p, p)
		r.Dark, r.End, r.MTU = part(5)&1 == 0, part(6)&1 == 0, int(n)
		res := trace.Result{
			Rows: []trace.Row{r}, Method: h.Method, PortState: trace.PortState(part(1)), Duration: time.Duration(n),
			Questions: []trace.Question{{Method: h.Method, Probe: p}},
			Findings:  []trace.Finding{{Code: trace.Code(name), Text: name, Evidence: []trace.Fact{{Name: "fact", Value: name}}}},
		}
		call := func(netip.Addr) string { return name }
		js := TraceJSON{Name: call, AS: call}
		for _, b := range [][]byte{js.AppendStart(nil, &h, time.Unix(n, 0)), js.AppendRow(nil, &r), js.AppendSummary(nil, &h, &res, []string{name})} {
			if !json.Valid(b) || strings.Count(string(b), "\n") != 1 || b[len(b)-1] != '\n' {
				t.Fatalf("not one line of JSON: %q", b)
			}
			checkSafe(t, b)
		}
		text := TraceText{Extensions: true, Back: true, Verbose: true, Name: call, AS: call}
		checkSafe(t, text.AppendStart(nil, &h))
		checkSafe(t, text.AppendSummary(text.AppendRow(nil, &r), &h, &res, []string{name}))
		checkSafe(t, (&TraceDot{Name: call, AS: call}).AppendGraph(nil, &h, &res))
	})
}

// checkSafe fails if a terminal would obey something in b.
func checkSafe(t *testing.T, b []byte) {
	t.Helper()
	if strings.ContainsFunc(strings.ReplaceAll(string(b), "\n", ""), unsafeRune) {
		t.Fatalf("unsafe: %q", b)
	}
}

// TestTraceCodes holds that the schema and docs/json.md know the codes of all
// findings.
func TestTraceCodes(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../../../trace/finding.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	finding := loadSchema(t).root["$defs"].(map[string]any)["trace_finding"].(map[string]any)
	known := finding["properties"].(map[string]any)["code"].(map[string]any)["enum"].([]any)
	codes := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Type == nil || len(spec.Values) != 1 {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != "Code" {
			return true
		}
		code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		codes++
		if !slices.Contains(known, any(code)) || !bytes.Contains(doc, []byte("| `"+code+"` |")) || trace.Code(code).Explain() == "" {
			t.Errorf("%s is not documented", code)
		}
		return true
	})
	if codes != len(known) {
		t.Errorf("%d codes, the schema knows %d", codes, len(known))
	}
}
