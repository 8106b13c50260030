package icmpx

import (
	"errors"
	"strconv"
)

// What can be wrong with a message. A *ParseError wraps one of them and says
// where; the errors of Marshal wrap them too.
var (
	ErrTruncated = errors.New("truncated")                    // the bytes or values end before the field does
	ErrLength    = errors.New("does not fit")                 // a length contradicts the bytes, or a value its field
	ErrChecksum  = errors.New("wrong checksum")               // a checksum over the bytes is wrong
	ErrReserved  = errors.New("reserved value")               // an unused field is not zero, or a value is not a legal one
	ErrVersion   = errors.New("wrong version or family")      // of an IP header, an address or an extension structure
	ErrLimit     = errors.New("more than can be represented") // options, objects, labels or headers beyond this package's limit
	ErrNotAnswer = errors.New("no answer to a probe")         // a message that DecodeReply leaves to others
)

// A ParseError says which field of a message is wrong and where.
type ParseError struct {
	Field  string // name of the field
	Offset int    // in bytes, from the start of what was parsed
	Err    error  // what is wrong; one of the Err values of this package
}

// Error returns the field, the offset and what is wrong.
func (e *ParseError) Error() string {
	return "parse " + e.Field + " at byte " + strconv.Itoa(e.Offset) + ": " + e.Err.Error()
}

// Unwrap returns e.Err.
func (e *ParseError) Unwrap() error { return e.Err }
