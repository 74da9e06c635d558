# Two commands matter: `make course` and `make test`. `make` alone lists them all.
# Settings: LESSONS="00 01"  SCALE=smoke|cpu|gpu  PYTHON=python3.12

PYTHON ?= python3
LESSONS ?=
SCALE ?=
export VIRTUAL_ENV :=
export PYTHONPATH :=

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
READY := .venv/installed
FMCOURSE := $(BIN)/fmcourse
PARALLEL := -n 2 --dist loadfile  # a file has its fixtures, a notebook its kernel; a process, one core
NOTEBOOKS := --nbval-lax --nbval-current-env --nbval-cell-timeout=300 \
	--nbval-kernel-startup-timeout=180 $(wildcard notebooks/*.ipynb)

.DEFAULT_GOAL := help
.PHONY: help install course lab test test-quick test-browser test-anki bundle-check lint build doctor clean

help:  ## list these commands
	@echo "make course      set up, fetch the data, run every lesson (LESSONS=01 runs one)"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / && !/^course/ {printf "make %-12s%s\n", $$1, $$2}' Makefile

$(READY): pyproject.toml constraints.txt install.py
	@$(PYTHON) install.py

install: $(READY)  ## set up .venv with the pinned versions

course: $(READY)  ## set up, fetch the data, run every lesson
	@$(FMCOURSE) run $(LESSONS) $(if $(SCALE),--scale $(SCALE))

lab: $(READY)  ## open JupyterLab on lesson 00
	@$(FMCOURSE) lab

# Learners need no nbgrader, so it is in no extra of theirs: six packages, 65 MB.
.venv/classroom: $(READY)
	@$(BIN)/python -m pip install --disable-pip-version-check --no-input --quiet \
		-c constraints.txt nbgrader
	@touch $@

test: lint .venv/classroom  ## everything CI runs, lessons at the smoke scale included
	@$(FMCOURSE) build --check
	@$(FMCOURSE) class build --check
	@$(FMCOURSE) attribution --check
	@$(FMCOURSE) fetch
	@FMCOURSE_SCALE=smoke OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PARALLEL) -m "not browser" --doctest-modules fmcourse tests $(NOTEBOOKS)

test-quick: $(READY)  ## the inner loop: no data, no lessons, nothing slow
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PARALLEL) -m "not slow and not data and not browser" --doctest-modules fmcourse tests

.venv/browser: $(READY)
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt \
		axe-playwright-python playwright
	@touch $@

test-browser: .venv/browser  ## a real browser: the exam in JupyterLab, the revision book, axe on both
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m browser tests/browser

.venv/anki: $(READY)
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt anki
	@touch $@

test-anki: .venv/anki  ## the exported deck, opened and updated in Anki's own library
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/exam/test_anki.py

BUNDLE ?= build/bundle
bundle-check: $(READY)  ## make a bundle, install it and run LESSONS (00) from it without a network
	@$(FMCOURSE) class bundle $(BUNDLE)
	@$(FMCOURSE) class bundle $(BUNDLE) --check --lesson "$(or $(LESSONS),00)"

lint: $(READY)  ## ruff
	@$(BIN)/ruff check .

build: $(READY)  ## make the notebooks of their text masters
	@$(FMCOURSE) build
	@$(FMCOURSE) class build

doctor: $(READY)  ## examine this machine
	@$(FMCOURSE) doctor

clean: $(READY)  ## say what the course keeps outside of this folder
	@$(FMCOURSE) clean
