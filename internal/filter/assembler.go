package filter

import "golang.org/x/net/bpf"

// A label is a place in a program that is jumped to.
type label int

// An assembler gathers a program. Jumps name labels, which must be placed
// behind them: there are no loops.
type assembler struct {
	lines  []line
	labels int
}

// A line is an instruction, a jump, or a label that stands there.
type line struct {
	ins   bpf.Instruction // nil: a jump or a label
	test  test
	yes   label // where a jump goes if the test holds
	no    label // where it goes if not; yes, if it always goes there
	place label // the label that stands here, if it is not a jump
}

// A test compares the accumulator with a number.
type test struct {
	op  bpf.JumpTest
	val uint32
	x   bool // with X instead
}

func (a *assembler) label() label {
	a.labels++
	return label(a.labels)
}

func (a *assembler) emit(ins ...bpf.Instruction) {
	for _, i := range ins {
		a.lines = append(a.lines, line{ins: i})
	}
}

func (a *assembler) put(l label) { a.lines = append(a.lines, line{place: l}) }

func (a *assembler) jump(l label) { a.lines = append(a.lines, line{yes: l, no: l}) }

// branch goes to yes if the accumulator passes the test, else to no.
func (a *assembler) branch(op bpf.JumpTest, val uint32, yes, no label) {
	a.lines = append(a.lines, line{test: test{op: op, val: val}, yes: yes, no: no})
}

// branchX is branch with X for the number.
func (a *assembler) branchX(op bpf.JumpTest, yes, no label) {
	a.lines = append(a.lines, line{test: test{op: op, x: true}, yes: yes, no: no})
}

// A conditional jump reaches 255 instructions; others reach any.
const shortJump = 255

// program returns the instructions. Conditional jumps that do not reach their
// label go by way of one that does.
func (a *assembler) program() []bpf.Instruction {
	far := make([]bool, len(a.lines))
	for {
		at := a.places(far)
		grown := false
		for i, l := range a.lines {
			if l.yes == l.no || far[i] {
				continue
			}
			if here := at.lines[i] + 1; at.labels[l.yes]-here > shortJump || at.labels[l.no]-here > shortJump {
				far[i], grown = true, true
			}
		}
		if !grown {
			return a.write(far, at)
		}
	}
}

// places are where the lines and the labels stand.
type places struct{ lines, labels []int }

// size is how many instructions a line becomes.
func (l *line) size(far bool) int {
	switch {
	case l.place != 0:
		return 0
	case far:
		return 3
	}
	return 1
}

func (a *assembler) places(far []bool) places {
	at := places{make([]int, len(a.lines)), make([]int, a.labels+1)}
	n := 0
	for i := range a.lines {
		l := &a.lines[i]
		at.lines[i] = n
		if l.place != 0 {
			at.labels[l.place] = n
		}
		n += l.size(far[i])
	}
	return at
}

func (a *assembler) write(far []bool, at places) []bpf.Instruction {
	var prog []bpf.Instruction
	for i := range a.lines {
		l := &a.lines[i]
		here := at.lines[i] + 1
		switch {
		case l.place != 0:
		case l.ins != nil:
			prog = append(prog, l.ins)
		case l.yes == l.no:
			prog = append(prog, bpf.Jump{Skip: uint32(at.labels[l.yes] - here)})
		case far[i]:
			prog = append(prog, l.test.jump(0, 1),
				bpf.Jump{Skip: uint32(at.labels[l.yes] - here - 1)},
				bpf.Jump{Skip: uint32(at.labels[l.no] - here - 2)})
		default:
			prog = append(prog, l.test.jump(at.labels[l.yes]-here, at.labels[l.no]-here))
		}
	}
	return prog
}

func (t test) jump(yes, no int) bpf.Instruction {
	if t.x {
		return bpf.JumpIfX{Cond: t.op, SkipTrue: uint8(yes), SkipFalse: uint8(no)}
	}
	return bpf.JumpIf{Cond: t.op, Val: t.val, SkipTrue: uint8(yes), SkipFalse: uint8(no)}
}
