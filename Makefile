# Two commands do everything: `make demo` and `make test`. Both set up what they need and may be repeated.

PYTHON ?= python3
VENV ?= .venv
TORCH_PIP_ARGS ?=
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo dft test test-slow faults lint setup setup-dev static clean help

help:
	@echo "make demo       set up, run the carbon campaign, serve it (EXIT=1 ends, FRESH=1 starts anew, PORT=n)"
	@echo "make dft        install GPAW in an environment of its own, for labels and validations by DFT"
	@echo "make test       set up and pass the tests"
	@echo "make test-slow  the tests that take minutes"
	@echo "make faults     300 jobs under 30 faults"
	@echo "make lint       import contracts, ruff, mypy"

demo: setup static
	@$(BIN)/kappaweb demo

dft: $(VENV)/bin/python
	@$(BIN)/python scripts/install_dft.py

test: setup-dev static
	$(PYTEST) -q

test-slow: setup-dev static
	$(PYTEST) -q -m slow

faults: setup-dev
	$(PYTEST) -q -s -m faults tests/faults

lint: setup-dev
	$(BIN)/lint-imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: $(VENV)/.runs
setup-dev: $(VENV)/.tests

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "kappaweb needs Python 3.11 or newer with venv (Debian: apt install python3-venv); try make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# torch first and by an exact pin: an open range would fetch several GB of CUDA libraries.
$(VENV)/.runs: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install -q $(TORCH_PIP_ARGS) torch==2.13.0
	$(PIP) install -q -c constraints.txt -e .
	@touch $@

$(VENV)/.tests: $(VENV)/.runs
	$(PIP) install -q -c constraints.txt -e '.[dev]'
	@touch $@

static: setup
	@$(BIN)/python scripts/build_static.py

clean:
	rm -rf static/vendor node_modules .pytest_cache .mypy_cache .ruff_cache
