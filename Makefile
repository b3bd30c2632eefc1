# Saguaro: `make demo` runs a day of the clinic network on this machine, `make test` tests it. `make help` lists the rest.
#
# Needs CPython 3.11 to 3.13, make and git. Everything else arrives in .venv from the hashed lock files.

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.run
TEST_STAMP := $(VENV)/.test
LOCKS := requirements/bootstrap.lock requirements/run.lock

# The first of these that really starts, is of a fitting version and can make an environment (a version manager's shim
# may be on the PATH for a version that is not active; Debian's python3 comes without ensurepip).
FITTING := import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14) or sys.implementation.name != 'cpython')
ifndef PYTHON
# Looked for once, and only when an environment has to be made.
PYTHON = $(eval PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c "$(FITTING)" >/dev/null 2>&1 && { echo "$$p"; break; }; done))$(PYTHON)
endif

# make demo: STAY=1 leaves the network running; SITES, PATIENTS and SEED shape the day.
DEMO_FLAGS = $(if $(STAY),--stay) $(if $(SITES),--sites $(SITES)) $(if $(PATIENTS),--patients $(PATIENTS)) $(if $(SEED),--seed $(SEED))

# make test: TESTS selects, PYTEST_FLAGS says how. The suites marked slow or chaos have targets of their own.
TESTS ?= tests -m "not slow and not chaos"
PYTEST_FLAGS ?= -n 2

# $(call step,N,OF,WHAT): one line of progress, with a bar.
step = @printf '[%s%s] %s/%s %s\n' "$$(printf '%.*s' $$(($(1) * 5)) '====================')" \
	"$$(printf '%.*s' $$((($(2) - $(1)) * 5)) '....................')" $(1) $(2) $(3)

# $(call sync,LOCK): uv shows its own bars to a terminal; in a log its list of packages would only be noise.
sync = @test -t 2 || quiet=--quiet; VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync $$quiet --require-hashes $(1)

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-24s %s\n", $$1, $$2 }'

# --- environment ------------------------------------------------------------------------------------------------------

.PHONY: env env-test
env: $(RUN_STAMP) ## .venv with what the network needs to run
env-test: $(TEST_STAMP) ## .venv with what tests and checks need as well

$(BIN)/uv: requirements/bootstrap.lock
	@test -n "$(PYTHON)" || { echo "No CPython 3.11, 3.12 or 3.13 with ensurepip found on the PATH. Name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c "$(FITTING)" || { echo "$(PYTHON) is not a CPython 3.11 to 3.13 with ensurepip." >&2; exit 1; }
	$(call step,1,4,"environment: $$("$(PYTHON)" --version) in $(VENV)")
	@"$(PYTHON)" -m venv $(VENV)
	$(call step,2,4,"installer: uv")
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/bootstrap.lock
	@touch $@

# The test environment holds all of the run environment, so a fresh one makes both stamps.
$(RUN_STAMP): $(BIN)/uv $(LOCKS) requirements/link.py
	$(call step,3,4,"packages: requirements/run.lock")
	$(call sync,requirements/run.lock)
	@$(BIN)/python requirements/link.py
	@rm -f $(TEST_STAMP)
	@touch $@

$(TEST_STAMP): $(BIN)/uv $(LOCKS) requirements/test.lock requirements/link.py
	$(call step,3,4,"packages: requirements/test.lock")
	$(call sync,requirements/test.lock)
	@$(BIN)/python requirements/link.py
	@touch $(RUN_STAMP) $@

# test.lock is the widest; the others take its versions, so that what is tested is what runs.
.PHONY: lock
lock: $(BIN)/uv ## resolve requirements/*.in into the hashed locks (LOCK_FLAGS=--upgrade for newer versions)
	@for name in bootstrap test run image contracts; do \
		case $$name in bootstrap|test) pin=;; *) pin="-c requirements/test.lock";; esac; \
		echo "requirements/$$name.lock"; \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-header --no-annotate $(LOCK_FLAGS) $$pin requirements/$$name.in -o requirements/$$name.lock || exit 1; \
	done

# --- contracts --------------------------------------------------------------------------------------------------------

.PHONY: protos protos-baseline
protos: $(RUN_STAMP) ## generate the Python contracts into build/contracts
	$(call step,4,4,"contracts: build/contracts")
	@$(BIN)/python protos/generate.py

protos-baseline: $(TEST_STAMP) ## move the baseline that contracts must stay compatible with (at a release only)
	$(BIN)/buf build --exclude-source-info -o protos/baseline.binpb

.PHONY: docs
docs: protos ## write docs/events.md and docs/clinical-policy.md from the contract, the indexes and the policy tables
	@PYTHONPATH=services:build/contracts $(BIN)/python -m cli.events_doc
	@PYTHONPATH=services:build/contracts $(BIN)/python -m cli.policy_doc

# --- run --------------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: protos ## a clinic day on the whole network, then every invariant checked
	@$(BIN)/saguaro demo $(DEMO_FLAGS)

# --- tests and checks -------------------------------------------------------------------------------------------------

.PHONY: test chaos bench
test: $(TEST_STAMP) protos ## unit, contract, integration, a journey, a kill each of a worker and of Kafka
	$(BIN)/python -m pytest $(TESTS) $(PYTEST_FLAGS)

chaos: $(TEST_STAMP) protos ## every kill of every part in the middle of a journey
	$(BIN)/python -m pytest tests -m chaos

bench: $(TEST_STAMP) protos ## the benchmarks, each beside a yardstick measured in the same run
	$(BIN)/python -m tests.bench $(BENCH_FLAGS)

.PHONY: check check-style check-types check-imports check-contracts check-compose check-docker
check: check-style check-types check-imports check-contracts check-compose check-docker ## every check that runs nothing

check-style: $(TEST_STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

check-types: $(TEST_STAMP) protos
	$(BIN)/mypy

check-imports: $(TEST_STAMP) protos
	$(BIN)/lint-imports

check-contracts: $(TEST_STAMP)
	$(BIN)/buf lint
	$(BIN)/buf format --exit-code --diff --path protos/saguaro
	$(BIN)/buf breaking --against protos/baseline.binpb

check-compose: $(TEST_STAMP)
	$(BIN)/docker-compose --file docker-compose.yml config --quiet
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

check-docker: $(TEST_STAMP)
	$(BIN)/hadolint Dockerfile

# --- away with it -----------------------------------------------------------------------------------------------------

.PHONY: clean
clean: ## remove everything that was made, but not a network's home
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
	find services tests protos requirements -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
