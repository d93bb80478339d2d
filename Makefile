# The two doors: `make demo` and `make test`. Everything is installed into .venv and nowhere else.
# PYTHON=/path/to/python chooses the interpreter of a new .venv.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHONS := $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11 python)
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
CORES = $(shell getconf _NPROCESSORS_ONLN)
CACHES := .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.PHONY: demo test lint check bench clean

demo: $(READY)
	$(BIN)/equipoise launch digits-frontier

test: lint check

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Two test processes with one thread each, half of the tests each until one has none left: what a file's tests share is made once.
# Ray, which wants the cores for its own workers, comes after them.
check: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -m "not ray" -n 2 --dist worksteal
	$(BIN)/python -m pytest -q -m ray

# About a quarter of an hour, on a machine that does nothing else; `benchmarks/throughput.py --quick` takes 3.
bench: $(READY)
	$(BIN)/python benchmarks/throughput.py --json benchmarks/results/throughput-$(CORES)-cores.json

# A new stamp only when all of it worked, so that an interrupted set-up is taken up again by the next call.
$(READY): pyproject.toml constraints.txt
	@if ! $(BIN)/python -c '$(SUITABLE)' 2>/dev/null; then \
	  found=; for python in $(PYTHONS); do \
	    if "$$python" -c '$(SUITABLE)' 2>/dev/null; then found=$$python; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "Equipoise needs Python 3.11, 3.12 or 3.13 with its venv module; none of these is one:" $(PYTHONS) >&2; \
	    echo "Install one (Debian and Ubuntu: apt install python3-venv), or name it: make PYTHON=/path/to/python3.12" >&2; \
	    exit 1; \
	  fi; \
	  echo "Making $(VENV) with $$("$$found" --version)"; \
	  "$$found" -m venv --clear $(VENV) || exit 1; \
	fi
	@echo "Installing the versions in constraints.txt into $(VENV) (minutes, the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt "$$(grep '^torch==' constraints.txt)" -e ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) $(CACHES)
	find spaces trainables search reports tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
