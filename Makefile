# Every daily command. Each target works on a fresh clone with Python 3.11 or newer, git and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

NPM := tools/mail-check/node_modules

.PHONY: demo test lint check accept bench mail-check screenshots catalogues lock clean

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

# Rendered editions before an HTML validator, axe, caniemail, digest lint, SpamAssassin and rspamd: docs/mail.md.
mail-check: $(VENV)/dev $(NPM)/installed
	tools/need.sh chromium java spamassassin rspamd
	$(BIN)/python -m tools.mail_check

# What docs/mail.md shows.
screenshots: $(VENV)/dev
	tools/need.sh chromium
	$(BIN)/python -m tools.screenshots

$(NPM)/installed: tools/mail-check/package.json tools/mail-check/package-lock.json
	tools/need.sh npm
	PUPPETEER_SKIP_DOWNLOAD=1 npm ci --prefix tools/mail-check --ignore-scripts --no-audit --no-fund
	touch $@

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

# What some benches compare with: for them alone.
bench: requirements-bench.lock | $(VENV)/dev
	$(PIP) install --require-hashes -r requirements-bench.lock

# Collects the strings that readers see into digest/locale/; translate what is empty then.
catalogues: $(VENV)/dev
	$(BIN)/pybabel -q extract -F pyproject.toml --no-location --sort-output --project region-digest \
	  -o $(VENV)/digest.pot .
	$(BIN)/pybabel -q update -i $(VENV)/digest.pot -D digest -d digest/locale --no-fuzzy-matching --ignore-obsolete \
	  --width 120

# Locks hold hashes and no addresses: any package index serves them.
lock: $(VENV)/dev
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --upgrade pyproject.toml --group pyproject.toml:build -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --upgrade pyproject.toml --group pyproject.toml:build --group pyproject.toml:dev -o requirements-dev.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --upgrade pyproject.toml --group pyproject.toml:build --group pyproject.toml:dev --group pyproject.toml:bench \
	  -o requirements-bench.lock

clean:
	rm -rf $(VENV) $(NPM) var dist build
