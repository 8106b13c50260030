package main

import (
	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/internal/fingerprint"
)

// A fingerprinter says who made the probes of a capture and what is odd about
// it. It is a judge: it stands before the views.
type fingerprinter struct {
	observer *fingerprint.Observer
	text     render.FingerprintText
	json     bool
	told     bool // of the source at hand
}

func (s *decodeSession) newFingerprinter() *fingerprinter {
	return &fingerprinter{
		observer: fingerprint.New(), json: s.asked.json, text: render.FingerprintText{Name: s.names()},
	}
}

func (v *fingerprinter) begin(b []byte, _ *sourceInfo) []byte {
	v.observer, v.told = fingerprint.New(), false
	return b
}

func (v *fingerprinter) packet(b []byte, s *seen) []byte {
	s.Findings = render.PacketFindings(s.Findings, v.observer.Add(s.Packet))
	return b
}

// shut tells of a source, unless end has done so: behind the last source both
// are called.
func (v *fingerprinter) shut(b []byte, _ *render.CaptureTally, _ []string) []byte {
	return v.tell(b)
}

func (v *fingerprinter) end(b []byte) []byte { return v.tell(b) }

func (v *fingerprinter) tell(b []byte) []byte {
	if v.told {
		return b
	}
	v.told = true
	r := v.observer.Report()
	if v.json {
		var j render.PacketJSON
		return j.AppendFingerprints(b, &r)
	}
	return v.text.AppendReport(b, &r)
}

func (v *fingerprinter) report(b []byte) []byte {
	r := v.observer.Report()
	return v.text.AppendReport(b, &r)
}
