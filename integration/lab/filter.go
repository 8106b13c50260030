//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A Hook is where in the kernel a packet filter looks at packets.
type Hook uint8

// The hooks.
const (
	Input   Hook = iota // what is for this host
	Forward             // what this router passes on
	Output              // what this host sends, its ICMP errors included
)

// A Verdict is what happens to a packet that a rule matches.
type Verdict uint8

// The verdicts.
const (
	Drop   Verdict = iota // nothing comes back. On Output the sender gets EPERM
	Reject                // destination unreachable, with the rule's Code
)

// A Rule is a rule of a packet filter (nftables). It matches what all of its
// fields match.
type Rule struct {
	Hook     Hook
	Dst      netip.Prefix // destination; its family is the rule's
	Proto    uint8        // IP protocol number; 0: any
	Port     uint16       // destination port of UDP and TCP; 0: any
	ICMPType []uint8      // of ICMP and ICMPv6, one of these; empty: any
	ICMPCode []uint8      // of these types, one of these; empty: any
	Above    int          // larger packets than this, in bytes; 0: any
	Unmarked uint32       // packets without this mark (SO_MARK); 0: any
	Verdict  Verdict
	Code     uint8 // code of the unreachable that Reject sends, in the numbers of the rule's family
}

// hooks are the kernel's names.
var hooks = [...]*nftables.ChainHook{
	Input: nftables.ChainHookInput, Forward: nftables.ChainHookForward, Output: nftables.ChainHookOutput,
}

// filterTable is the name of the table that rules go to.
const filterTable = "lab"

// errRule is what a rule without a destination, or with an unknown hook, gives.
var errRule = errors.New("invalid rule")

// Filter adds rules to the host's packet filter.
func (h *Host) Filter(rules ...Rule) error {
	for _, r := range rules {
		if !r.Dst.IsValid() || int(r.Hook) >= len(hooks) {
			return wrap("add filter to host "+h.Name, errRule)
		}
	}
	err := h.nft(func(c *nftables.Conn) {
		for _, r := range rules {
			r.add(c)
		}
	})
	return wrap("add filter to host "+h.Name, err)
}

// Mute makes the host silent: it sends no errors (time exceeded, destination
// unreachable) any more. It forwards, and answers echo requests, as before.
func (h *Host) Mute() error {
	return h.Filter(
		Rule{Hook: Output, Dst: netip.MustParsePrefix("0.0.0.0/0"), ICMPType: []uint8{3, 11}, Verdict: Drop},
		Rule{Hook: Output, Dst: netip.MustParsePrefix("::/0"), ICMPType: []uint8{1, 3}, Verdict: Drop})
}

// Unfilter removes all rules of the host's packet filter, and its translations.
func (h *Host) Unfilter() error {
	return wrap("remove filter of host "+h.Name, h.nft((*nftables.Conn).FlushRuleset))
}

// nft has change prepare a change of the host's ruleset, and applies it.
func (h *Host) nft(change func(*nftables.Conn)) error {
	c, err := nftables.New(nftables.WithNetNSFd(int(h.ns.Fd())))
	if err != nil {
		return err
	}
	change(c)
	return c.Flush()
}

// add adds the rule, after the table and the chain that it belongs to.
func (r *Rule) add(c *nftables.Conn) {
	family := nftables.TableFamilyIPv4
	if r.Dst.Addr().Is6() {
		family = nftables.TableFamilyIPv6
	}
	table := c.AddTable(&nftables.Table{Name: filterTable, Family: family})
	chain := c.AddChain(&nftables.Chain{
		Name: fmt.Sprintf("hook%d", r.Hook), Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: hooks[r.Hook], Priority: nftables.ChainPriorityFilter,
	})
	for _, icmp := range r.icmpHeads() {
		c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: r.exprs(icmp)})
	}
}

// icmpHeads are the first bytes of the ICMP messages that the rule is for: a
// type, or a type and a code. An empty one stands for any packet.
func (r *Rule) icmpHeads() [][]byte {
	if len(r.ICMPType) == 0 {
		return [][]byte{nil}
	}
	var heads [][]byte
	for _, typ := range r.ICMPType {
		if len(r.ICMPCode) == 0 {
			heads = append(heads, []byte{typ})
		}
		for _, code := range r.ICMPCode {
			heads = append(heads, []byte{typ, code})
		}
	}
	return heads
}

// exprs translates the rule into the kernel's filter machine: load into register
// 1, mask, compare.
func (r *Rule) exprs(icmpHead []byte) []expr.Any {
	dst, proto := r.Dst.Masked().Addr(), r.Proto
	offset, icmp := uint32(16), uint8(unix.IPPROTO_ICMP) // of the destination in an IPv4 header
	if dst.Is6() {
		offset, icmp = 24, unix.IPPROTO_ICMPV6
	}
	if icmpHead != nil {
		proto = icmp
	}
	size := uint32(dst.BitLen() / 8)
	es := []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: size},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: size, Mask: ipNet(r.Dst).Mask, Xor: make([]byte, size)},
		equal(dst.AsSlice()),
	}
	if proto != 0 {
		es = append(es, &expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, equal([]byte{proto}))
	}
	if icmpHead != nil {
		es = append(es, transport(0, uint32(len(icmpHead))), equal(icmpHead))
	}
	if r.Port != 0 {
		es = append(es, transport(2, 2), equal(binaryutil.BigEndian.PutUint16(r.Port)))
	}
	es = append(es, r.whole()...)
	if r.Verdict == Reject {
		return append(es, &expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: r.Code})
	}
	return append(es, &expr.Verdict{Kind: expr.VerdictDrop})
}

// whole translates what is about the packet as a whole, not in its headers.
func (r *Rule) whole() (es []expr.Any) {
	if r.Above > 0 {
		// Compared as bytes, hence in network byte order.
		es = append(es, &expr.Meta{Key: expr.MetaKeyLEN, Register: 1},
			&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: 4, Size: 4},
			&expr.Cmp{Op: expr.CmpOpGt, Register: 1, Data: binaryutil.BigEndian.PutUint32(uint32(r.Above))})
	}
	if r.Unmarked != 0 {
		es = append(es, &expr.Meta{Key: expr.MetaKeyMARK, Register: 1},
			&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: binaryutil.NativeEndian.PutUint32(r.Unmarked)})
	}
	return es
}

// transport loads bytes of the transport header.
func transport(offset, size uint32) expr.Any {
	return &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: size}
}

func equal(data []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: data} }
