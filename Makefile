.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tools that run others (protoc its plugins, a test its `qyt`) find those of this checkout first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# What a proto is compared with for breaking changes.
BASE ?= $(shell git rev-parse --verify -q origin/main || git rev-parse --verify -q main)

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(VENV)/locked: requirements-dev.txt pyproject.toml
	@echo "Installing the locked dependencies into $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

protos/gen/image.binpb: $(VENV)/locked protos/generate.py $(shell find protos/quanyutong -name '*.proto')
	@$(BIN)/python protos/generate.py

setup: $(VENV)/locked protos/gen/image.binpb ## Make the virtual environment and the generated code; every target does it by itself

demo: setup ## Start everything, load the city's published state, print its table, and stop
	@$(BIN)/python -m tests.demo

up: setup ## Run the whole platform until Ctrl-C
	@exec $(BIN)/qyt serve --target all

test: setup ## Run all tests against real PostgreSQL, NATS and Envoy
	@$(BIN)/python -m pytest

lint: setup ## Check style, types, imports and protos
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/buf format --diff --exit-code protos
	@$(BIN)/buf lint protos/gen/image.binpb --config protos/buf.yaml
	@$(BIN)/python protos/generate.py --check
	@$(BIN)/python -m protos.breaking "$(BASE)"

format: setup ## Bring Python and protos into their form
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/buf format --write protos

proto: setup ## Make the generated code again
	@$(BIN)/python protos/generate.py

bench: setup ## Measure against floors in the same run, and print ratios
	@$(BIN)/python -m bench

lock: $(VENV)/locked ## Lock the dependencies again, after a change in pyproject.toml
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --upgrade pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --upgrade --all-extras -c requirements.txt pyproject.toml -o requirements-dev.txt

clean: ## Remove everything that was made, but the data of the embedded servers
	@rm -rf $(VENV) protos/gen .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help setup demo up test lint format proto bench lock clean
