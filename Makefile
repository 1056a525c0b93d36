# Everything here sets itself up: a virtual environment in .venv, made when pyproject.toml changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= $(EDGE_DATA)

.PHONY: help demo test test-machine check tune score install clean
help:
	@echo "make demo    read a synthetic camera, in a browser too: no camera, no files needed"
	@echo "make test    everything that can be tested here (EDGE_DATA=FOLDER adds the real data)"
	@echo "make test-machine VM=FILE   install, boot and check a virtual machine: tests/machine/README.md"
	@echo "make check   style and types only"
	@echo "make tune    what each choice of [vision] scores on the photographs under EDGE_DATA"
	@echo "make score   what every set under EDGE_DATA and a suite of synthetic pages score: docs/SCORES.md"
	@echo "make install (as root) a service of this machine: systemd/install.sh, which also upgrades and uninstalls"
	@echo "make clean   remove what make made"

demo: $(VENV)/runtime
	@$(BIN)/edge demo

# Side by side, but not many: some look at how processes behave that a crowd would starve.
# Pictures of the live page go to build/page: look at them after a change.
test: check
	EDGE_PICTURES=$${EDGE_PICTURES:-build/page} $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

test-machine: machine $(VENV)/runtime
	@$(BIN)/python -u tests/machine/run.py "$(VM)"

check: $(VENV)/everything
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

tune: $(VENV)/runtime data
	@$(BIN)/edge tune "$(DATA)"/photos/single/labels.csv "$(DATA)"/photos/multi/labels.csv

# Pictures of what is misread go to build/score.
score: $(VENV)/everything
	@EDGE_DATA="$(DATA)" $(BIN)/python -m convert.scoreboard --page docs/SCORES.md

install:
	@systemd/install.sh install

.PHONY: data
data:
	@test -d "$(DATA)/photos" || { echo "make: set EDGE_DATA to a folder with photos/single and photos/multi" >&2; exit 1; }

.PHONY: machine
machine:
	@test -x "$(VM)" || { echo "make: set VM to the program that tests/machine/README.md describes" >&2; exit 1; }

# The runtime alone: what a Pi has.
$(VENV)/runtime: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

# With the converter and the tests.
$(VENV)/everything: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/runtime

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: Python 3.11 or later is wanted; name one with make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "make: Python's venv is missing: sudo apt install -y python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
