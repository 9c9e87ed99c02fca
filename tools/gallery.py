"""The gallery: a page for each case file, with every cell as it is written and how it was checked.

Text, equations and shapes are those of the case files, and the figures come from their checks;
nothing is written by hand. Pages can be made without figures, so that they are quickly compared
with those that were written before.
"""

import ast
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress

from gradcheck.cells import unrolled
from gradcheck.cells.cell import Argument, Cell
from gradcheck.checking.check import checks
from gradcheck.checking.explore import Plan, search
from gradcheck.checking.result import Result, result
from gradcheck.drawing.strategies import PROFILES
from gradcheck.errors import CaseError, shown_path
from gradcheck.laws.every import LAWS
from gradcheck.oracles import twins
from gradcheck.show import table
from gradcheck.source.cases import Malformed
from gradcheck.source.cases import read as cells_of
from gradcheck.source.listing import returned

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from gradcheck.oracles.autograd import Twin

PROFILE = "fast"
INDEX, FOLDER = "gallery.md", "gallery"
_MARK = "<!-- Written by tools/gallery.py"  # a page without it is not ours to remove
_FIGURES = re.compile(rf"^(\| (?:{'|'.join(table.ORACLES)}) \|).*$", re.M)
_UNMEASURED = " # | # | # | # |"

Results = tuple[Result, ...]  # what the nodes of one cell found

Figures = Mapping[tuple[Path, str], Results]  # by the place of the file and the name of the cell


@dataclass(frozen=True)
class File:
    """A case file: where it is in its folder, its cells, and the twin of each that has one."""

    path: Path
    place: Path
    twin_path: Path
    cells: tuple[Cell, ...]
    twins: Mapping[str, "Twin"]

    @property
    def page(self) -> Path:
        return Path(FOLDER) / self.place.with_suffix(".md")


@dataclass(frozen=True)
class Source:
    """The text of a cell in its parts; ``backward`` goes on to what the cell returns."""

    text: str
    forward: str
    backward: str


def read(cases: Path, reference: Path) -> tuple[File, ...]:
    """The case files of a folder with their cells and twins. Raises CaseError if one is none."""
    files = []
    for path in twins.case_files(cases):
        place = path.relative_to(cases)
        cells: list[Cell] = []
        found: dict[str, Twin] = {}
        for cell in cells_of(path):
            if isinstance(cell, Malformed):
                raise CaseError(cell.message)
            cells.append(cell)
            twin = twins.find(cell, reference / place)
            if twin is not None:
                found[cell.name] = twin
        files.append(File(path, place, reference / place, tuple(cells), found))
    if not files:
        raise CaseError(f"{shown_path(cases)} holds no case file.")
    return tuple(files)


def measure(file: File, cell: Cell) -> Results:
    """Run every check of a cell on the examples of the profile."""
    found = []
    for check in checks(cell, file.twins.get(cell.name)):
        record = search(check, Plan(PROFILE, shrink=False))
        found.append(result(record, shown_path(file.path), 0.0))
    return tuple(found)


def wrong(results: Results) -> tuple[str, ...]:
    """What did not pass, by the names of its nodes."""
    return tuple(result.label for result in results if not result.passed)


def pages(files: Sequence[File], out: Path, figures: Figures | None = None) -> dict[Path, str]:
    """Every page by its path. Without ``figures`` theirs are masked."""
    written = {out / INDEX: _index(files)}
    for file in files:
        written[out / file.page] = _page(file, out, figures)
    return written


def masked(page: str) -> str:
    """A page without its figures, which may differ in rounding on another machine."""
    return _FIGURES.sub(rf"\g<1>{_UNMEASURED}", page)


def write(written: Mapping[Path, str], out: Path) -> tuple[Path, ...]:
    """Write the pages, and remove those of cases that are gone; the removed ones."""
    gone = []
    for path in sorted((out / FOLDER).rglob("*.md")):
        if path not in written and path.read_text(encoding="utf-8").startswith(_MARK):
            path.unlink()
            gone.append(path)
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tuple(gone)


def _index(files: Sequence[File]) -> str:
    cells = [cell for file in files for cell in file.cells]
    rows = [
        (
            f"[{file.place.as_posix()}]({file.page.as_posix()})" if k == 0 else "",
            _code(cell.name),
            _escaped(_first_sentence(file, cell)),
            _codes(output for _, output in cell.states),
            str(len(cell.gradients)),
            _codes(dict.fromkeys(map(str, cell.contracts))),
        )
        for file in files
        for k, cell in enumerate(file.cells)
    ]
    head = ("file", "cell", "what it is", "states", "gradients", "contracts")
    there_are = ", ".join(
        f"{count} {what}{'' if count == 1 else 's'}"
        for count, what in [
            (len(files), "file"),
            (len(cells), "cell"),
            (sum(len(cell.gradients) for cell in cells), "gradient"),
        ]
    )
    return f"""{_MARK} from the case files: edit those, not this page. -->

# Gallery

{there_are}, all derived by hand. The page of a file has the equations of each cell, their
derivation, and how far it is from the oracles. All of it is made from the case files.

{_table(head, rows)}

## The figures

Each gradient was checked on {PROFILES[PROFILE]} examples, the profile `{PROFILE}`. For each oracle
a page gives the worst error of all gradients, and what was allowed in that entry, both relative to
the largest entry of its tensor:

* `forward`: the outputs beside those of the twin;
* `fd`: the gradients beside the complex step or finite differences;
* `autograd`: the gradients beside those of PyTorch through the twin;
* `unrolled`: backpropagation through 0 to 5 steps beside autograd of the unrolled twin.

Examples count as unjudged where rounding hides every digit, the forward overflows, or a slope is
clipped as declared. The laws ({", ".join(LAWS)}) are checked as well. Right gradients
have errors of the size of rounding, which differ a little between machines.
"""


def _page(file: File, out: Path, figures: Figures | None) -> str:
    text = file.path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    here = (out / file.page).parent
    links = {_named(file.path): file.path}
    if file.twins:
        links[_named(file.twin_path)] = file.twin_path
    links["all cells"] = out / INDEX
    lines = [
        f"{_MARK} from {_named(file.path)}: edit that file, not this page. -->",
        f"# {file.place.as_posix()}",
        prose(ast.get_docstring(tree) or ""),
        " · ".join(
            f"[{name}]({Path(os.path.relpath(path, here)).as_posix()})"
            for name, path in links.items()
        ),
    ]
    for cell in file.cells:
        results = figures[file.place, cell.name] if figures else None
        lines += _section(cell, source(text, tree, cell.name), file, results)
    names = {cell.name for cell in file.cells}
    rest = [_text(text, node) for node in tree.body if not _apart(node, names)]
    if rest:
        gap = "\n\n\n" if any(block.startswith("def ") for block in rest) else "\n"
        lines += ["## What they call", _fenced(gap.join(rest))]
    return "\n\n".join(filter(None, lines)) + "\n"


def _named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _section(cell: Cell, written: Source, file: File, results: Results | None) -> Iterator[str]:
    yield f"## {cell.name}"
    yield prose(written.text)
    yield _table(
        ("argument", "shape", ""),
        [
            (_code(argument.name), _shape(argument), _role(cell, argument))
            for argument in cell.arguments + cell.constants
        ],
    )
    carried = ", ".join(f"{_code(name)} becomes {_code(output)}" for name, output in cell.states)
    facts = [
        f"Outputs: {_codes(cell.outputs)}.",
        f"Carried: {carried}." if carried else "Nothing is carried.",
    ]
    if cell.states and unrolled.unroll(cell) is None:
        facts.append("It is not unrolled, since it declares a contract of a state's cotangent.")
    if cell.contracts:
        facts.append(f"Declared: {_codes(dict.fromkeys(map(str, cell.contracts)))}.")
    if cell.name in file.twins:
        facts.append("It has a twin.")
    else:
        facts.append("It has no twin: only finite differences judge it.")
    yield "\n".join(facts)
    yield "### Forward"
    yield _fenced(written.forward)
    yield "### Backward" if written.backward else ""
    yield _fenced(written.backward) if written.backward else ""
    yield "### Errors"
    yield _table(
        ("oracle", "worst error", "allowed there", "examples", "unjudged"),
        [_measured(oracle, results) for oracle in _oracles(cell, cell.name in file.twins)],
    )


def _shape(argument: Argument) -> str:
    """The shape string as it is written; a plain number has none."""
    return _code(f'"{argument.shape.text}"') if argument.value is None else ""


def _role(cell: Cell, argument: Argument) -> str:
    """What an argument is to its cell, and over time."""
    if argument.value is not None:
        return f"constant, {argument.value:g}"
    states = dict(cell.states)
    if argument.name in states:
        return f"state: {_code(states[argument.name])} of the step before"
    said = ["constant"] if argument in cell.constants else []
    if states:
        stepped = argument.name in unrolled.per_step(cell)
        said.append("one value a step" if stepped else "the same at every step")
    return ", ".join(said)


def _oracles(cell: Cell, has_twin: bool) -> Iterator[str]:
    """The oracles that a cell has nodes for, as the closing table names them."""
    for oracle in table.ORACLES:
        if oracle == "unrolled":
            there = unrolled.unroll(cell) is not None
        else:
            there = oracle == "fd" or has_twin
        if there:
            yield oracle


def _measured(oracle: str, results: Results | None) -> tuple[str, ...]:
    if results is None:
        return (oracle, "#", "#", "#", "#")
    found = [one for one in results if one.column == oracle]
    examples = str(sum(one.examples for one in found))
    unjudged = str(sum(sum(one.unjudged.values()) for one in found))
    if not all(one.passed for one in found):
        return (oracle, "wrong", "", examples, unjudged)
    worst = max(found, key=lambda one: one.error)
    return (oracle, f"{worst.error:.0e}", f"{worst.allowed:.0e}", examples, unjudged)


def source(text: str, tree: ast.Module, name: str) -> Source:
    """A cell's docstring, its forward lines, and its backward with what the cell returns."""
    named = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
    if not named:
        return Source("", "", "")
    function = named[-1]
    said = ast.get_docstring(function) or ""
    body = function.body[1:] if said else function.body
    lines = text.splitlines()
    first = body[0].lineno
    while lines[first - 2].lstrip().startswith("#"):
        first -= 1
    last = function.end_lineno or first
    head = returned(function)
    cut = head.lineno if head else last + 1
    return Source(said, _dedented(lines[first - 1 : cut - 1]), _dedented(lines[cut - 1 : last]))


def _apart(node: ast.stmt, cells: set[str]) -> bool:
    """Whether a statement of the file is shown elsewhere, or says nothing."""
    if isinstance(node, ast.FunctionDef):
        return node.name in cells
    return isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)


def _text(text: str, node: ast.stmt) -> str:
    return "\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno])


def _dedented(lines: list[str]) -> str:
    return textwrap.dedent("\n".join(lines)).strip("\n")


def _first_sentence(file: File, cell: Cell) -> str:
    """Of the cell's own docstring, or of its file's."""
    tree = ast.parse(file.path.read_bytes())
    own = source(file.path.read_text(encoding="utf-8"), tree, cell.name).text
    said = " ".join((own or ast.get_docstring(tree) or "").split("\n\n")[0].split())
    return re.split(r"(?<=\.)(?<!al\.)\s", said)[0]


def prose(text: str) -> str:
    """A docstring as Markdown: indented lines are code, and nothing else is a sign of Markdown."""
    blocks: list[str] = []
    for paragraph in text.split("\n\n"):
        indented = None
        for line in paragraph.split("\n"):
            code = line.startswith("    ")
            if code == indented and not line.startswith("Classic slip"):
                blocks[-1] += "\n" + (line if code else _escaped_line(line))
            else:
                blocks.append(line if code else _escaped_line(line))
            indented = code
    return "\n\n".join(blocks)


def _escaped_line(line: str) -> str:
    """A line that may begin with what opens a list, a heading or a quotation elsewhere."""
    return re.sub(r"^(\d*)([-+#>.)])(?=\s|$)", r"\1\\\2", _inline(line))


def _inline(text: str) -> str:
    """Text whose signs stand for themselves; what is in backticks does so already."""
    parts = re.split(r"(`+[^`]*`+)", text)
    return "".join(
        part if k % 2 else re.sub(r"([\\*<]|(?<!\w)_|_(?!\w)|\](?=\())", r"\\\1", part)
        for k, part in enumerate(parts)
    )


def _escaped(text: str) -> str:
    return _inline(text).replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(map(_code, texts))


def _fenced(code: str) -> str:
    return f"```python\n{code}\n```"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["|" + "|".join(f" {cell} " if cell else " " for cell in row) + "|" for row in rows]
    return "\n".join(["| " + " | ".join(head).rstrip() + " |", "|---" * len(head) + "|", *lines])


@click.command()
@click.argument("cases", type=click.Path(path_type=Path))
@click.option(
    "--reference", default="reference", show_default=True, type=click.Path(path_type=Path)
)
@click.option("--out", default="docs", show_default=True, type=click.Path(path_type=Path))
def main(cases: Path, reference: Path, out: Path) -> None:
    """Write a page for each case file, from its text and from its checks.

    Exit status: 1 if a check fails; the pages say where.
    """
    try:
        files = read(cases, reference)
        pairs = [(file, cell) for file in files for cell in file.cells]
        figures = {}
        with Progress(console=Console(stderr=True), transient=True) as progress:
            for file, cell in progress.track(pairs, description="measuring"):
                figures[file.place, cell.name] = measure(file, cell)
    except CaseError as error:
        raise click.ClickException(str(error)) from None
    for path in write(pages(files, out, figures), out):
        click.echo(f"Removed {shown_path(path)}: its case is gone.")
    click.echo(f"Wrote {shown_path(out / INDEX)} and {len(files)} pages beside it.")
    failing = [(f, c, wrong(figures[f.place, c.name])) for f, c in pairs]
    for file, cell, labels in failing:
        if labels:
            where = f"{shown_path(file.path)}::{cell.name}"
            click.echo(
                f"{where} is wrong: {', '.join(labels)}. To see it: pytest {where}", err=True
            )
    sys.exit(any(labels for *_, labels in failing))


if __name__ == "__main__":
    main()
