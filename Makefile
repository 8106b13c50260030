# icmpx: what there is to run. `make help` lists it.
#
# Only Go (with its module proxy) and make are needed. A C compiler adds the race
# detector to `make test`; git adds a version to the binaries.

GO       ?= go
PREFIX   ?= /usr/local
FUZZTIME ?= 10s
FUZZ     ?= .
BENCH    ?= .
BENCHFLAGS ?=
RACE     ?= auto

# The tag, or the commit where there is no tag, or devel where there is no git. Go's
# own stamp is off: it says no more, and fails where git distrusts the folder.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

BUILD  = CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags '-X main.version=$(VERSION)'
STATIC = $(GO) tool -modfile=internal/tools/go.mod staticcheck

SOURCES  = cmd icmpx integration internal pmtu probe trace
# What must compile everywhere. The lab is for Linux alone.
PORTABLE = ./icmpx/... ./probe/... ./trace/... ./pmtu/... ./cmd/icmpx/... ./internal/...

.PHONY: build demo test check fuzz bench install clean help \
	check-format check-vet check-static check-arch check-tidy check-cross

build: ## build the static binaries bin/icmpx and bin/icmpx-lab
	$(BUILD) -o bin/icmpx ./cmd/icmpx
	$(BUILD) -o bin/icmpx-lab ./cmd/icmpx-lab

bin/icmpx:
	$(MAKE) build

demo: build ## show icmpx at work in a network of namespaces; needs no root
	bin/icmpx-lab demo bin/icmpx

test: ## run all tests: unit tests, fuzz seeds, namespaces (as root and rootless)
	$(GO) run ./internal/testrun -race=$(RACE)

check: check-format check-vet check-static check-arch check-tidy check-cross ## check format, vet, staticcheck, architecture, go.mod, other systems

check-format:
	@echo '== gofmt'
	@out=$$(gofmt -l $(SOURCES)) || exit 1; \
	if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi

check-vet:
	@echo '== go vet'
	@$(GO) vet ./...

check-static:
	@echo '== staticcheck'
	@$(STATIC) ./...

check-arch:
	@echo '== architecture'
	@$(GO) test -count=1 ./internal/arch

check-tidy:
	@echo '== go mod tidy'
	@$(GO) mod tidy -diff
	@cd internal/tools && $(GO) mod tidy -diff

# vet compiles the tests as well; build links the binary.
check-cross:
	@echo '== linux/arm64'
	@GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) vet ./...
	@GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) build -buildvcs=false -o /dev/null ./cmd/icmpx
	@for system in darwin/arm64 freebsd/amd64 windows/amd64; do \
		echo "== $$system"; \
		GOOS=$${system%/*} GOARCH=$${system#*/} CGO_ENABLED=0 $(GO) vet $(PORTABLE) || exit 1; \
		GOOS=$${system%/*} GOARCH=$${system#*/} CGO_ENABLED=0 $(GO) build -buildvcs=false -o /dev/null ./cmd/icmpx || exit 1; \
	done

fuzz: ## run each fuzz target for FUZZTIME (10s); FUZZ=name picks by pattern
	@targets=$$(find $(SOURCES) -name '*_test.go' -exec awk '/^func Fuzz/ { \
		name = $$2; sub(/\(.*/, "", name); dir = FILENAME; sub(/\/[^\/]*$$/, "", dir); print dir, name }' {} + \
		| sort | grep -e '$(FUZZ)') || { echo 'no fuzz target matches $(FUZZ)'; exit 1; }; \
	echo "$$targets" | while read -r dir name; do \
		echo "== $$name"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "./$$dir" </dev/null || exit 1; \
	done

bench: ## run the benchmarks; BENCH=pattern, BENCHFLAGS=-count=6
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem $(BENCHFLAGS) $(PORTABLE)

install: bin/icmpx ## install bin/icmpx to PREFIX/bin (/usr/local/bin)
	install -d '$(DESTDIR)$(PREFIX)/bin'
	install -m 755 bin/icmpx '$(DESTDIR)$(PREFIX)/bin/icmpx'
	@echo 'For raw sockets as an ordinary user: sudo setcap cap_net_raw+ep $(DESTDIR)$(PREFIX)/bin/icmpx'
	@echo 'docs/privileges.md says what works without.'

clean: ## remove what build made
	rm -rf bin

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)
