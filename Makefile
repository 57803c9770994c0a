# Each goal sets .venv up: on a fresh machine, Python 3.11 or newer, git and make are enough.
# ARGS is passed on:  make host ARGS="--model thread"     make test ARGS="-k flood"

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help host test check bench mutants torture figures screenshots docs setup .venv clean

PY := .venv/bin/python
PIP := $(PY) -m pip -qq --disable-pip-version-check install
PYTEST := $(PY) -m pytest
ARGS ?=

# A candidate must run (a pyenv shim may only print an error), be new enough, and be able to make a virtual environment
# (on Debian, with the package python3-venv).
CANDIDATES := python3 python3.13 python3.12 python3.11 python3.14 python
SUITS := import sys; assert sys.version_info >= (3, 11); import ensurepip, venv

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

host: ## open a room here and join it            ARGS="--model process|thread|event"
	@test -t 0 && test -t 1 || { echo 'make host draws a full screen, so it needs a terminal: run it in one, with neither' \
		'input nor output redirected. For a room without a screen: .venv/bin/chat-server' >&2; exit 2; }
	@$(MAKE) --no-print-directory --silent .venv/ready-to-run
	@.venv/bin/chat-tui --host $(ARGS)

test: .venv/ready-to-develop ## all tests, in about 9 minutes on 2 cores
	@$(PYTEST) -q -n 4 --dist worksteal --benchmark-disable -m "not alone" $(ARGS)
	@$(PYTEST) -q -m alone $(ARGS) || test $$? -eq 5  # 5: ARGS chose none of these

check: .venv/ready-to-develop ## ruff, mypy --strict, import contracts, words in docstrings
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet . || { echo 'to format: .venv/bin/ruff format' >&2; exit 1; }
	@$(PY) -m tests.style.check_prose
	@$(PY) -m mypy --no-error-summary
	@.venv/bin/lint-imports --no-logo --no-cache
	@echo 'all checks passed'

bench: .venv/ready-to-develop ## measure: codec, room, broadcast, and an audience against each model
	@$(PYTEST) -q tests/bench --benchmark-only --benchmark-columns median,iqr,ops,rounds --timeout 600 $(ARGS)

mutants: .venv/ready-to-develop ## check that the tests notice small mistakes  ARGS="session"
	@$(PY) -m tests.mutations $(ARGS)

# Set here, so that SECONDS in the environment, which some shells export, has no effect.
SECONDS := 180
PEOPLE := 200
SEED :=

torture: .venv/ready-to-develop ## all disturbances at once      SECONDS=180 PEOPLE=200 SEED=...
	@$(PY) -m tests.checker --seconds $(SECONDS) --people $(PEOPLE) $(if $(SEED),--seed $(SEED)) $(ARGS)

figures: .venv/ready-to-develop ## measure what happens when you switch (a quarter of an hour), and draw it
	@$(PY) -m tests.checker.figures --plot screenshots/switching.svg $(ARGS)

screenshots: .venv/ready-to-develop ## draw screenshots/ again from the real app
	@$(PY) -m screenshots.draw $(ARGS)

docs: .venv/ready-to-develop ## write the generated parts and the pictures of docs/ again
	@$(PY) -m tests.docs.protocol_reference > docs/protocol.md
	@$(PY) -m tests.docs.session_states
	@$(PY) -m tests.docs.pictures

setup: .venv/ready-to-develop ## make the virtual environment in .venv, for running and developing
.venv: setup

.venv/ready-to-run: pyproject.toml .venv/bin/python
	@echo 'Setting up .venv for running, once (half a minute) ...' >&2
	@$(PIP) --editable .
	@touch $@

.venv/ready-to-develop: pyproject.toml .venv/bin/python
	@echo 'Setting up .venv for developing, once (about a minute) ...' >&2
	@$(PIP) --editable '.[dev]'
	@touch .venv/ready-to-run $@

# This also runs if .venv exists but its Python does not: for make, a dangling link is a missing file.
.venv/bin/python:
	@for python in $(CANDIDATES); do \
		if "$$python" -c '$(SUITS)' >/dev/null 2>&1; then exec "$$python" -m venv --clear .venv; fi; \
	done; \
	echo 'This needs Python 3.11 or newer that can make a virtual environment, and none of' \
		'"$(CANDIDATES)" is one. On Debian or Ubuntu: apt-get install python3 python3-venv' >&2; exit 1

clean: ## remove .venv and everything built
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks .import_linter_cache \
		snapshot_report.html *.egg-info
	find protocol server tui tests -name __pycache__ -type d -prune -exec rm -rf {} +
