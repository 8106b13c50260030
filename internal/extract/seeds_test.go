package extract

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

// seeds are captures of known transfers; NAME.extract.json says what they carry.
const seeds = "../packet/testdata/vectors/seeds"

// A wanted is a flow of an extract.json.
type wanted struct {
	Src, Dst    netip.Addr
	Type        uint8
	ID          uint16
	Lens        []int  `json:"payload_lens"`
	ConcatLen   int64  `json:"concat_len"`
	ConcatSHA   string `json:"concat_sha256"`
	ConcatIs    string `json:"concat_is"`
	StartsLike  string `json:"starts_like"`
	OnlyOfASize string `json:"only"`
}

// extractCapture extracts a capture file.
func extractCapture(t *testing.T, path string) []File {
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
	var files []File
	x, err := New(t.TempDir(), Options{Sink: func(f *File) { files = append(files, *f) }})
	if err != nil {
		t.Fatal(err)
	}
	var d packet.Decoder
	var f packet.Frame
	var p packet.Packet
	for {
		err := r.Next(&f)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		d.Decode(&f, &p)
		if err := x.Add(&p); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	return files
}

func TestSeeds(t *testing.T) {
	expectations, err := filepath.Glob(seeds + "/*.extract.json")
	if err != nil || len(expectations) != 6 {
		t.Fatalf("%d expectations: %v", len(expectations), err)
	}
	for _, path := range expectations {
		name := strings.TrimSuffix(path, ".extract.json")
		t.Run(filepath.Base(name), func(t *testing.T) {
			capture := name + ".pcap"
			if _, err := os.Stat(capture); err != nil {
				capture += "ng"
			}
			files := extractCapture(t, capture)
			for _, want := range readWanted(t, path) {
				checkFlow(t, files, &want)
			}
		})
	}
}

func readWanted(t *testing.T, path string) []wanted {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Flows []wanted }
	if err := json.Unmarshal(b, &list); err != nil || len(list.Flows) == 0 {
		t.Fatalf("%s: %v", path, err)
	}
	return list.Flows
}

// checkFlow looks for the file of a flow, and reads it.
func checkFlow(t *testing.T, files []File, want *wanted) {
	t.Helper()
	for i := range files {
		f := &files[i]
		if f.Src != want.Src || f.Dst != want.Dst || f.ID != want.ID || f.Request != (want.Type == 8) || hex.EncodeToString(f.SHA256[:]) != want.ConcatSHA {
			continue
		}
		b, err := os.ReadFile(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if f.Bytes != want.ConcatLen || int64(len(b)) != want.ConcatLen || f.Payloads != int64(len(want.Lens)) && want.OnlyOfASize == "" {
			t.Errorf("got %+v\nwant %+v", f, want)
		}
		if want.ConcatIs != "" {
			if whole, err := os.ReadFile(seeds + "/" + want.ConcatIs); err != nil || string(whole) != string(b) || f.Type != "image/jpeg" {
				t.Errorf("%s is not %s: %v, %s", f.Path, want.ConcatIs, err, f.Type)
			}
		}
		if want.StartsLike != "" && f.Type != "image/jpeg" {
			t.Errorf("%s is %s", f.Path, f.Type)
		}
		return
	}
	t.Errorf("no file of %+v\namong %+v", want, files)
}

// TestSlowLinkFiles checks that ordinary pings around a transfer stay out of it,
// and get no file of their own.
func TestSlowLinkFiles(t *testing.T) {
	files := extractCapture(t, seeds+"/xp_slowlink.pcap")
	var got []string
	for _, f := range files {
		got = append(got, filepath.Base(f.Path)+" "+f.Type)
	}
	want := []string{
		"192.168.1.23_192.168.1.2_id512_request application/octet-stream",
		"192.168.1.23_192.168.1.2_id512_request_part1 image/jpeg",
		"192.168.1.2_192.168.1.23_id512_reply application/octet-stream",
		"192.168.1.2_192.168.1.23_id512_reply_part1 image/jpeg",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
