package capfile_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

func TestPcapVariants(t *testing.T) {
	const sec = 1700000000
	ordinary := packet.Frame{Number: 1, Time: second.Add(5 * time.Microsecond), Len: 9, Data: []byte("abc"), Link: packet.LinkRaw}
	nano := ordinary
	nano.Time = second.Add(5)
	modified := ordinary
	modified.Iface, modified.Direction = 4, packet.Outgoing
	late := ordinary
	late.Time = time.Unix(1<<32-1, 999999000).UTC()
	for _, tc := range []struct {
		name string
		file []byte
		want packet.Frame
	}{
		{"little-endian microseconds", join(pcapHead(le, 0xa1b2c3d4, 2, 4, 100, 101), pcapRecord(le, "abc", sec, 5, 3, 9)), ordinary},
		{"big-endian nanoseconds", join(pcapHead(be, 0xa1b23c4d, 2, 4, 100, 101), pcapRecord(be, "abc", sec, 5, 3, 9)), nano},
		{"modified", join(pcapHead(le, 0xa1b2cd34, 2, 4, 100, 101), pcapRecord(le, "abc", sec, 5, 3, 9, 4, 4<<16|8)), modified},
		{"modified, big-endian", join(pcapHead(be, 0xa1b2cd34, 2, 4, 100, 101), pcapRecord(be, "abc", sec, 5, 3, 9, 4, 8<<16|4<<8)), modified},
		{"lengths swapped in version 2.2", join(pcapHead(le, 0xa1b2c3d4, 2, 2, 100, 101), pcapRecord(le, "abc", sec, 5, 9, 3)), ordinary},
		{"lengths swapped in version 2.3", join(pcapHead(le, 0xa1b2c3d4, 2, 3, 100, 101), pcapRecord(le, "abc", sec, 5, 9, 3)), ordinary},
		{"lengths in order in version 2.3", join(pcapHead(le, 0xa1b2c3d4, 2, 3, 100, 101), pcapRecord(le, "abc", sec, 5, 3, 9)), ordinary},
		{"length of a checksum beside the link type", join(pcapHead(le, 0xa1b2c3d4, 2, 4, 100, 0x24000065), pcapRecord(le, "abc", sec, 5, 3, 9)), ordinary},
		{"snapshot length exceeded", join(pcapHead(le, 0xa1b2c3d4, 2, 4, 1, 101), pcapRecord(le, "abc", sec, 5, 3, 9)), ordinary},
		{"no snapshot length", join(pcapHead(le, 0xa1b2c3d4, 2, 4, 0, 101), pcapRecord(le, "abc", sec, 5, 3, 9)), ordinary},
		{"seconds beyond 2038", join(pcapHead(le, 0xa1b2c3d4, 2, 4, 0, 101), pcapRecord(le, "abc", 1<<32-1, 999999, 3, 9)), late},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := read(iotest.OneByteReader(bytes.NewReader(tc.file)))
			if got.last != nil || len(got.frames) != 1 || !reflect.DeepEqual(got.frames[0], tc.want) {
				t.Errorf("read %+v, %v; want %+v", got.frames, got.last, tc.want)
			}
		})
	}
}

func TestPcapDamage(t *testing.T) {
	head := pcapHead(le, 0xa1b2c3d4, 2, 4, 65535, 1)
	one := join(head, pcapRecord(le, "abc", 1, 2, 3, 3))
	for _, tc := range []struct {
		name   string
		file   []byte
		offset int64
		frame  int
		what   string
	}{
		{"header of the file", head[:23], 23, 0, "cut short in the header of the file"},
		{"version", pcapHead(le, 0xa1b2c3d4, 3, 0, 65535, 1), 4, 0, "version 3.0 of the format is not known"},
		{"header of a packet", join(one, one[24:39]), 43 + 15, 1, "cut short in the header of a packet"},
		{"packet", join(one, one[24:42]), 43 + 18, 1, "cut short in a packet"},
		{"huge packet", join(one, pcapRecord(le, "x", 1, 2, 1<<31, 1<<31), one), 43, 1, "the header of a packet says 2147483648 bytes; at most 262144 are believed"},
		{"largest packet", join(one, pcapRecord(le, "x", 1, 2, 1<<18, 1<<18)), 43 + 17, 1, "cut short in a packet"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := read(bytes.NewReader(tc.file))
			wantDamage(t, got.last, tc.offset, tc.frame, tc.what)
			if len(got.frames) != tc.frame {
				t.Errorf("%d frames, want %d", len(got.frames), tc.frame)
			}
		})
	}
}

func TestForeignFormats(t *testing.T) {
	for file, want := range map[string]string{
		"":                         "an empty file",
		"\x1f\x8b\x08":             "gzip-compressed data: unpack it first",
		"\x28\xb5\x2f\xfd\x00\x00": "zstd-compressed data: unpack it first",
		"snoop\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x04":                "a snoop capture: convert it with editcap",
		"\x10\x32\x54\x76\x98\xba\xdc\x65\x02\x04\x00\x40\x00\x00\x00\x2e": "what may be an ERF capture: convert it with editcap",
		"no capture at all, in many words":                                 "text",
		"\x01\x02\x03\x04\x05":                                             "it begins with 01 02 03 04",
		"\x0a\x0d\x0d\x0a\x00\x00\x00\x1c1234":                             "it begins as pcapng and has no byte-order magic",
	} {
		_, err := capfile.NewReader(strings.NewReader(file))
		var format *capfile.FormatError
		if !errors.As(err, &format) || format.Found != want {
			t.Errorf("%q: %v, want %s", file, err, want)
		}
	}
}

// TestReadError has the source fail: that is no damage of the file, and what
// came before is given.
func TestReadError(t *testing.T) {
	broken := errors.New("broken")
	ng := join(shb(le), idb(le, 1, 0), epb(le, 0, 1, "abc"))
	for name, file := range map[string][]byte{
		"pcap":   join(pcapHead(le, 0xa1b2c3d4, 2, 4, 65535, 1), pcapRecord(le, "abc", 1, 2, 3, 3)),
		"pcapng": ng,
	} {
		for _, extra := range []string{"", "12", "123456789012"} {
			got := read(io.MultiReader(bytes.NewReader(file), strings.NewReader(extra), iotest.ErrReader(broken)))
			if len(got.frames) != 1 || !errors.Is(got.last, broken) {
				t.Errorf("%s: %d frames, %v", name, len(got.frames), got.last)
			}
		}
	}
	if _, err := capfile.NewReader(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("opened: %v", err)
	}
	if _, err := capfile.NewReader(silent{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("opened: %v", err)
	}
}

// silent gives nothing and does not end.
type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }
