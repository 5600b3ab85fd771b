# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
#
# `make demo` and `make test` are all a newcomer needs; both see to what they depend on first.

SWIFT ?= swift
# The Swift runtime inside the program, and no library path of the build machine in it.
RELEASE := -c release --product gateway-agent --static-swift-stdlib --disable-local-rpath
# Seconds that `make fuzz` spends on each target.
FUZZ_SECONDS ?= 60
# Each of many tests runs a whole agent with loops, sockets and inotify of its own; a user has 128 of the last.
TESTS_AT_ONCE := SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=12

# The newest package that was built.
DEB = $(shell ls -t build/deb/gateway-agent_*.deb | head -n 1)

.DEFAULT_GOAL := help
.PHONY: help deps build test demo check tsan fuzz bench bench-quick instructions bench-injection simulate deb deb-test deb-limits deb-release clean

help:
	@printf '%s\n' \
	  'make demo    the whole story on an embedded issuer and gateway, played through once' \
	  'make test    unit tests, then real clients (OpenAI and Anthropic SDKs, curl) against the demo' \
	  'make build   the release program: .build/release/gateway-agent' \
	  'make check   format, layers, shell scripts, links of the documents, warnings as errors' \
	  'make tsan    the tests under the thread sanitizer' \
	  'make fuzz    each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)' \
	  'make bench   beside nginx, HAProxy, Envoy and Caddy; writes benchmarks/RESULTS.md (half an hour)' \
	  'make bench-quick  the same in a minute, of nginx and HAProxy only; prints' \
	  'make instructions  what a request costs in instructions, and a stream in frames, against the thresholds' \
	  'make bench-injection  instructions, allocations and locks of putting a cached token into a call; has limits' \
  'make deb     the Debian package, in build/deb/' \
	  'make deb-test  that package in booted Debians 12 and 13: load, upgrade, crash, reboot; piuparts, autopkgtest (root)' \
  'make deb-limits  its memory, task and file limits at work in a virtual machine (root)' \
	  'make deb-release  both of these, and the same bytes from two builds (root)' \
	  'make simulate  100,000 hosts against one issuer: proves the renewal policy, draws docs/fleet.svg' \
	  'make deps    what all of these need (the others call it themselves)' \
	  'make clean   removes what was built'

deps:
	@scripts/deps build test check

# SwiftPM does not know that the compiler reads a profile and the linker an order of functions, and would keep what was
# made before them.
build:
	@scripts/deps build
	@find .build/release/AgentCore.build/ -name '*.o' ! -newer packaging/functions.profdata -delete 2>/dev/null || true
	@find .build/release/gateway-agent ! -newer packaging/functions.order -delete 2>/dev/null || true
	$(SWIFT) build $(RELEASE)

test:
	@scripts/deps test
	$(TESTS_AT_ONCE) $(SWIFT) test --disable-xctest
	.build/debug/gateway-agent demo --once
	scripts/test-clients

demo: build
	.build/release/gateway-agent demo --once

check:
	@scripts/deps check
	scripts/check

tsan:
	@scripts/deps build
	TSAN_OPTIONS=suppressions=$(CURDIR)/scripts/tsan-suppressions SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=6 \
	  $(SWIFT) test --disable-xctest --sanitize=thread --scratch-path .build-tsan

fuzz:
	@scripts/deps build
	scripts/fuzz $(FUZZ_SECONDS)

bench: build
	@scripts/deps bench
	benchmarks/bench --install
	benchmarks/instructions
	benchmarks/bench

bench-quick: build
	@scripts/deps bench
	benchmarks/bench --quick

deb:
	@scripts/deps build deb
	packaging/build-deb

deb-test: deb
	@scripts/deps deb-test
	packaging/test/run
	packaging/test/piuparts $(DEB)
	packaging/test/autopkgtest $(DEB)

deb-limits: deb
	@scripts/deps deb-limits
	packaging/test/limits $(DEB)

deb-release: deb-test deb-limits
	packaging/test/reproducible

# Both repeat on a loaded machine, where times do not.
instructions: build
	@scripts/deps instructions
	benchmarks/frames
	benchmarks/instructions

bench-injection:
	@scripts/deps build injection
	$(SWIFT) build -c release --product workbench
	scripts/bench-injection

# In virtual time, about a minute; exits with 1 if a claim does not hold.
simulate:
	@scripts/deps build
	$(SWIFT) build -c release --product workbench
	.build/release/workbench simulate docs/fleet.svg

clean:
	rm -rf .build .build-profile .build-tsan .build-fuzz build
