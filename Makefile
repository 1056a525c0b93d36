# Everything here sets itself up: a virtual environment in .venv, made when pyproject.toml changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= $(EDGE_DATA)
# How many times as long the tests wait where ARM is emulated.
PATIENCE ?= 20
# The TFLite runtime of test-edge: litert, or tflite, its forerunner, of which Python 3.11 is the last to have a wheel.
RUNTIME ?= litert
$(if $(filter litert tflite,$(RUNTIME)),,$(error RUNTIME is litert or tflite, not $(RUNTIME)))
EDGE := .venv-edge-$(RUNTIME)
# What the reader is held against.
OTHERS := .venv-others
# Side by side, but not many: some look at how processes behave that a crowd would starve.
PYTEST := -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

# The guide as a web site, in build/site. Strict: a broken link ends it.
SITE = $(BIN)/python -m zensical build --strict

.PHONY: help demo test test-edge test-arm64 test-machine check docs tune score bench install clean
help:
	@echo "make demo    read a synthetic camera, in a browser too: no camera, no files needed"
	@echo "make test    everything that can be tested here (EDGE_DATA=FOLDER adds the real data)"
	@echo "make test-edge   what can be tested without TensorFlow, as on a Pi (RUNTIME=tflite: with LiteRT's forerunner)"
	@echo "make test-arm64 ARM64=FILE   the same on Debian for 64-bit ARM: tests/machine/README.md"
	@echo "make test-machine VM=FILE   install, boot and check a virtual machine: tests/machine/README.md"
	@echo "make check   style and types only"
	@echo "make docs    build the guide into build/site, broken links are errors"
	@echo "make tune    what each choice of [vision] scores on the photographs under EDGE_DATA"
	@echo "make score   what every set under EDGE_DATA and a suite of synthetic pages score: docs/SCORES.md"
	@echo "make bench   what a frame and a start cost here, and others: docs/BENCHMARKS.md"
	@echo "make install (as root) a service of this machine: systemd/install.sh, which also upgrades and uninstalls"
	@echo "make clean   remove what make made"

demo: $(VENV)/runtime
	@$(BIN)/edge demo

# Pictures of the live page go to build/page: look at them after a change.
test: check
	$(SITE)
	EDGE_PICTURES=$${EDGE_PICTURES:-build/page} $(BIN)/python $(PYTEST)

# What a Pi can test: without TensorFlow, a browser and, unless there is one, a broker. First how readings differ.
test-edge: $(EDGE)/ready
	@$(EDGE)/bin/python -m tests.readings
	$(EDGE)/bin/python $(PYTEST)

# Both suites before the first hour of tests: what is missing is said at once.
test-arm64: arm64
	@for suite in bookworm trixie; do "$(ARM64)" run $$suite true 2>/dev/null || "$(ARM64)" build $$suite || exit; done
	"$(ARM64)" run trixie "EDGE_PATIENCE=$(PATIENCE) tests/machine/arm64.sh"
	"$(ARM64)" run bookworm "EDGE_PATIENCE=$(PATIENCE) tests/machine/arm64.sh"
	"$(ARM64)" run bookworm "EDGE_PATIENCE=$(PATIENCE) tests/machine/arm64.sh RUNTIME=tflite"

test-machine: machine $(VENV)/runtime
	@$(BIN)/python -u -m tests.machine.run "$(VM)"

check: $(VENV)/everything
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# What is generated of the guide is written anew first; make test compares it only.
docs: $(VENV)/everything
	$(BIN)/python -m tests.docs_pages
	$(SITE)

tune: $(VENV)/runtime data
	@$(BIN)/edge tune "$(DATA)"/photos/single/labels.csv "$(DATA)"/photos/multi/labels.csv

# Pictures of what is misread go to build/score.
score: $(VENV)/everything
	@EDGE_DATA="$(DATA)" $(BIN)/python -m tests.scoreboard --page docs/SCORES.md

# Ten minutes, more than half of them the others', on a machine that does nothing else meanwhile.
bench: $(VENV)/everything $(OTHERS)/ready data
	@command -v valgrind >/dev/null || { echo "make: valgrind is missing: sudo apt install -y valgrind" >&2; exit 1; }
	@PATH="$$PATH:/usr/sbin" command -v mosquitto >/dev/null || \
	  { echo "make: mosquitto is missing: sudo apt install -y mosquitto" >&2; exit 1; }
	@mkdir -p build
	@{ cat docs/benchmarks.head && $(BIN)/edge bench && printf '\n## Beside a broker\n\n' && \
	  $(BIN)/python -m tests.faults.resident && printf '\n## Instructions\n\n' && \
	  $(BIN)/python -m tests.benchmarks.instructions && printf '\n## Others\n\n' && \
	  $(BIN)/python -m tests.benchmarks.others "$(DATA)" $(OTHERS)/bin/python; } > build/BENCHMARKS.md
	@mv build/BENCHMARKS.md docs/BENCHMARKS.md && cat docs/BENCHMARKS.md

install:
	@systemd/install.sh install

.PHONY: data
data:
	@test -d "$(DATA)/photos" || { echo "make: set EDGE_DATA to a folder with photos/single and photos/multi" >&2; exit 1; }

.PHONY: arm64
arm64:
	@test -x "$(ARM64)" || { echo "make: set ARM64 to the program that tests/machine/README.md describes" >&2; exit 1; }

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

# The runtime and what its tests need. The forerunner takes LiteRT's place, and is built on NumPy 1, as all is on Bookworm.
$(EDGE)/ready: OTHER := $(if $(filter tflite,$(RUNTIME)),tflite-runtime --constraint systemd/bookworm.txt)
$(EDGE)/ready: pyproject.toml | $(EDGE)/bin/python
	$(EDGE)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[test-edge]' $(OTHER)
	$(if $(OTHER),$(EDGE)/bin/python -m pip uninstall --quiet --yes ai-edge-litert)
	@touch $@

$(OTHERS)/ready: | $(OTHERS)/bin/python
	$(OTHERS)/bin/python -m pip install --quiet --disable-pip-version-check rapidocr onnxruntime
	@touch $@

%/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: Python 3.11 or later is wanted; name one with make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "make: Python's venv is missing: sudo apt install -y python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $*

clean:
	rm -rf $(VENV) .venv-edge-* $(OTHERS) .cache build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
