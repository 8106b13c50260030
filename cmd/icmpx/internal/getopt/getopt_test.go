package getopt

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

var flags = []Flag{
	{Short: 'c', Long: "count", Value: "V"},
	{Short: 'h', Long: "help"},
	{Short: 'i', Long: "interval", Value: "V"},
	{Short: 'I', Long: "interface", Value: "V"},
	{Short: 'j', Long: "json"},
	{Short: 'n', Long: "numeric"},
	{Short: 'q', Long: "quiet"},
	{Short: 's', Long: "size", Value: "V"},
	{Long: "only-long"},
	{Short: 'ä', Long: "umlaut", Value: "V"},
	{Short: 'f', Refused: true, Instead: "use -i 0.002"},
	{Long: "flood", Refused: true, Instead: "use --interval 0.002"},
}

func TestNormalize(t *testing.T) {
	tests := []struct{ args, want string }{
		{"", "--"},
		{"host", "-- host"},
		{"-c 1 host", "--count=1 -- host"},
		{"-c1 host", "--count=1 -- host"},
		{"host -c1", "--count=1 -- host"},
		{"-nqc1 host", "--numeric --quiet --count=1 -- host"},
		{"-nqc 1 host", "--numeric --quiet --count=1 -- host"},
		{"-i0.2 -Ilo a b", "--interval=0.2 --interface=lo -- a b"},
		{"--count 1 host", "--count=1 -- host"},
		{"--count=1 host", "--count=1 -- host"},
		{"--count= host", "--count= -- host"},
		{"--count=a=b host", "--count=a=b -- host"},
		{"-c -1 host", "--count=-1 -- host"},
		{"-c -- host", "--count=-- -- host"},
		{"--count -- host", "--count=-- -- host"},
		{"-c=1 host", "--count==1 -- host"},
		{"-json", "--json --size=on --"},
		{"-n -- -c1 -- host", "--numeric -- -c1 -- host"},
		{"a -n -- b", "--numeric -- a b"},
		{"-", "-- -"},
		{"- -n -", "--numeric -- - -"},
		{"help h", "-- help h"},
		{"-n -n", "--numeric --numeric --"},
		{"-c1 -c2", "--count=1 --count=2 --"},
		{"--only-long", "--only-long --"},
		{"-nä7", "--numeric --umlaut=7 --"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			got, err := Normalize(flags, strings.Fields(tt.args))
			if err != nil {
				t.Fatal(err)
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

func TestNormalizeEmptyOperand(t *testing.T) {
	got, err := Normalize(flags, []string{"", "-c", ""})
	if want := []string{"--count=", "--", ""}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestNormalizeErrors(t *testing.T) {
	tests := []struct {
		args string
		want Error
		text string
	}{
		{"-Z", Error{Problem: Unknown, Flag: "-Z"}, "unknown flag -Z"},
		{"-nZc1", Error{Problem: Unknown, Flag: "-Z"}, "unknown flag -Z"},
		{"-n-c1", Error{Problem: Unknown, Flag: "--"}, "unknown flag --"},
		{"--nope", Error{Problem: Unknown, Flag: "--nope"}, "unknown flag --nope"},
		{"--nope=1", Error{Problem: Unknown, Flag: "--nope"}, "unknown flag --nope"},
		{"--cou 1", Error{Problem: Unknown, Flag: "--cou", Meant: "--count"}, "unknown flag --cou"},
		{"--conut=1", Error{Problem: Unknown, Flag: "--conut", Meant: "--count"}, "unknown flag --conut"},
		{"--n", Error{Problem: Unknown, Flag: "--n"}, "unknown flag --n"},
		{"--=1", Error{Problem: Unknown, Flag: "--"}, "unknown flag --"},
		{"-ü", Error{Problem: Unknown, Flag: "-ü"}, "unknown flag -ü"},
		{"-\xff", Error{Problem: Unknown, Flag: "-\xff"}, "unknown flag -\xff"},
		{"-c", Error{Problem: NoValue, Flag: "-c"}, "-c needs a value"},
		{"-nc", Error{Problem: NoValue, Flag: "-c"}, "-c needs a value"},
		{"--count", Error{Problem: NoValue, Flag: "--count"}, "--count needs a value"},
		{"--quiet=1", Error{Problem: NeedsNone, Flag: "--quiet"}, "--quiet takes no value"},
		{"--quiet=", Error{Problem: NeedsNone, Flag: "--quiet"}, "--quiet takes no value"},
		{"-nf", Error{Problem: Refused, Flag: "-f", Instead: "use -i 0.002"}, "-f is not available"},
		{"--flood", Error{Problem: Refused, Flag: "--flood", Instead: "use --interval 0.002"}, "--flood is not available"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			got, err := Normalize(flags, strings.Fields(tt.args))
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %q, %v", got, err)
			}
			if *e != tt.want || e.Error() != tt.text {
				t.Errorf("got %+v %q, want %+v %q", *e, e, tt.want, tt.text)
			}
		})
	}
}

// FuzzNormalize holds what is true of every command line: no panic, an error of
// the one type, and a normal form that is its own normal form.
func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"", "-nqc1\x00host", "--count\x00--\x00-", "-json\x00h", "--=\x00-\x00\x00--\x00-c", "-ä\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		once, err := Normalize(flags, strings.Split(line, "\x00"))
		if err != nil {
			if e := (*Error)(nil); !errors.As(err, &e) || e.Flag == "" || once != nil {
				t.Fatalf("%q: %q, error %#v", line, once, err)
			}
			return
		}
		twice, err := Normalize(flags, once)
		if err != nil || !slices.Equal(once, twice) {
			t.Fatalf("%q: %q becomes %q, %v", line, once, twice, err)
		}
	})
}

func TestParse(t *testing.T) {
	l, err := Parse(flags, strings.Fields("-nc1 a --count=2 -- -q b"))
	if err != nil {
		t.Fatal(err)
	}
	if !l.Has("numeric") || !l.Has("count") || l.Has("quiet") {
		t.Errorf("flags: %+v", l)
	}
	if v, ok := l.Value("count"); v != "2" || !ok {
		t.Errorf("the last count counts: %q, %v", v, ok)
	}
	if v, ok := l.Value("size"); v != "" || ok {
		t.Errorf("size was not given: %q, %v", v, ok)
	}
	if got := l.Values("count"); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("counts %q", got)
	}
	if !slices.Equal(l.Operands, []string{"a", "-q", "b"}) {
		t.Errorf("operands %q", l.Operands)
	}
	if l, err := Parse(flags, []string{"-Z"}); err == nil || l != nil {
		t.Errorf("got %v, %v", l, err)
	}
}
