//go:build linux

package integration

import (
	"bytes"
	"crypto/sha256"
	bigendian "encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/lab/router"
	"github.com/icmpx/icmpx/integration/labtest"
)

// farRouter builds client and server with a userspace router between them.
func farRouter(t *testing.T, cfg router.Config) *lab.Routed {
	t.Helper()
	n, err := lab.BuildRouted(lab.RoutedOptions{Router: cfg})
	labtest.OK(t, err)
	t.Cleanup(func() { labtest.OK(t, n.Close()) })
	labtest.OK(t, n.Client.AllowPing())
	return n
}

// testFile makes a file of n bytes that look random, which everybody may read.
func testFile(t *testing.T, n int) (name string, content []byte) {
	t.Helper()
	dir, err := os.MkdirTemp("", "icmpx-payload")
	labtest.OK(t, err)
	t.Cleanup(func() { labtest.OK(t, os.RemoveAll(dir)) })
	labtest.OK(t, os.Chmod(dir, 0o755))
	content = make([]byte, n)
	r := rand.New(rand.NewPCG(7, uint64(n)))
	for i := range content {
		content[i] = byte(r.Uint32())
	}
	name = filepath.Join(dir, "file")
	labtest.OK(t, os.WriteFile(name, content, 0o644))
	return name, content
}

// A recorder is the far side: it writes down what echo requests carry.
type recorder struct {
	mu     sync.Mutex
	chunks map[uint16][]byte // by sequence number
}

// rule has every echo request recorded that comes so far.
func (r *recorder) rule() router.Rule {
	return router.Rule{When: router.When{Match: router.EchoRequest}, Do: func(p *router.Packet) router.Verdict {
		payload, ok := p.Payload()
		if at := len(p.Bytes) - len(payload) - 8; ok && at > 0 {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.chunks[bigendian.BigEndian.Uint16(p.Bytes[at+6:])] = bytes.Clone(payload)
		}
		return router.Pass
	}}
}

// file puts together what was recorded, of files of less than 65,536 chunks.
func (r *recorder) file() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	var numbers []int
	for n := range r.chunks {
		numbers = append(numbers, int(n))
	}
	slices.Sort(numbers)
	var b []byte
	for _, n := range numbers {
		b = append(b, r.chunks[uint16(n)]...)
	}
	return b
}

// carried is what a summary says about the payload.
type carried struct {
	Bytes         int     `json:"bytes"`
	BytesReturned int     `json:"bytes_returned"`
	Sum           string  `json:"sha256"`
	SumReturned   *string `json:"sha256_returned"`
	Identical     bool    `json:"identical"`
	Chunks        int     `json:"chunks"`
}

func payloadOf(t *testing.T, d done) carried {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(d.stdout), "\n")
	var v struct{ Payload *carried }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &v); err != nil || v.Payload == nil {
		t.Fatalf("no payload in the last line: %v", err)
	}
	return *v.Payload
}

// TestPayloadTrip carries files of many sizes through loss, duplication,
// reordering and corruption, and rebuilds them on the far side.
func TestPayloadTrip(t *testing.T) {
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				for _, size := range []int{1, 1000, 65507, 65508, 300_000, 5_000_000} {
					if size > 1<<20 && v6 != (u.user == lab.Ordinary) {
						continue // ten seconds; once a family and once a user is enough
					}
					t.Run(strconv.Itoa(size), func(t *testing.T) { tripThrough(t, u.user, v6, size) })
				}
			})
		})
	}
}

func tripThrough(t *testing.T, as lab.User, v6 bool, size int) {
	far := &recorder{chunks: map[uint16][]byte{}}
	n := farRouter(t, router.Config{
		Seed:  uint64(size),
		Delay: time.Millisecond,
		There: router.Way{Rules: []router.Rule{
			{When: router.When{Every: 97}, Do: router.Drop()},
			{When: router.When{Every: 31}, Do: router.Duplicate(1, time.Millisecond)},
			{When: router.When{Every: 17}, Do: router.Delay(3 * time.Millisecond)},
			far.rule(),
		}},
		Back: router.Way{Rules: []router.Rule{
			{When: router.When{Every: 101}, Do: router.Drop()},
			{When: router.When{Every: 43}, Do: router.FlipRandom(3)},
			{When: router.When{Every: 211}, Do: router.Truncate(5)},
		}},
	})
	name, content := testFile(t, size)
	args := []string{"--json", "--payload", name}
	if size <= 65507 || v6 && size <= 65527 { // whole, as long as nobody ends it
		args = append(args, "-c1")
	}
	d := ping(t, n.Client, as, append(args, n.Addr("server", v6).String())...)
	p := payloadOf(t, d)
	sum := fmt.Sprintf("%x", sha256.Sum256(content))
	if d.code != 0 || !p.Identical || p.Bytes != size || p.BytesReturned != size || p.Sum != sum || p.SumReturned == nil || *p.SumReturned != sum {
		t.Errorf("exit code %d, %+v, want %d bytes with the sum %s", d.code, p, size, sum)
	}
	if got := far.file(); !bytes.Equal(got, content) {
		t.Errorf("the far side has %d bytes, and not those of the file", len(got))
	}
}

// TestPayloadRefusals are clear before anything is sent.
func TestPayloadRefusals(t *testing.T) {
	n := labtest.Build(t, "pair")
	labtest.OK(t, n.Client.AllowPing())
	capture, err := n.Client.Iface(0).Capture()
	labtest.OK(t, err)
	defer capture.Close()
	empty, _ := testFile(t, 0)
	file, _ := testFile(t, 3000)
	secret, _ := testFile(t, 10)
	labtest.OK(t, os.Chmod(secret, 0))
	tests := []struct {
		args string
		user lab.User
		want string
	}{
		{empty, lab.Root, "payload " + empty + ": it is empty"},
		{filepath.Dir(empty), lab.Root, "payload " + filepath.Dir(empty) + ": it is a directory"},
		{empty + ".none", lab.Root, "open " + empty + ".none: no such file or directory"},
		{secret, lab.Ordinary, "open " + secret + ": permission denied"},
		{file + " -M do", lab.Root, "3000 bytes of payload make a packet of 3028, the way to 192.0.2.20 takes 1500, and -M forbids fragments"},
	}
	for _, tt := range tests {
		d := ping(t, n.Client, tt.user, append([]string{"192.0.2.20", "--payload"}, strings.Fields(tt.args)...)...)
		if got, _, _ := strings.Cut(d.stderr, "\n"); d.code != 2 || got != "icmpx: error: "+tt.want || d.stdout != "" {
			t.Errorf("%s: exit code %d, %q, %q", tt.args, d.code, got, d.stdout)
		}
	}
	frames, err := capture.Frames()
	labtest.OK(t, err)
	for _, f := range frames {
		if f.Out && f.Data[0]>>4 == 4 { // the kernel itself speaks IPv6
			t.Errorf("a packet was sent: %x", f.Data)
		}
	}
}

// TestForgers holds against a router that knows all about a probe but its
// payload.
func TestForgers(t *testing.T) {
	reply := router.When{Match: router.EchoReply}
	tests := []struct {
		name string
		rule router.Rule
		why  string // the count that is not nought
		most int    // of it
	}{
		{"another payload, ahead of the true one", router.Rule{When: reply, Do: router.Forge(nil, 1, -20*time.Millisecond, 0)}, "forged", 5},
		{"the reply before, again", router.Rule{When: reply, Do: router.Replay(1, -time.Millisecond)}, "stale", 4},
		{"ten thousand at full rate", router.Rule{When: router.When{Match: router.EchoReply, Last: 1}, Do: router.Forge(nil, 10_000, -time.Millisecond, 0)}, "forged", 10_000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, u := range users {
				n := farRouter(t, router.Config{Delay: time.Millisecond, Back: router.Way{Rules: []router.Rule{tt.rule}}})
				d := ping(t, n.Client, u.user, "-j", "-c5", "-i0.1", n.Addr("server", false).String())
				lines := strings.Split(strings.TrimSpace(d.stdout), "\n")
				counts := map[string]any{}
				labtest.OK(t, json.Unmarshal([]byte(lines[len(lines)-1]), &counts))
				number := func(key string) int { f, _ := counts[key].(float64); return int(f) }
				if d.code != 0 || number("received") != 5 || number("corrupted") != 0 || number("duplicates") != 0 {
					t.Errorf("%s: exit code %d, %v", u.name, d.code, counts)
				}
				// So many at once do not all get through the queues of this host.
				if got := number(tt.why); got == 0 || got > tt.most || got < tt.most && tt.most < 1000 {
					t.Errorf("%s: %d %s, want %d", u.name, got, tt.why, tt.most)
				}
			}
		})
	}
}

// TestSourceQuench slows a run down to half its rate, unless it is told not to.
func TestSourceQuench(t *testing.T) {
	rule := router.Rule{When: router.When{Match: router.EchoRequest, Last: 1}, Do: router.SourceQuench()}
	n := farRouter(t, router.Config{There: router.Way{Rules: []router.Rule{rule}}})
	d := ping(t, n.Client, lab.Root, "-c3", "-i0.2", n.Addr("server", false).String())
	if !strings.Contains(d.stdout, "Source Quench\n") || !strings.Contains(d.stdout, "rate now 2.5 probes per second: source quench\n") || d.code != 0 {
		t.Errorf("exit code %d:\n%s", d.code, d.stdout)
	}
	n = farRouter(t, router.Config{There: router.Way{Rules: []router.Rule{rule}}})
	d = ping(t, n.Client, lab.Root, "-c3", "-i0.2", "--ignore-quench", n.Addr("server", false).String())
	if !strings.Contains(d.stdout, "Source Quench\n") || strings.Contains(d.stdout, "rate now") {
		t.Errorf("ignored:\n%s", d.stdout)
	}
}

// TestDamage names the class of each damage, and where it falls.
func TestDamage(t *testing.T) {
	tests := []struct {
		class string
		do    router.Effect
		words string
	}{
		{"flipped", router.Flip(8 * 20), "always at byte #20 of the payload (48 of the packet), always bit 0x"},
		{"truncated", router.Truncate(40), "always at byte #40 of the payload (68 of the packet)"},
		{"padded", router.Pad(4), "always at byte #56 of the payload (84 of the packet)"},
		{"zeroed", router.Zero(30, 40), "from byte #30 to #39 of the payload"},
		{"shifted", router.Remove(24, 1), "always at byte #24 of the payload (52 of the packet)"},
	}
	for _, tt := range tests {
		t.Run(tt.class, func(t *testing.T) {
			n := farRouter(t, router.Config{Back: router.Way{Rules: []router.Rule{{When: router.When{Match: router.EchoReply}, Do: tt.do}}}})
			both(t, func(t *testing.T, v6 bool) {
				d := ping(t, n.Client, lab.Root, "-v", "-c2", "-i0.1", n.Addr("server", v6).String())
				words := tt.words
				if v6 {
					words, _, _ = strings.Cut(words, " (")
				}
				for _, want := range []string{"(" + tt.class + ")\n", "damage: 2 replies (2 " + tt.class + "), " + words, "    want "} {
					if !strings.Contains(d.stdout, want) {
						t.Errorf("no %q in\n%s", want, d.stdout)
					}
				}
				if d.code != 1 {
					t.Errorf("exit code %d, want 1", d.code)
				}
			})
		})
	}
}
