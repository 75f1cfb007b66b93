# `make demo` and `make test` do everything, set-up included. Each environment is made once.
PYTHON ?= python3
bin := .venv/bin
latest := .venv-latest/bin

.PHONY: demo package test test-slow test-latest lint format benchmark bundled-networks clean

demo: .venv/installed
	$(bin)/python reproduce/scripts/demo.py

test: .venv/installed .venv/browser lint
	$(bin)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile

# Real weights, whole figures, kills at every file event, fuzzing.
test-slow: .venv/installed .venv/browser
	$(bin)/python -m pytest -m slow --numprocesses 2 --dist loadfile

# TensorFlow's newest release that setup.py allows, without tensorflow-io, which does not load into it.
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

# What comes with the package, made anew: make bundled-networks DIGITS=free-spoken-digit-dataset/recordings
bundled-networks: bundled/corpus/words.csv
	$(bin)/python reproduce/scripts/bundled_networks.py --corpus bundled/corpus --work bundled/networks

bundled/corpus/words.csv: | .venv/installed
	$(bin)/python reproduce/scripts/bundled_corpus.py --digits "$(DIGITS)" --output bundled/corpus

.venv/installed: requirements.txt setup.py
	$(PYTHON) -m venv .venv
	$(bin)/pip install --quiet --requirement requirements.txt
	$(bin)/pip install --quiet --no-deps --editable .
	touch $@

# A wheel, with the files of jsPsych that pages load.
vendor := tfmetamers/people/vendor
package: .venv/installed .venv/browser
	mkdir -p $(vendor)
	cp $(assets)/node_modules/jspsych/dist/index.browser.min.js $(vendor)/jspsych.js
	cp $(assets)/node_modules/@jspsych/plugin-browser-check/dist/index.browser.min.js $(vendor)/plugin-browser-check.js
	$(bin)/pip wheel --quiet --no-deps --wheel-dir dist .

# What the page of an experiment with people is tested with: npm's packages and, where the system's packages may be
# installed, Chromium. Tests that miss something are skipped, and say what; the next run tries again.
assets := tfmetamers/people/assets
.venv/browser: $(assets)/package-lock.json .venv/installed
	-[ "$$(id -u)" != 0 ] || { command -v chromium && command -v npm; } > /dev/null || { apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium npm; }
	-cd $(assets) && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline && touch $(CURDIR)/$@

.venv-latest/installed: setup.py
	$(PYTHON) -m venv .venv-latest
	$(latest)/pip install --quiet "tensorflow==2.21.*" --editable ".[test]"
	touch $@

clean:
	rm -rf .venv .venv-latest build *.egg-info
