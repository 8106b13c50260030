package icmpx

// ListenWithoutStampNumbers is ListenICMP on a kernel that does not know the
// ancillary data that number transmit stamps.
func ListenWithoutStampNumbers(cfg ICMPConfig) (*ICMPLink, error) { return listenICMP(cfg, 0x7fff) }

// StampsByNumber reports whether transmit stamps come by number.
func (l *ICMPLink) StampsByNumber() bool { return l.byID }

// ListenUDPWithoutStampNumbers is ListenUDP on such a kernel.
func ListenUDPWithoutStampNumbers(cfg UDPConfig) (*UDPLink, error) { return listenUDP(cfg, 0x7fff) }

// ListenTCPWithoutStampNumbers is ListenTCP on such a kernel.
func ListenTCPWithoutStampNumbers(cfg TCPConfig) (*TCPLink, error) { return listenTCP(cfg, 0x7fff) }
