# Every daily command. Each target works on a fresh clone with Python 3.11 or newer, git and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test lint check accept lock clean

demo: $(VENV)/runtime
	$(BIN)/digest demo

test: lint
	$(BIN)/pytest -n 2
	$(BIN)/pytest -m browser

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What is too long for the suite: whole replays of recorded archives, benches.
accept: $(VENV)/dev
	$(BIN)/pytest -m accept --timeout 1800

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@ $(VENV)/runtime

# Locks hold hashes and no addresses: any package index serves them.
lock: $(VENV)/dev
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --upgrade pyproject.toml --group pyproject.toml:build -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --upgrade pyproject.toml --group pyproject.toml:build --group pyproject.toml:dev -o requirements-dev.lock

clean:
	rm -rf $(VENV) var dist build
