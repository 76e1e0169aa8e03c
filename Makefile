# `make demo` and `make test` are all a newcomer needs; CONTRIBUTING.md explains the rest.
# Override the interpreter with `make PYTHON=python3.12 …`; any Python from 3.11 on will do.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: help venv demo test check format docs e2e bench lock clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):.*## /  make \1\t/' | expand -t 16

venv: $(STAMP)  ## create the virtual environment from the lock file

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Argoos needs Python 3.11 or later; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "No virtual environment could be made; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; }
	@echo "installing into $(VENV) …" >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP)  ## see a push change files, and why some were left alone (KEEP=1: leave it running)
	@$(BIN)/argoos demo $(if $(KEEP),--keep)

test: $(STAMP)  ## run the fast tests: Python alone, no servers
	@$(BIN)/pytest -q -m "not e2e"

check: $(STAMP)  ## format, lint, types, layers, generated docs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m docs.generate --check

format: $(STAMP)  ## format and mend what ruff can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(STAMP)  ## write the generated parts of docs/reference anew
	@$(BIN)/python -m docs.generate

e2e: $(STAMP)  ## run everything against real registries and a real Kubernetes control plane (root, Debian, Go)
	@$(BIN)/pytest -q -m e2e

bench: $(STAMP)  ## measure, each figure beside its baseline (needs what e2e needs)
	@$(BIN)/python -m bench

lock:  ## resolve the dependencies anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --upgrade pyproject.toml -o requirements/runtime.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --constraint requirements/runtime.txt --group dev pyproject.toml -o requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --constraint requirements/dev.txt --group build -o requirements/build.txt

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
