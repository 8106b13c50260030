//go:build linux

package lab_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// helperEnv makes the test binary a helper program instead: see helpers.
const helperEnv = "ICMPX_LAB_TEST_HELPER"

func TestMain(m *testing.M) {
	if name := os.Getenv(helperEnv); name != "" {
		os.Exit(help(name))
	}
	os.Exit(labtest.Run(m, os.Stderr))
}

// helpers are the programs that tests run.
var helpers = map[string]func() (int, error){
	"privileges": privileges,
	"hold":       hold,
	"trap":       trap,
	"suicide":    suicide,
}

func help(name string) int {
	code, err := helpers[name]()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 99
	}
	return code
}

// helper returns a command that runs a helper program.
func helper(t *testing.T, name string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), helperEnv+"="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

// privileges prints which sockets this process may open, and what it may become.
func privileges() (int, error) {
	for _, s := range []struct {
		name          string
		family, kind  int
		protocol      int
		proc, setting string
	}{
		{name: "raw", family: unix.AF_INET, kind: unix.SOCK_RAW, protocol: unix.IPPROTO_ICMP},
		{name: "raw6", family: unix.AF_INET6, kind: unix.SOCK_RAW, protocol: unix.IPPROTO_ICMPV6},
		{name: "packet", family: unix.AF_PACKET, kind: unix.SOCK_DGRAM},
		{name: "datagram", family: unix.AF_INET, kind: unix.SOCK_DGRAM, protocol: unix.IPPROTO_ICMP},
		{name: "datagram6", family: unix.AF_INET6, kind: unix.SOCK_DGRAM, protocol: unix.IPPROTO_ICMPV6},
	} {
		fd, err := unix.Socket(s.family, s.kind, s.protocol)
		if err == nil {
			unix.Close(fd)
		}
		fmt.Printf("%s %v\n", s.name, err == nil)
	}
	if _, err := net.InterfaceByName("eth0"); err != nil {
		return 0, err
	}
	return 0, nil
}

// hold builds a rootless network, starts a program in it that never ends, says
// which namespace it is in, and waits to be killed.
func hold() (int, error) {
	code, done, err := lab.Enter(true)
	if err != nil || done {
		return code, err
	}
	n, err := lab.Build("pair")
	if err != nil {
		return 0, err
	}
	defer n.Close()
	cmd := exec.Command("sleep", "1000")
	cmd.Stdout = os.Stdout
	if err := n.Client.Start(cmd, lab.Ordinary); err != nil {
		return 0, err
	}
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", os.Getpid()))
	if err != nil {
		return 0, err
	}
	err = n.Client.Do(func() error {
		inner, err := os.Readlink("/proc/thread-self/ns/net")
		if err == nil {
			fmt.Println(name, inner)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	select {}
}

// trap ends with code 3 when it is asked to end.
func trap() (int, error) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, unix.SIGTERM)
	code, done, err := lab.Enter(true)
	if err != nil || done {
		return code, err
	}
	fmt.Println("ready")
	<-asked
	return 3, nil
}

// suicide ends by a signal.
func suicide() (int, error) {
	code, done, err := lab.Enter(true)
	if err != nil || done {
		return code, err
	}
	return 0, errors.Join(unix.Kill(os.Getpid(), unix.SIGKILL), errors.New("still alive"))
}

// facts reads lines of a name and a word.
func facts(text string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		m[name] = value
	}
	return m
}
