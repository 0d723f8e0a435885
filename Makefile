# Two commands do everything on a fresh machine: `make dashboard` and `make test`. All are safe to run twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/pytest -n 2

.PHONY: install dashboard test lint types tests slow browser demo docs clean help

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

install: $(VENV)/installed  ## make .venv from requirements.txt

dashboard: $(VENV)/installed  ## install, then open the dashboard on the bundled demo
	$(BIN)/mami dashboard

test: lint types tests  ## lint, types and the fast tests

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

tests: $(VENV)/installed-dev
	$(PYTEST)

slow: $(VENV)/installed-dev  ## the tests marked slow
	$(PYTEST) -m slow

browser:  ## get Chromium for the browser tests where it is missing (Debian; needs root)
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	  { apt-get update -q && apt-get install -y -q chromium; } || \
	  echo "no Chromium, and it could not be installed: the browser tests will be skipped"

demo: $(VENV)/installed  ## make the bundled demo and captioners again, from nothing (about 15 minutes)
	$(BIN)/mami demo assets/demo --models assets/models

docs: $(VENV)/installed-dev  ## the documentation's site, in build/site; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:  ## remove what `make` made
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache

$(VENV)/installed: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -r requirements.txt
	touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	$(BIN)/python -m pip install -q -r requirements-dev.txt
	touch $@
