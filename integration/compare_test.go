//go:build linux

package integration

import (
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/lab/router"
	"github.com/icmpx/icmpx/integration/labtest"
	"github.com/icmpx/icmpx/internal/capfile"
	captured "github.com/icmpx/icmpx/internal/packet"
)

// A comparison is the summary of compare: the fields that tests look at.
type comparison struct {
	Related  bool      `json:"related"`
	Matched  int       `json:"matched"`
	LostAB   int       `json:"lost_ab"`
	LostBA   int       `json:"lost_ba"`
	TwiceAB  int       `json:"duplicated_ab"`
	TwiceBA  int       `json:"duplicated_ba"`
	OrderAB  int       `json:"reordered_ab"`
	OrderBA  int       `json:"reordered_ba"`
	UnseenAB int       `json:"unseen_ab"`
	UnseenBA int       `json:"unseen_ba"`
	Changed  int       `json:"changed"`
	Offset   int64     `json:"offset_ns"`
	Bound    int64     `json:"offset_bound_ns"`
	At       time.Time `json:"offset_at"`
	DelayAB  struct {
		Min int64 `json:"min"`
	} `json:"delay_ab_ns"`
	DelayBA struct {
		Min int64 `json:"min"`
	} `json:"delay_ba_ns"`
	HopsAB struct {
		Min int `json:"min"`
		Max int `json:"max"`
	} `json:"hops_ab"`
}

// counting returns an effect that counts how often it happened.
func counting(n *atomic.Int64, do router.Effect) router.Effect {
	return func(p *router.Packet) router.Verdict {
		n.Add(1)
		return do(p)
	}
}

// skewed writes a capture anew, as a clock would have that is ahead by offset at
// its first frame and gains drift. It returns that moment by the right clock.
func skewed(t *testing.T, from, to string, offset time.Duration, drift float64) (first time.Time) {
	t.Helper()
	in, err := os.Open(from)
	labtest.OK(t, err)
	defer in.Close()
	out, err := os.Create(to)
	labtest.OK(t, err)
	defer out.Close()
	r, err := capfile.NewReader(in)
	labtest.OK(t, err)
	w := capfile.NewWriter(out, capfile.WriterOptions{Application: "test"})
	var f captured.Frame
	for {
		err := r.Next(&f)
		if errors.Is(err, io.EOF) {
			break
		}
		labtest.OK(t, err)
		if first.IsZero() {
			first = f.Time
		}
		f.Time = f.Time.Add(offset + time.Duration(float64(f.Time.Sub(first))*drift))
		labtest.OK(t, w.Write(&f))
	}
	labtest.OK(t, w.Flush())
	return first
}

// TestCompare captures at the client and at the server what a router between them
// loses, repeats, overtakes and translates on purpose, and has compare find it,
// with a clock at the server that is hours ahead and runs fast.
func TestCompare(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		t.Run("plain", func(t *testing.T) { compareRouted(t, v6, router.Hop{}) })
		t.Run("translated", func(t *testing.T) {
			compareRouted(t, v6, router.Hop{NAT4: netip.MustParseAddr("203.0.113.1"), NAT6: netip.MustParseAddr("2001:db8:2::1"), NATShift: 100})
		})
	})
}

// What the clock of the second capture has.
const (
	compareOffset = 5*time.Hour + 7*time.Millisecond
	compareDrift  = 200e-6
)

func compareRouted(t *testing.T, v6 bool, hop router.Hop) {
	var lostThere, lostBack, twice, late atomic.Int64
	every := func(match func(*router.Packet) bool, n int) router.When {
		return router.When{Match: match, First: 5, Last: 80, Every: n}
	}
	n := farRouter(t, router.Config{
		Hops: []router.Hop{hop},
		There: router.Way{Delay: 8 * time.Millisecond, Rules: []router.Rule{
			{When: every(router.EchoRequest, 10), Do: counting(&lostThere, router.Drop())},
			{When: every(router.EchoRequest, 13), Do: counting(&twice, router.Duplicate(1, time.Millisecond))},
			{When: every(router.EchoRequest, 9), Do: counting(&late, router.Delay(70*time.Millisecond))},
		}},
		Back: router.Way{Delay: 2 * time.Millisecond, Rules: []router.Rule{
			{When: every(router.EchoReply, 11), Do: counting(&lostBack, router.Drop())},
		}},
	})
	dir := t.TempDir()
	a, b, fast := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "fast")
	atClient, atServer := listen(t, n.Client, "-w", a, echoFilter), listen(t, n.At("server"), "-w", b, echoFilter)
	ping(t, n.Client, lab.Root, "-c100", "-i0.02", "-W1", "-q", n.Addr("server", v6).String())
	for _, l := range []*listener{atClient, atServer} {
		if sum, code := l.finish(); code != 0 || sum.OwnDrops != 0 {
			t.Fatalf("listen: exit code %d, %+v", code, sum)
		}
	}
	first := skewed(t, b, fast, compareOffset, compareDrift)
	got := compareJSON(t, n.Client, a, fast)
	copies, lost := int(twice.Load()), int(lostThere.Load())
	if !got.Related || got.LostAB != lost || got.LostBA != int(lostBack.Load()) || got.UnseenAB+got.UnseenBA != 0 {
		t.Errorf("got %+v; want %d and %d lost", got, lost, lostBack.Load())
	}
	// The server answers copies as well, with replies of their own: only what the
	// router repeated counts.
	if got.TwiceAB != copies || got.TwiceBA != 0 || lost == 0 || copies == 0 || late.Load() == 0 {
		t.Errorf("got %d duplicates, want %d", got.TwiceAB, copies)
	}
	if got.OrderAB == 0 || got.OrderAB > int(late.Load()) {
		t.Errorf("got %d reordered, %d were held back", got.OrderAB, late.Load())
	}
	if got.HopsAB.Min != 1 || got.HopsAB.Max != 1 || (got.Changed > 0) != hop.NAT4.IsValid() {
		t.Errorf("got hops %+v, %d changed", got.HopsAB, got.Changed)
	}
	checkClock(t, &got, first)
}

// checkClock holds the offset against the truth, and the delays against what the
// router did: a packet may take longer, never less.
func checkClock(t *testing.T, got *comparison, first time.Time) {
	t.Helper()
	at := float64(got.At.Sub(first)-compareOffset) / (1 + compareDrift)
	truth := compareOffset + time.Duration(at*compareDrift)
	// The drift that is found may be wrong by as much as delays vary.
	slack := time.Millisecond
	if wrong := (time.Duration(got.Offset) - truth).Abs(); wrong > time.Duration(got.Bound)+slack {
		t.Errorf("offset %v is %v wrong, more than %v", time.Duration(got.Offset), wrong, time.Duration(got.Bound))
	}
	if sum := time.Duration(got.DelayAB.Min + got.DelayBA.Min); sum < 10*time.Millisecond-slack {
		t.Errorf("the fastest packets took %v both ways, less than the router's 10 ms", sum)
	}
}

// compareJSON compares two captures.
func compareJSON(t *testing.T, h *lab.Host, a, b string) (sum comparison) {
	t.Helper()
	r := begin(t, h, lab.Root, "compare", "--json", a, b)
	text, code := r.rest()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	last := lines[len(lines)-1]
	if err := json.Unmarshal([]byte(last), &sum); err != nil || code != 0 || r.stderr.Len() > 0 {
		t.Fatalf("exit code %d, %v, stderr %q, %s", code, err, r.stderr.String(), text)
	}
	t.Log(last)
	return sum
}
