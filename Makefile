# Everything a newcomer or a CI machine needs. `make demo` and `make test` set up what they use.
# Nothing here starts or changes a system service: Dovecot is installed, never enabled.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Byte code is compiled at installation, so that start-up times are what a user gets.
export PYTHONDONTWRITEBYTECODE :=

PYTEST := $(BIN)/python -m pytest

.PHONY: help setup servers demo test test-all test-kinds check format lint types contracts unit docs bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ok servers ## virtual environment and, as root, Dovecot from Debian's packages

$(VENV)/.ok: requirements.lock pyproject.toml scripts/venv
	@PYTHON="$(PYTHON)" VENV="$(VENV)" scripts/venv
	@touch $@

servers:
	@scripts/servers

demo: setup ## a two-tier Dovecot organization, watched, on this machine
	@$(BIN)/mailward demo

check: $(VENV)/.ok ## format, lint, types, import contracts, unit and contract tests (3-4 min)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(PYTEST) -n 3 --dist loadfile tests/unit tests/contract tests/scenarios tests/docs

test: check servers ## check, then acceptance against real servers (15 min)
	@$(PYTEST) -n 3 --dist loadfile --no-loadscope-reorder tests/acceptance

test-all: check servers ## everything, every fault at default timings (hours)
	@$(PYTEST) tests/acceptance --default-timings

test-kinds: check servers ## everything, one fault of each kind at short timings (half an hour)
	@$(PYTEST) tests/acceptance --every-kind

format: $(VENV)/.ok ## write the house's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only .

bench: setup ## measure; prints ratios against a peer in the same run
	@for benchmark in benchmarks/*.py; do echo "== $$benchmark"; $(BIN)/python $$benchmark; done

docs: setup ## write the generated pages anew
	@$(BIN)/python scripts/generate_docs.py
	@$(BIN)/python scripts/generate_man_pages.py
	@$(BIN)/python scripts/runtime_lock.py

clean: ## remove what the targets made; packages of Debian: scripts/uninstall
	@rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
