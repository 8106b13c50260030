package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/internal/packet"
)

// pingBytes is an IPv4 packet of 37 bytes, an odd number, whose last 9 could be
// told for anything.
func pingBytes(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString("450000250001000040018ea0c0000201c6336402" + "080005680001000161626364" + "6566676861")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// hexPackets reads all packets of a text.
func hexPackets(text string, link packet.LinkType, guess bool) ([]packet.Frame, error) {
	s := newHexSource(strings.NewReader(text), link, guess)
	var list []packet.Frame
	for {
		var f packet.Frame
		if err := s.Next(&f); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return list, err
		}
		f.Data = bytes.Clone(f.Data)
		list = append(list, f)
	}
}

// TestHexForms reads one packet as each tool writes it.
func TestHexForms(t *testing.T) {
	want := pingBytes(t)
	tests := []struct{ name, text string }{
		{"plain", hex.EncodeToString(want)},
		{"plain, wrapped", hex.EncodeToString(want[:20]) + "\n" + hex.EncodeToString(want[20:]) + "\n"},
		{"colons", "45:00:00:25:00:01:00:00:40:01:8e:a0:c0:00:02:01:c6:33:64:02:08:00:05:68:00:01:00:01:61:62:63:64:65:66:67:68:61"},
		{"program", "unsigned char a[] = {\n  0x45, 0x00, 0x00, 0x25, 0x00, 0x01, 0x00, 0x00, 0x40, 0x01, 0x8e, 0xa0,\n" +
			"  0xc0, 0x00, 0x02, 0x01, 0xc6, 0x33, 0x64, 0x02, 0x08, 0x00, 0x05, 0x68,\n  0x00, 0x01, 0x00, 0x01, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x61 };\nunsigned int a_len = 37;\n"},
		{"string", `"\x45\x00\x00\x25\x00\x01\x00\x00\x40\x01\x8e\xa0\xc0\x00\x02\x01\xc6\x33\x64\x02"` + "\n" + `"\x08\x00\x05\x68\x00\x01\x00\x01\x61\x62\x63\x64\x65\x66\x67\x68\x61";`},
		{"xxd", "00000000: 4500 0025 0001 0000 4001 8ea0 c000 0201  E..%....@.......\n" +
			"00000010: c633 6402 0800 0568 0001 0001 6162 6364  .3d.........abcd\n" +
			"00000020: 6566 6768 61                             efgha\n"},
		{"xxd -g1 -c8", "00000000: 45 00 00 25 00 01 00 00  E..%....\n00000008: 40 01 8e a0 c0 00 02 01  @.......\n" +
			"00000010: c6 33 64 02 08 00 05 68  .3d.....\n00000018: 00 01 00 01 61 62 63 64  ....abcd\n00000020: 65 66 67 68 61           efgha\n"},
		{"hexdump -C", "00000000  45 00 00 25 00 01 00 00  40 01 8e a0 c0 00 02 01  |E..%....@.......|\n" +
			"00000010  c6 33 64 02 08 00 05 68  00 01 00 01 61 62 63 64  |.3d.........abcd|\n" +
			"00000020  65 66 67 68 61                                    |efgha|\n00000025\n"},
		{"hexdump", "0000000 0045 2500 0100 0000 0140 a08e 00c0 0102\n0000010 33c6 0264 0008 6805 0100 0100 6261 6463\n0000020 6665 6867 0061                         \n0000025\n"},
		{"od -x", "0000000 0045 2500 0100 0000 0140 a08e 00c0 0102\n0000020 33c6 0264 0008 6805 0100 0100 6261 6463\n0000040 6665 6867 0061\n0000045\n"},
		{"od -A x -t x1", "000000 45 00 00 25 00 01 00 00 40 01 8e a0 c0 00 02 01\n000010 c6 33 64 02 08 00 05 68 00 01 00 01 61 62 63 64\n000020 65 66 67 68 61\n000025\n"},
		{"tcpdump -x", "12:00:00.000000 IP 192.0.2.1 > 198.51.100.2: ICMP echo request, id 1, seq 1, length 17\n" +
			"\t0x0000:  4500 0025 0001 0000 4001 8ea0 c000 0201\n\t0x0010:  c633 6402 0800 0568 0001 0001 6162 6364\n\t0x0020:  6566 6768 61\n"},
		{"tcpdump -X", "\t0x0000:  4500 0025 0001 0000 4001 8ea0 c000 0201  E..%....@.......\n" +
			"\t0x0010:  c633 6402 0800 0568 0001 0001 6162 6364  .3d.........abcd\n\t0x0020:  6566 6768 61                             efgha\n"},
		{"wireshark", "0000   45 00 00 25 00 01 00 00 40 01 8e a0 c0 00 02 01   E..%....@.......\n" +
			"0010   c6 33 64 02 08 00 05 68 00 01 00 01 61 62 63 64   .3d.........abcd\n0020   65 66 67 68 61                                    efgha\n"},
	}
	for _, tt := range tests {
		for _, text := range []string{tt.text, strings.ReplaceAll(tt.text, "\n", "\r\n")} {
			list, err := hexPackets(text, 0, true)
			if err != nil || len(list) != 1 {
				t.Errorf("%s: %d packets, %v", tt.name, len(list), err)
				continue
			}
			got := list[0].Data
			if strings.HasPrefix(tt.name, "hexdump") && tt.name != "hexdump -C" || tt.name == "od -x" {
				got = got[:len(got)-1] // the last word is filled up
			}
			if !bytes.Equal(got, want) || list[0].Link != packet.LinkRaw {
				t.Errorf("%s: link type %d\n got %x\nwant %x", tt.name, list[0].Link, got, want)
			}
		}
	}
}

func TestHexPackets(t *testing.T) {
	p := hex.EncodeToString(pingBytes(t))
	star := "00000000  45 00 00 54 00 01 00 00  40 01 f6 98 c0 00 02 01  |E|\n00000010  c6 33 64 02 08 00 f7 fe  00 00 00 00 00 00 00 00  |3|\n" +
		"00000020  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |.|\n*\n00000050  00 00 00 00                                       |.|\n00000054\n"
	tests := []struct {
		name, text string
		link       packet.LinkType // 0: guess
		want       []int           // lengths
		err        string
	}{
		{"two, with an empty line", p + "\n\n" + p + "\n", 0, []int{37, 37}, ""},
		{"two, with words between", p + "\nthe answer:\n" + p + "\n", 0, []int{37, 37}, ""},
		{"two, by offset", "0000: 4500 0014\n0004: 0001 0000 40fd b6a0\n0000: 4500 0014\n", packet.LinkRaw, []int{12, 4}, ""},
		{"lines left out", star, 0, []int{0x54}, ""},
		{"a line is missing", "0000: 4500 0014\n0010: 0001\n", packet.LinkRaw, nil, "line 2: the offset is not that of the next byte"},
		{"back without a reason", "0000: 4500 0014 0000\n0002: 0001\n", packet.LinkRaw, nil, "line 2: the offset"},
		{"nothing but words", "hello\nthere\n", 0, nil, "no line holds bytes in hex"},
		{"nothing", "", 0, nil, "no line holds bytes in hex"},
		{"half a byte", "4500 00 1", packet.LinkRaw, nil, "no line holds bytes in hex"},
		{"what is it", "b0b0b0b0b0b0b0b0", 0, nil, "--link says it"},
		{"a message", "0800 f7fe 0000 0001", 0, []int{8}, ""},
		{"too far", "00000000: 45\n*\n0fffffff: 45\n", packet.LinkRaw, nil, "line 3: the offset"},
		{"too long", strings.Repeat("00", maxHexPacket+1), packet.LinkRaw, nil, "a packet of more than"},
		{"a line too long", strings.Repeat(" ", maxHexLine+1), packet.LinkRaw, nil, "line 1: longer than"},
	}
	for _, tt := range tests {
		list, err := hexPackets(tt.text, tt.link, tt.link == 0)
		var got []int
		for _, f := range list {
			got = append(got, len(f.Data))
		}
		bad := tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err))
		if bad || len(got) != len(tt.want) {
			t.Errorf("%s: packets %v, want %v; %v", tt.name, got, tt.want, err)
			continue
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("%s: packets %v, want %v", tt.name, got, tt.want)
			}
		}
	}
}

// TestGuessLink guesses what the packets of captures begin with, where that can
// be told from their bytes.
func TestGuessLink(t *testing.T) {
	for name, want := range map[string]packet.LinkType{
		"gen/lt_ethernet.pcap": packet.LinkEthernet, "gen/lt_vlan_triple.pcap": packet.LinkEthernet, "gen/lt_mpls_ethernet.pcap": packet.LinkEthernet,
		"gen/lt_pppoe.pcap": packet.LinkEthernet, "gen/lt_sll.pcap": packet.LinkCooked, "gen/lt_sll2.pcap": packet.LinkCookedV2,
		"gen/lt_raw.pcap": packet.LinkRaw, "gen/lt_ipv4.pcap": packet.LinkRaw, "gen/lt_ipv6.pcap": packet.LinkRaw,
	} {
		for _, f := range *framesOf(t, vector(name)) {
			if got, ok := guessLink(f.Data); !ok || got != want {
				t.Errorf("%s, frame %d: %d, %v; want %d", name, f.Number, got, ok, want)
			}
		}
	}
	for _, f := range *framesOf(t, vector("gen/v4_echo.pcap")) {
		if got, ok := guessLink(f.Data[34:]); !ok || got != packet.LinkICMP {
			t.Errorf("message of frame %d: %d, %v", f.Number, got, ok)
		}
	}
}

func TestDecodeHex(t *testing.T) {
	w := &world{stdin: hex.EncodeToString(pingBytes(t))}
	code := w.run(t, "decode", "-t", "--hex", "-")
	if want := "IP 192.0.2.1 > 198.51.100.2: ICMP echo request, id 1, seq 1, length 17"; code != exitOK || !strings.HasPrefix(w.stdout.String(), want) {
		t.Errorf("exit code %d: %s%s", code, w.stdout.String(), w.stderr.String())
	}
	for link, want := range map[string]string{
		"icmp":  "ICMP echo request, id 0, seq 1, length 8\n",
		"icmp6": "ICMP6, type-#8, length 8\n",
	} {
		w := &world{stdin: "0800 f7fe 0000 0001"}
		if code := w.run(t, "decode", "-t", "--hex", "--link", link, "-"); code != exitOK || w.stdout.String() != want {
			t.Errorf("%s: exit code %d: %q, want %q", link, code, w.stdout.String(), want)
		}
	}
}

// FuzzHex reads any text. What it makes of it is bounded, and decodes.
func FuzzHex(f *testing.F) {
	f.Add("00000000: 4500 0025 0001 0000 4001 8ea0 c000 0201  E..%....@.......\n")
	f.Add("0000000 0045 2500 0100\n*\n0000040\n")
	f.Add("\t0x0000:  4500 0025\n\n45:00:00\n0x45, 0x00\n\\x45\\x00 zz\n00000000  45 00\n*\n00000100\n")
	data, err := os.ReadFile(vector("gen/lt_raw.pcap"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(hex.Dump(data))
	f.Fuzz(func(t *testing.T, text string) {
		for _, guess := range []bool{true, false} {
			list, _ := hexPackets(text, packet.LinkRaw, guess)
			var d packet.Decoder
			var p packet.Packet
			for i := range list {
				if n := len(list[i].Data); n == 0 || n > maxHexPacket {
					t.Fatalf("a packet of %d bytes", n)
				}
				d.Decode(&list[i], &p)
			}
		}
	})
}
