package render

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/internal/fingerprint"
)

// fingerprintReport has something of everything.
func fingerprintReport() fingerprint.Report {
	src, dst := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")
	return fingerprint.Report{
		Makers: []fingerprint.Maker{
			{Src: src, Dst: dst, Query: "echo", Conversations: 4, Probes: 12, Frame: 3, Verdict: fingerprint.Verdict{
				Tool: "fping", Note: "somehow", Confidence: 0.5, Also: []string{"scamper ping"},
				Evidence: []string{"payload: zero bytes alone (56 bytes)", "TTL 64"}, Contrary: []string{"don't fragment is not set"},
			}},
			{Src: src, Dst: dst, Query: "udp", Conversations: 1, Probes: 1, Frame: 9, Verdict: fingerprint.Verdict{Evidence: []string{"payload: no data"}}},
		},
		Unnamed: 1,
		Findings: []fingerprint.Finding{{
			Code: "redirect_invalid", Severity: "fault", Text: "A redirect breaks the rules.", Frames: []int{4, 7},
			Evidence: []fingerprint.Fact{{Name: "src", Value: src}, {Name: "messages", Value: 2}},
		}},
		Left: 2,
	}
}

func TestFingerprintText(t *testing.T) {
	r := fingerprintReport()
	text := FingerprintText{Name: func(a netip.Addr) string {
		if a == netip.MustParseAddr("192.0.2.1") {
			return "a\x1b.example"
		}
		return ""
	}}
	want := `
Made by:
  192.0.2.1 (a\x1b.example) > 198.51.100.7: fping (somehow) or scamper ping, medium confidence; 12 echo probes in 4 conversations, from frame 3
    payload: zero bytes alone (56 bytes); TTL 64
    but don't fragment is not set
  192.0.2.1 (a\x1b.example) > 198.51.100.7: nobody known; 1 udp probe, from frame 9
    payload: no data
  and 1 conversation more, for which there was no room

Findings:
  fault: A redirect breaks the rules.
    redirect_invalid, src 192.0.2.1 (a\x1b.example), messages 2, frames 4, 7
  and 2 messages more that showed findings for which there was no room
`
	compareText(t, string(text.AppendReport(nil, &r)), want)
	if b := text.AppendReport(nil, new(fingerprint.Report)); len(b) != 0 {
		t.Errorf("%q of nothing", b)
	}
}

func TestFingerprintJSON(t *testing.T) {
	r := fingerprintReport()
	lines := strings.SplitAfter(string((&PacketJSON{}).AppendFingerprints(nil, &r)), "\n")
	want := []string{
		`{"event":"fingerprint","src":"192.0.2.1","dst":"198.51.100.7","query":"echo","conversations":4,"probes":12,"first_frame":3,"tool":"fping","note":"somehow","confidence":0.5,"level":"medium","also":["scamper ping"],"evidence":["payload: zero bytes alone (56 bytes)","TTL 64"],"contrary":["don't fragment is not set"]}` + "\n",
		`{"event":"fingerprint","src":"192.0.2.1","dst":"198.51.100.7","query":"udp","conversations":1,"probes":1,"first_frame":9,"tool":null,"confidence":0,"level":"low","also":[],"evidence":["payload: no data"],"contrary":[]}` + "\n",
		`{"event":"finding","code":"redirect_invalid","severity":"fault","text":"A redirect breaks the rules.","frames":[4,7],"evidence":{"src":"192.0.2.1","messages":2}}` + "\n",
	}
	s := loadSchema(t)
	for i, w := range want {
		compareText(t, lines[i], w)
		var v map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &v); err != nil {
			t.Fatal(err)
		}
		if bad := s.check(s.root, v); bad != "" {
			t.Errorf("%s: %s", lines[i], bad)
		}
	}
}
