"""The programs of the documents are where the README and the Makefile say."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
_, TABLE = README.split("| document | program | cases | command |")
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in TABLE.splitlines()[2:]]
# The translator's program and case stand beside the others, and are tested with it.
MODELS = ("rnn", "lstm", "gru", "example")


def train(*arguments):
    command = ["make", "--dry-run", "--always-make", "train", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")


def test_every_model_of_the_makefile_has_its_row_and_every_row_its_cases():
    commands = " ".join(row[3] for row in ROWS)
    assert set(re.findall(r"MODEL=(\w+)", commands)) == {*MODELS, "translator"}
    for name in (name for row in ROWS for name in re.findall(r"`(\w+)`", row[2])):
        if name != "translator":
            assert (ROOT / "cases" / f"{name}.py").is_file(), name
    for file in re.findall(r"(?:examples|docs)/\w+\.\w+", commands):
        assert (ROOT / file).is_file(), file


@pytest.mark.parametrize("model", MODELS)
def test_make_train_runs_a_program_that_is_there(model):
    done = train(f"MODEL={model}")
    assert done.returncode == 0, done.stderr
    (program,) = re.findall(r"python (examples/\w+\.py)", done.stdout)
    assert (ROOT / program).is_file()


def test_without_a_model_it_is_the_lstm_and_an_unknown_one_is_told():
    assert "examples/train.py lstm " in train().stdout
    done = train("MODEL=transformer")
    assert done.returncode != 0
    assert "MODEL is transformer; write rnn, lstm, gru, translator or example." in done.stderr
