"""``gradcheck new``: what it writes passes at once, and it never writes over anything."""

from click.testing import CliRunner

from gradcheck.cli import main


def invoked(*arguments):
    return CliRunner().invoke(main, ["new", *arguments])


def test_a_new_case_and_its_twin_pass_at_once(pytester, monkeypatch):
    monkeypatch.chdir(pytester.path)
    pytester.makeini("[pytest]\ngradcheck_cases = cases\naddopts = --hypothesis-profile=fast\n")
    result = invoked("minimal_gate")
    assert result.exit_code == 0
    assert result.output == (
        "Wrote cases/minimal_gate.py and reference/minimal_gate.py. "
        "To check them: pytest cases/minimal_gate.py\n"
    )
    pytester.runpytest("cases/minimal_gate.py").assert_outcomes(passed=27)


def test_a_file_that_is_there_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "mine.py").write_text("precious")
    result = invoked("mine")
    assert result.exit_code == 1
    assert result.output == "Error: reference/mine.py exists already, and is left as it is.\n"
    assert not (tmp_path / "cases").exists()


def test_a_name_that_no_function_can_have_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("peephole-lstm", "class", "_hidden", "2nd", "../up"):
        result = invoked(name)
        assert result.exit_code == 1
        assert f"{name!r} cannot be the name of a function." in result.output
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases").write_text("a file")
    result = invoked("mine")
    assert result.exit_code == 1
    assert result.output.startswith("Error: cases/mine.py cannot be written: ")
