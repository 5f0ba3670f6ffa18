# Everything a person does with a checkout. `make help` lists it.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DAY ?= 100
DAYS ?= 1
# Two for each core: most tests wait for real brokers and clocks.
WORKERS ?= $(shell $(PYTHON) -c "import os; print(2 * (os.cpu_count() or 1))")
FILTER ?= sunherd/\#
ARGS ?=
# Without glibc's stock of freed blocks for each thread: with a hundred threads it grows to megabytes, and is never given
# back (docs/decisions/0022).
export GLIBC_TUNABLES ?= glibc.malloc.tcache_count=0
# The stamp holds the fingerprint of what was installed: a changed pyproject.toml installs anew.
STAMP := $(VENV)/.installed
# The tests that are meant for the ground and the policy engine.
TRACED := tests/contract tests/museum $(addprefix tests/unit/,shared policy_engine vnish_agent bitaxe_agent) \
  $(addprefix tests/integration/,test_broker.py test_launch.py test_miner_session.py test_restarts.py test_handover.py \
  test_takeover.py test_locked_broker_tls.py)
DEV_STAMP := $(VENV)/.installed-dev
FLEET_STAMP := $(VENV)/.installed-fleet
MUTATE_STAMP := $(VENV)/.installed-mutate
BROWSER_STAMP := $(VENV)/.installed-browser

.PHONY: help setup demo run topics sunherd stop resume env up up-demo down-demo down logs scale fleet certificates addon test check bench simulate sabotage chaos soak e2e e2e-docker coverage mutate format docs clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9_-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## install what running needs into .venv (done by itself when needed)

demo: $(STAMP) ## a living farm without hardware: one day in 100 s (DAY=..., DAYS=0 until Ctrl-C)
	@$(BIN)/python -m deploy.demo --day $(DAY) --days $(DAYS) $(ARGS)

run: $(STAMP) ## run the farm of your farm.yaml on this machine
	@$(BIN)/python -m deploy.embedded $(ARGS)

topics: $(STAMP) ## show what the running farm says (FILTER='sunherd/miner/+/command')
	@$(BIN)/python -m deploy.listen '$(FILTER)'

sunherd: $(STAMP) ## tell the farm what you want (ARGS='override s19-20 pause --for 2h', ARGS=--help)
	@$(BIN)/sunherd $(ARGS)

stop: $(STAMP) ## everything off, now; later: make resume (ARGS='--reason smoke', ARGS=--direct)
	@$(BIN)/sunherd stop --all $(ARGS)

resume: $(STAMP) ## lift the emergency stop; starts nothing by itself
	@$(BIN)/sunherd resume $(ARGS)

plugs: $(STAMP) ## find Kasa plugs and strips on your network (ARGS='--target 192.168.1.255', ARGS=--help)
	@$(BIN)/python -m services.kasa_power_agent.search $(ARGS)

env: ## make .env with strong broker passwords; never overwrites
	@$(PYTHON) -m deploy.environment $(ARGS)

certificates: $(STAMP) ## the broker's certificate by an authority of your own (ARGS='--host broker.lan')
	@$(BIN)/python -m deploy.locks.certificates $(ARGS)

addon: $(STAMP) ## pack the Home Assistant add-on into build/addon
	@$(BIN)/python -m deploy.addon.pack $(ARGS)

test: $(DEV_STAMP) ## all tests that need nothing but this machine
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -rs $(ARGS)

check: $(DEV_STAMP) ## format, lint, types, import contracts
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

e2e: $(BROWSER_STAMP) ## against a real Home Assistant, in a real browser (SUNHERD_E2E_HA_URL, _TOKEN; chromium)
	$(BIN)/python -m pytest tests/e2e -p no:xdist -rs $(ARGS)

e2e-docker: $(DEV_STAMP) ## what needs a Docker engine: stack, broker, add-on, systemd, fleet (about 20 minutes)
	SUNHERD_E2E_DOCKER=1 $(BIN)/python -m pytest -p no:xdist -rs tests/e2e/test_compose.py tests/e2e/test_addon.py \
	  tests/e2e/test_systemd.py tests/e2e/test_fleet.py tests/e2e/test_scaled_stack.py tests/integration/test_fleet.py \
	  tests/integration/test_locked_broker_container.py $(ARGS)

bench: $(DEV_STAMP) ## how fast: ratios from one run on this machine
	$(BIN)/python -m tests.bench $(ARGS)

coverage: $(DEV_STAMP) ## which branches no test takes; at least 95 % of shared and policy_engine must be taken
	@mkdir -p build # without random tests, of which each run takes others, and without those of other services
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TRACED) --cov=shared --cov=services.policy_engine --cov-branch \
	  --cov-report=term-missing:skip-covered --cov-report=json:build/coverage.json $(ARGS)
	$(BIN)/python -m tests.branches build/coverage.json

mutate: $(MUTATE_STAMP) ## break the policies on purpose and see which tests notice (ARGS=services/policy_engine/policies)
	$(BIN)/python -m tests.mutation $(ARGS)

simulate: $(DEV_STAMP) ## ten thousand simulated days with faults (ARGS='--seeds 0-99', ARGS=--help); about an hour
	$(BIN)/python -m tests.simulation --seeds 0-9999 $(ARGS)

sabotage: $(DEV_STAMP) ## break the code once for each invariant and see whether a simulated day notices
	$(BIN)/python -m tests.simulation.sabotage $(ARGS)

chaos: $(DEV_STAMP) ## replicas killed, frozen and cut off; a program judges the history (ARGS='--engine-kills 20')
	@$(BIN)/python -m tests.chaos $(ARGS)

soak: $(DEV_STAMP) ## whether anything is kept through 20 minutes of faults (ARGS='--minutes 5', ARGS=--help)
	$(BIN)/python -m tests.soak $(ARGS)

format: $(DEV_STAMP) ## format and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet .

docs: $(DEV_STAMP) ## write the pages of topics, settings and commands, the access list and the snapshots of the schemas anew
	$(BIN)/python -m deploy.topics_page > docs/topics.md
	$(BIN)/python -m deploy.settings_page > docs/settings.md
	$(BIN)/python -m deploy.console_page > docs/console.md
	$(BIN)/python -m deploy.locks.access_list > mosquitto/access.list
	$(BIN)/python -m tests.contract.regenerate
	$(BIN)/python -m tests.contract.console_json

clean: ## remove what was installed and what runs left behind
	rm -rf $(VENV) .sunherd .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Sunherd needs Python 3.11 or newer; $(PYTHON) is older. Say PYTHON=python3.12, for example.' >&2; exit 2; }
	@echo 'Setting up .venv (once; about half a minute) ...'
	@$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded]'
	@touch $@

$(DEV_STAMP): pyproject.toml $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(STAMP) $(FLEET_STAMP)

$(FLEET_STAMP): pyproject.toml $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded,fleet]'
	@touch $@ $(STAMP)

$(BROWSER_STAMP): pyproject.toml $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[browser]'
	@touch $@ $(DEV_STAMP) $(STAMP)

$(MUTATE_STAMP): pyproject.toml $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[mutate]'
	@touch $@ $(DEV_STAMP) $(STAMP)

# --- the farm in containers (docs/compose.md)
# The demo beside a farm of one's own: its own project, ports and broker, whatever .env says of the farm.
DEMO_STACK := COMPOSE_FILE=docker-compose.yml SUNHERD_FARM_DIRECTORY=demo-farm SUNHERD_BROKER__URL= \
  SUNHERD_BROKER_PORT=11883 SUNHERD_BROKER_TLS_PORT=18883 docker compose --project-name sunherd-demo --profile demo
NOT_HEALTHY := echo 'Not all is healthy. Why: make logs, or docker compose exec SERVICE python -m shared.health ready' >&2

.env:
	@$(PYTHON) -m deploy.environment

fleet: $(FLEET_STAMP) ## look after containers and replicas (ARGS='status --watch', doctor, 'restart --rolling', ARGS=--help)
	@$(BIN)/python -m deploy.fleet $(ARGS)

up: .env ## your farm in containers: build, start, wait until all is healthy (docs/compose.md)
	@grep -q '^SUNHERD_FARM_DIRECTORY=.' .env || { printf '%s\n' 'Which farm?' \
	  '  1. mkdir -p farm && cp farm.example.yaml farm/farm.yaml, and put in your own addresses' \
	  '  2. SUNHERD_FARM_DIRECTORY=./farm in .env' '  3. make up' 'Without hardware: make up-demo' >&2; exit 2; }
	@docker compose up --detach --build --wait --wait-timeout 180 || { docker compose ps --all; $(NOT_HEALTHY); exit 1; }
	@echo 'All is healthy. What they say: make logs. How they are: docker compose ps. More: docs/compose.md'

up-demo: .env ## a simulated farm in containers, beside yours; down-demo removes it
	@$(DEMO_STACK) up --detach --build --wait --wait-timeout 180 || { $(DEMO_STACK) ps --all; $(NOT_HEALTHY); exit 1; }
	@echo 'A day takes 100 s. Look on: docker compose --project-name sunherd-demo logs --follow policy-engine'

down-demo: .env
	@$(DEMO_STACK) down --volumes

down: ## stop your farm's containers; what the broker remembers is kept
	@docker compose down

logs: ## what the containers say (ARGS='vnish-agent')
	@docker compose logs --follow --tail 50 $(ARGS)

scale: ## run so many of one service: make scale service=vnish-agent n=3
	@[ -n '$(service)' ] && [ -n '$(n)' ] || { echo 'Say: make scale service=vnish-agent n=3' >&2; exit 2; }
	@docker compose up --detach --no-recreate --wait --scale $(service)=$(n) $(service)
