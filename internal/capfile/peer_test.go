package capfile_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

// A packetSource is a reader of gopacket.
type packetSource interface {
	ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

func openPeer(t *testing.T, file []byte) packetSource {
	t.Helper()
	if r, err := pcapgo.NewReader(bytes.NewReader(file)); err == nil {
		return r
	}
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// timesDiffer are the captures whose times gopacket does not tell.
var timesDiffer = map[string]string{
	"fmt_pcapng_spb.pcapng":  "gopacket takes a time that is not there for 1970",
	"fmt_pcapng_pow2.pcapng": "gopacket rounds the resolution, a power of 2, to microseconds",
}

// TestSameAsPeer compares the frames of every capture with what gopacket reads.
func TestSameAsPeer(t *testing.T) {
	for _, name := range captures(t, vectors+"/gen/*", vectors+"/seeds/*", vectors+"/seeds/*/*") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			file, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			peer := openPeer(t, file)
			_, last := readAll(t, name, func(f *packet.Frame) {
				data, info, err := peer.ReadPacketData()
				if err != nil {
					t.Fatalf("frame %d: gopacket: %v", f.Number, err)
				}
				if !bytes.Equal(f.Data, data) || f.Len != info.Length || f.Iface != info.InterfaceIndex {
					t.Errorf("frame %d: %d of %d bytes on %d, gopacket has %d of %d on %d",
						f.Number, len(f.Data), f.Len, f.Iface, len(data), info.Length, info.InterfaceIndex)
				}
				if timesDiffer[filepath.Base(name)] == "" && !f.Time.Equal(info.Timestamp) {
					t.Errorf("frame %d: time %v, gopacket has %v", f.Number, f.Time, info.Timestamp)
				}
			})
			_, _, err = peer.ReadPacketData()
			if (last == io.EOF) != (err == io.EOF) || err == nil {
				t.Errorf("ends with %v, gopacket with %v", last, err)
			}
		})
	}
}

// TestPeerReads has gopacket read what Writer writes.
func TestPeerReads(t *testing.T) {
	var out bytes.Buffer
	w := capfile.NewWriter(&out, capfile.WriterOptions{Application: "icmpx", Filter: "icmp", SnapLen: 100})
	at := time.Unix(1700000000, 123456789).UTC()
	frames := []packet.Frame{
		{Time: at, Len: 3, Data: []byte("abc"), Link: packet.LinkRaw, Iface: 7, IfaceName: "veth0", Comments: []string{"one", "two"}, Direction: packet.Outgoing},
		{Time: at.Add(time.Second), Len: 60, Data: []byte("defg"), Link: packet.LinkEthernet, Iface: 8, IfaceName: "veth1"},
	}
	for i := range frames {
		if err := w.Write(&frames[i]); err != nil {
			t.Fatal(err)
		}
	}
	w.Statistics(at, capfile.Statistics{Received: 9, Dropped: 7})
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(&out, pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range frames {
		data, info, err := r.ReadPacketData()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, f.Data) || info.Length != f.Len || !info.Timestamp.Equal(f.Time) || info.InterfaceIndex != i {
			t.Errorf("frame %d: %q, %+v", i+1, data, info)
		}
		described, err := r.Interface(i)
		if err != nil || described.Name != f.IfaceName || described.Filter != "icmp" || described.SnapLength != 100 || uint64(described.LinkType) != uint64(f.Link) {
			t.Errorf("interface %d: %+v, %v", i, described, err)
		}
	}
	if _, _, err := r.ReadPacketData(); err != io.EOF {
		t.Errorf("ends with %v", err)
	}
	described, err := r.Interface(0)
	if err != nil || described.Statistics.PacketsReceived != 9 || described.Statistics.PacketsDropped != 7 {
		t.Errorf("statistics %+v, %v", described.Statistics, err)
	}
}
