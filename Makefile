# The commands of the house. `make setup` makes the environment; the others call it.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
TESTING := ENV_FILE=tests/test.env
CORES := $(shell nproc 2>/dev/null || echo 2)
STAMP := .venv/setup.stamp
SOURCES := requirements/dev.txt package.json package-lock.json .npmrc

.PHONY: setup demo test walk test-services test-e2e test-faults lint types imports bench bench-growth bench-fairness bench-pages bench-recipients messages locks

setup: $(STAMP) locale/zh_Hans/LC_MESSAGES/django.mo

$(STAMP): $(SOURCES)
	@bash scripts/setup "$(PYTHON)"
	@touch $@

locale/zh_Hans/LC_MESSAGES/django.mo: locale/zh_Hans/LC_MESSAGES/django.po $(STAMP)
	@$(TESTING) $(BIN)/python manage.py translations --compile

demo: setup
	@exec $(BIN)/python manage.py demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --lint --quiet templates

types: setup
	$(TESTING) $(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

test: lint types imports
	$(BIN)/pytest -n $(CORES) -m "not services and not e2e"

walk: setup
	@$(BIN)/python -m koomessage.demo.walk

test-services: setup
	@bash scripts/test-services $(CORES)

test-e2e: setup
	@bash scripts/test-e2e

test-faults: setup
	@bash scripts/test-faults

# Options in BENCH: make bench BENCH="--database sqlite --rounds 7"
bench: setup
	@bash scripts/bench send $(BENCH)

bench-growth: setup
	@bash scripts/bench growth $(BENCH)

bench-fairness: setup
	@bash scripts/bench fairness $(BENCH)

bench-pages: setup
	@bash scripts/bench pages $(BENCH)

bench-recipients: setup
	@bash scripts/bench recipients $(BENCH)

# For developers: texts into the catalogue, pins into the lock files.
messages: setup
	$(TESTING) $(BIN)/python manage.py translations --update

locks:
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate requirements/base.in -o requirements/base.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate requirements/s3.in -c requirements/base.txt -o requirements/s3.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate requirements/dev.in -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate requirements/node.in -o requirements/node.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate requirements/bench.in -c requirements/base.txt -o requirements/bench.txt
	npm install --package-lock-only --silent && $(BIN)/python scripts/omit_addresses.py
