# `make run` starts the dashboard on the demo company; `make test` runs every test. Both set up what they need.
PYTHON ?= python3
VENV ?= .venv
DATA ?= data
PORT ?= 8501
BIN := $(VENV)/bin

.PHONY: run test lint format docs bench study clean

run: $(VENV)/.run
	@test -f $(DATA)/current.json || $(BIN)/python -m cs_metrics demo --data $(DATA)
	@$(BIN)/python -m cs_metrics serve --data $(DATA) --port $(PORT)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.run
	$(BIN)/python -m cs_metrics docs

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

study: $(VENV)/.run
	$(BIN)/python -m studies

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Debian's python3 has no pip of its own unless python3-venv is installed; then the environment is made without it.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null && $(PYTHON) -m venv $(VENV); \
	  else echo "Python's venv module is missing: run 'sudo apt-get install python3-venv' and try again." >&2; exit 1; fi; }

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	@echo "Setting up (once) …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements-postgres.txt requirements.txt | $(VENV)/bin/python
	@echo "Setting up (once) …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.run
