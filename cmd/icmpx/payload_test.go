package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/probe/probetest"
)

// payloadFile makes a file of n bytes that look random.
func payloadFile(t *testing.T, n int) (name string, content []byte) {
	t.Helper()
	content = make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range content {
		content[i] = byte(r.Uint32())
	}
	name = filepath.Join(t.TempDir(), "payload")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name, content
}

// near is a network with one host in each family, behind no router.
func near(rules ...probetest.Rule) probetest.Options {
	n := network()
	for i := range n.Hosts {
		n.Hosts[i].Path = nil
		n.Hosts[i].Rules = rules
	}
	return n
}

// lastPayload returns what the last line says about the payload.
func lastPayload(t *testing.T, out string) (p struct {
	File           string
	Bytes          int
	BytesReturned  int     `json:"bytes_returned"`
	Sum            string  `json:"sha256"`
	SumReturned    *string `json:"sha256_returned"`
	Identical      bool
	Chunk          int `json:"chunk_bytes"`
	Chunks, Resent int
}) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	v := struct{ Payload any }{&p}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &v); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return p
}

func TestPayload(t *testing.T) {
	flip := probetest.Rule{When: probetest.When{Every: 7}, Do: probetest.Corrupt(probetest.Flip(3000))}
	always := probetest.Rule{Do: probetest.Corrupt(probetest.Flip(3000))}
	short := probetest.Rule{Do: probetest.Corrupt(probetest.Truncate(100))}
	lose := probetest.Rule{When: probetest.When{Every: 5}, Do: probetest.Drop()}
	twice := probetest.Rule{When: probetest.When{Every: 3}, Do: probetest.Duplicate(1, time.Millisecond)}
	tests := []struct {
		name      string
		size      int
		rules     []probetest.Rule
		args      string
		code      int
		returned  int
		identical bool
		chunk     int // 0: whole
	}{
		{"one byte", 1, nil, "-c1 198.51.100.1", exitOK, 1, true, 0},
		{"a thousand, twice", 1000, nil, "-c2 198.51.100.1", exitOK, 1000, true, 0},
		{"the largest of IPv4", 65507, nil, "-c1 198.51.100.1", exitOK, 65507, true, 0},
		{"the largest of IPv6", 65527, nil, "-c1 2001:db8::1", exitOK, 65527, true, 0},
		{"beyond the largest", 65508, nil, "198.51.100.1", exitOK, 65508, true, 1472},
		{"beyond the largest of IPv6", 65528, nil, "2001:db8::1", exitOK, 65528, true, 1452},
		{"beyond the largest with options", 65500, nil, "-R 198.51.100.1", exitOK, 65500, true, 1432},
		{"in chunks by wish", 1000, nil, "--chunk 300 198.51.100.1", exitOK, 1000, true, 300},
		{"one chunk", 100, nil, "--chunk 300 198.51.100.1", exitOK, 100, true, 300},
		{"lost, doubled and damaged chunks", 300_000, []probetest.Rule{lose, twice, flip}, "198.51.100.1", exitOK, 300_000, true, 1472},
		{"changed in every reply", 1000, []probetest.Rule{always}, "-c3 198.51.100.1", exitNoAnswer, 1000, false, 0},
		{"changed in the first reply", 1000, []probetest.Rule{{When: probetest.When{Last: 1}, Do: always.Do}}, "-c3 198.51.100.1", exitNoAnswer, 1000, false, 0},
		{"cut short", 1000, []probetest.Rule{short}, "-c1 198.51.100.1", exitNoAnswer, 100, false, 0},
		{"every chunk changed", 1000, []probetest.Rule{always}, "--chunk 500 --retries 1 198.51.100.1", exitNoAnswer, 1000, false, 500},
		{"nobody", 1000, nil, "-c1 198.51.100.77", exitNoAnswer, 0, false, 0},
		{"nobody, in chunks", 1000, nil, "--chunk 500 --retries 0 198.51.100.77", exitNoAnswer, 0, false, 500},
		{"until a deadline", 1000, nil, "--chunk 500 -w 2 198.51.100.77", exitNoAnswer, 0, false, 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name, content := payloadFile(t, tt.size)
			w := &world{net: near(tt.rules...)}
			args := append([]string{"ping", "-j", "--payload", name}, strings.Fields(tt.args)...)
			if code := w.run(t, args...); code != tt.code {
				t.Errorf("exit code %d, want %d: %s", code, tt.code, &w.stderr)
			}
			p := lastPayload(t, w.stdout.String())
			if p.File != name || p.Bytes != tt.size || p.BytesReturned != tt.returned || p.Identical != tt.identical || p.Chunk != tt.chunk {
				t.Errorf("%+v", p)
			}
			sum := fmt.Sprintf("%x", sha256.Sum256(content))
			if p.Sum != sum {
				t.Errorf("sum %s, want %s", p.Sum, sum)
			}
			switch {
			case tt.returned == 0 && p.SumReturned != nil, tt.returned > 0 && p.SumReturned == nil:
				t.Errorf("sum of what returned: %v", p.SumReturned)
			case tt.identical && *p.SumReturned != sum:
				t.Errorf("identical, but sum %s", *p.SumReturned)
			}
		})
	}
}

func TestPayloadSources(t *testing.T) {
	name, content := payloadFile(t, 5000)
	t.Run("standard input", func(t *testing.T) {
		w := &world{net: near(), stdin: string(content)}
		code := w.run(t, "ping", "-j", "-c1", "--payload", "-", "198.51.100.1")
		if p := lastPayload(t, w.stdout.String()); code != exitOK || p.Bytes != len(content) || !p.Identical || p.File != "-" {
			t.Errorf("exit code %d, %+v", code, p)
		}
	})
	t.Run("several hosts, one trip each", func(t *testing.T) {
		w := &world{net: near()}
		code := w.run(t, "ping", "--payload", name, "--chunk", "1000", "198.51.100.1", "2001:db8::1")
		for _, want := range []string{
			"198.51.100.1: payload " + name + ": 5000 bytes, 5000 returned, identical\n",
			"2001:db8::1: chunks: 5 of 5 made the trip, 1000 bytes each, 0 sent again\n",
			fmt.Sprintf("2001:db8::1: sha256 returned %x\n", sha256.Sum256(content)),
		} {
			if !strings.Contains(w.stdout.String(), want) {
				t.Errorf("no %q in\n%s", want, &w.stdout)
			}
		}
		if code != exitOK || strings.Contains(w.stdout.String(), "bytes from") {
			t.Errorf("exit code %d, or replies without -v:\n%s", code, &w.stdout)
		}
	})
	t.Run("a file that becomes shorter", func(t *testing.T) {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		p, err := section(f, 6000)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.all(); err == nil || !strings.Contains(err.Error(), "has become shorter") {
			t.Errorf("error %v", err)
		}
	})
}

func TestPayloadRefused(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	name, _ := payloadFile(t, 3000)
	large, _ := payloadFile(t, 65508)
	tests := []struct{ name, args, err string }{
		{"empty", empty + " 198.51.100.1", "payload " + empty + ": it is empty"},
		{"missing", dir + "/none 198.51.100.1", "open " + dir + "/none: no such file or directory"},
		{"a directory", dir + " 198.51.100.1", "payload " + dir + ": it is a directory"},
		{"empty standard input", "- 198.51.100.1", "payload -: it is empty"},
		{"too big with DF", name + " -M do 198.51.100.1", "3000 bytes of payload make a packet of 3028, the way to 198.51.100.1 takes 1500, and -M forbids fragments"},
		{"chunks too big with DF", name + " -M do --chunk 1500 2001:db8::1", "1500 bytes of payload make a packet of 1548, the way to 2001:db8::1 takes 1500, and -M forbids fragments"},
		{"a count of what turns out to need chunks", large + " -c 3 198.51.100.1", "-c does not go with a payload in chunks, which ends when all has made the trip"},
		{"retries of what turns out to need none", name + " --retries 3 198.51.100.1", "--retries is for a payload in chunks; see --chunk"},
		{"chunk beyond the family", name + " --chunk 65510 198.51.100.1", "--chunk 65510 does not fit into an IPv4 packet: at most 65507"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{net: near()}
			code := w.run(t, append([]string{"ping", "--payload"}, strings.Fields(tt.args)...)...)
			if got, _, _ := strings.Cut(w.stderr.String(), "\n"); code != exitError || got != "icmpx: error: "+tt.err || w.stdout.Len() > 0 {
				t.Errorf("exit code %d, %q, %q", code, got, &w.stdout)
			}
		})
	}
}

// TestPayloadGivenUp says which chunk got no answer, and is no error of this
// host.
func TestPayloadGivenUp(t *testing.T) {
	name, _ := payloadFile(t, 3000)
	w := &world{net: near()}
	code := w.run(t, "ping", "--payload", name, "--chunk", "1000", "--retries", "1", "198.51.100.77")
	if want := "icmpx: error: chunk 1 of 3, sent 2 times: no answer to any try\n"; code != exitNoAnswer || w.stderr.String() != want {
		t.Errorf("exit code %d, %q", code, &w.stderr)
	}
	if !strings.Contains(w.stdout.String(), "payload "+name+": 3000 bytes, 0 returned, not identical\n") {
		t.Errorf("%s", &w.stdout)
	}
}

// TestPayloadInterrupted ends a trip, which has an end of its own, by a signal.
func TestPayloadInterrupted(t *testing.T) {
	name, _ := payloadFile(t, 10_000)
	for _, signal := range []int{2, 15} {
		t.Run(strconv.Itoa(signal), func(t *testing.T) {
			w := &world{net: near(), terminal: true}
			var code int
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(2500*time.Millisecond, func() { cancel(&interruption{signal}) })
				code = w.inBubble(ctx, []string{"ping", "--payload", name, "--chunk", "1000", "-i", "1", "198.51.100.1"})
			})
			if code != exitSignal+signal {
				t.Errorf("exit code %d", code)
			}
			if !strings.Contains(w.stdout.String(), "chunks: 3 of 10 made the trip") {
				t.Errorf("%s", &w.stdout)
			}
			if got := w.stderr.Bytes(); !bytes.Contains(got, []byte("\r\x1b[K20%, 2000 of 10000 bytes")) || !bytes.HasSuffix(got, []byte(eraseLine)) {
				t.Errorf("progress: %q", got)
			}
		})
	}
}

// TestForgers holds against whoever knows identifier and sequence number.
func TestForgers(t *testing.T) {
	tests := []struct {
		name  string
		rule  probetest.Rule
		count int
		want  []string
	}{
		{"ahead of the true answer", probetest.Rule{Do: probetest.Forge(1, -500*time.Microsecond)}, 2, []string{
			" (FORGED!)\n", "2 packets transmitted, 2 received, 0% packet loss", "\n2 forged\n", "time=1.00 ms\n",
		}},
		{"the answer before, again", probetest.Rule{When: probetest.When{First: 2}, Do: probetest.Replay(1, -500*time.Microsecond)}, 3, []string{
			" (STALE!)\n", "3 packets transmitted, 3 received, 0% packet loss", "\n2 stale\n",
		}},
		{"ten thousand", probetest.Rule{Do: probetest.Sequence(probetest.Forge(10_000, time.Microsecond), probetest.Delay(0))}, 1, []string{
			"1 packets transmitted, 1 received, 0% packet loss",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{net: near(tt.rule)}
			code := w.run(t, "ping", "-c", strconv.Itoa(tt.count), "198.51.100.1")
			for _, want := range tt.want {
				if !strings.Contains(w.stdout.String(), want) {
					t.Errorf("no %q in\n%s", want, &w.stdout)
				}
			}
			if n := strings.Count(w.stdout.String(), "FORGED!"); code != exitOK || n > maxStrays {
				t.Errorf("exit code %d, %d lines", code, n)
			}
		})
	}
}
