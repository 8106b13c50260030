package icmpx

import "golang.org/x/sys/unix"

// WithoutApart makes a link one that could have no socket that sends apart.
func (l *ICMPLink) WithoutApart(cfg ICMPConfig) error {
	err := l.closeApart()
	l.apart = nil
	l.in, l.out = receiver{}, sender{}
	l.in.init(l)
	l.out.init(l, &cfg)
	return err
}

// MTUMode returns the path-MTU discovery mode of the socket.
func (l *ICMPLink) MTUMode() (mode int, err error) {
	n := l.family.sock()
	cerr := l.sock.raw.Control(func(fd uintptr) { mode, err = unix.GetsockoptInt(int(fd), n.level, n.mtuDiscover) })
	if cerr != nil {
		return 0, cerr
	}
	return mode, err
}
