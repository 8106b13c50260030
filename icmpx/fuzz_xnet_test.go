package icmpx_test

import (
	"bytes"
	"reflect"
	"testing"

	"golang.org/x/net/icmp"

	"github.com/icmpx/icmpx/icmpx"
)

// FuzzAgainstXNet: what Parse accepts, x/net/icmp reads alike, but for what it
// gets wrong: the MTU of fragmentation needed, extensions without checksum
// where there is no length, extensions behind ICMPv6 quotes without a length,
// and objects that it takes for others.
func FuzzAgainstXNet(f *testing.F) {
	fuzzSeeds(f, func(v6 bool, b []byte) { f.Add(v6, b) })
	f.Fuzz(func(t *testing.T, v6 bool, b []byte) {
		b = fuzzSeal(v6, b)
		ours, err := icmpx.Parse(fuzzFamily(v6), b, addr6a, addr6b)
		theirs, xerr := icmp.ParseMessage(fuzzFamily(v6).Protocol(), b)
		if err != nil {
			if xerr == nil && len(b) >= 8 && reflect.TypeOf(theirs.Body) == reflect.TypeFor[*icmp.Echo]() {
				t.Fatalf("x/net reads %+v, we do not: %v", theirs.Body, err)
			}
			return
		}
		if xerr != nil {
			t.Fatalf("we read %+v, x/net does not: %v", ours.Body, xerr)
		}
		if ours.Type != theirs.Type || ours.Code != theirs.Code || ours.Checksum != theirs.Checksum {
			t.Fatalf("ours %+v\ntheirs %+v", ours, theirs)
		}
		if !bodiesAgree(ours.Body, theirs.Body) {
			t.Fatalf("ours   %+v\ntheirs %+v\n%x", ours.Body, theirs.Body, b)
		}
	})
}

func bodiesAgree(ours, theirs icmp.MessageBody) bool {
	switch their := theirs.(type) {
	case *icmp.Echo:
		our := ours.(*icmp.Echo)
		return our.ID == their.ID && our.Seq == their.Seq && bytes.Equal(our.Data, their.Data)
	case *icmp.PacketTooBig:
		our := ours.(*icmp.PacketTooBig)
		return our.MTU == their.MTU && bytes.Equal(our.Data, their.Data)
	case *icmp.TimeExceeded:
		our := ours.(*icmpx.TimeExceeded)
		return quotesAgree(our.Data, our.Extensions, our.Form, their.Data, their.Extensions)
	case *icmp.DstUnreach:
		if our, ok := ours.(*icmpx.FragNeeded); ok {
			return quotesAgree(our.Data, our.Extensions, our.Form, their.Data, their.Extensions)
		}
		our := ours.(*icmpx.Unreachable)
		return quotesAgree(our.Data, our.Extensions, our.Form, their.Data, their.Extensions)
	case *icmp.ParamProb:
		our := ours.(*icmpx.ParamProblem)
		return uintptr(our.Pointer) == their.Pointer && quotesAgree(our.Data, our.Extensions, our.Form, their.Data, their.Extensions)
	case *icmp.ExtendedEchoRequest:
		our := ours.(*icmpx.ExtEchoRequest)
		return int(our.ID) == their.ID && int(our.Seq) == their.Seq && our.Local == their.Local
	case *icmp.ExtendedEchoReply:
		our := ours.(*icmpx.ExtEchoReply)
		return int(our.ID) == their.ID && int(our.Seq) == their.Seq && int(our.State) == their.State &&
			our.Active == their.Active && our.IPv4 == their.IPv4 && our.IPv6 == their.IPv6
	}
	return true // raw: x/net knows nothing of it
}

func quotesAgree(data []byte, exts []icmp.Extension, form icmpx.Form, theirData []byte, theirExts []icmp.Extension) bool {
	if len(exts) == 0 {
		// x/net may see an extension in a long quote, and then cuts it.
		return bytes.HasPrefix(data, theirData) && (len(theirExts) > 0 || len(theirData) == len(data) || len(theirData) == 128)
	}
	if theirExts == nil && len(theirData) > len(data) {
		return true // it gave up on an object, and swallowed the structure
	}
	if !bytes.Equal(data, theirData) || len(exts) != len(theirExts) {
		return false
	}
	for i := range exts {
		if our, ok := exts[i].(*icmp.MPLSLabelStack); ok {
			their := theirExts[i].(*icmp.MPLSLabelStack)
			for j := range our.Labels {
				if our.Labels[j] != their.Labels[j] {
					return false
				}
			}
		}
		our, ok := exts[i].(*icmp.InterfaceInfo)
		if their, isInfo := theirExts[i].(*icmp.InterfaceInfo); ok && (!isInfo || !infosAgree(our, their)) {
			return false
		}
	}
	return form <= icmpx.FormLegacy
}

func infosAgree(our, their *icmp.InterfaceInfo) bool {
	if our.Type != their.Type || (our.Interface == nil) != (their.Interface == nil) || (our.Addr == nil) != (their.Addr == nil) {
		return false
	}
	if our.Addr != nil && !our.Addr.IP.Equal(their.Addr.IP) {
		return false
	}
	return our.Interface == nil || our.Interface.Index == their.Interface.Index && our.Interface.MTU == their.Interface.MTU &&
		our.Interface.Name == their.Interface.Name
}

// agreeWithXNet compares the fields that x/net/icmp reads too.
func agreeWithXNet(t *testing.T, v6 bool, b []byte, d *icmpx.Dissection) {
	t.Helper()
	m, err := icmp.ParseMessage(fuzzFamily(v6).Protocol(), b)
	if err != nil {
		return
	}
	want := map[string]uint32{"code": uint32(m.Code), "checksum": uint32(m.Checksum)}
	switch p := m.Body.(type) {
	case *icmp.Echo:
		want["identifier"], want["sequence number"] = uint32(p.ID), uint32(p.Seq)
	case *icmp.PacketTooBig:
		want["MTU"] = uint32(p.MTU)
	case *icmp.ParamProb:
		want["pointer"] = uint32(p.Pointer)
	case *icmp.ExtendedEchoReply:
		want["identifier"], want["sequence number"], want["state"] = uint32(p.ID), uint32(p.Seq), uint32(p.State)
	case *icmp.ExtendedEchoRequest:
		want["identifier"], want["sequence number"] = uint32(p.ID), uint32(p.Seq)
	}
	for name, v := range want {
		if f := d.Find(name); f == nil || f.Value != uint64(v) {
			t.Fatalf("%s is %+v, x/net has %d", name, f, v)
		}
	}
}
