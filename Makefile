# The commands of the README and of continuous integration; each makes what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# As many processes as cores, and no more than four: each may load a model.
PARALLEL := -n auto --maxprocesses 4 --dist worksteal
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt

.PHONY: quickstart test test-slow bench lint types docs clean

$(VENV)/.local: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("doxa needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -e '.[local,banks]'
	touch $@

$(VENV)/.dev: $(VENV)/.local
	$(PIP) -e '.[local,banks,dev]'
	touch $@

quickstart: $(VENV)/.local  ## install, fetch the embedded model, assay it on ninety questions
	$(BIN)/doxa quickstart

test: lint types docs  ## everything a change must pass
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

$(VENV)/.netcal: constraints.txt
	test -x $(VENV)/netcal/bin/python || $(PYTHON) -m venv $(VENV)/netcal
	$(VENV)/netcal/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt torch
	$(VENV)/netcal/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt netcal==1.4.0
	touch $@

$(VENV)/.ray: pyproject.toml constraints.txt
	test -x $(VENV)/ray/bin/python || $(PYTHON) -m venv $(VENV)/ray
	$(VENV)/ray/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[ray,dev]'
	touch $@

test-slow: $(VENV)/.dev $(VENV)/.netcal $(VENV)/.ray  ## oracles with installations of their own, long simulations
	DOXA_NETCAL_PYTHON=$(VENV)/netcal/bin/python $(BIN)/python -m pytest $(PARALLEL) -m slow
	$(VENV)/ray/bin/python -m pytest -m slow -k ray tests/engines

bench: $(VENV)/.dev  ## speed, side by side; writes docs/benchmarks.md
	cd benchmarks && $(abspath $(BIN))/python -m side

lint: $(VENV)/.dev
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/ruff format --check src tests benchmarks docs

types: $(VENV)/.dev
	$(BIN)/mypy

docs: $(VENV)/.dev  ## every link and every command in the documentation is real
	$(BIN)/python -m pytest tests/test_docs.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
