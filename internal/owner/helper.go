package owner

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The helper's protocol. A question is one line: inode numbers in decimal,
// blanks between them. The answer is a line "INODE PID COMMAND" for each process
// that was found, the command quoted as Go quotes strings, and a line "end
// HIDDEN". "failed" and words in its place say that there is no answer.

// maxLine bounds a line of either side.
const maxLine = 64 << 10

// maxAnswer bounds the lines of an answer.
const maxAnswer = maxInodes * maxOwners

// Serve answers questions that it reads from r on w, until r ends.
func Serve(r io.Reader, w io.Writer, find func([]uint64) (Answer, error)) error {
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxLine)
	out := bufio.NewWriter(w)
	for in.Scan() {
		inodes, err := parseQuestion(in.Text())
		var a Answer
		if err == nil {
			a, err = find(inodes)
		}
		if err != nil {
			fmt.Fprintf(out, "failed %q\n", err.Error())
		} else {
			writeAnswer(out, &a)
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return in.Err()
}

func parseQuestion(line string) ([]uint64, error) {
	fields := strings.Fields(line)
	if len(fields) > maxInodes {
		return nil, errors.New("too many sockets in one question")
	}
	var inodes []uint64
	for _, f := range fields {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return nil, errors.New("no inode number in the question")
		}
		inodes = append(inodes, n)
	}
	return inodes, nil
}

func writeAnswer(w io.Writer, a *Answer) {
	for inode, list := range a.Processes {
		for _, p := range list {
			fmt.Fprintf(w, "%d %d %q\n", inode, p.PID, p.Command)
		}
	}
	fmt.Fprintf(w, "end %d\n", a.Hidden)
}

// A Client asks a process that runs Serve. It is for one goroutine.
type Client struct {
	out io.Writer
	in  *bufio.Scanner
}

// NewClient returns a Client that writes questions to w and reads answers from
// r.
func NewClient(r io.Reader, w io.Writer) *Client {
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxLine)
	return &Client{out: w, in: in}
}

// Find is Find as the other process carries it out.
func (c *Client) Find(inodes []uint64) (Answer, error) {
	var b []byte
	for i, n := range inodes {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendUint(b, n, 10)
	}
	if _, err := c.out.Write(append(b, '\n')); err != nil {
		return Answer{}, fmt.Errorf("ask for processes: %w", err)
	}
	a := Answer{Processes: map[uint64][]Process{}}
	for range maxAnswer {
		if !c.in.Scan() {
			return a, fmt.Errorf("ask for processes: %w", errors.Join(io.ErrUnexpectedEOF, c.in.Err()))
		}
		if done, err := a.parseLine(c.in.Text()); done || err != nil {
			return a, err
		}
	}
	return a, errors.New("ask for processes: an answer without an end")
}

// parseLine adds a line of an answer, and reports whether it was the last.
func (a *Answer) parseLine(line string) (done bool, err error) {
	first, rest, _ := strings.Cut(line, " ")
	switch first {
	case "end":
		a.Hidden, err = strconv.Atoi(rest)
		return true, err
	case "failed":
		text, _ := strconv.Unquote(rest)
		return true, errors.New("find processes: " + text)
	}
	pid, command, _ := strings.Cut(rest, " ")
	inode, ierr := strconv.ParseUint(first, 10, 64)
	n, perr := strconv.Atoi(pid)
	text, cerr := strconv.Unquote(command)
	if err := errors.Join(ierr, perr, cerr); err != nil {
		return true, fmt.Errorf("ask for processes: %w", err)
	}
	a.Processes[inode] = append(a.Processes[inode], Process{PID: n, Command: text})
	return false, nil
}
