package owner

import (
	"errors"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
)

var (
	one   = netip.MustParseAddr("192.0.2.1")
	two   = netip.MustParseAddr("192.0.2.2")
	three = netip.MustParseAddr("192.0.2.3")
	six   = netip.MustParseAddr("2001:db8::1")
)

func TestReadSockets(t *testing.T) {
	if !littleEndian() {
		// The kernel writes addresses there in the byte order of the machine, so a
		// big-endian one has other texts; what reads them asks for the order.
		t.Skip("the tables of this test are those of a little-endian machine")
	}
	got, err := ReadSockets(newHost(), "self/net")
	want := []Socket{
		{Kind: Ping, ID: 0x1234, UID: 1000, Inode: 11},
		{Kind: Ping, ID: 0x4321, Local: one, Remote: two, Inode: 12},
		{Kind: Ping, V6: true, ID: 0x1234, Remote: six, UID: 1000, Inode: 13},
		{Kind: Raw, Protocol: 1, Inode: 21},
		{Kind: Raw, Protocol: 1, Local: one, Inode: 23},
		{Kind: Raw, Protocol: 255, Inode: 24},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

// TestReadSocketsDamaged leaves out what makes no sense.
func TestReadSocketsDamaged(t *testing.T) {
	h := &host{MapFS: fstest.MapFS{}}
	h.table("self", "icmp", "\n", "1: 2 3\n", row("zz:1", "0:0", 1, 1), row("00000000:10000", "00000000:0000", 1, 1),
		row("0000000000:0001", "00000000:0000", 1, 1), row("00000000", "00000000", 1, 1),
		row("00000000:0001", "00000000:0000", -1, 1), row("00000000:0001", "00000000:0000", 1, -1),
		row("00000000:0001", "00000000:0000", 1, 9))
	got, err := ReadSockets(h, "self/net")
	if err != nil || len(got) != 1 || got[0].Inode != 9 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestFind(t *testing.T) {
	h := newHost()
	a, err := Find(h, []uint64{11, 21, 99})
	want := map[uint64][]Process{11: {{100, "ping"}}, 21: {{101, "two words"}, {102, "mtr\"\n"}}}
	if err != nil || a.Hidden != 0 || !reflect.DeepEqual(a.Processes, want) {
		t.Errorf("got %+v, %v", a, err)
	}
	h.denied["101/fd"], h.denied["102/fd/3"] = true, true
	a, err = Find(h, []uint64{11, 21})
	want[21] = want[21][1:]
	if err != nil || a.Hidden != 2 || !reflect.DeepEqual(a.Processes, want) {
		t.Errorf("with two processes hidden: %+v, %v", a, err)
	}
	for _, pid := range []string{"101", "102"} { // no more memory: they are ending
		h.MapFS[pid+"/statm"] = &fstest.MapFile{Data: []byte("0 0 0 0 0 0 0\n")}
	}
	if a, err = Find(h, []uint64{11, 21}); err != nil || a.Hidden != 0 {
		t.Errorf("with two processes ending: %+v, %v", a, err)
	}
}

func TestList(t *testing.T) {
	h := newHost()
	got, err := List(h)
	if err != nil || got.Hidden != 0 || len(got.Rows) != 7 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if r := got.Rows[0]; r.Namespace != 1 || r.Inode != 11 || len(r.Processes) != 1 || r.Processes[0].PID != 100 {
		t.Errorf("got %+v", r)
	}
	if r := got.Rows[6]; r.Namespace != 2 || r.Inode != 31 || len(r.Processes) != 1 || r.Processes[0].Command != "inside" {
		t.Errorf("got %+v", r)
	}
	h.denied["300/ns/net"], h.denied["300/fd"] = true, true
	if got, err = List(h); err != nil || got.Hidden != 1 || len(got.Rows) != 6 {
		t.Errorf("without the namespace: %+v, %v", got, err)
	}
}

// TestOwner asks who has sent what.
func TestOwner(t *testing.T) {
	echo := func(id uint16, src, dst netip.Addr) Query { return Query{V6: src.Is6(), Src: src, Dst: dst, ID: id} }
	both := []Process{{101, "two words"}, {102, "mtr\"\n"}}
	for _, tt := range []struct {
		name   string
		change func(*host)
		ask    Query
		want   Owner
	}{
		{"identifier", nil, echo(0x1234, three, two), Owner{Found, Ping, 1000, []Process{{100, "ping"}}}},
		{"identifier and addresses", nil, echo(0x4321, one, two), Owner{Found, Ping, 0, []Process{{100, "ping"}}}},
		{"identifier of another address", nil, echo(0x4321, three, two), Owner{Candidates, Raw, 0, both}},
		{"raw", nil, echo(1, one, three), Owner{Candidates, Raw, 0, both}},
		{"the other family", nil, echo(1, six, six), Owner{State: Ended}},
		{"process ended", func(h *host) { h.end(100) }, echo(0x1234, three, two), Owner{Ended, Ping, 1000, nil}},
		{"process hidden", func(h *host) { h.denied["100/fd"] = true }, echo(0x1234, three, two), Owner{Hidden, Ping, 1000, nil}},
		{"one of two hidden", func(h *host) { h.denied["101/fd"] = true }, echo(1, one, three), Owner{Found, Raw, 0, both[1:]}},
		{"one raw socket", func(h *host) { h.table("self", "raw", row("00000000:0001", "00000000:0000", 0, 23)) },
			echo(1, one, three), Owner{Found, Raw, 0, both[1:]}},
		{"header given", func(h *host) {
			h.table("self", "raw", row("00000000:00FF", "00000000:0000", 7, 24))
			h.process(400, "craft", 1, 24)
		}, echo(1, one, three), Owner{Found, Raw, 7, []Process{{400, "craft"}}}},
	} {
		h := newHost()
		if tt.change != nil {
			tt.change(h)
		}
		l := Lookup{Proc: h, Find: func(n []uint64) (Answer, error) { return Find(h, n) }}
		for range 2 { // the second time from memory
			got, err := l.Owner(tt.ask)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
			}
		}
	}
}

// TestOwnerPace counts how often a flood of new flows has processes looked for.
func TestOwnerPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, finds := newHost(), 0
		l := Lookup{Proc: h, Find: func(n []uint64) (Answer, error) {
			finds++
			time.Sleep(100 * time.Millisecond)
			return Find(h, n)
		}}
		begin := time.Now()
		states := map[State]int{}
		for i := 0; time.Since(begin) < 10*time.Second; i++ {
			o, err := l.Owner(Query{Src: three, Dst: two, ID: uint16(i % 0x1000)})
			if err != nil {
				t.Fatal(err)
			}
			states[o.State]++
			time.Sleep(time.Millisecond)
		}
		if finds < 4 || finds > 6 || len(l.flows) > maxFlows || states[Candidates] == 0 {
			t.Errorf("%d searches, %d flows, %v", finds, len(l.flows), states)
		}
	})
}

// TestOwnerAge looks again after a while: an identifier passes on.
func TestOwnerAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		l := Lookup{Proc: h, Find: func(n []uint64) (Answer, error) { return Find(h, n) }}
		q := Query{Src: three, Dst: two, ID: 0x1234}
		pid := func() int {
			o, err := l.Owner(q)
			if err != nil || o.State != Found || len(o.Processes) != 1 {
				t.Fatalf("got %+v, %v", o, err)
			}
			return o.Processes[0].PID
		}
		first := pid()
		h.end(100)
		h.table("self", "icmp", row("00000000:1234", "00000000:0000", 0, 41))
		h.process(500, "other", 1, 41)
		now := pid()
		time.Sleep(maxAge)
		if later := pid(); first != 100 || now != 100 || later != 500 {
			t.Errorf("got %d, %d, %d", first, now, later)
		}
	})
}

// TestOwnerNew asks for a socket that was opened after the tables were read.
func TestOwnerNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		l := Lookup{Proc: h, Find: func(n []uint64) (Answer, error) { return Find(h, n) }}
		ask := func(id uint16) Owner {
			o, err := l.Owner(Query{V6: true, Src: six, Dst: six, ID: id})
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		first := ask(1)
		h.table("self", "icmp6", row(strings.Repeat("0", 32)+":0002", strings.Repeat("0", 32)+":0000", 0, 51))
		h.process(600, "new", 1, 51)
		soon := ask(2)
		time.Sleep(readEvery)
		if then := ask(2); first.State != Ended || soon.State != Unknown || then.State != Found {
			t.Errorf("got %v, %v, %v", first, soon, then)
		}
	})
}

func TestOwnerFails(t *testing.T) {
	bad := errors.New("bad")
	l := Lookup{Proc: newHost(), Find: func([]uint64) (Answer, error) { return Answer{}, bad }}
	if _, err := l.Owner(Query{Src: three, Dst: two, ID: 0x1234}); !errors.Is(err, bad) {
		t.Errorf("got %v", err)
	}
}

// TestClient asks a helper, on both ends of two pipes.
func TestClient(t *testing.T) {
	h := newHost()
	ar, aw := io.Pipe()
	qr, qw := io.Pipe()
	served := make(chan error)
	go func() {
		err := Serve(qr, aw, func(n []uint64) (Answer, error) {
			if len(n) == 1 && n[0] == 66 {
				return Answer{}, errors.New("no\nproc")
			}
			return Find(h, n)
		})
		aw.Close()
		served <- err
	}()
	c := NewClient(ar, qw)
	want, err := Find(h, []uint64{11, 21, 31})
	if err != nil {
		t.Fatal(err)
	}
	want.Hidden = 0
	if got, err := c.Find([]uint64{11, 21, 31}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := c.Find([]uint64{66}); err == nil || !strings.Contains(err.Error(), "no\nproc") {
		t.Errorf("got %v", err)
	}
	if got, err := c.Find(nil); err != nil || len(got.Processes) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := c.Find(make([]uint64, maxInodes+1)); err == nil {
		t.Error("too many sockets were taken")
	}
	qw.Close()
	if err := <-served; err != nil {
		t.Errorf("the helper ends with %v", err)
	}
	if _, err := c.Find([]uint64{1}); err == nil {
		t.Error("an answer from nobody")
	}
}

// TestClientHostile reads answers that a helper does not give.
func TestClientHostile(t *testing.T) {
	for _, text := range []string{
		"", "end", "end x\n", "1\n", "1 2\n", "1 2 name\n", "x 2 \"a\"\n", "1 x \"a\"\n", "failed\n",
		strings.Repeat("1 2 \"a\"\n", maxAnswer+1), strings.Repeat("1", maxLine+1),
	} {
		if _, err := NewClient(strings.NewReader(text), io.Discard).Find([]uint64{1}); err == nil {
			t.Errorf("%.20q was taken", text)
		}
	}
}
