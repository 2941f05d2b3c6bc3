# nxscan: `make demo` shows it, `make test` checks it; both set up .venv first.
PYTHON ?= python3
VENV ?= .venv
OLDEST ?= .venv-oldest
EXTRAS ?= all
BIN := $(VENV)/bin
SOURCES := $(shell find nxscan translators schemas -not -path "*__pycache__*") pyproject.toml
PYTEST := python -P -m pytest -n auto --dist worksteal -c ../pyproject.toml --rootdir ..

# what no version of another package can change, or what only tries harder what other tests try as
# well: simulated crashes, real kills, races, damaged files (and HDF5 1.14 itself crashes over some
# that HDF5 2 refuses), full disks, memory, growing folders, whole demos; `make test` runs them
ONCE := analysis/geometry $(addprefix analysis/test_,$(addsuffix .py,center_of_mass colors \
	components components_match grains kam layers moments_errors mosaicity \
	orientation_gradient partition_frames reciprocal_space rocking_curve \
	rocking_curve_motors rocking_curve_noise shifts strain weak_beam)) \
	cli/test_workflow.py kernels/test_lm_model.py process/test_workflows_named.py \
	simulate view \
	durability fuzz/test_fuzz.py nexus/test_durable.py nexus/test_replace.py \
	nexus/test_results_silx.py process/test_executor_scripts.py process/test_faults.py \
	process/test_journal.py process/test_lock.py process/test_lock_processes.py \
	process/test_memory_peak.py process/test_reuse.py process/test_spanning.py \
	translators/test_edf_live.py translators/test_edf_slow_disk.py
ONCE_TESTS := translators/test_gda.py::test_an_hkl_scan_with_lost_images \
	test_end_to_end.py::test_the_demo_runs_through_again_and_again_and_keeps_what_is_not_its_own

.PHONY: setup setup-oldest wheel install demo lint types check-types test test-oldest docs \
	build-docs benchmarks clean

# the environment: everything that pyproject.toml names, rebuilt when it changes
setup: $(VENV)/.ready

$(VENV)/.pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	touch $@

# the wheel, as a user gets it: an editable install would hide nxscan.translators from the checks
wheel: dist/.made

dist/.made: $(SOURCES) | $(VENV)/.pip
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	touch $@

$(VENV)/.ready: pyproject.toml $(VENV)/.pip | wheel
	$(BIN)/python -m pip install --quiet --group dev "$$(echo dist/nxscan-*.whl)[$(EXTRAS)]"
	touch $@

install: setup wheel
	$(BIN)/python -m pip install --quiet --no-deps --force-reinstall dist/nxscan-*.whl

demo: install
	$(BIN)/nxscan demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# types, layers and tests look at what is installed, so they run from tests/, where no source lies
types: install check-types

check-types:
	cd tests && ../$(BIN)/mypy --config-file ../pyproject.toml -p nxscan
	cd tests && ../$(BIN)/lint-imports --config ../pyproject.toml

test: install lint
	$(MAKE) -j2 check-types build-docs
	cd tests && ../$(BIN)/$(PYTEST) --doctest-modules . --pyargs nxscan

# the pages run their code against what is installed
docs: install build-docs

build-docs:
	cd docs && ../$(BIN)/python -P -m sphinx -q -j auto -W --keep-going -E -b html . _build/html
	cd docs && ../$(BIN)/python -P check.py

# ratios to the peers, some minutes and 10 GB of disk
benchmarks: install
	cd benchmarks && ../$(BIN)/python run.py

# the oldest versions that pyproject.toml allows
setup-oldest: $(OLDEST)/.ready

$(OLDEST)/.ready: dist/.made .ci/oldest.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(OLDEST)/bin/python -m pip install --quiet --constraint .ci/oldest.txt --group test "$$(echo dist/nxscan-*.whl)[all]"
	$(OLDEST)/bin/python -m pip install --quiet --no-deps --force-reinstall dist/nxscan-*.whl
	touch $@

test-oldest: setup-oldest
	cd tests && ../$(OLDEST)/bin/$(PYTEST) . -W default $(ONCE:%=--ignore=%) $(ONCE_TESTS:%=--deselect=tests/%)

clean:
	rm -rf .venv .venv-oldest build dist nxscan-demo docs/_build
