package packet

// Codes of problems, as docs/decode.md lists them.
const (
	ProblemLink           = "link"           // a link layer that is not read
	ProblemTruncated      = "truncated"      // bytes are missing that a header announces
	ProblemVersion        = "ip_version"     // the version is not that of the packet's place
	ProblemHeaderLength   = "ip_header"      // a header length that cannot be
	ProblemLength         = "ip_length"      // a total or payload length that cannot be
	ProblemHeaderChecksum = "ip_checksum"    // the checksum of an IPv4 header is wrong
	ProblemExtension      = "ip_extension"   // an IPv6 extension header that cannot be
	ProblemNesting        = "nesting"        // more headers than are followed
	ProblemFamily         = "icmp_family"    // ICMP of the other family
	ProblemEmpty          = "icmp_empty"     // ICMP without a byte
	ProblemDuplicate      = "frag_duplicate" // a fragment that was there before
	ProblemOverlap        = "frag_overlap"   // fragments overlap, with the same content
	ProblemConflict       = "frag_conflict"  // fragments overlap, with different content
	ProblemFragmentEnd    = "frag_end"       // fragments do not agree on where the datagram ends
	ProblemFragmentLength = "frag_length"    // a fragment whose length cannot be
	ProblemTooLong        = "frag_too_long"  // fragments of more than a datagram can hold
	ProblemDropped        = "frag_dropped"   // a fragment of a datagram that was given up
)

// maxProblems is how many problems one frame may have.
const maxProblems = 16

// problem notes what is wrong with the frame at hand.
func (d *Decoder) problem(code, text string) {
	if len(d.problems) < maxProblems {
		d.problems = append(d.problems, Problem{code, text})
	}
}
