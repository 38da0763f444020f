# Two commands matter: `make run` and `make test`.
SHELL := /bin/bash
PY ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8080
export PYTHONDONTWRITEBYTECODE :=  # what is compiled is kept: a run starts dozens of processes of ours

.PHONY: run test check fix setup setup-dev demo-reset screens clean lock

run: setup                        ## set everything up, seed the demo ministry once, serve it
	@$(BIN)/majlis run --demo --port $(PORT)

demo-reset: setup                 ## throw the demo data away and seed it afresh
	@$(BIN)/majlis demo --reset

check: lint                       ## the fast subset: lint, types, import layers, unit tests
	$(BIN)/pytest tests/unit -m "not long" -n 2 --dist loadfile

.PHONY: lint
lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict core $$(git ls-files '*/rules.py' '*/states.py' | grep -v ^core/)
	$(BIN)/lint-imports

BESIDE := tests/unit
test: setup-test                  ## everything: lint, types, unit tests, then real servers and real browsers
	$(MAKE) --no-print-directory lint
	@mkdir -p var
	@echo "What watches a clock, one after the other; $(BESIDE) take what that leaves of the processor, and go on beside the rest"
	@nice -n 19 $(BIN)/pytest $(BESIDE) -m "not long" > var/beside.txt 2>&1 & beside=$$!; \
	  trap 'kill $$beside 2>/dev/null' INT TERM; \
	  $(BIN)/pytest tests $(BESIDE:%=--ignore %) -m "alone and not long"; alone=$$?; \
	  renice -n 0 -p $$beside >/dev/null 2>&1; \
	  $(BIN)/pytest tests $(BESIDE:%=--ignore %) -m "not alone and not long" -n 3 --dist loadfile --no-loadscope-reorder; others=$$?; \
	  wait $$beside; rest=$$?; cat var/beside.txt; exit $$((alone | others | rest))

screens: setup-test               ## a picture of every page, both languages, every size: var/screens/index.html
	$(BIN)/python -m tests.screens

.PHONY: test-long
test-long: setup-test             ## what takes minutes: thin lines, sleeping computers, a node that leaks, 200 killed writers
	MAJLIS_KILLS=200 $(BIN)/pytest tests/recordings/test_crash.py
	MAJLIS_ROUNDS=$${MAJLIS_ROUNDS:-300} $(BIN)/pytest tests -m long

.PHONY: bench-media
bench-media: setup-test           ## CPU and delay of recorded calls beside Janus (about 13 minutes; Janus: apt-get install janus)
	@$(BIN)/python -m bench.media

.PHONY: bench-recordings
bench-recordings: setup-test      ## what recordings cost, how soon they can be watched (about 8 minutes)
	@$(BIN)/python -m bench.recordings

.PHONY: bench-queue
bench-queue: setup-test           ## a centre's day of 5,000 tickets over HTTP, 200 screens attached (about 14 minutes)
	@$(BIN)/python -m bench.queue

.PHONY: bench-booking
bench-booking: setup-test         ## finding and booking in a year that is nine tenths taken
	@$(BIN)/python -m bench.booking

.PHONY: bench-sms
bench-sms: setup-test             ## 50,000 texts through an SMPP line, one-time codes in between
	@$(BIN)/python -m bench.sms

.PHONY: bench-search
bench-search: setup-test          ## finding a case, a dossier, an inbox among a million petitions
	@$(BIN)/python -m bench.search

.PHONY: bench-lines soak
bench-lines: setup-test           ## calls over bad lines in real browsers: loss, delay, caps, blackouts (about 11 minutes)
	@$(BIN)/python -m bench.lines

soak: setup-test                  ## half an hour of ten recorded calls with everything that happens to calls; is memory flat?
	@$(BIN)/python -m bench.soak --minutes 30 --calls 10

fix: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup: $(VENV)/.run node_modules/.done
setup-dev: setup $(VENV)/.dev
.PHONY: setup-test
setup-test: setup-dev
	@bash requirements/system.sh test

$(BIN)/uv: requirements/bootstrap.lock
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Majlis needs Python 3.11 or newer (PY=… chooses another)"; exit 1; }
	@$(PY) -m venv $(VENV) || { bash requirements/system.sh venv && $(PY) -m venv $(VENV); }
	@$(BIN)/python -m pip -q --disable-pip-version-check install --require-hashes -r requirements/bootstrap.lock

$(VENV)/.run: $(BIN)/uv requirements/run.lock pyproject.toml
	@echo "Installing Python packages …"
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/run.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@bash requirements/system.sh run
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/dev.lock
	@touch $@

node_modules/.done: $(VENV)/.run package.json package-lock.json
	@echo "Installing browser files …"
	@PATH="$$PATH:$(CURDIR)/$(BIN)" npm ci --silent --no-audit --no-fund
	@touch $@

lock: $(BIN)/uv                   ## resolve the locks anew (no addresses in them)
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header requirements/bootstrap.in -o requirements/bootstrap.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header pyproject.toml -o requirements/run.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --extra dev pyproject.toml -o requirements/dev.lock

clean:
	rm -rf $(VENV) node_modules var build *.egg-info
