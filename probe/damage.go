package probe

// A DamageClass says how a payload came back changed.
type DamageClass uint8

// The classes of damage.
const (
	Intact    DamageClass = iota
	Flipped               // bits differ: at most one in eight, or any behind a whole token
	Truncated             // the end is missing
	Padded                // bytes follow the end
	Shifted               // bytes were inserted or lost, the rest is whole
	Zeroed                // bytes were replaced by zeros
)

// String returns the word for c that JSON output uses.
func (c DamageClass) String() string {
	names := [...]string{"intact", "flipped", "truncated", "padded", "shifted", "zeroed"}
	if int(c) < len(names) {
		return names[c]
	}
	return "unknown"
}

// Damage says where and how a returned payload first differs from the one
// sent. The zero Damage is none.
type Damage struct {
	Class  DamageClass
	Offset int   // bytes into the payload
	Want   int16 // the byte sent there; -1: past the end
	Got    int16 // the byte that came back; -1: past the end
}
