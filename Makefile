# Everything here also works without make: the recipes are plain go commands.

FUZZTIME ?= 10s
BENCHTIME ?= 1s
BENCHDIR ?= /var/tmp
BENCHIMAGE ?= 12G
BENCHFLAGS ?=

.DEFAULT_GOAL := help

## help: list the targets
.PHONY: help
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## build: build bin/imapfw
.PHONY: build
build:
	CGO_ENABLED=0 go build -o bin/imapfw ./cmd/imapfw

## test: run the tests; what needs a server that is not installed is skipped
.PHONY: test
test:
	go test ./...

## test-servers: run the tests under the race detector; a server that is missing is a failure
.PHONY: test-servers
test-servers:
	IMAPFW_REQUIRE_SERVERS=1 go test -race -timeout 20m ./...

## lint: check the format, go vet, staticcheck
.PHONY: lint
lint:
	@out=$$(gofmt -l .); if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...

## luacheck: check the Lua sources
.PHONY: luacheck
luacheck:
	luacheck -q .

## bench: measure imapfw beside mbsync and OfflineIMAP, about an hour (BENCHDIR=/var/tmp BENCHFLAGS=)
.PHONY: bench
bench:
	image=; [ "$$(id -u)" -ne 0 ] || image='-image $(BENCHIMAGE)'; \
	go run ./bench $$image $(BENCHFLAGS) $(BENCHDIR)

## bench-conditions: the same with TLS, other storages of the server and other round trips, half an hour
.PHONY: bench-conditions
bench-conditions:
	$(MAKE) bench BENCHFLAGS='-conditions $(BENCHFLAGS)'

## bench-small: the same with little mail, in a minute: checks results, not times
.PHONY: bench-small
bench-small:
	go run ./bench -small $(BENCHDIR)

## bench-go: run the benchmarks beside the code (BENCHTIME=1s)
.PHONY: bench-go
bench-go:
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

## fuzz-short: run each fuzz target for a moment (FUZZTIME=10s)
.PHONY: fuzz-short
fuzz-short:
	@set -e; for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u); do \
		for target in $$(go test -list '^Fuzz' $$dir | grep '^Fuzz'); do \
			echo "$$dir $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$dir; \
		done; \
	done

## ci: what is run for every change
.PHONY: ci
ci:
	.ci/run
