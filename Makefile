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
# How long make fuzz fuzzes each target, and which ones.
SECONDS ?= 60
TARGET ?=
# Side by side, one more than there are processors, as many tests wait; but not many: some look at how processes behave that
# a crowd would starve.
PYTEST := -m pytest --numprocesses $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 3 ? n + 1 : 4))) --dist worksteal

# The guide as a web site, in build/site. Strict: a broken link ends it.
SITE = $(BIN)/python -m zensical build --strict

# One target after another, even under make -j: the environment is made before it is used.
.NOTPARALLEL:

.PHONY: help demo test test-fast test-edge test-arm64 test-arm32 test-machine test-bare test-install fuzz check docs tune score bench
.PHONY: lock sbom audit install clean
# What stands after ## is what `make help` prints.
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/runtime ## read generated handwriting, in a browser too; needs no camera and no files
	@$(BIN)/edge demo

# Pictures of the live page go to build/page: look at them after a change.
test: packages check ## run every check and every test (EDGE_DATA=FOLDER adds the tests on real data)
	$(SITE)
	EDGE_PICTURES=$${EDGE_PICTURES:-build/page} $(BIN)/python $(PYTEST)

# The inner loop. It lists each test that takes a second or more; which tests are slow, tests/support/tiers.py says.
test-fast: packages check ## run the checks and the fast tests, in less than two minutes
	$(BIN)/python $(PYTEST) --fast --durations 10 --durations-min 1

# What a Pi can test: without TensorFlow, a browser and, unless there is one, a broker. First how readings differ.
test-edge: $(EDGE)/ready ## run the tests that need no TensorFlow, as on a Pi (RUNTIME=tflite: with tflite-runtime)
	@$(EDGE)/bin/python -m tests.readings
	$(EDGE)/bin/python $(PYTEST)

# Both suites before the first hour of tests: what is missing is said at once.
test-arm64: arm64 ## run test-edge on Debian for 64-bit ARM (ARM64=FILE, see tests/machine/README.md)
	@for suite in bookworm trixie; do "$(ARM64)" run $$suite true 2>/dev/null || "$(ARM64)" build $$suite || exit; done
	"$(ARM64)" run trixie "EDGE_PATIENCE=$(PATIENCE) tests/machine/arm64.sh"
	"$(ARM64)" run bookworm "EDGE_PATIENCE=$(PATIENCE) tests/machine/arm64.sh"
	"$(ARM64)" run bookworm "EDGE_PATIENCE=$(PATIENCE) tests/machine/arm64.sh RUNTIME=tflite"

# The targets run in the order given, as root, in a Debian that has only make and git.
test-bare: ## run make demo and test-fast in a fresh Debian (SUITE=trixie or bookworm, TARGETS="demo test")
	@tests/machine/bare.sh $(or $(SUITE),trixie) $(or $(TARGETS),demo test-fast)

test-install: ## install the service in a fresh Debian, with the locked packages alone (SUITE=bookworm, ARCH=armhf)
	@ARCH="$(ARCH)" tests/machine/bare.sh $(or $(SUITE),trixie) --install

# What the README says of 32-bit systems. QEMU_CPU: the processor of a Pi Zero W; Debian's armel is what it can run of Debian.
test-arm32: ## install the service on 32-bit Debians under qemu-user, and read the recorded pages there
	ARCH=armhf tests/machine/bare.sh bookworm --install
	ARCH=armhf tests/machine/bare.sh trixie --install
	ARCH=armel QEMU_CPU=arm1176 tests/machine/bare.sh trixie --install

test-machine: machine $(VENV)/runtime ## install, boot and check a virtual machine (VM=FILE, see tests/machine/README.md)
	@$(BIN)/python -u -m tests.machine.run "$(VM)"

fuzz: $(VENV)/fuzz ## fuzz what reads foreign bytes, SECONDS=60 each (TARGET=card: only that); findings go to build/fuzz
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(TARGET)

check: $(VENV)/everything ## check style and types (ruff and mypy)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# What is generated of the guide is written anew first; make test compares it only.
docs: $(VENV)/everything ## build the documentation into build/site; a broken link is an error
	$(BIN)/python -m tests.docs_pages
	$(SITE)

tune: $(VENV)/runtime data ## score each choice of [vision] on the photographs in EDGE_DATA
	@$(BIN)/edge tune "$(DATA)"/photos/single/labels.csv "$(DATA)"/photos/multi/labels.csv

# Pictures of what is misread go to build/score.
score: $(VENV)/everything ## score every data set in EDGE_DATA and generated pages, into docs/SCORES.md
	@EDGE_DATA="$(DATA)" $(BIN)/python -m tests.scoreboard --page docs/SCORES.md

# Ten minutes, more than half of them the others', on a machine that does nothing else meanwhile.
bench: packages $(VENV)/everything $(OTHERS)/ready data ## measure speed, also of other programs, into docs/BENCHMARKS.md
	@mkdir -p build
	@{ cat docs/benchmarks.head && $(BIN)/edge bench && printf '\n## Beside a broker\n\n' && \
	  $(BIN)/python -m tests.faults.resident && printf '\n## Instructions\n\n' && \
	  $(BIN)/python -m tests.benchmarks.instructions && printf '\n## Others\n\n' && \
	  $(BIN)/python -m tests.benchmarks.others "$(DATA)" $(OTHERS)/bin/python; } > build/BENCHMARKS.md
	@mv build/BENCHMARKS.md docs/BENCHMARKS.md && cat docs/BENCHMARKS.md

# uv reads from pyproject.toml which machines and Pythons it is for.
LOCK = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
  --custom-compile-command "make lock"
lock: $(VENV)/everything ## renew the versions and hashes of what the service installs (systemd/requirements*.txt)
	$(BIN)/python -m tests.supply.declared bits-64 | \
	  $(LOCK) --constraint systemd/bookworm.txt --output-file systemd/requirements.txt -
	@# NumPy comes from apt there, as OpenCV does.
	$(BIN)/python -m tests.supply.declared bits-32 | $(LOCK) --no-emit-package numpy --no-emit-package opencv-python-headless \
	  --output-file systemd/requirements-32bit.txt -
	$(BIN)/python -m tests.supply.declared build | $(LOCK) --output-file systemd/requirements-build.txt -
	@# uv is more lenient than pip, which is what installs them.
	$(BIN)/python -m pip install --quiet --dry-run --ignore-installed --require-hashes --only-binary :all: --no-deps \
	  --requirement systemd/requirements.txt --requirement systemd/requirements-build.txt

sbom: $(VENV)/everything ## list what the service installs, as CycloneDX, in build/sbom.cdx.json
	@mkdir -p build
	$(BIN)/python -m tests.supply.sbom build/sbom.cdx.json

audit: $(VENV)/everything ## ask OSV for known vulnerabilities of all that the service installs; fails if one was not asked for
	@$(BIN)/python -m tests.supply.audit

install: ## install the service on this machine, as root (systemd/install.sh also upgrades and uninstalls)
	@systemd/install.sh install

# The system packages that tests and benchmarks need. When none is missing, this does nothing.
.PHONY: packages
bench: PURPOSE := bench
packages:
	@PYTHON="$(PYTHON)" ./setup.sh $(or $(PURPOSE),test)

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

$(VENV)/fuzz: $(VENV)/everything
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[fuzz]'
	@touch $@

$(OTHERS)/ready: | $(OTHERS)/bin/python
	$(OTHERS)/bin/python -m pip install --quiet --disable-pip-version-check rapidocr onnxruntime
	@touch $@

%/bin/python:
	@PYTHON="$(PYTHON)" ./setup.sh run
	$(PYTHON) -m venv $*

clean: ## remove everything that make made
	rm -rf $(VENV) .venv-edge-* $(OTHERS) .cache build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
