# Two commands do everything on a fresh machine: `make dashboard` and `make test`. All are safe to run twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/pytest -n 2

RELIABILITY := $(BIN)/python tests/reliability.py
SHARE ?= 1

.PHONY: faults soak lock licences audit install dashboard test lint types tests slow browser demo sat docs clean help

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

demo: $(VENV)/installed  ## make the bundled demo and captioners of units again, from nothing (about 15 minutes)
	$(BIN)/mami demo assets/demo --models assets/models

sat: $(VENV)/installed  ## train the bundled captioner of images again (14 epochs over 6,000 scenes; an hour on busy cores)
	$(BIN)/mami train scenery:captions:8000 --captioner sat-soft --out assets/models/sat@scenery --no-listeners \
	  --hidden-size 80 --embedding-size 48 --attention-size 32 --epochs 14 --patience 4 --learning-rate 4e-3 \
	  --min-count 5 --select bleu --doubly-stochastic 0.1 --dropout 0.2

faults:  ## inject the faults, send the bad input in full, and write docs/reliability.md
	$(RELIABILITY) faults

soak:  ## long use in full: switches, labels, a crowd (SHARE=0.1: a tenth of it); writes docs/reliability.md
	$(RELIABILITY) soak --share $(SHARE)

lock: $(VENV)/installed-dev  ## make requirements.lock, with hashes, from requirements.txt
	$(BIN)/python -m pip install -q uv
	echo "# Every package of requirements.txt and all they need, with hashes; made by \`make lock\`." > requirements.lock
	grep -v '^-e' requirements.txt | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate -q >> requirements.lock

licences: $(VENV)/installed  ## list the packages that come along, and their licences
	$(BIN)/mami licences

audit: $(VENV)/installed-dev  ## ask for known weaknesses of what requirements.lock names
	$(BIN)/python -m pip install -q pip-audit
	$(BIN)/pip-audit -r requirements.lock --require-hashes --disable-pip || \
	  { echo "pip-audit found something, or the advisory service cannot be reached from here"; exit 1; }

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
