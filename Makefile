# The commands of a working copy; `make` alone lists them.
#
# Everything is installed into .venv of this folder. PYTHON=python3.12 picks an interpreter.

PYTHON ?=
NAME ?= --all

BIN := .venv/bin
INSTALLED := .venv/.installed
EXTRAS := .venv-extras/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test docs bench install clean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(INSTALLED)  ## make an exam in demo/ and take it from printed sheet to report
	@rm -rf demo
	@$(BIN)/inkmark demo demo

test: $(INSTALLED) $(EXTRAS)  ## run every check and every test; all of them, also after a failure
	@failed=""; \
	check() { echo "== $$*"; $(BIN)/"$$@" || failed="$$failed $$1"; }; \
	echo "== with the extras"; \
	.venv-extras/bin/pytest -q tests/ocr/test_paddle.py tests/ocr/test_train.py || failed=" extras"; \
	check ruff check; \
	check ruff format --check; \
	check mypy; \
	check lint-imports; \
	[ -z "$$failed" ] || echo "== FAILED before the tests:$$failed"; \
	check pytest -q; \
	[ -z "$$failed" ]

docs: $(INSTALLED)  ## write the pages of docs/ that the code itself tells
	@$(BIN)/python -m tools.references

bench: $(INSTALLED)  ## measure accuracy and speed; NAME=startup runs one benchmark
	@$(BIN)/python -m benchmarks $(NAME)

install: $(INSTALLED)  ## create .venv and install inkmark and its tools into it

clean:  ## remove .venv, the demo and everything that tools left behind
	rm -rf .venv .venv-extras demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Done again only when the dependencies change. The build takes its own packages from
# constraints.txt too: pip before 25.3 by the first variable, later pips by the second.
$(INSTALLED): export PIP_CONSTRAINT := constraints.txt
$(INSTALLED): export PIP_BUILD_CONSTRAINT := constraints.txt
$(INSTALLED): pyproject.toml constraints.txt
	@echo "Installing inkmark and its tools into .venv ..."
	@python=`PYTHON="$(PYTHON)" sh tools/find-python` && "$$python" -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@

# The extras have an environment of their own, as paddleocr asks for older packages. With it
# comes an OpenCV that needs a screen's libraries; that of inkmark is put over it.
$(EXTRAS): export PIP_CONSTRAINT := constraints-extras.txt
$(EXTRAS): pyproject.toml constraints-extras.txt
	@echo "Installing inkmark with its extras into .venv-extras ..."
	@python=`PYTHON="$(PYTHON)" sh tools/find-python` && "$$python" -m venv .venv-extras
	@.venv-extras/bin/python -m pip install --quiet --disable-pip-version-check \
		--editable ".[paddle,train]" hypothesis pytest
	@.venv-extras/bin/python -m pip install --quiet --disable-pip-version-check \
		--force-reinstall --no-deps opencv-python-headless
	@touch $@
