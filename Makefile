# Everything a contributor runs. `install` makes .venv from the pinned, hashed requirements and nothing else.
PYTHON ?= python3
BIN := .venv/bin

TIERS := test-e2e test-demo test-recovery test-deploy test-contract test-hostile test-proof test-workflow test-unit

.DEFAULT_GOAL := help
.PHONY: help install demo test $(TIERS) count check bench bundle lock clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 15

install: .venv/.done ## make .venv with the pinned requirements

.venv/.done: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "provenfix needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Install one (apt install python3.11 python3.11-venv; brew install python@3.11)," >&2; \
		echo "then run: make $(or $(MAKECMDGOALS),install) PYTHON=python3.11" >&2; exit 2; }
	@echo "1/3 Making .venv with $$($(PYTHON) --version)"
	$(PYTHON) -m venv .venv
	@echo "2/3 Installing $$(grep -c '^[a-z0-9].*==' requirements-dev.txt) pinned packages: one to four minutes"
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	@echo "3/3 Installing provenfix itself"
	PYTHONWARNINGS="ignore:Editable installation,ignore:Package 'provenfix.functions.local.page,ignore:Package 'provenfix.terraform" \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install ## the whole loop on this machine; more with DEMO="--auto-approve --scenario rollback"
	$(BIN)/provenfix demo $(DEMO)

# One process for each tier, three at a time: tests of the stack, of Terraform and of processes wait as long as they
# compute, so that three keep two cores busy. Those that wait longest come first. The demo's tests, a third of e2e, have a
# process of their own here. $(TYPES) judges, last, every Slack message of its own process; so each tier that lays any out
# ends with it. The unit tier runs without it, to stay short; in `make test` it has it, too.
TYPES := tests/contract/test_slack_types.py
DEMO_TESTS := tests/e2e/test_demo*.py

test: install ## run all tests
	$(MAKE) --jobs=3 $(if $(CI),--output-sync=target) $(TIERS) UNIT_TYPES=$(TYPES) ELSEWHERE='--ignore-glob=$(DEMO_TESTS)'

test-unit: install ## pure functions alone, in seconds
	$(BIN)/python -m pytest tests/unit $(UNIT_TYPES)

test-hostile: install ## long, random and malicious input
	$(BIN)/python -m pytest tests/hostile $(TYPES)

test-workflow: install ## the steps, against a fake of every port
	$(BIN)/python -m pytest tests/workflow $(TYPES)

test-proof: install ## the proof, on real repositories and interpreters
	$(BIN)/python -m pytest tests/proof

test-contract: install ## adapters and fakes, held to the same promises
	$(BIN)/python -m pytest tests/contract

test-recovery: install ## crashes, lost calls, two workers at once
	$(BIN)/python -m pytest tests/recovery $(TYPES)

test-e2e: install ## the command, the stack, the demo, the page
	$(BIN)/python -m pytest tests/e2e $(TYPES) $(ELSEWHERE)

test-demo: install ## of e2e: the demo alone
	$(BIN)/python -m pytest $(wildcard $(DEMO_TESTS)) $(TYPES)

test-deploy: install ## the zips, Terraform, rights, alerts
	$(BIN)/python -m pytest tests/deploy

count: install ## count the tests of each tier
	@$(BIN)/python -m tests.support.tier_counts

check: install ## lint, types, import contracts, names
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.support.import_rule
	$(BIN)/python -m tests.support.forbidden_names

bench: install ## measure, as ratios against a baseline of the same run
	$(BIN)/python -m tests.bench $(BENCH)
	$(BIN)/python -m tests.bench.soak

bundle: install ## write the functions' zips into build/, the same bytes for the same content
	$(BIN)/python -m functions.cli.bundle

LOCK := $(BIN)/python -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url \
	--no-emit-trusted-host --no-emit-find-links --no-annotate --no-header

lock: ## renew the pins from pyproject.toml, requirements-dev.in and functions/requirements.in
	$(LOCK) --all-extras --output-file requirements.txt pyproject.toml
	$(LOCK) --constraint requirements.txt --output-file requirements-light.txt pyproject.toml
	$(LOCK) --all-extras --output-file requirements-dev.txt pyproject.toml requirements-dev.in
	$(LOCK) --constraint requirements.txt --output-file functions/requirements.txt functions/requirements.in
	$(LOCK) --no-strip-extras --constraint requirements.txt --output-file functions/signatures.txt functions/signatures.in
	$(LOCK) --output-file tests/support/deploy/tools/provider.txt tests/support/deploy/tools/provider.in
	$(LOCK) --output-file tests/support/deploy/tools/checkov.txt tests/support/deploy/tools/checkov.in
	$(LOCK) --output-file tests/support/deploy/tools/tally.txt tests/support/deploy/tools/tally.in

clean: ## remove what the targets made
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache
