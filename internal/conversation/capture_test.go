package conversation

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

const vectors = "../packet/testdata/vectors"

// track adds all frames of a capture.
func track(t *testing.T, path string, tr *Tracker) {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r, err := capfile.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	var d packet.Decoder
	var f packet.Frame
	var p packet.Packet
	for {
		err := r.Next(&f)
		if damage := new(capfile.Damage); errors.Is(err, io.EOF) || errors.As(err, &damage) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		d.Decode(&f, &p)
		tr.Add(&p)
	}
}

// otherwise says which replies answer something else than expected.
var otherwise = map[string]map[int]int{
	// A custom block is no frame, but was counted as one.
	"fmt_pcapng_custom_block.pcapng": {3: 0},
	// Seen on three interfaces: the request on the interface of the reply is meant.
	"fmt_pcapng_two_interfaces.pcapng": {4: 1},
}

// TestReplies compares with what another decoder says that replies answer:
// resp_to in the expectations of all captures of real tools and kernels.
func TestReplies(t *testing.T) {
	var paths []string
	for _, dir := range []string{"seeds", "seeds/tools", "seeds/live", "gen"} {
		found, err := filepath.Glob(filepath.Join(vectors, dir, "*.expected.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	if len(paths) < 50 {
		t.Fatalf("%d expectations", len(paths))
	}
	compared := 0
	for _, path := range paths {
		name := strings.TrimSuffix(path, ".expected.jsonl")
		if _, err := os.Stat(name + ".reassembled.jsonl"); err == nil {
			path = name + ".reassembled.jsonl"
		}
		want, capture := repliesOf(t, path), name+".pcap"
		if _, err := os.Stat(capture); err != nil {
			capture += "ng"
		}
		got := map[int]int{}
		tr := New(Options{Sink: func(e *Event) {
			if e.Kind == Reply {
				got[e.Reply] = e.Request
			}
		}})
		track(t, capture, tr)
		tr.Finish()
		for reply, request := range want {
			compared++
			if other, ok := otherwise[filepath.Base(capture)][reply]; ok && other != request {
				request = other
			} else if ok {
				t.Errorf("%s: frame %d is no exception", filepath.Base(capture), reply)
			}
			if got[reply] != request {
				t.Errorf("%s: frame %d answers %d, want %d", filepath.Base(capture), reply, got[reply], request)
			}
		}
		if s := tr.Stats(); s.Requests != s.Replies+s.Errors+s.Unanswered || s.Waiting+s.Forgotten != 0 {
			t.Errorf("%s: the account does not balance: %+v", filepath.Base(capture), s)
		}
	}
	if compared < 50 {
		t.Errorf("%d replies compared", compared)
	}
}

// repliesOf returns what the frames of a capture answer.
func repliesOf(t *testing.T, path string) map[int]int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := map[int]int{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Frame  int
			Tshark struct {
				ICMP struct {
					RespTo json.Number `json:"resp_to"`
				}
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if n, err := line.Tshark.ICMP.RespTo.Int64(); err == nil {
			want[line.Frame] = int(n)
		}
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	return want
}

// TestTraceroutes checks that each error that a traceroute got names its probe,
// ICMP, UDP or TCP.
func TestTraceroutes(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(vectors, "seeds/tools", "*traceroute*.pcap"))
	if err != nil || len(found) < 7 {
		t.Fatalf("%d captures: %v", len(found), err)
	}
	for _, capture := range found {
		paired, alone := 0, 0
		tr := New(Options{Sink: func(e *Event) {
			switch {
			case e.Kind == Error && e.Request != 0:
				paired++
			case e.Kind == Error:
				alone++
			}
		}})
		track(t, capture, tr)
		if paired < 6 || alone != 0 {
			t.Errorf("%s: %d errors with their probe, %d without", filepath.Base(capture), paired, alone)
		}
	}
}
