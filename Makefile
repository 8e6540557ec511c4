# `make demo` and `make test` do all set-up on a fresh machine with Python >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
INSTANCE ?= instances/nbb
MODEL ?= cap_path
RUN ?= runs/nbb-$(MODEL)

.PHONY: demo test test-hard test-release mutate lint setup clean

demo: setup
	$(BIN)/nbb-opt solve $(INSTANCE) --model $(MODEL) --gap 0.005 --time-limit 150 --front 8 --out $(RUN)

test: setup lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# The promises in full and every slow suite: thousands of cases, long solves; ends with a table of what held.
test-hard: setup
	$(BIN)/python -m pytest --hard -m "(promise or hard) and not release" -n 2 --dist loadfile --no-loadscope-reorder

# Changes the code that says whether a result is right, one operator at a time: some test has to fail.
mutate: setup
	$(BIN)/python tests/mutate.py

# Builds the wheel and solves with it in empty environments, with the oldest and the newest dependencies.
test-release: setup
	$(BIN)/python -m pytest --hard -m release

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python >= 3.11 is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $(STAMP)

clean:
	rm -rf $(VENV) runs .nbb-opt-cache
