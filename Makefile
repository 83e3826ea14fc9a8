# Every command makes what it needs first, and the second call is quick.
#
#   PYTHON=python3.13 make install    picks the interpreter; otherwise the first one that is new enough

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help install lint test test-unit test-all mutate bench bench-core demo clean test-lowest \
	lock audit

VENV := .venv
RUN := $(VENV)/bin/python
# Most of what is installed is never imported: compiling it on first use makes installing quicker.
PIP_INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
# Run, not only found: a version manager's shim is on the path for versions that are not installed.
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if $$each -c '$(NEW_ENOUGH)' 2>/dev/null; then echo $$each; break; fi; done)

# The newest interpreter there is, where budgets are held, too. A folder of pyenv has more of them than the path.
NEWEST_FINAL := import sys; sys.version_info[3] == "final" and print("%d.%d.%d" % sys.version_info[:3], sys.executable)
NEWEST ?= $(shell for each in python3 python3.14 python3.13 python3.12 $(wildcard $(HOME)/.pyenv/versions/*/bin/python3); do \
	$$each -c '$(NEWEST_FINAL)' 2>/dev/null; done | sort -V | tail -n 1 | cut -d ' ' -f 2-)
MINOR := import sys; print("%d.%d" % sys.version_info[:2])

# A worker for each core, with servers of its own; one real MongoDB is shared, file by file.
PYTEST = $(RUN) -m pytest -n auto --maxprocesses 8 --dist $(if $(MONGODB_URI),loadfile,worksteal)

# The demo needs less than development does; where that is installed already, it will do.
DEMO := $(if $(wildcard $(VENV)/.dev),dev,demo)

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.dev ## Make the virtual environment, install everything for development, have git check messages
	@$(RUN) -m scripts.commit_message --install

lint: $(VENV)/.dev ## Check style, types, layers and that changelog and version agree
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports
	$(RUN) -m scripts.check_changelog

test: $(VENV)/.dev ## Run the tests, in parallel and with coverage, and the unit tests on the oldest and newest Python
	$(RUN) -m tests.servers.fetch
	@set -e; $(RUN) -m scripts.interpreters $(VENV) > $(VENV)/.runs; \
	while read -r target venv python; do \
		$(MAKE) --no-print-directory "$$target" VENV="$$venv" PYTHON="$$python" < /dev/null; \
	done < $(VENV)/.runs

# What make test runs on each interpreter; also by hand: make test-unit VENV=.venv-3.12 PYTHON=python3.12
test-unit: $(VENV)/.dev
	$(PYTEST) tests/unit

test-all: $(VENV)/.dev
	$(PYTEST) --cov --cov-report=term --cov-report=xml

# By hand: make mutate SEED=2 SAMPLE=50 ONLY=router/session. Every sample is another part of the same code.
SEED ?= 1
SAMPLE ?= 200
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
mutate: $(VENV)/.dev ## Change the code in many places, one at a time, and show the changes that no test notices
	$(RUN) -m scripts.mutation --seed $(SEED) --sample $(SAMPLE) --jobs $(JOBS) --only '$(ONLY)'

# The oldest Python, and of each library the oldest version, that a user may have.
LOWEST := .venv-lowest
OLDEST ?= $(shell for each in python3.11 $(wildcard $(HOME)/.pyenv/versions/3.11.*/bin/python3) $(PYTHON); do \
	if $$each -c '$(NEW_ENOUGH)' 2>/dev/null; then echo $$each; break; fi; done)

test-lowest: $(LOWEST)/.lowest ## Run the tests of the adapters on the lowest versions that pyproject.toml allows
	$(LOWEST)/bin/python -m pytest -n auto --maxprocesses 8 tests/unit/adapters \
		tests/unit/router/telemetry/test_powertools_logger.py tests/unit/router/telemetry/test_dispatch_metrics.py
	$(LOWEST)/bin/python -m tests.servers.fetch miniredis
	$(LOWEST)/bin/python -m pytest -n auto --maxprocesses 8 tests/integration/contract -k "moto or redis"

$(LOWEST)/.lowest: pyproject.toml scripts/lowest_versions.py
	$(OLDEST) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m scripts.lowest_versions > $(LOWEST)/constraints.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
		--constraint $(LOWEST)/constraints.txt --editable '.[aws,mongo,powertools,validation,auth,http,redis,otel,cli]' \
		botocore hypothesis joserfc 'moto[server]' pytest pytest-timeout pytest-xdist
	@touch $@

lock: $(VENV)/.created ## Write constraints.txt anew: the versions that development installs, on every Python
	$(RUN) -m pip install --quiet --disable-pip-version-check uv
	@{ echo '# The versions that development installs, on every Python. Made by: make lock'; \
		$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
			--extra dev --extra bench pyproject.toml; } > $(VENV)/constraints.txt
	@mv $(VENV)/constraints.txt constraints.txt

audit: $(VENV)/.dev ## Look the versions of constraints.txt up in a database of known vulnerabilities
	$(RUN) -m scripts.audit

bench: $(VENV)/.bench ## Measure beside the peers; prints a table and writes a chart
	$(RUN) -m tests.benchmarks
	@if [ "$$($(RUN) -c '$(MINOR)')" != "$$($(NEWEST) -c '$(MINOR)')" ]; then \
		$(MAKE) --no-print-directory VENV=$(VENV)-$$($(NEWEST) -c '$(MINOR)') PYTHON="$(NEWEST)" bench-core; fi
	$(RUN) -m tests.benchmarks.verdicts
	$(RUN) -m tests.servers.fetch
	$(RUN) -m tests.benchmarks.publish
	$(RUN) -m tests.benchmarks.dynamodb
	$(RUN) -m tests.benchmarks.mongo
	$(RUN) -m tests.benchmarks.worker
	$(RUN) -m tests.benchmarks.local_store
	$(RUN) -m tests.benchmarks.local
	$(RUN) -m tests.benchmarks.local_http

# The budgets of the design alone, on one interpreter: make bench-core VENV=.venv-3.12 PYTHON=python3.12
bench-core: $(VENV)/.bench
	$(RUN) -m tests.benchmarks

demo: $(VENV)/.$(DEMO) ## Run the examples orders, guarded and tenants end to end on local servers
	$(RUN) -m examples.orders
	$(RUN) -m examples.guarded
	$(RUN) -m tests.servers.run ferretdb -- $(RUN) -m examples.tenants
	@printf '\nNow watch the shop in a browser, at http://127.0.0.1:3000/_console:\n\n  %s\n\n' \
		'$(VENV)/bin/junction local examples.orders.stack:stack --env-file examples/orders/local.env'

clean: ## Remove everything that these commands made
	rm -rf $(VENV) $(VENV)-[0-9]* $(LOWEST) .cache .coverage .coverage.* coverage.xml htmlcov build dist \
		.hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found. Install it, or name it: make install PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo "$(PYTHON) does not run or is older than Python 3.11. Name another: make install PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt $(VENV)/.created
	$(PIP_INSTALL) --editable '.[dev]'
	@touch $@

$(VENV)/.demo: pyproject.toml constraints.txt $(VENV)/.created
	$(PIP_INSTALL) --editable '.[local,mongo,auth,jsonschema]' 'moto[server]'
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(PIP_INSTALL) --editable '.[bench]'
	@# A cold start is measured with everything compiled; some packages carry templates that are not valid Python.
	@$(RUN) -m compileall -q -q $(VENV)/lib || true
	@touch $@
