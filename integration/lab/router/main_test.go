//go:build linux

package router_test

import (
	"os"
	"testing"

	"github.com/icmpx/icmpx/integration/labtest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Run(m, os.Stderr)) }
