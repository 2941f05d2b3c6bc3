# nxscan: `make demo` shows it, `make test` checks it; both set up .venv first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
EXTRAS ?= all

.PHONY: setup install demo lint test test-oldest docs build-docs benchmarks clean

# the environment: everything that pyproject.toml names, rebuilt when it changes
setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --group dev ".[$(EXTRAS)]"
	touch $@

# the wheel, as a user gets it: an editable install would hide nxscan.translators from the checks
install: setup
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(BIN)/python -m pip install --quiet --no-deps --force-reinstall dist/nxscan-*.whl

demo: install
	$(BIN)/nxscan demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# types, layers and tests look at what is installed, so they run from tests/, where no source lies
test: install lint
	cd tests && ../$(BIN)/mypy --config-file ../pyproject.toml -p nxscan
	cd tests && ../$(BIN)/lint-imports --config ../pyproject.toml
	$(MAKE) build-docs
	cd tests && ../$(BIN)/python -P -m pytest -n auto -c ../pyproject.toml --rootdir .. --doctest-modules . --pyargs nxscan

# the pages run their code against what is installed
docs: install build-docs

build-docs:
	cd docs && ../$(BIN)/python -P -m sphinx -q -j auto -W --keep-going -E -b html . _build/html
	cd docs && ../$(BIN)/python -P check.py

# ratios to the peers, some minutes and 10 GB of disk
benchmarks: install
	cd benchmarks && ../$(BIN)/python run.py

# the same tests on the oldest versions that pyproject.toml allows; without the fuzzing of files,
# since HDF5 1.14 itself crashes over some damaged ones that HDF5 2 refuses
test-oldest: VENV := .venv-oldest
test-oldest:
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(VENV)/bin/python -m pip install --quiet --constraint .ci/oldest.txt --group dev ".[all]"
	cd tests && ../$(VENV)/bin/python -P -m pytest -n auto -c ../pyproject.toml --rootdir .. . -W default --ignore fuzz/test_fuzz.py

clean:
	rm -rf .venv .venv-oldest build dist nxscan-demo docs/_build
