package icmpx

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// onceUDP sends one datagram through each slot.
type onceUDP struct{ buf []byte }

func (*onceUDP) open(l *portLink, fd, number int) error {
	// One probe, one stamp: it needs no number.
	setStamps(fd, stampBoth|unix.SOF_TIMESTAMPING_OPT_TSONLY)
	return l.poll.add(fd, number, unix.EPOLLIN)
}

func (k *onceUDP) launch(w *onceWays, s *onceSlot, r *Request, to unix.Sockaddr) error {
	size, err := transportSize(r, w.link.family, udpHeaderLen)
	if err != nil {
		return err
	}
	if n := size - udpHeaderLen; n > cap(k.buf) {
		k.buf = make([]byte, n)
	}
	b := k.buf[:size-udpHeaderLen]
	putPayload(b, r)
	// A connected socket hears nobody else, and of no error about a packet on
	// its way to a gateway.
	if len(w.link.cfg.Gateways) == 0 {
		if err := unix.Connect(s.fd, to); err != nil {
			return os.NewSyscallError("connect", err)
		}
		to = nil
	}
	r.Sent = time.Now()
	r.ClockOffset = w.link.clock.offset(r.Sent)
	fd := s.fd
	if w.link.sendsApart(r) {
		if fd, to, err = w.openApart(s, r); err != nil {
			return err
		}
	}
	err = unix.Sendto(fd, b, unix.MSG_DONTWAIT, to)
	df := w.link.df(r)
	if err == unix.EMSGSIZE && (df == DFSet || df == DFProbe) && w.link.refuse(r, df, w.link.headerLen()+size, true) {
		s.busy = false
		return nil
	}
	if err != nil {
		return fmt.Errorf("send datagram: %w", os.NewSyscallError("send", err))
	}
	return nil
}

// look takes the answer that was read. The poll set tells of one behind it.
func (*onceUDP) look(w *onceWays, s *onceSlot, errs int) {
	for !w.data.empty() {
		if w.data.pop(&w.arr); w.arr.name.Unmap() != s.dst.WithZone("") {
			continue
		}
		w.answer(s, KindUDPAnswer, &w.arr, w.data.read)
		w.ready[len(w.ready)-1].Bytes = udpHeaderLen + len(w.arr.data)
		errs++
	}
	if errs > 0 {
		s.busy = false
	}
}
