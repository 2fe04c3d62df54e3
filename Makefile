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
# Nothing is written into the checkout.
export RUFF_CACHE_DIR := $(CORDON_CACHE)/ruff
# Debian keeps the servers that the tests start where users do not look.
export PATH := $(PATH):/usr/sbin:/sbin

toolchain := guest-runtime/toolchain
cordon := $(CARGO_TARGET_DIR)/release/cordon
deny_version := 0.20.2
deny := $(CORDON_CACHE)/tools/bin/cargo-deny
ruff_version := 0.17.6
ruff := $(CORDON_CACHE)/tools/ruff-$(ruff_version)/bin/ruff

# Tests of a checkout use its guest, whatever was built beside them last.
with_key = CORDON_GUEST_KEY=$$($(toolchain)/key); export CORDON_GUEST_KEY;

.PHONY: help setup host-tools build run check fuzz-check guest test test-unit test-python test-tools behaviour slope chaos examples samples cpython-tests cpython-testsuite bench lint words fmt ruff format deny env clean

help: ## this list
	@echo "make VERB"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | column -t -s '|'
	@echo
	@echo "CORDON_GUEST_PROFILE=quick make VERB takes a guest that links in a minute instead of ten"
	@echo "and runs at about half of the speed: for work on the guest. CONTRIBUTING.md has more."

setup: host-tools ## get the compilers for the guest (first time 2 minutes, then at once)
	@$(toolchain)/setup

build: setup ## build hub and guest (first time 30 minutes on two cores)
	@echo "building the hub (first time about 10 minutes on two cores)"
	@cargo build --release --workspace
	@$(toolchain)/build >/dev/null
	@$(toolchain)/key >$(CARGO_TARGET_DIR)/release/cordon-guest.key
	@echo "compiling the guest for this machine (first time half a minute)"
	@$(cordon) guest precompile

# The hub speaks with old devices through the machine's OpenSSL: docs/decisions/0028.
host-tools:
	@if pkg-config --atleast-version=3 openssl 2>/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing the headers of OpenSSL: libssl-dev pkg-config"; \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends libssl-dev pkg-config; \
	else \
		echo "the hub is built with OpenSSL 3; install it with: sudo apt-get install libssl-dev pkg-config" >&2; \
		exit 1; \
	fi

# Nothing is run, so it needs neither the guest nor its key. The dependencies are those of
# `make lint`, in the same profile; only the workspace itself is incremental.
check: host-tools ## type-check the hub and all tests (first time some minutes, then 20 seconds of computing)
	@CARGO_INCREMENTAL=1 cargo check --release --workspace --all-targets

# A workspace of its own; `make check` compiles the bodies of its targets.
fuzz-check: ## type-check the fuzz targets (first time a minute)
	@cargo check --locked --manifest-path tests/fuzz/Cargo.toml --target-dir $(CORDON_CACHE)/target/fuzz

# The tool alone of the workspace; with all its members chosen, so that wasmtime has the same
# features and is compiled once.
guest: setup ## build the guest only, and say where it is (first time 20 minutes; see quick below)
	@cargo build --release --workspace --bin cordon-snapshot
	@$(toolchain)/build

run: build ## start the hub with the example plugins and simulated devices
	@exec $(cordon) serve --config plugins/cordon.toml --simulate

test: test-tools test-python lint build ## everything: lint, then all tests
	@echo "running the Rust tests (compiling them takes a few minutes after a change)"
	@$(with_key) log=$(CARGO_TARGET_DIR)/test.log; status=0; \
	cargo test --release --workspace --no-fail-fast 2>&1 | tee $$log || status=$$?; \
	awk '/^test result:/ { n++; passed += $$4; failed += $$6; ignored += $$8 } \
		END { printf "rust tests: %d passed, %d failed, %d ignored, in %d binaries\n", passed, failed, ignored, n }' $$log; \
	exit $$status

test-unit: host-tools ## only the tests that need no guest: those beside the code, the life of an instance, the codecs
	@cargo test --release --workspace --lib --bins --test heart --test fuzz

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

# A line per case: the bytes it left in the plugin's memory.
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

# MODULES="test_json test_re:PATTERN" runs less, UPDATE=1 writes the outcome down.
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

lint: fmt ruff words setup deny ## formatting, words, ruff, clippy, licences and advisories
	@cargo clippy --release --workspace --all-targets -- -D warnings

words: ## only the words of documents and comments
	@python3 -m unittest --quiet tests/python/test_words.py

fmt:
	@cargo fmt --all --check
	@cargo fmt --manifest-path guest-runtime/Cargo.toml --check
	@cargo fmt --manifest-path tests/fuzz/Cargo.toml --check

format: $(ruff) ## format Rust and Python
	@cargo fmt --all
	@cargo fmt --manifest-path guest-runtime/Cargo.toml
	@cargo fmt --manifest-path tests/fuzz/Cargo.toml
	@$(ruff) format --quiet

ruff: $(ruff) ## only the lint and the formatting of Python
	@$(ruff) check --quiet --output-format concise
	@$(ruff) format --quiet --check --output-format concise || { echo "run: make format" >&2; exit 1; }

# A folder for each version, so that another one in this file is installed at once.
$(ruff):
	@echo "installing ruff $(ruff_version) from PyPI (10 MB, a few seconds)"
	@python3 -m pip --version >/dev/null 2>&1 || { echo "pip is missing; install it with: apt-get install python3-pip" >&2; exit 1; }
	@rm -rf $(CORDON_CACHE)/tools/ruff-$(ruff_version)
	@python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary=:all: \
		--target $(CORDON_CACHE)/tools/ruff-$(ruff_version).part ruff==$(ruff_version) || \
		{ echo "ruff $(ruff_version) could not be installed from PyPI; see pip's message above. make lint needs it" >&2; exit 1; }
	@mv -T $(CORDON_CACHE)/tools/ruff-$(ruff_version).part $(CORDON_CACHE)/tools/ruff-$(ruff_version)

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

clean: ## remove what was built; the toolchain, cargo-deny and ruff stay
	rm -rf $(CORDON_CACHE)/target $(CORDON_CACHE)/guest
