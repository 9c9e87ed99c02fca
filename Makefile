# make check: verify every case.  make test: that, the engine's own tests, lint and types.
# Both set up .venv first; it is made again only when what it is made from changes.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
PEERS := .venv/peers

.PHONY: check fast thorough test train gallery trust bench format clean

check: $(READY)  ## every case: its gradients against finite differences and autograd
	$(BIN)/pytest cases -q -n auto

fast: $(READY)  ## the same on a fifth of the examples, for a pre-commit hook
	$(BIN)/pytest cases -q -n auto --hypothesis-profile=fast

thorough: $(READY)  ## the same on ten times as many, drawn at random; the seed is printed
	$(BIN)/pytest cases --hypothesis-profile=thorough -n auto

test: $(READY)  ## everything; ends with where the time went
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n auto -p tools.spent

MODEL := lstm
TRAIN_rnn := train.py rnn --plot curves-rnn.svg
TRAIN_lstm := train.py lstm --plot curves-lstm.svg
TRAIN_gru := train.py gru --plot curves-gru.svg
TRAIN_translator := translate.py --plot attention.svg
TRAIN_example := three_words.py

train: $(READY)  ## MODEL=rnn, lstm, gru, translator or example: a program of the documents, by hand
	$(BIN)/python examples/$(or $(TRAIN_$(MODEL)),$(error MODEL is $(MODEL); write rnn, lstm, gru, translator or example))

gallery: $(READY)  ## the pages of docs/gallery.md, made from the cases
	$(BIN)/python -m tools.gallery cases

trust: $(PEERS)  ## gradcheck beside the other checkers, docs/trust.md; an hour on two cores
	$(BIN)/python -m benchmarks.trust

bench: $(PEERS)  ## how fast, beside them, docs/speed.md, and which budget is over; QUICK=1 for less
	$(BIN)/python -m benchmarks.speed $(if $(QUICK),--quick)

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gradcheck needs Python 3.11 or newer; say make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

$(PEERS): $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,trust,bench]'
	touch $(PEERS)

clean:
	rm -rf .venv .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis
