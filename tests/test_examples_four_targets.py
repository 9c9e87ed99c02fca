"""The run of the program "Simple LSTM": its gradients are autograd's, and it learns its numbers."""

import re
from pathlib import Path

import numpy as np
import torch
from click.testing import CliRunner

from gradcheck.source import execute

ROOT = Path(__file__).parent.parent
program = execute.module(ROOT / "examples" / "four_targets.py")


def test_the_gradients_over_four_steps_are_those_of_autograd():
    twin = execute.module(ROOT / "reference" / "simple_lstm.py").simple_lstm
    parameters, x = program.start(7, 0)
    loss, said, gradients = program.differentiate(parameters, x)
    leaves = {name: torch.tensor(v, requires_grad=True) for name, v in parameters.items()}
    h = s = torch.zeros(1, 7, dtype=torch.float64)
    first = []
    for given in torch.tensor(x):
        h, s = twin(given[None], h, s, **leaves)
        first.append(h[0, 0])
    targets = torch.tensor([-0.5, 0.2, 0.1, -0.5], dtype=torch.float64)
    theirs = torch.nn.functional.mse_loss(torch.stack(first), targets, reduction="sum")
    theirs.backward()
    np.testing.assert_allclose(loss, theirs.item(), rtol=1e-14)
    np.testing.assert_allclose(said, torch.stack(first).detach().numpy(), rtol=1e-13)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, leaves[name].grad.numpy(), rtol=1e-11, atol=1e-16)


def test_no_two_matrices_are_alike():
    parameters, _ = program.start(3, 0)
    weights = [parameters[name] for name in ("Wg", "Wi", "Wf", "Wo")]
    assert all((one != other).all() for one in weights for other in weights if one is not other)


def run(*arguments):
    return CliRunner().invoke(program.main, [str(argument) for argument in arguments])


def losses(printed):
    return [float(number) for number in re.findall(r"loss (\S+)", printed)]


def test_the_numbers_are_learned():
    result = run()
    assert result.exit_code == 0, result.output
    found = losses(result.output)
    assert len(found) == 11
    assert found[-1] < 1e-4 < 0.3 < found[0]
    *_, last = result.output.splitlines()
    said = [float(number) for number in last.split("h[0]")[1].split()]
    np.testing.assert_allclose(said, program.TARGETS, atol=0.01)


def test_by_the_sign_of_the_thread_the_loss_rises(monkeypatch):
    right = program.differentiate

    def target_less_output(parameters, x):
        loss, said, gradients = right(parameters, x)
        return loss, said, {name: -gradient for name, gradient in gradients.items()}

    monkeypatch.setattr(program, "differentiate", target_less_output)
    found = losses(run("--steps", 10).output)
    assert found[-1] > found[0]


def test_a_rate_that_is_too_large_is_told():
    result = run("--rate", "nan", "--steps", 3)
    assert result.exit_code == 1
    assert "Error: The loss is nan at step 1; try a smaller rate than nan." in result.output


def test_at_a_large_rate_the_gates_saturate_without_a_warning():
    result = CliRunner().invoke(program.main, ["--rate", "1000", "--steps", "3"])
    assert result.exit_code == 0, result.output
    assert "Warning" not in result.output
