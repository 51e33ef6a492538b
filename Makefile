# make demo   the phantom study in napari, trained for a few minutes     make test   every check that CI makes
# make lint   ruff, import-linter, mypy                                  make venv   only the environment

PYTHON ?= python3
VENV ?= .venv
# Elsewhere than on the package index: make demo TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch==2.13.0
DEMO ?= --folder demo-output --minutes 3

BIN := $(VENV)/bin
SYSTEM := $(VENV)/.system-libraries
INSTALLED := $(VENV)/.installed

.PHONY: demo test lint venv constraints clean

demo: $(INSTALLED)
	.ci/with-screen $(BIN)/cvrl demo $(DEMO) $(shell .ci/has-screen || echo --scripted)

# Where there is no screen, tests/conftest.py starts a virtual one for each of the processes.
test: lint
	$(BIN)/pytest -n auto --maxprocesses 4

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy

venv: $(INSTALLED)

$(SYSTEM): .ci/system-libraries
	.ci/system-libraries $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	touch $@

# torch goes first and alone, so that nothing else decides which build of it is taken.
$(INSTALLED): $(SYSTEM) pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@

# After trying newer versions: write down what is installed now.
constraints:
	sed -i '/^[^#]/d' constraints.txt
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+.*//' >> constraints.txt

clean:
	rm -rf $(VENV) build dist demo-output
