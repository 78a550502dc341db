# Two commands do all the set-up: `make demo` and `make test`. Both need Python 3.11 or newer with venv, and make.
#
#   make demo DEMO_ARGS=--once       what the demo is started with
#   make test PYTEST_ARGS="-k money" what pytest is started with
#   make test PYTHON=python3.12      which Python the virtual environment is made from
#   make test VENV=.venv-312         where the virtual environment is

VENV ?= .venv
PYTHON ?=
DEMO_ARGS ?=
PYTEST_ARGS ?=

SHELL := /bin/sh
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
PYTHONS := $(if $(PYTHON),$(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)

# Covered to the last branch: values, flows, journeys and books.
WHOLE := errors checks money currencies lines address checkout orders kinds links standing payments messages events identifiers flow
WHOLE_PATHS := $(foreach room,$(WHOLE),*/paybylink/$(room).py)
WHOLE_PATHS += */paybylink/flow/* */paybylink/drivers.py */paybylink/drivers/*
WHOLE_PATHS += */paybylink/workflows/* */paybylink/accounting/*
COMMA := ,
EMPTY :=
SPACE := $(EMPTY) $(EMPTY)

# The first of each range in pyproject.toml; a test compares the two.
OLDEST := stripe==16.0.0 Adyen==16.0.0 mollie-api-python==4.0.0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test oldest bench docs matrix lint types pyright floors coverage check dev dist clean

help: ## say what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(VENV)/.has-all ## install, then play one journey from order to books on this machine
	$(BIN)/paybylink demo $(DEMO_ARGS)

test: $(VENV)/.has-test ## install, then run the tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# Beside the newest in the virtual environment, which `make test` runs with; the adapters must not tell them apart.
oldest: $(VENV)/.has-test ## the adapters' tests with the oldest SDKs that are supported
	@$(PIP) install --quiet --no-deps --upgrade --target build/oldest $(OLDEST)
	PYTHONPATH=build/oldest PAYBYLINK_TEST_SDKS="$(OLDEST)" $(BIN)/python -m pytest tests/providers/test_sdks.py \
	    tests/providers/test_exchange.py $(wildcard tests/providers/test_*_links.py tests/providers/test_*_hazards.py \
	    tests/providers/test_*_refunds.py tests/providers/test_*_errors.py tests/providers/test_*_sandbox.py)

bench: $(VENV)/.has-test ## measure our speed beside our peers'; prints a table
	$(BIN)/python -m benchmarks

# Not --quiet: it hides warnings from --strict as well.
docs: $(VENV)/.has-dev ## build the documentation into site/; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

matrix: $(VENV)/.has-test ## write what each provider can do into its page and the matrix
	$(BIN)/python -m tests.examples.provider_matrix --write

lint: $(VENV)/.has-dev ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.has-dev ## mypy in its strict mode
	$(BIN)/mypy

# The wheel of pyright carries pyright itself; it needs a node, and takes the machine's.
pyright: $(VENV)/.has-dev ## the second checker, which also finds flows that nobody runs
	PYRIGHT_PYTHON_GLOBAL_NODE=1 PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python

# Its cache does not see that a module came or went, so it is not used.
floors: $(VENV)/.has-dev ## imports go down only
	$(BIN)/lint-imports --no-logo --no-cache

# Reads what a run of the tests with --cov has left behind.
coverage: $(VENV)/.has-test ## 95 % of everything, 100 % of values, flows, journeys and books
	$(BIN)/python -m coverage report --fail-under=95
	$(BIN)/python -m coverage report --fail-under=100 --include='$(subst $(SPACE),$(COMMA),$(strip $(WHOLE_PATHS)))'

check: $(VENV)/.has-dev ## every gate, one after the other
	$(BIN)/python -m pytest --cov --cov-report= $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory lint types pyright floors docs coverage

dev: $(VENV)/.has-dev ## install everything a contributor needs

dist: $(VENV)/.has-dev ## build the source distribution and the wheel into dist/
	$(BIN)/python -m build --outdir dist

clean: ## remove the virtual environment and what was built, never a database
	rm -rf $(VENV) site dist build .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache

# The first Python that is new enough and can make a virtual environment.
$(BIN)/python:
	@for name in $(PYTHONS); do \
	    if "$$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	        echo "making $(VENV) with $$("$$name" --version)"; \
	        exec "$$name" -m venv "$(VENV)"; \
	    fi; \
	done; \
	echo "paybylink needs Python 3.11 or newer, with venv and pip; none of these will do:" >&2; \
	for name in $(PYTHONS); do \
	    echo "  $$name: $$("$$name" --version 2>/dev/null || echo 'not found')" >&2; \
	done; \
	echo "Install one (Debian: apt-get install python3 python3-venv), or name yours: make PYTHON=/path/to/python3.11 …" >&2; \
	exit 1

# One stamp for each set of extras, so that nothing is installed twice.
$(VENV)/.has-%: pyproject.toml | $(BIN)/python
	@echo "installing paybylink[$*] into $(VENV)"
	@$(PIP) install --editable '.[$*]'
	@touch $@
