# `make demo` and `make test` do everything, set-up included. Each environment is made once.
PYTHON ?= python3
bin := .venv/bin
latest := .venv-latest/bin
install = @command -v $(PYTHON) > /dev/null || { echo "There is no $(PYTHON): install Python 3.10 to 3.13, or run \
	make with PYTHON=FILE."; exit 1; }; $(PYTHON) install.py $@

version = $(shell $(PYTHON) -c "import sys; print('%d.%d' % sys.version_info[:2])" 2> /dev/null)

# TensorFlow's newest release that setup.py allows, without tensorflow-io, which does not load into it.
newest := "tensorflow==2.21.*" --editable ".[test]"

.PHONY: demo test test-slow test-latest lint format benchmark docs notebooks package vendored bundled-networks clean

demo: .venv/installed
	$(bin)/python reproduce/scripts/demo.py

test: .venv/installed .venv/browser lint
	$(bin)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile

# Real weights, whole figures, kills at every file event, fuzzing.
test-slow: .venv/installed .venv/browser
	$(bin)/python -m pytest -m slow --numprocesses 2 --dist loadfile

test-latest: .venv-latest/installed
	$(latest)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile

lint: .venv/installed
	$(bin)/ruff check .
	$(bin)/ruff format --check .

format: .venv/installed
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

benchmark: .venv/installed
	$(bin)/python benchmarks/image_step.py
	$(bin)/python benchmarks/audio_step.py

# The site, in docs/_build/html. A warning is an error.
docs: .venv/docs-installed
	$(bin)/python -m sphinx --fail-on-warning --keep-going --quiet -b html docs docs/_build/html

# Runs the notebooks, whose outputs are committed.
notebooks: .venv/docs-installed
	TF_CPP_MIN_LOG_LEVEL=3 $(bin)/jupyter execute --inplace docs/notebooks/*.ipynb

# A wheel and an sdist in dist/; the wheel is installed in a new environment and tested there. Python's byte code is left
# out, which takes longer to write than all that is done here.
package: vendored
	rm -rf dist build
	$(PYTHON) install.py build/tools/installed build
	build/tools/bin/python -m build --outdir dist .
	$(PYTHON) install.py build/package/installed --no-compile --constraint requirements.txt pytest dist/*.whl
	cd build/package && bin/python -m pytest --config-file=/dev/null --noconftest -q $(CURDIR)/tests/installed_package.py
	ls -lh dist

# What comes with the package, made anew: make bundled-networks DIGITS=free-spoken-digit-dataset/recordings
bundled-networks: bundled/corpus/words.csv
	$(bin)/python reproduce/scripts/bundled_networks.py --corpus bundled/corpus --work bundled/networks

bundled/corpus/words.csv: | .venv/installed
	$(bin)/python reproduce/scripts/bundled_corpus.py --digits "$(DIGITS)" --output bundled/corpus

# The pinned versions; on Python 3.13, for which some of them have no wheels, the newest.
.venv/installed: requirements.txt setup.py
	$(install) $(if $(filter 3.13,$(version)),$(newest),--requirement requirements.txt --editable .)

# The files of jsPsych that pages load, for a wheel.
vendor := tfmetamers/people/vendor
vendored: .venv/browser
	mkdir -p $(vendor)
	cp $(assets)/node_modules/jspsych/dist/index.browser.min.js $(vendor)/jspsych.js
	cp $(assets)/node_modules/@jspsych/plugin-browser-check/dist/index.browser.min.js $(vendor)/plugin-browser-check.js

# What the page of an experiment with people is tested with: npm's packages and, where the system's packages may be
# installed, Chromium. Tests that miss something are skipped, and say what; the next run tries again.
assets := tfmetamers/people/assets
.venv/browser: $(assets)/package-lock.json .venv/installed
	-[ "$$(id -u)" != 0 ] || { command -v chromium && command -v npm; } > /dev/null || { apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium npm; }
	-cd $(assets) && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline && touch $(CURDIR)/$@

.venv/docs-installed: requirements-docs.txt .venv/installed
	$(install) --constraint requirements.txt --requirement requirements-docs.txt

.venv-latest/installed: setup.py
	$(install) $(newest)

clean:
	rm -rf .venv .venv-latest build dist docs/_build *.egg-info
