package icmpx

// ListenRawPackets opens what stands in where there are no packet sockets.
func ListenRawPackets(cfg PacketConfig) (*PacketSocket, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &PacketSocket{cfg: cfg}
	if err := s.openRaw(); err != nil {
		return nil, err
	}
	s.bind()
	return s, nil
}
