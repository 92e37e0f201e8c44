# Each target does all set-up itself: python3 (3.11 or newer), make and a package registry are enough.
PYTHON ?= python3
BIN := .venv/bin
export DO_NOT_TRACK = 1

.PHONY: demo test check audit lock clean

demo: .venv/ready  ## the main job: the Prefect flow on the embedded Rotterdam sample, offline
	$(BIN)/python -m flows.edition --sample rotterdam

test: check  ## everything a change must pass
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: .venv/ready  ## known vulnerabilities of what is locked; a package that cannot be looked up is a failure
	$(BIN)/uvx pip-audit --strict --disable-pip --requirement requirements.lock

# uv comes by pip, with the hash that the lock gives it; the rest comes by uv.
.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/# via/p' requirements.lock > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --compile-bytecode --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

lock: .venv/ready  ## resolve the dependencies anew; no registry address ends up in the lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --group dev --extra dask pyproject.toml --output-file requirements.lock

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache outputs/editions outputs/latest
