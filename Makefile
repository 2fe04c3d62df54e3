# The verbs. Each does what it needs of the earlier ones, and nothing twice.
# Everything that is built lies in CORDON_CACHE, outside the checkout, where all
# checkouts of a user share it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.NOTPARALLEL:

export CORDON_CACHE := $(or $(CORDON_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/cordon)
ifneq ($(words $(CORDON_CACHE))$(filter /%,$(CORDON_CACHE)),1$(CORDON_CACHE))
$(error CORDON_CACHE is '$(CORDON_CACHE)'; it has to be an absolute path without blanks)
endif
export CARGO_TARGET_DIR := $(CORDON_CACHE)/target/host
# release or quick; quick builds and links sooner and runs at about half of the speed.
export CORDON_GUEST_PROFILE ?= release
# Debian keeps the servers that the tests start where users do not look.
export PATH := $(PATH):/usr/sbin:/sbin

toolchain := guest-runtime/toolchain
cordon := $(CARGO_TARGET_DIR)/release/cordon
deny_version := 0.20.2
deny := $(CORDON_CACHE)/tools/bin/cargo-deny

# The host is compiled for one guest and refuses every other.
with_key = CORDON_GUEST_KEY=$$($(toolchain)/key); export CORDON_GUEST_KEY;

.PHONY: help setup build run test test-unit test-python test-tools behaviour slope chaos examples samples cpython-tests cpython-testsuite bench lint fmt deny env clean

help: ## this list
	@echo "make VERB"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | column -t -s '|'

setup: ## get the compilers for the guest (first time 2 minutes, then at once)
	@$(toolchain)/setup

build: setup ## build hub and guest (first time 30 minutes on two cores)
	@echo "building the hub (first time about 10 minutes on two cores)"
	@$(with_key) cargo build --release --workspace
	@$(toolchain)/build >/dev/null
	@echo "compiling the guest for this machine (first time half a minute)"
	@$(cordon) guest precompile

run: build ## start the hub with the example plugins and simulated devices
	@exec $(cordon) serve --config plugins/cordon.toml --simulate

test: test-tools test-python lint build ## everything: lint, then all tests
	@echo "running the Rust tests (compiling them takes a few minutes after a change)"
	@$(with_key) log=$(CARGO_TARGET_DIR)/test.log; status=0; \
	cargo test --release --workspace --no-fail-fast 2>&1 | tee $$log || status=$$?; \
	awk '/^test result:/ { n++; passed += $$4; failed += $$6; ignored += $$8 } \
		END { printf "rust tests: %d passed, %d failed, %d ignored, in %d binaries\n", passed, failed, ignored, n }' $$log; \
	exit $$status

test-unit: setup ## only the tests that stand beside the code; needs no guest
	@$(with_key) cargo test --release --workspace --lib --bins

test-python: ## only the Python side, under this machine's python3
	@python3 -m unittest discover -s tests/python

# Servers and clients that tests run as the other end of a plugin's connection.
test-tools:
	@for tool in mosquitto nginx openssl sqlite3 curl chromium; do \
		command -v $$tool >/dev/null || missing="$${missing:-} $$tool"; \
	done; \
	/usr/bin/python3 -c 'import websockets' 2>/dev/null || missing="$${missing:-} python3-websockets"; \
	/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || missing="$${missing:-} python3-aiosmtpd"; \
	if [ -z "$${missing:-}" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing what the tests need:$$missing"; \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	else \
		echo "the tests need:$$missing; install it with: sudo apt-get install$$missing" >&2; \
		exit 1; \
	fi

behaviour: test-tools build ## run the cases of the behaviour specification and write docs/domoticz-behaviour.md
	@$(with_key) CORDON_WRITE_BEHAVIOUR=1 cargo test --release --workspace --test conformance -- every_case

# A line per case: what it left in the plugin's memory.
slope: test-tools build ## nothing leaves memory behind: each case 100,000 times (an hour; CALLS=5000 for fewer)
	@$(with_key) CORDON_SLOPE=$(or $(CALLS),100000) cargo test --release --workspace --test slope -- --nocapture

# Load and faults against a hub as users run it: tests/chaos/README.md.
chaos: test-tools build ## load and faults: kill -9, full disk, dead name server, 200 plugins (SCENARIOS="kill9 half", LONG=1)
	@python3 tests/chaos/run.py --cordon $(cordon) --logs $(CARGO_TARGET_DIR)/chaos \
		$(if $(LONG),--long) $(if $(SEED),--seed $(SEED)) $(if $(NICE),--nice $(NICE)) $(SCENARIOS)

# The examples and the samples are not part of this repository: both verbs need the folder of a checkout.
examples: test-tools build ## the official examples against their devices (EXAMPLES=.../domoticz/plugins/examples)
	@[ -d "$(EXAMPLES)" ] || { echo "EXAMPLES has to name the folder plugins/examples of a checkout of domoticz/domoticz" >&2; exit 1; }
	@python3 tests/examples/run.py --cordon $(cordon) --examples "$(EXAMPLES)" --table docs/examples.md

samples: test-tools build ## plugins of others: how far each gets (SAMPLES=folder with OWNER/NAME checkouts)
	@[ -d "$(SAMPLES)" ] || { echo "SAMPLES has to name a folder with checkouts, each at OWNER/NAME" >&2; exit 1; }
	@python3 tests/samples/run.py --cordon $(cordon) --checkouts "$(SAMPLES)" --table docs/sample-plugins.md --examples-table docs/examples.md

# MODULES="test_json test_re:PATTERN" runs less, UPDATE=1 writes down what came out.
cpython-tests: cpython-testsuite build ## CPython's own tests in the component (MODULES="test_json test_re" for some)
	@$(CARGO_TARGET_DIR)/release/cordon-cpython-tests \
		$(if $(UPDATE),--update) $(if $(VERBOSE),--verbose) $(MODULES)

cpython-testsuite:
	@if [ -f /usr/lib/python3.11/test/test_json/__init__.py ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing CPython's tests: libpython3.11-testsuite"; \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends libpython3.11-testsuite; \
	else \
		echo "install CPython's tests with: sudo apt-get install libpython3.11-testsuite" >&2; \
		exit 1; \
	fi

bench: build ## measure, and print the table
	@echo "measuring; leave the machine alone meanwhile"
	@$(CARGO_TARGET_DIR)/release/cordon-bench

lint: fmt setup deny ## formatting, clippy, licences and advisories
	@$(with_key) cargo clippy --release --workspace --all-targets -- -D warnings

fmt:
	@cargo fmt --all --check
	@cargo fmt --manifest-path guest-runtime/Cargo.toml --check

$(deny):
	@echo "installing cargo-deny $(deny_version) (about 5 minutes)"
	@env -u CARGO_TARGET_DIR cargo install cargo-deny --version $(deny_version) --locked --root $(CORDON_CACHE)/tools

# The advisories come from GitHub; a machine that cannot reach it is told so.
deny: $(deny)
	@for manifest in Cargo.toml guest-runtime/Cargo.toml; do \
		cargo fetch --quiet --locked --manifest-path $$manifest; \
		$(deny) --offline --manifest-path $$manifest --config deny.toml check --hide-inclusion-graph licenses bans sources; \
	done
	@if timeout 60 $(deny) fetch db >/dev/null 2>&1; then \
		for manifest in Cargo.toml guest-runtime/Cargo.toml; do \
			$(deny) --offline --manifest-path $$manifest --config deny.toml check advisories; \
		done; \
	else \
		echo "advisories not checked: github.com/RustSec/advisory-db cannot be fetched"; \
	fi

env: setup ## print the variables for calling cargo by hand: eval "$(make -s env)"
	@echo "export CORDON_CACHE=$(CORDON_CACHE) CARGO_TARGET_DIR=$(CARGO_TARGET_DIR)"
	@echo "export CORDON_GUEST_PROFILE=$(CORDON_GUEST_PROFILE) CORDON_GUEST_KEY=$$($(toolchain)/key)"

clean: ## remove what was built; the toolchain and cargo-deny stay
	rm -rf $(CORDON_CACHE)/target $(CORDON_CACHE)/guest
