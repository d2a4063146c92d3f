# From a bare checkout to a running robot (`make demo`) or a checked change (`make test`).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV ?= .venv
ROS ?= jazzy
DEMO_ARGS ?=
JOBS ?= 2

# A sourced ROS 2 is used as it is; elsewhere ROS 2 comes from wheels.
SOURCED := $(shell [ -n "$${ROS_DISTRO-}" ] && $(PYTHON) -c 'import rclpy' 2>/dev/null && echo yes)
ROS_USED := $(if $(SOURCED),$(ROS_DISTRO) (sourced),$(ROS) (wheels))
ROS_WHEELS := $(if $(SOURCED),,requirements/ros-$(ROS).txt)
TORCH := $(shell sed -n "s/.*'\(torch==[0-9.]*\)'.*/\1/p" setup.py)

BIN := $(abspath $(VENV))/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
SOURCES := package.xml setup.py setup.cfg pyproject.toml

# What a robot relies on: lifecycle, topics, stop and hold, recovery, the simulated loop.
CONTRACT := $(addprefix test/nodes/test_,controller.py messages.py several_robots.py simulation.py \
  system.py up.py updater.py)
# What is another thing once it is installed: where files lie, what the programs are called, what
# is launched. The rest ran minutes ago, on the same sources.
INSTALLED := test/test_packaging.py test/test_models.py test/cli/test_main.py test/modality \
  test/nodes/test_launch.py test/nodes/test_up.py

export PATH := $(BIN):$(PATH)
# colcon and ament_index_python find here what the virtual environment holds.
export AMENT_PREFIX_PATH := $(abspath $(VENV))$(if $(AMENT_PREFIX_PATH),:$(AMENT_PREFIX_PATH))
# Set by the ROS wheels of another environment, it would stop ours from finding their libraries.
unexport _ROS_WHEELS_BOOTSTRAP_COMPLETE

.PHONY: help demo test check docs clean setup setup-dev pytest kilted nodes colcon ros-matches

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile
	@echo '  Variables: PYTHON=python3 VENV=.venv ROS=jazzy|kilted DEMO_ARGS='

demo: setup  ## Run the controller on the simulated arm (no PyTorch needed)
	@$(BIN)/mmvae demo $(DEMO_ARGS)

test: pytest $(if $(SOURCED),,kilted) colcon docs  ## Run what CI runs: pytest, nodes on Kilted, colcon, docs

check: setup-dev  ## Run every check: ruff, mypy, import-linter, pytest
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

setup: $(VENV)/.stamp-run  ## Build the environment of the demo

setup-dev: $(VENV)/.stamp-dev  ## Build the environment of training, tests and checks

# What needs ROS 2 has deadlines, and may miss them beside what uses every core.
pytest: setup-dev
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m 'not ros'
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m 'ros and not timed'
	$(BIN)/python -m pytest -m timed

# Nothing of the environment around it: the index of one ROS 2 names libraries of the other.
kilted:  ## Test the nodes on ROS 2 Kilted, in .venv-kilted-nodes
	@AMENT_PREFIX_PATH= $(MAKE) --no-print-directory nodes ROS=kilted VENV=.venv-kilted-nodes

nodes: $(VENV)/.stamp-nodes
	$(BIN)/python -m pytest -m 'ros and not slow' $(CONTRACT)

# On a copy, so that neither build products nor ignored files can help a build succeed.
colcon: setup-dev
	@copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; \
	mkdir -p "$$copy/src/mmvae_controller"; \
	git ls-files -z --cached --others --exclude-standard \
	  | while IFS= read -r -d '' file; do [ ! -e "$$file" ] || printf '%s\0' "$$file"; done \
	  | tar --create --null --files-from=- | tar --extract -C "$$copy/src/mmvae_controller"; \
	cd "$$copy"; \
	echo 'Building with colcon'; \
	colcon list | tee list.txt; grep -q '(ros.ament_python)' list.txt; \
	colcon build; \
	test -x install/mmvae_controller/lib/mmvae_controller/controller; \
	echo 'Testing with colcon'; \
	colcon test --return-code-on-test-failure --event-handlers console_direct+ \
	  --pytest-args ' -m' 'not slow' $(INSTALLED); \
	colcon test-result; \
	echo 'Running what is installed'; \
	set +u; source install/local_setup.bash; set -u; \
	$(BIN)/python -c "import mmvae_controller as it; print(it.__file__); \
	  assert it.__file__.startswith('$$copy/install/')"; \
	install/mmvae_controller/lib/mmvae_controller/mmvae version; \
	install/mmvae_controller/lib/mmvae_controller/mmvae rollout touch_target --episodes 1

docs: $(VENV)-docs/.stamp  ## Build the documentation: site/index.html; any warning is an error
	@$(VENV)-docs/bin/sphinx-build -qEW --keep-going -d build/docs -c docs . site
	@echo 'site/index.html'

clean:  ## Remove the environment, build products and caches
	@for venv in $(VENV) $(VENV)-docs; do [ ! -e $$venv/pyvenv.cfg ] || rm -rf $$venv; done
	rm -rf site docs/generated build dist install log *.egg-info
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find mmvae_controller test launch -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# One environment holds one ROS 2: the wheels of two distributions overwrite each other.
ros-matches:
	@if [ -e $(VENV)/.ros ] && [ "$$(cat $(VENV)/.ros)" != '$(ROS_USED)' ]; then \
	  echo "$(VENV) holds ROS 2 $$(cat $(VENV)/.ros), not $(ROS_USED):" \
	    'take another VENV=, or make clean.' >&2; exit 1; fi

# Each stamp is written last, so an interrupted install is taken up again.
$(VENV)/.stamp-run: requirements/run.txt $(ROS_WHEELS) $(SOURCES) | ros-matches
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  2>/dev/null || { echo 'mmvae_controller needs Python 3.11 to 3.13, and $(PYTHON) is' \
	  "$$($(PYTHON) --version 2>&1 || true). Name another: make PYTHON=python3.12" >&2; exit 1; }
	@echo 'Creating $(VENV) with ROS 2 $(ROS_USED)'
	@$(PYTHON) -m venv $(if $(SOURCED),--system-site-packages) $(VENV)
	@echo '$(ROS_USED)' > $(VENV)/.ros
	@echo 'Installing requirements/run.txt $(ROS_WHEELS)'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 12))' && \
	  echo 'This Python has no pybullet wheel: compiling it takes some minutes and g++' || true
	@$(PIP) install -r requirements/run.txt $(ROS_WHEELS:%=-r %)
	@echo 'Installing mmvae_controller'
	@$(PIP) install --no-deps -e .
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-run requirements/train.txt requirements/dev.txt
	@if command -v nvidia-smi >/dev/null; then \
	  echo 'Installing $(TORCH) for the GPU'; $(PIP) install $(TORCH); \
	elif echo 'Installing $(TORCH) for the CPU'; $(PIP) install $(TORCH)+cpu 2>/dev/null; then :; \
	elif echo 'Installing $(TORCH) for the CPU, by way of uv'; $(PIP) install uv && \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --torch-backend=cpu $(TORCH); then :; \
	else echo 'Installing $(TORCH) as the package index has it'; $(PIP) install $(TORCH); fi
	@echo 'Installing requirements/train.txt requirements/dev.txt'
	@$(PIP) install -r requirements/train.txt -r requirements/dev.txt
	@touch $@

# Of its own: it needs nothing that the robot or training needs.
$(VENV)-docs/.stamp: requirements/docs.txt requirements/run.txt
	@$(PYTHON) -m venv $(VENV)-docs
	@echo 'Installing requirements/docs.txt'
	@$(VENV)-docs/bin/python -m pip -qq --disable-pip-version-check install -r requirements/docs.txt
	@touch $@

# The tests of the nodes need no PyTorch.
$(VENV)/.stamp-nodes: $(VENV)/.stamp-run requirements/train.txt requirements/dev.txt
	@echo 'Installing what the tests of the nodes need'
	@$(PIP) install $$(grep --no-filename --extended-regexp '^(hypothesis|onnx|pytest)==' \
	  requirements/train.txt requirements/dev.txt)
	@touch $@
