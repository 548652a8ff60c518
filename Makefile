# Everything a contributor runs. `install` makes .venv from the pinned, hashed requirements and nothing else.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install demo test test-rest test-recovery test-unit check bench bundle lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

install: .venv/.done ## make .venv with the pinned requirements

.venv/.done: requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install ## the whole loop on this machine; more with DEMO="--auto-approve --scenario rollback"
	$(BIN)/provenfix demo $(DEMO)

# Two at a time, on two cores: the crashes, and after them the units, take as long as everything else, which starts
# processes and waits for them. Each judges, last, what it has said in Slack.
test: install ## run the tests
	$(MAKE) --jobs=2 $(if $(CI),--output-sync=target) test-rest test-recovery test-unit

test-rest: install
	$(BIN)/python -m pytest --ignore=tests/recovery --ignore=tests/unit --ignore=tests/workflow --ignore=tests/proof

test-recovery: install
	$(BIN)/python -m pytest tests/recovery tests/contract/test_slack_types.py

test-unit: install
	$(BIN)/python -m pytest tests/unit tests/workflow tests/proof tests/contract/test_slack_types.py

check: install ## lint, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install ## measure, as ratios against a baseline of the same run
	$(BIN)/python -m tests.bench $(BENCH)
	$(BIN)/python -m tests.bench.soak

bundle: install ## write the functions' zips into build/, the same bytes for the same content
	$(BIN)/python -m functions.cli.bundle

LOCK := $(BIN)/python -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url \
	--no-emit-trusted-host --no-emit-find-links --no-annotate --no-header

lock: ## renew the pins from pyproject.toml, requirements-dev.in and functions/requirements.in
	$(LOCK) --output-file requirements.txt pyproject.toml
	$(LOCK) --output-file requirements-dev.txt pyproject.toml requirements-dev.in
	$(LOCK) --constraint requirements.txt --output-file functions/requirements.txt functions/requirements.in
	$(LOCK) --output-file tests/support/deploy/tools/provider.txt tests/support/deploy/tools/provider.in
	$(LOCK) --output-file tests/support/deploy/tools/checkov.txt tests/support/deploy/tools/checkov.in

clean: ## remove what the targets made
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache
