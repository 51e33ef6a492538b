# make demo   the phantom study in napari, trained for a few minutes     make test   every check that CI makes
# make lint   ruff, import-linter, mypy                                  make venv   only the environment
# make wheels   what a benchmark needs on a Linux machine that reaches no package index: docs/benchmarks.md

PYTHON ?= python3
VENV ?= .venv
# Elsewhere than on the package index: make demo TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch==2.13.0
DEMO ?= --folder demo-output --minutes 3
# The Python of the machine that the wheels are for.
WHEELS_PYTHON ?= 3.12

BIN := $(VENV)/bin
SYSTEM := $(VENV)/.system-libraries
INSTALLED := $(VENV)/.installed

.PHONY: demo test lint venv wheels constraints clean

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

# torch and numpy are there already. pip takes each platform by its name alone, not the older ones that it includes.
wheels: $(INSTALLED)
	rm -rf build/wheels
	$(BIN)/python -m pip download --quiet --no-deps --only-binary=:all: --implementation cp --python-version $(WHEELS_PYTHON) \
	    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux_2_17_x86_64 \
	    --platform manylinux2014_x86_64 -c constraints.txt -r .ci/bare-machine.txt -d build/wheels
	du -sh build/wheels

# After trying newer versions: write down what is installed now.
constraints:
	sed -i '/^[^#]/d' constraints.txt
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+.*//' >> constraints.txt

clean:
	rm -rf $(VENV) build dist demo-output
