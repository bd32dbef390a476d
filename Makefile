# All that is needed is Python 3.11 or later, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := build/demo
ORACLE := build/oracle
MCRPY := build/mcrpy
PLUGINS := $(wildcard plugins/*/pyproject.toml)

.DEFAULT_GOAL := help
.PHONY: help install test lint demo bench bench-mcrpy oracle docs clean

help:  ## List these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/installed  ## Set up .venv with the package, its extras and every plugin here

# torch comes first and pinned, so that no dependency selects another build.
$(VENV)/installed: pyproject.toml constraints.txt $(PLUGINS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]' \
	  $(foreach plugin,$(PLUGINS),-e '$(dir $(plugin))[dev]')
	touch $@

lint: install  ## Check style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint  ## Run all checks and all tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q

demo: install  ## Encode structures and decode them: data, fit, transform, inverse, a table and a picture
	rm -rf $(DEMO)
	mkdir -p $(DEMO)
	$(BIN)/matvae dataset make lines $(DEMO)/lines.zarr --n 20000 --size 64 --seed 0
	$(BIN)/matvae dataset make lines $(DEMO)/unseen.zarr --n 500 --size 64 --seed 1
	$(BIN)/matvae fit $(DEMO)/lines.zarr -o $(DEMO)/model.matvae --max-time 120 --seed 0
	$(BIN)/matvae transform $(DEMO)/model.matvae $(DEMO)/unseen.zarr -o $(DEMO)/latents.zarr
	$(BIN)/matvae inverse $(DEMO)/model.matvae $(DEMO)/latents.zarr -o $(DEMO)/structures.zarr
	$(BIN)/matvae evaluate $(DEMO)/model.matvae $(DEMO)/unseen.zarr --train $(DEMO)/lines.zarr \
	  --figure $(DEMO)/reconstructions.png

bench: install  ## Compare speed with the alternatives, as ratios measured in one run
	$(BIN)/python -m pytest tests/benchmarks $(wildcard plugins/*/tests/benchmarks) -q -s

bench-mcrpy: install  ## Compare reconstruction with MCRpy, in a separate environment
	test -x $(MCRPY)/bin/python || $(PYTHON) -m venv $(MCRPY)
	$(MCRPY)/bin/pip install --quiet --disable-pip-version-check -r tests/benchmarks/mcrpy/requirements.txt
	OMP_NUM_THREADS=1 MATVAE_MCRPY=$(MCRPY)/bin/python $(BIN)/python -m pytest tests/benchmarks/mcrpy/compare.py -q -s

# Python 3.11 is the last version with wheels of numpy 1.23.
oracle: install  ## Compare with PyMKS in an environment where all its own tests pass
	test -x $(ORACLE)/bin/python || $(PYTHON) -m venv $(ORACLE)
	$(ORACLE)/bin/pip install --quiet --disable-pip-version-check -r plugins/matvae-pymks/oracle/requirements.txt
	OMP_NUM_THREADS=1 $(ORACLE)/bin/python plugins/matvae-pymks/oracle/run.py $(ORACLE)/statistics.npz
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest plugins/matvae-pymks/oracle/compare.py -q

docs: install  ## Build the documentation as HTML in build/docs, recomputing the homogenisation example
	OMP_NUM_THREADS=1 $(BIN)/python docs/examples/homogenization.py
	$(BIN)/sphinx-build -W -q -b html docs build/docs

clean:  ## Remove build products, but not .venv
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
