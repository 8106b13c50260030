package render

import (
	"errors"
	"strconv"
	"syscall"
)

// errnoNames are the names of the errors that sending a packet can meet.
var errnoNames = []struct {
	errno syscall.Errno
	name  string
}{
	{syscall.EACCES, "EACCES"},
	{syscall.EADDRNOTAVAIL, "EADDRNOTAVAIL"},
	{syscall.EAFNOSUPPORT, "EAFNOSUPPORT"},
	{syscall.EAGAIN, "EAGAIN"},
	{syscall.EBADF, "EBADF"},
	{syscall.ECONNREFUSED, "ECONNREFUSED"},
	{syscall.EFAULT, "EFAULT"},
	{syscall.EHOSTDOWN, "EHOSTDOWN"},
	{syscall.EHOSTUNREACH, "EHOSTUNREACH"},
	{syscall.EINVAL, "EINVAL"},
	{syscall.EIO, "EIO"},
	{syscall.EMSGSIZE, "EMSGSIZE"},
	{syscall.ENETDOWN, "ENETDOWN"},
	{syscall.ENETUNREACH, "ENETUNREACH"},
	{syscall.ENOBUFS, "ENOBUFS"},
	{syscall.ENODEV, "ENODEV"},
	{syscall.ENOMEM, "ENOMEM"},
	{syscall.ENOPROTOOPT, "ENOPROTOOPT"},
	{syscall.ENXIO, "ENXIO"},
	{syscall.EOPNOTSUPP, "EOPNOTSUPP"},
	{syscall.EPERM, "EPERM"},
	{syscall.EPROTO, "EPROTO"},
	{syscall.EPROTONOSUPPORT, "EPROTONOSUPPORT"},
	{syscall.ETIMEDOUT, "ETIMEDOUT"},
}

// A localFailure is why this host could not send a packet.
type localFailure struct {
	errno syscall.Errno // 0: not from the kernel
	err   error
}

func failure(err error) localFailure {
	f := localFailure{err: err}
	errors.As(err, &f.errno)
	return f
}

// name returns "EPERM" and the like; "errno 999" for an error without a name in
// the table, "" for one that is not the kernel's.
func (f localFailure) name() string {
	if f.errno == 0 {
		return ""
	}
	for _, e := range errnoNames {
		if e.errno == f.errno {
			return e.name
		}
	}
	return "errno " + strconv.Itoa(int(f.errno))
}

// text returns the words of the C library, which begin with a capital, for the
// kernel's errors; scripts look for them. Others are as they are, unescaped.
func (f localFailure) text() string {
	switch {
	case f.errno != 0:
		s := f.errno.Error()
		if s != "" && 'a' <= s[0] && s[0] <= 'z' {
			return string(s[0]-'a'+'A') + s[1:]
		}
		return s
	case f.err != nil:
		return f.err.Error()
	}
	return "Unknown error"
}
