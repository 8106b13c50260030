package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// serveDNS answers questions on the loopback until the test ends, with the PTR
// and TXT records of a table, and returns where.
func serveDNS(t *testing.T, records map[string]string) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	go func() {
		defer close(done)
		b := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			if answer := answerDNS(b[:n], records); answer != nil {
				_, _ = conn.WriteTo(answer, from) // the one who asks notices
			}
		}
	}()
	return netip.MustParseAddrPort(conn.LocalAddr().String())
}

// answerDNS returns the answer to a message, nil if it is none that can be read.
func answerDNS(question []byte, records map[string]string) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.Authoritative, m.RCode, m.Additionals = true, true, dnsmessage.RCodeNameError, nil
	if value := records[q.Name.String()]; value != "" {
		m.RCode = dnsmessage.RCodeSuccess
		r := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}}
		switch q.Type {
		case dnsmessage.TypePTR:
			r.Body = &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(value)}
		case dnsmessage.TypeTXT:
			r.Body = &dnsmessage.TXTResource{TXT: []string{value}}
		}
		m.Answers = []dnsmessage.Resource{r}
	}
	answer, err := m.Pack()
	if err != nil {
		return nil
	}
	return answer
}

// TestDirectory asks a name server of the user's choice.
func TestDirectory(t *testing.T) {
	d := newDirectory(serveDNS(t, map[string]string{
		"1.100.51.198.in-addr.arpa.":         "r1.example.",
		"1.100.51.198.origin.asn.cymru.com.": "64500 | 198.51.100.0/24 | ZZ",
	}))
	r := newRegistry(t.Context(), d, true, true)
	defer r.close()
	known, unknown := netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("198.51.100.2")
	for _, a := range []netip.Addr{known, unknown, known} {
		r.ask(a)
	}
	r.wait([]netip.Addr{known, unknown})
	<-r.known[known].done // however long the machine takes
	<-r.known[unknown].done
	if name, as := r.nameFor(known), r.systemFor(known); name != "r1.example" || as != "AS64500" {
		t.Errorf("%v is %q of %q", known, name, as)
	}
	if name, as := r.nameFor(unknown), r.systemFor(unknown); name != "" || as != "" {
		t.Errorf("%v is %q of %q", unknown, name, as)
	}
}

// TestDirectoryGivesUp holds that a question which nobody answers ends with its
// context: a run that is over does not wait for its name server.
func TestDirectoryGivesUp(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	d := newDirectory(netip.MustParseAddrPort(silent.LocalAddr().String())).(*chosenDirectory)
	ctx, cancel := context.WithCancel(t.Context())
	conn, err := d.Dial(ctx, "udp", "192.0.2.53:53")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := conn.Read(make([]byte, 512)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read: %v", err)
	}
}

// TestDirectoryTimeout holds that the end of a question's time leaves the socket
// open, so that the error tells of the time.
func TestDirectoryTimeout(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	d := newDirectory(netip.MustParseAddrPort(silent.LocalAddr().String())).(*chosenDirectory)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	conn, err := d.Dial(ctx, "udp", "192.0.2.53:53")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil { // as the resolver does
		t.Fatal(err)
	}
	for range 100 { // once the time is over, what follows its end as well
		if _, err := conn.Read(make([]byte, 512)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("read: %v", err)
		}
	}
}

func TestServerFault(t *testing.T) {
	for _, tt := range []struct {
		err  net.DNSError
		want string
	}{
		{net.DNSError{Err: "read udp 192.0.2.1:999->192.0.2.53:53: i/o timeout", Server: "192.0.2.53:53", IsTimeout: true}, "name server 192.0.2.53 does not answer"},
		{net.DNSError{Err: "i/o timeout", IsTimeout: true}, "the name server does not answer"},
		{net.DNSError{Err: "read udp 192.0.2.1:999->192.0.2.53:5353: read: connection refused", Server: "192.0.2.53:5353", IsTemporary: true}, "name server 192.0.2.53:5353: connection refused"},
		{net.DNSError{Err: "dial udp [2001:db8::53]:53: connect: network is unreachable", Server: "[2001:db8::53]:53"}, "name server 2001:db8::53: network is unreachable"},
		{net.DNSError{Err: "server misbehaving", Server: "192.0.2.53:53", IsTemporary: true}, "name server 192.0.2.53: server misbehaving"},
		{net.DNSError{Err: "operation was canceled"}, "operation was canceled"},
	} {
		if got := serverFault(&tt.err); got != tt.want {
			t.Errorf("%v: got %q, want %q", &tt.err, got, tt.want)
		}
	}
}

func TestParseServer(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.53": "192.0.2.53:53", "192.0.2.53:5353": "192.0.2.53:5353", "2001:db8::53": "[2001:db8::53]:53", "[2001:db8::53]:54": "[2001:db8::53]:54",
		"192.0.2.53:0": "", "ns.example": "", "": "", "192.0.2.53:": "", "[192.0.2.53]": "",
	} {
		got, err := parseServer(in)
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("%q: %v, %v; want %q", in, got, err, want)
		}
	}
}

func TestOrigins(t *testing.T) {
	tests := []struct {
		texts []string
		want  string
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"64500 | 192.0.2.0/24 | ZZ | test | 2020-01-01"}, "AS64500"},
		{[]string{"64500 64501|192.0.2.0/24"}, "AS64500/AS64501"},
		{[]string{"64500 | 192.0.2.0/23", "64501 | 192.0.2.0/24", "64502 | 192.0.0.0/16"}, "AS64501"},
		{[]string{"1 2 3 4 5 6 | 192.0.2.0/24"}, "AS1/AS2/AS3/AS4"},
		{[]string{"-1 +2 0x3 4294967296 \x1b[31m | 192.0.2.0/24"}, ""},
		{[]string{"NA | NA"}, ""},
	}
	for _, tt := range tests {
		if got := origins(tt.texts); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.texts, got, tt.want)
		}
	}
}

func TestOriginName(t *testing.T) {
	for in, want := range map[string]string{
		"198.51.100.1": "1.100.51.198.origin.asn.cymru.com.", "::ffff:198.51.100.1": "1.100.51.198.origin.asn.cymru.com.",
		"10.0.0.1": "", "192.168.1.1": "", "127.0.0.1": "", "169.254.0.1": "", "100.127.0.1": "", "224.0.0.1": "", "fe80::1%lo": "", "fd00::1": "", "::": "",
		"2001:db8::1": "1" + strings.Repeat(".0", 23) + ".8.b.d.0.1.0.0.2.origin6.asn.cymru.com.",
	} {
		if got := originName(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// TestRegistryBounds holds that a network that answers from any number of
// addresses does not fill the memory.
func TestRegistryBounds(t *testing.T) {
	w := &world{names: map[string][]string{}}
	r := newRegistry(t.Context(), texts{w}, true, false)
	a := netip.MustParseAddr("198.51.0.0")
	for range 2 * maxEntries {
		r.ask(a)
		a = a.Next()
	}
	r.ask(netip.Addr{})
	r.close()
	if n := len(r.known); n != maxEntries || slices.ContainsFunc(w.did, func(s string) bool { return strings.HasPrefix(s, "look up TXT") }) {
		t.Errorf("%d entries", n)
	}
}
