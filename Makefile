# `make demo` shows the main job, `make test` proves it; each sets itself up in .venv and touches nothing else.

PYTHON ?= $(firstword $(foreach python,python3.13 python3.12 python3.11 python3,$(if $(shell $(python) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(python))))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test soak lint bench engine wheel schema clean

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "LogRoute needs Python 3.11 or newer: put one on PATH, or say make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(READY)
	$(BIN)/logroute demo

test: lint
	$(BIN)/python -m pytest -n auto --dist worksteal

# What takes minutes: every kill of a pass, long random histories.
soak: $(READY)
	$(BIN)/python -m pytest -n auto --dist worksteal -m soak
	$(BIN)/python -m pytest -m image

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m tests.bench

# Needs a Fluent Bit: make engine FLUENT_BIT=/path/to/fluent-bit
engine: $(READY)
	$(BIN)/python -m pytest tests/engine -ra

# The wheel, installed where nothing else is, must work by itself.
wheel: $(READY)
	rm -rf build/wheel && $(BIN)/python -m build --wheel --outdir build/wheel .
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt build/wheel/*.whl
	build/wheel/venv/bin/logroute validate specs

schema: $(READY)
	for kind in LogRoute LogOutput LogRouterClass; do $(BIN)/logroute schema $$kind > specs/schema/$$kind.json; done
	$(BIN)/logroute schema > specs/schema/any.json

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
