package trace

import "fmt"

// judgeLoss tells limits from loss.
func (j *judgement) judgeLoss() {
	j.judgeLimits()
	j.judgeRealLoss()
}

// judgeLimits tells of routers that limit their answers: what is missing was
// found to be so, or all of it came at the second, slower pace while a row
// behind lost nothing. A router that passes nothing on has more to tell.
func (j *judgement) judgeLimits() {
	var at []int
	var first, again Tally
	for i := range j.Rows {
		row := &j.Rows[i]
		came := row.First.Answered > 0 && row.First.lost() > 1 && row.Again.Answered > 0 && row.count(Lost) == 0
		if row.count(Limited) == 0 && !(came && j.intact(i+1)) || row.End && !j.Reached {
			continue
		}
		at = append(at, row.TTL)
		first.Sent += row.First.Sent + row.Beyond.Sent
		first.Answered += row.First.Answered + row.Beyond.Answered
		again.Sent += row.Again.Sent
		again.Answered += row.Again.Answered
	}
	if len(at) == 0 {
		return
	}
	text := fmt.Sprintf("%s answered %d of %s", hops(at), first.Answered, plural(first.Sent, "probe"))
	if again.Answered > 0 {
		text += fmt.Sprintf(" and %d of %d at a slower pace", again.Answered, again.Sent)
	}
	j.add(CodeLimited, Info, at[0], text+": a limit on answers, not loss",
		Fact{"hops", at}, Fact{"sent", first.Sent}, Fact{"answered", first.Answered},
		Fact{"again_sent", again.Sent}, Fact{"again_answered", again.Answered})
}

// intact reports whether some row from index i on lost nothing.
func (j *judgement) intact(i int) bool {
	for ; i < len(j.Rows); i++ {
		if t := j.Rows[i].First; t.Sent > 0 && t.lost() == 0 {
			return true
		}
	}
	return false
}

// judgeRealLoss tells of loss that persists to the destination, from the first
// row on behind which every row that answers has lost something. What a
// destination that limits its answers misses proves nothing, nor does what an
// open TCP port leaves unanswered of one flow.
func (j *judgement) judgeRealLoss() {
	end := j.End()
	if end == nil || !j.Reached || end.First.lost() == 0 || end.Limited {
		return
	}
	var sum Tally
	start := 0
	for i := len(j.Rows) - 1; i >= 0; i-- {
		row := &j.Rows[i]
		if row.First.Answered+row.Again.Answered == 0 && !row.End {
			continue
		}
		if row.First.lost() == 0 {
			break
		}
		start = row.TTL
		sum.Sent += row.First.Sent
		sum.Answered += row.First.Answered
	}
	if start == end.TTL && j.Method == TCP && j.PortState == PortOpen {
		return // it answers one SYN of a flow until the handshake of the last is over
	}
	j.add(CodeLoss, Warning, start, fmt.Sprintf("%d of %s were lost from hop %d to the destination", sum.lost(), plural(sum.Sent, "probe"), start),
		Fact{"sent", sum.Sent}, Fact{"lost", sum.lost()}, Fact{"destination_sent", end.First.Sent}, Fact{"destination_lost", end.First.lost()})
}
