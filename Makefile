# Every target sets up what it needs, in .venv, and a second run finds it there.
# PYTHON=… names another interpreter, ARGS=… adds arguments: make test ARGS="-k claim"

PYTHON ?= python3.11 python3 python3.12 python3.13 python3.14 python
PY := .venv/bin/python

# Nothing here may touch the server that you use.
unexport FLOWS_REDIS_URL REDIS_URL
# Else each process that a test or a benchmark starts would compile all modules anew: half a second.
unexport PYTHONDONTWRITEBYTECODE

# Runs what follows on a data directory and a server of its own. Both are gone at the end, however it ends.
PRIVATELY = export FLOWS_DATA_DIR="$$(mktemp -d)"; \
	trap 'status=$$?; $(PY) -m flows server stop >/dev/null; rm -rf "$$FLOWS_DATA_DIR"; exit $$status' EXIT; \
	trap 'exit 130' INT; trap 'exit 143' TERM;

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.stamp-embedded,fast,examples ## run a pipeline of workers on a private server
	@$(PRIVATELY) $(PY) examples/access_flow.py $(ARGS)

demo-tree: .venv/.stamp-embedded,fast,web ## import a site by a tree of tasks, live in a browser, until Ctrl-C
	@$(PRIVATELY) $(PY) examples/import_site.py --serve $(ARGS)

# Three lanes on two cores: a fifth of the time a test waits for something. What `make conformance` runs is not run twice.
test: .venv/.stamp-test ## run the tests on a private server, but those of `make conformance`
	@$(PRIVATELY) $(PY) -m pytest -n 3 -m "not conformance" $(ARGS)

# It brings Debian's Chromium where it may.
browser: .venv/.stamp-ui-test ## run the tests of the dashboard in a browser
	@command -v chromium >/dev/null || ! command -v apt-get >/dev/null || [ "$$(id -u)" -ne 0 ] || \
		{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
		apt-get -qq install -y --no-install-recommends chromium; } >/dev/null 2>&1 || true
	@$(PRIVATELY) FLOWS_TEST_BROWSER=required $(PY) -m pytest tests/browser -n 2 $(ARGS)

conformance: .venv/.stamp-conformance ## run the suites of tree storages, indexes and backends against each server that is here
	@$(PRIVATELY) $(PY) -m tests.tree.conformance $(ARGS)

screenshots: .venv/.stamp-ui-test ## draw every page on flows demo into docs/dashboard; ARGS="board job"
	@$(PRIVATELY) $(PY) -m tests.browser.screenshots $(ARGS)

bench: .venv/.stamp-test ## measure: jobs per second and latency, on a private server
	@$(PRIVATELY) $(PY) benchmarks/run.py $(ARGS)

bench-peers: .venv/.stamp-test ## measure flows and its peers in turn; PEERS="arq saq" WORKLOADS=drain restrict it
	@$(PRIVATELY) $(PY) benchmarks/compare.py $(PEERS:%=--peer %) $(WORKLOADS:%=--workload %) $(ARGS)

faults: .venv/.stamp-test ## run the fault matrix: kill, stop, cut, fill and restart, 3 seeds a row
	$(PY) -m tests.faults.run --seeds 3 $(ARGS)

faults-long: .venv/.stamp-test ## run its long rows too, 30 seeds a row
	$(PY) -m tests.faults.run --seeds 30 --long $(ARGS)

scale: .venv/.stamp-test ## run the tests of amounts in full: up to 1,000,000 jobs
	@$(PRIVATELY) FLOWS_TEST_SCALE=20 $(PY) -m pytest -m scale $(ARGS)

storm: .venv/.stamp-test ## 50,000 jobs while workers are killed, the server restarts and the network is cut
	$(PY) -m tests.faults.storm $(ARGS)

rules: .venv/.stamp-test ## 500 random loads of each kind of limiter, and 1,000 storms while limits change; ARGS="--loads 50 --storms 0"
	$(PY) -m tests.faults.rules.run $(ARGS)

races: .venv/.stamp-test ## 1,000 random workflows, each with a death after each of its writes; ARGS="--seeds 50"
	$(PY) -m tests.workflow.steps.races $(ARGS)

schedules: .venv/.stamp-test ## 10,000 slots fired once each, by processes with wrong clocks that are killed; ARGS="--slots 1000"
	$(PY) -m tests.faults.schedules.run $(ARGS)

mutants: .venv/.stamp-test ## take each guard out of each script in turn, and name the test that notices; ARGS="--only retry.lua"
	$(PY) -m tests.faults.mutants $(ARGS)

ui: .venv/.stamp ## build the dashboard, web/ and clients/react, into flows/server/static, and the example's page
	web/npm.sh ci --no-audit --no-fund
	web/npm.sh run build

ui-check: .venv/.stamp ## check and test web/ and clients/react, and that the build is theirs to the byte
	@for folder in clients/react web; do \
		IN=$$folder web/npm.sh ci --no-audit --no-fund && IN=$$folder web/npm.sh run check && \
		IN=$$folder web/npm.sh test || exit 1; \
	done
	@committed="$$(mktemp -d)"; trap 'rm -rf "$$committed"' EXIT; cp -r flows/server/static examples/import_site_page/dist "$$committed"; \
		web/npm.sh run build && diff -rq "$$committed/static" flows/server/static && \
		diff -rq "$$committed/dist" examples/import_site_page/dist && echo 'the build is that of the sources'

check: export PYRIGHT_PYTHON_IGNORE_WARNINGS = 1 # else it asks the network for its newest version
check: .venv/.stamp-dev ## lint, format, types, layers, spelling, scripts: all that CI checks
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy --strict
	$(PY) -m pyright --pythonpath $(PY)
	.venv/bin/lint-imports --no-logo
	$(PY) -m codespell_lib
	$(if $(filter skip,$(LUA_LINT)),@echo 'the Lua scripts are not linted: LUA_LINT=skip',$(PY) -m tests.lint_lua)

clean: ## remove .venv, caches and builds
	rm -rf .venv build dist .*_cache .hypothesis
	find flows tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} +

# The stamp's name is the list of extras that it stands for.
.venv/.stamp-%: .venv/.stamp pyproject.toml
	@echo "installing typed-flows[$*] in .venv"
	@$(PY) -m pip install -qq --disable-pip-version-check --editable '.[$*]'
	@touch $@

.venv/.stamp:
	@for python in $(PYTHON); do \
		if $$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			$$python -m venv --clear .venv && touch $@; exit; \
		fi; \
	done; \
	echo 'flows needs Python 3.11 or newer with its venv module (on Debian: apt install python3-venv).' >&2; \
	echo 'None of these is one: $(PYTHON). Name yours: make PYTHON=/path/to/python3.11' >&2; \
	exit 1

.PHONY: help demo demo-tree test bench bench-peers faults faults-long scale storm rules races schedules mutants browser conformance screenshots ui ui-check check clean
.DEFAULT_GOAL := help
.SECONDARY: .venv/.stamp
