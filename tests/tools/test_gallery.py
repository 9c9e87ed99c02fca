"""The gallery: its pages are what the case files and the generator make, but for the figures."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tools import gallery

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FILES = gallery.read(ROOT / "cases", ROOT / "reference")
NEW = gallery.pages(FILES, DOCS)

CASE = '''"""A layer of f * x: nothing _else_ is in it, see [x](y). And not a list:
- 1 is minus one, and 2
1. is two.
    y = f * x
Published by nobody (2000). Classic slip is not what starts this line.
Classic slip: x for f.
"""

import numpy as np

FACTOR = 2.0


def layer(x: "B H", f: "H > 0", *, mask: "B H in {0, 1}", keep=0.5):
    """The layer.

    With a mask.
    """
    # one comment
    y = double(mask * x * f / keep)

    def backward(dy):
        dy = double(dy) * mask / keep
        return dy * f, (dy * x).sum(axis=0)

    return y, backward


def double(a):
    return FACTOR * a
'''
TWIN = """
def layer(x, f, mask, keep):
    return 2 * mask * x * f / keep
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {"cases": CASE, "reference": TWIN}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "layer.py").write_text(text, encoding="utf-8")
    return tmp_path


def generated():
    return CliRunner().invoke(gallery.main, ["cases", "--out", "docs"])


@pytest.mark.parametrize("path", NEW, ids=lambda path: path.stem)
def test_a_page_is_what_the_generator_makes_of_the_cases(path):
    assert path.is_file(), "say make gallery"
    assert gallery.masked(path.read_text(encoding="utf-8")) == NEW[path], "say make gallery"


def test_there_is_a_page_for_each_case_and_no_other():
    assert set((DOCS / "gallery").rglob("*.md")) | {DOCS / "gallery.md"} == set(NEW)


def test_every_cell_has_its_row_and_its_section_and_every_gradient_its_line():
    index = NEW[DOCS / "gallery.md"]
    for file in FILES:
        page = NEW[DOCS / file.page]
        assert f"[{file.place}]({file.page.as_posix()})" in index
        for cell in file.cells:
            assert f"| `{cell.name}` |" in index
            (section,) = re.findall(rf"^## {cell.name}\n(.*?)(?=^## |\Z)", page, flags=re.M | re.S)
            for argument in cell.arguments + cell.constants:
                assert f"| `{argument.name}` |" in section
            for contract in cell.contracts:
                assert f"`{contract}`" in section
            assert "def backward(" in section
            unrolled = bool(cell.states) and "It is not unrolled" not in section
            assert section.count(" # | # | # | # |") == 3 + unrolled


def test_every_link_leads_somewhere():
    for path, text in NEW.items():
        outside = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
        for target in re.findall(r"(?<!\\)\]\(([^)]+)\)", outside):
            assert (path.parent / target).resolve().is_file(), f"{path.name}: {target}"


def test_no_figure_of_a_page_is_wrong_or_left_out():
    written = "".join(path.read_text(encoding="utf-8") for path in NEW)
    rows = re.findall(r"^\| (?:forward|fd|autograd|unrolled) \|.*$", written, flags=re.M)
    assert len(rows) > 3 * sum(len(file.cells) for file in FILES)
    for row in rows:
        assert re.fullmatch(r"\| \w+ \| \de[-+]\d+ \| \de[-+]\d+ \| \d+ \| \d+ \|", row), row


def test_a_page_is_made_of_its_case(folder):
    result = generated()
    assert result.exit_code == 0, result.output
    assert result.output.endswith("Wrote docs/gallery.md and 1 pages beside it.\n")
    written = (folder / "docs" / "gallery" / "layer.md").read_text(encoding="utf-8")
    assert gallery.masked(written) == PAGE
    assert "| fd | " in written
    assert "#" not in written.split("### Errors")[1].split("##")[0]
    index = (folder / "docs" / "gallery.md").read_text(encoding="utf-8")
    assert "\n1 file, 1 cell, 2 gradients, all derived by hand." in index
    assert "| [layer.py](gallery/layer.md) | `layer` | The layer. | | 2 | |\n" in index


PAGE = """\
<!-- Written by tools/gallery.py from cases/layer.py: edit that file, not this page. -->

# layer.py

A layer of f \\* x: nothing \\_else\\_ is in it, see [x\\](y). And not a list:
\\- 1 is minus one, and 2
1\\. is two.

    y = f * x

Published by nobody (2000). Classic slip is not what starts this line.

Classic slip: x for f.

[cases/layer.py](../../cases/layer.py) · [reference/layer.py](../../reference/layer.py) · \
[all cells](../gallery.md)

## layer

The layer.

With a mask.

| argument | shape | |
|---|---|---|
| `x` | `"B H"` | |
| `f` | `"H > 0"` | |
| `mask` | `"B H in {0, 1}"` | constant |
| `keep` | | constant, 0.5 |

Outputs: `y`.
Nothing is carried.
It has a twin.

### Forward

```python
# one comment
y = double(mask * x * f / keep)
```

### Backward

```python
def backward(dy):
    dy = double(dy) * mask / keep
    return dy * f, (dy * x).sum(axis=0)

return y, backward
```

### Errors

| oracle | worst error | allowed there | examples | unjudged |
|---|---|---|---|---|
| forward | # | # | # | # |
| fd | # | # | # | # |
| autograd | # | # | # | # |

## What they call

```python
FACTOR = 2.0


def double(a):
    return FACTOR * a
```
"""


def test_a_changed_line_of_a_case_is_a_changed_page(folder):
    for old, new in [
        ("dy * f,", "dy * x,"),
        ("mask * x * f", "mask * f * x"),
        ("FACTOR = 2.0", "FACTOR = 3.0"),
        ("keep=0.5", "keep=0.6"),
        ("H > 0", "H"),
        ("by nobody", "by somebody"),
    ]:
        (folder / "cases" / "layer.py").write_text(CASE.replace(old, new), encoding="utf-8")
        files = gallery.read(Path("cases"), Path("reference"))
        page = gallery.pages(files, Path("docs"))[Path("docs/gallery/layer.md")]
        assert page != PAGE, new


def test_a_changed_line_of_a_committed_case_no_longer_fits_its_page(folder):
    case = (ROOT / "cases" / "lstm.py").read_text(encoding="utf-8")
    slipped = case.replace("df = dc * c_prev", "df = dc * c")
    assert slipped != case
    fits = []
    for text in (case, slipped):
        (folder / "cases" / "lstm.py").write_text(text, encoding="utf-8")
        twin = ROOT / "reference" / "lstm.py"
        (folder / "reference" / "lstm.py").write_text(twin.read_text(encoding="utf-8"))
        files = gallery.read(folder / "cases", folder / "reference")
        page = gallery.pages(files, folder / "docs")[folder / "docs" / "gallery" / "lstm.md"]
        committed = (DOCS / "gallery" / "lstm.md").read_text(encoding="utf-8")
        fits.append(gallery.masked(committed) == page)
    assert fits == [True, False]


def test_a_wrong_gradient_is_told_and_its_page_says_so(folder):
    wrong = CASE.replace("dy * f,", "-dy * f,")
    (folder / "cases" / "layer.py").write_text(wrong, encoding="utf-8")
    result = generated()
    assert result.exit_code == 1
    assert (
        "cases/layer.py::layer is wrong: dx[fd], dx[autograd]. To see it: pytest "
        "cases/layer.py::layer\n" in result.output
    )
    written = (folder / "docs" / "gallery" / "layer.md").read_text(encoding="utf-8")
    assert re.search(r"\| fd \| wrong \| \| \d+ \| 0 \|", written)


def test_without_a_twin_there_are_differences_only(folder):
    (folder / "reference" / "layer.py").unlink()
    assert generated().exit_code == 0
    written = (folder / "docs" / "gallery" / "layer.md").read_text(encoding="utf-8")
    assert "It has no twin: only finite differences judge it." in written
    assert "reference" not in written
    assert re.findall(r"^\| (\w+) \| \de", written, flags=re.M) == ["fd"]


def test_a_page_whose_case_is_gone_is_removed_and_any_other_file_is_left(folder):
    generated()
    gone, own = folder / "docs" / "gallery" / "gone.md", folder / "docs" / "gallery" / "own.md"
    gone.write_text((folder / "docs" / "gallery" / "layer.md").read_text(encoding="utf-8"))
    own.write_text("mine")
    assert "Removed docs/gallery/gone.md: its case is gone.\n" in generated().output
    assert not gone.exists()
    assert own.exists()


def test_a_folder_without_cases_and_a_case_that_cannot_be_read_are_told(folder):
    result = CliRunner().invoke(gallery.main, ["nowhere"])
    assert result.exit_code == 1
    assert result.output == "Error: nowhere holds no case file.\n"
    (folder / "cases" / "broken.py").write_text("def broken(x): ...")
    result = generated()
    assert result.exit_code == 1
    assert result.output.startswith("Error: cases/broken.py defines no cell")
    assert not (folder / "docs").exists()
