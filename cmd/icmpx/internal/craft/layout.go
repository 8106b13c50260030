package craft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
	"golang.org/x/net/icmp"
)

// A layout says which fields a message has, and how it is made of them.
type layout struct {
	fields  [][]string // names of flags of the command line, in groups: nothing is put together at the start of every command
	flags   Flags
	marshal func(*Fields) icmp.MessageBody
	read    func(*Fields, icmp.MessageBody) bool // false: the body is not one of these
}

// names returns the names of the fields.
func (l *layout) names() []string { return slices.Concat(l.fields...) }

// Names of groups of fields.
var (
	queryFields = []string{"id", "seq"}
	quoteFields = []string{
		"quote", "quote-file", "quote-src", "quote-dst", "quote-proto", "quote-ttl", "quote-tos", "quote-id", "quote-df",
	}
	extFields    = []string{"mpls", "interface-info", "extension", "extension-form"}
	dataFields   = []string{"payload", "data"}
	optionFields = []string{"source-link", "target-link", "prefix", "link-mtu", "option"}
	ifaceFields  = []string{"iface-name", "iface-index", "iface-addr"}
)

// rawLayout is that of types that are not taken apart: --body makes them.
var rawLayout = layout{}

// layoutOf returns the layout of a message.
func layoutOf(f icmpx.Family, typ, code uint8) *layout {
	if f == icmpx.IPv6 {
		return layout6(typ)
	}
	return layout4(typ, code)
}

func layout4(typ, code uint8) *layout {
	switch typ {
	case 0, 8:
		return &echoLayout
	case 3:
		if code == 4 {
			return &fragNeededLayout
		}
		return &unreachableLayout
	case 4:
		return &quenchLayout
	case 5:
		return &redirectLayout
	case 9:
		return &routersLayout
	case 10:
		return &routerSolicitLayout
	case 11:
		return &exceededLayout
	case 12:
		return &problem4Layout
	case 13, 14:
		return &timestampLayout
	case 15, 16:
		return &informationLayout
	case 17, 18:
		return &maskLayout
	case 42:
		return &extRequestLayout
	case 43:
		return &extReplyLayout
	}
	return &rawLayout
}

func layout6(typ uint8) *layout {
	switch typ {
	case 1:
		return &unreachableLayout
	case 2:
		return &tooBigLayout
	case 3:
		return &exceededLayout
	case 4:
		return &problem6Layout
	case 128, 129:
		return &echoLayout
	case 130, 131, 132:
		return &mldLayout
	case 133:
		return &ndSolicitLayout
	case 134:
		return &ndAdvertLayout
	case 135:
		return &neighborSolicitLayout
	case 136:
		return &neighborAdvertLayout
	case 137:
		return &ndRedirectLayout
	case 141, 142:
		return &inverseLayout
	case 143:
		return &mldReportLayout
	case 160:
		return &extRequestLayout
	case 161:
		return &extReplyLayout
	}
	return &rawLayout
}

// Has reports whether a message has a field, named as the flag for it is; it
// knows those that only some messages have.
func Has(f icmpx.Family, typ, code uint8, field string) bool {
	return slices.Contains(layoutOf(f, typ, code).names(), field)
}

// FieldNames returns the names of the fields that a message has; none: it is
// made with --body alone.
func FieldNames(f icmpx.Family, typ, code uint8) []string {
	return layoutOf(f, typ, code).names()
}

// CheckFields refuses fields that a message has not.
func CheckFields(f icmpx.Family, typ, code uint8, given []string) error {
	fields := layoutOf(f, typ, code).names()
	for _, name := range given {
		if slices.Contains(fields, name) {
			continue
		}
		what := "its body is made with --body alone"
		if len(fields) > 0 {
			what = "it has --" + strings.Join(fields, ", --")
		}
		return fmt.Errorf("--%s is no field of %s; %s", name, Describe(f, typ, code), what)
	}
	return nil
}

// Describe names a message with its numbers: "Redirect Host (5/1)".
func Describe(f icmpx.Family, typ, code uint8) string {
	return fmt.Sprintf("%s (%d/%d)", icmpx.Describe(f, typ, code), typ, code)
}
