//go:build linux

package lab

import (
	"errors"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// natTable is the name of the table that translations go to.
const natTable = "nat"

// Masquerade has the router send what leaves by its interface out in its own
// name, and hand back what comes for it. The kernel translates errors with what
// they quote, so that a sender sees its own packets quoted.
func (h *Host) Masquerade(out *Iface, v6 bool) error {
	if out == nil || out.Host != h {
		return wrap("masquerade on host "+h.Name, errTranslation)
	}
	return wrap("masquerade on host "+h.Name, h.nft(func(c *nftables.Conn) {
		addTranslation(c, v6, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource,
			&expr.Meta{Key: expr.MetaKeyOIF, Register: 1},
			equal(binaryutil.NativeEndian.PutUint32(uint32(out.Index))),
			&expr.Masq{})
	}))
}

// Translate has the router send what comes for dst to another address of the
// same family. Answers, and errors from there and from behind it, come from dst.
func (h *Host) Translate(dst, to netip.Addr) error {
	if !dst.IsValid() || dst.BitLen() != to.BitLen() {
		return wrap("translate on host "+h.Name, errTranslation)
	}
	offset, size, family := uint32(16), uint32(4), uint32(unix.NFPROTO_IPV4) // of the destination in an IPv4 header
	if dst.Is6() {
		offset, size, family = 24, 16, unix.NFPROTO_IPV6
	}
	return wrap("translate on host "+h.Name, h.nft(func(c *nftables.Conn) {
		addTranslation(c, dst.Is6(), nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest,
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: size},
			equal(dst.AsSlice()),
			&expr.Immediate{Register: 1, Data: to.AsSlice()},
			&expr.NAT{Type: expr.NATTypeDestNAT, Family: family, RegAddrMin: 1})
	}))
}

// errTranslation is what an interface of another host, or addresses of two
// families, give.
var errTranslation = errors.New("invalid translation")

// addTranslation adds a rule, after the table and the chain that it belongs to.
func addTranslation(c *nftables.Conn, v6 bool, hook *nftables.ChainHook, priority *nftables.ChainPriority, exprs ...expr.Any) {
	family := nftables.TableFamilyIPv4
	if v6 {
		family = nftables.TableFamilyIPv6
	}
	table := c.AddTable(&nftables.Table{Name: natTable, Family: family})
	name := "postrouting"
	if hook == nftables.ChainHookPrerouting {
		name = "prerouting"
	}
	chain := c.AddChain(&nftables.Chain{
		Name: name, Table: table, Type: nftables.ChainTypeNAT, Hooknum: hook, Priority: priority,
	})
	c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: exprs})
}
