# Everything that developing Proconsul takes. `make` alone lists it.
PYTHON ?= python3
VENV ?= .venv
DEMO ?= .demo
PEER ?= .peer
PEER_PYTHON ?= $(PEER)/bin/python
BENCH ?=
TESTS ?= tests
SETTING ?= server
JOBS ?= 2
CHAOS ?= 120

BIN := $(VENV)/bin
# A recipe that runs the demo must neither see the user's server and profile nor touch the user's home.
ISOLATED := env -u PREFECT_API_URL -u PREFECT_API_KEY -u PREFECT_PROFILE -u PREFECT_PROFILES_PATH \
	PREFECT_HOME="$(abspath $(DEMO))" PATH="$(abspath $(BIN)):$$PATH"
UV := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test behaviour interop acceptance fuzz architecture lint format types bench bench-server bench-workers bench-clusters check lock names build clean

help: ## list these targets
	@echo "make TARGET, where TARGET is one of"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo "Variables: PYTHON=$(PYTHON) (3.11 or newer), VENV=$(VENV), TESTS=$(TESTS) (what to test), BENCH=\"--quick --only import\""

demo: $(VENV)/.run-stamp ## run a real pipeline and show what was recorded (needs only Python 3.11+)
	@rm -rf "$(DEMO)"
	@echo '$$ python examples/penguins.py'
	@$(ISOLATED) python examples/penguins.py "$(DEMO)/reports"
	@echo; echo '$$ prefect flow-run ls'
	@$(ISOLATED) prefect flow-run ls
	@echo; echo '$$ prefect task-run ls'
	@$(ISOLATED) prefect task-run ls
	@echo; echo '$$ prefect flow-run logs ID'
	@$(ISOLATED) sh -c 'prefect flow-run logs "$$(prefect flow-run ls --flow-name penguins --limit 1 --output json \
		| python -c "import json, sys; print(json.load(sys.stdin)[0][\"id\"])")"'
	@echo; echo "The report is in $(DEMO)/reports, the record in $(DEMO)/prefect.db."

test: $(VENV)/.dev-stamp ## run the tests (TESTS=tests/engine for some)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "not interop" $(TESTS)

behaviour: $(VENV)/.dev-stamp ## test how flows and tasks behave with SETTING=postgresql, server or peer
	PROCONSUL_TEST_SETTING="$(SETTING)" PEER_PYTHON="$(PEER_PYTHON)" \
		$(BIN)/python -m pytest -n $(JOBS) $(if $(BEHAVIOUR),-m "$(BEHAVIOUR)") tests/flows tests/tasks tests/runtime tests/engine

interop: $(VENV)/.dev-stamp $(PEER_PYTHON) ## run flows between us and Prefect 3.8.8, both ways
	PEER_PYTHON="$(PEER_PYTHON)" $(BIN)/python -m pytest -n 0 -m interop tests/interop

acceptance: $(VENV)/.dev-stamp ## kill schedulers and workers at random for CHAOS seconds, and count what they did
	PROCONSUL_CHAOS="$(CHAOS)" $(BIN)/python -m pytest -n 0 tests/acceptance

fuzz: $(VENV)/.dev-stamp ## send the server requests of all shapes, others each time
	PROCONSUL_FUZZ=1 $(BIN)/python -m pytest -n 0 tests/server/test_fuzzing.py

architecture: $(VENV)/.dev-stamp ## check floors, cycles, sizes, import budget, exported names
	$(BIN)/python -m pytest -n 0 -q tests/architecture

lint: $(VENV)/.dev-stamp ## check style
	$(BIN)/ruff check src tests examples benchmarks
	$(BIN)/ruff format --check src tests examples benchmarks

format: $(VENV)/.dev-stamp ## mend style where a machine can
	$(BIN)/ruff check --fix src tests examples benchmarks
	$(BIN)/ruff format src tests examples benchmarks

types: $(VENV)/.dev-stamp ## check types, strictly
	$(BIN)/mypy

bench: $(VENV)/.run-stamp $(PEER_PYTHON) ## measure against Prefect 3.8.8 (BENCH="--quick --only import")
	$(BIN)/python benchmarks/run.py --peer "$(PEER_PYTHON)" $(BENCH)

bench-server: $(VENV)/.dev-stamp $(PEER_PYTHON) ## measure our server against that of Prefect 3.8.8
	$(BIN)/python benchmarks/server.py --peer "$(PEER_PYTHON)" $(BENCH)

bench-workers: $(VENV)/.dev-stamp $(PEER_PYTHON) ## measure how runs are started, beside Prefect 3.8.8
	$(BIN)/python benchmarks/workers.py --peer "$(PEER_PYTHON)" $(BENCH)

bench-clusters: $(VENV)/.dev-stamp ## measure tasks on Dask and Ray beside bare ones (BENCH="--peer PYTHON" with prefect-dask)
	$(BIN)/python benchmarks/clusters.py $(BENCH)

check: lint types test ## everything that must hold before a commit

names: $(VENV)/.dev-stamp ## refresh the lists of exported and imported names in tests/architecture/
	$(BIN)/python tests/architecture/exports.py > $(VENV)/exports.txt
	@mv $(VENV)/exports.txt tests/architecture/exports.txt
	$(BIN)/python tests/architecture/public_names.py

build: $(VENV)/.dev-stamp ## build the wheel into dist/
	@rm -f dist/*.whl
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

lock: $(VENV)/.dev-stamp ## pin the requirements anew (LOCK=--upgrade for the newest)
	$(UV) $(LOCK) pyproject.toml --output-file requirements/run.txt
	$(UV) $(LOCK) pyproject.toml requirements/dev.in --extra postgres --extra dask --extra ray --extra docker --extra metrics \
		--extra templates --extra notifications --constraint requirements/run.txt \
		--output-file requirements/dev.txt

clean: ## remove what the other targets made
	rm -rf .venv .peer .demo dist build reports .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Proconsul needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another:" \
			"make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-stamp: requirements/run.txt pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip # for one that uv made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.dev-stamp: requirements/dev.txt $(VENV)/.run-stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	@touch $@

# Later releases of FastAPI and SQLAlchemy break the peer's server.
$(PEER)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "PYTHON must be 3.11 or newer" >&2; exit 1; }
	$(PYTHON) -m venv $(PEER)
	$(PEER)/bin/python -m pip install --quiet --disable-pip-version-check \
		prefect==3.8.8 fastapi==0.141.1 sqlalchemy==2.0.45 || { rm -rf $(PEER); exit 1; }
