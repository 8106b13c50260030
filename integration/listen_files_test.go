//go:build linux

package integration

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	lib "github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/lab/router"
	"github.com/icmpx/icmpx/integration/labtest"
)

// framesOf returns how many packets a capture file has.
func framesOf(t *testing.T, h *lab.Host, file string) int {
	t.Helper()
	r := begin(t, h, lab.Root, "decode", "--json", file)
	text, code := r.rest()
	if code != 0 || r.stderr.Len() != 0 {
		t.Errorf("%s: exit code %d, %s", file, code, r.stderr.String())
	}
	return strings.Count(text, `"event":"packet"`)
}

// TestListenWrite writes to a file, and to standard output, what decode reads.
func TestListenWrite(t *testing.T) {
	n := labtest.Build(t, "pair")
	server := n.Addr("server", false).String()
	file, piped := filepath.Join(t.TempDir(), "a.pcapng"), filepath.Join(t.TempDir(), "b.pcapng")

	l := listen(t, n.Client, "-c6", "-w", file, echoFilter)
	ping(t, n.Client, lab.Root, "-c3", "-i0.02", server)
	if text, code := l.rest(); code != 0 || strings.Count(text, `"event":"packet"`) != 6 {
		t.Errorf("got exit code %d, %s", code, text)
	}

	r := begin(t, n.Client, lab.Root, "listen", "-c6", "-w", "-", echoFilter)
	if _, err := r.out.Peek(1); err != nil { // the file begins when it listens
		t.Fatal(err)
	}
	ping(t, n.Client, lab.Root, "-c3", "-i0.02", server)
	text, code := r.rest()
	if code != 0 {
		t.Errorf("got exit code %d, %s", code, r.stderr.String())
	}
	labtest.OK(t, os.WriteFile(piped, []byte(text), 0o600))
	for _, name := range []string{file, piped} {
		if got := framesOf(t, n.Client, name); got != 6 {
			t.Errorf("%d packets in %s, want 6", got, name)
		}
	}
}

// TestListenRotate writes a ring of files, of which each can be read by itself.
func TestListenRotate(t *testing.T) {
	n := labtest.Build(t, "pair")
	dir := t.TempDir()
	l := listen(t, n.Client, "-w", filepath.Join(dir, "a"), "-C4k", "-W3", echoFilter)
	ping(t, n.Client, lab.Root, "-c100", "-i0.002", "-q", n.Addr("server", false).String())
	for h := l.next("packet"); h.Frame < 200; {
		h = l.next("packet")
	}
	if _, code := l.finish(); code != 0 || l.stderr.Len() != 0 {
		t.Errorf("got exit code %d, stderr %q", code, l.stderr.String())
	}
	total := 0
	for i := range 3 {
		name := filepath.Join(dir, fmt.Sprintf("a%d", i))
		info, err := os.Stat(name)
		labtest.OK(t, err)
		total += framesOf(t, n.Client, name)
		if info.Size() > 6<<10 {
			t.Errorf("%s has %d bytes", name, info.Size())
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 || total < 20 || total >= 200 {
		t.Errorf("%d files with %d packets: %v", len(entries), total, err)
	}
}

// TestListenRotateFails goes on in the first file where no other can be made,
// and says so.
func TestListenRotateFails(t *testing.T) {
	n := labtest.Build(t, "pair")
	dir := t.TempDir()
	labtest.OK(t, os.Chmod(dir, 0o755))
	first := filepath.Join(dir, "a")
	l := listen(t, n.Client, "-w", first, "-C4k", echoFilter)
	labtest.OK(t, os.Chmod(dir, 0o555)) // root without its privileges may not write there
	t.Cleanup(func() { os.Chmod(dir, 0o755) })
	ping(t, n.Client, lab.Root, "-c100", "-i0.002", "-q", n.Addr("server", false).String())
	for h := l.next("packet"); h.Frame < 200; {
		h = l.next("packet")
	}
	if _, code := l.finish(); code != 0 || !strings.Contains(l.stderr.String(), "permission denied") {
		t.Errorf("got exit code %d, stderr %q", code, l.stderr.String())
	}
	if got := framesOf(t, n.Client, first); got != 200 {
		t.Errorf("%d packets in the file, want 200", got)
	}
}

// TestListenFileRefused cannot write where it is told to: nothing is heard.
func TestListenFileRefused(t *testing.T) {
	n := labtest.Build(t, "pair")
	d := command(t, n.Client, lab.Root, "listen", "-w", filepath.Join(t.TempDir(), "none", "a"))
	if d.code != 2 || !strings.Contains(d.stderr, "no such file or directory") || strings.Contains(d.stderr, "listening") {
		t.Errorf("got exit code %d, stderr %q", d.code, d.stderr)
	}
}

// TestListenVLAN hears tagged packets, whose tag the kernel keeps apart from
// them.
func TestListenVLAN(t *testing.T) {
	n := labtest.Build(t, "pair")
	for _, tt := range []struct {
		iface string
		tags  []uint16
		want  string
	}{
		{"eth0", []uint16{42}, "[42]"},
		{"any", []uint16{42}, "[42]"},
		{"eth0", []uint16{7, 4000}, "[7 4000]"},
	} {
		l := listen(t, n.At("server"), "-I", tt.iface, "type echo")
		sendTagged(t, n, tt.tags)
		h := l.next("packet")
		if fmt.Sprint(h.VLANs) != tt.want || h.IP.Src != "198.51.100.1" || h.ICMP.SumStatus != "good" || h.Direction != "in" {
			t.Errorf("%s: got %+v, want tags %s", tt.iface, h, tt.want)
		}
		l.finish()
	}
}

// sendTagged sends an echo request with VLAN tags from the client to the server.
func sendTagged(t *testing.T, n *lab.Network, tags []uint16) {
	t.Helper()
	ip := []byte{0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0, 198, 51, 100, 1, 198, 51, 100, 2}
	sum := lib.Checksum(ip)
	ip[10], ip[11] = byte(sum>>8), byte(sum)
	echo := []byte{8, 0, 0xf7, 0xfd, 0, 1, 0, 1}
	frame := append(bytes.Clone(n.At("server").Iface(0).MAC), n.Client.Iface(0).MAC...)
	for _, tag := range tags {
		frame = append(frame, 0x81, 0, byte(tag>>8), byte(tag))
	}
	frame = append(frame, 8, 0)
	frame = append(append(frame, ip...), echo...)
	labtest.OK(t, n.Client.Do(func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: n.Client.Iface(0).Index})
	}))
}

// TestListenInterfaceGone ends with an error when its interface does.
func TestListenInterfaceGone(t *testing.T) {
	n := labtest.Build(t, "pair")
	labtest.OK(t, n.Client.Do(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "gone0"
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "gone1"}); err != nil {
			return err
		}
		veth, err := netlink.LinkByName("gone0")
		if err != nil {
			return err
		}
		return netlink.LinkSetUp(veth)
	}))
	l := listen(t, n.Client, "-I", "gone0")
	labtest.OK(t, n.Client.Do(func() error {
		veth, err := netlink.LinkByName("gone0")
		if err != nil {
			return err
		}
		if err := netlink.LinkSetDown(veth); err != nil { // it may come up again
			return err
		}
		return netlink.LinkDel(veth)
	}))
	if _, code := l.rest(); code != 2 || !strings.Contains(l.stderr.String(), unix.ENODEV.Error()) {
		t.Errorf("got exit code %d, stderr %q", code, l.stderr.String())
	}
}

// TestListenExtract rebuilds on a router the picture that a client sends through
// it, in packets that are too large for the links.
func TestListenExtract(t *testing.T) {
	const picture = "../internal/packet/testdata/vectors/seeds/slowlink_whole.jpg"
	sent, err := os.ReadFile(picture)
	labtest.OK(t, err)
	n := labtest.Build(t, "chain:1")
	out := filepath.Join(t.TempDir(), "out")
	l := listen(t, n.At("r1"), "-I", "eth0", "--extract", out)
	if d := ping(t, n.Client, lab.Root, "--payload", picture, "--chunk", "2048", "-i0.01", n.Addr("server", false).String()); d.code != 0 {
		t.Fatal("the picture did not come back")
	}
	if _, code := l.finish(); code != 0 {
		t.Errorf("got exit code %d, %s", code, l.stderr.String())
	}
	entries, err := os.ReadDir(out)
	labtest.OK(t, err)
	found := 0
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(out, e.Name()))
		labtest.OK(t, err)
		if bytes.Equal(b, sent) {
			found++
		}
	}
	if found < 2 { // one of each direction
		t.Errorf("%d of %d files are what was sent", found, len(entries))
	}
}

// errorsOf are the errors that routers make, by family.
func errorsOf(v6 bool) (list []router.Error) {
	codes := map[uint8]uint8{3: 15, 11: 1, 12: 2} // of each type, the last
	if v6 {
		codes = map[uint8]uint8{1: 7, 2: 0, 3: 1, 4: 2}
	}
	for _, typ := range slices.Sorted(maps.Keys(codes)) {
		for code := range codes[typ] + 1 {
			list = append(list, router.Error{Type: typ, Code: code})
		}
	}
	return list
}

// TestListenErrors names every error that a router answers with.
func TestListenErrors(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		errs, family := errorsOf(v6), lib.IPv4
		if v6 {
			family = lib.IPv6
		}
		var rules []router.Rule
		for _, e := range errs { // each takes the first request that those before leave
			rules = append(rules, router.Rule{When: router.When{Match: router.EchoRequest, Last: 1}, Do: router.Refuse(e, e)})
		}
		n := routed(t, router.Hop{There: router.Way{Rules: rules}})
		l := listen(t, n.Client, "inbound")
		ping(t, n.Client, lab.Root, "-q", "-i0.01", "-c", itoa(len(errs)), n.Addr("server", v6).String())
		for i := 0; i < len(errs); {
			h := l.next("packet")
			if h.ICMP.Quote == nil { // what hosts say to find each other
				continue
			}
			e := errs[i]
			i++
			want := lib.Describe(family, e.Type, e.Code)
			if h.ICMP.Type != int(e.Type) || h.ICMP.Code != int(e.Code) || h.ICMP.Name != want || strings.Contains(want, itoa(int(e.Code))) {
				t.Errorf("got %+v, want type %d, code %d, %q", h.ICMP, e.Type, e.Code, want)
			}
		}
		l.finish()
	})
}
