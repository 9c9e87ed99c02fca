"""A case written anew after another: under a new name, with what it needs of its file.

Where the other has a derivation it comes along; where it is a forward alone, a stub for each
gradient stands at the line that it is derived from, in the reverse order of the forward.
"""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from gradcheck.cells.cell import Cell
from gradcheck.drawing.given import nearest
from gradcheck.errors import CaseError, shown_path
from gradcheck.oracles import twins
from gradcheck.source import cases as case_files
from gradcheck.source.cases import Malformed
from gradcheck.source.trees import reached
from gradcheck.source.unfinished import stages

_SHIPPED = Path(__file__).resolve().parent.parent / "cases"  # of a checkout of this repository


def texts(name: str, like: str, cases: Path, reference: Path) -> tuple[str, str | None]:
    """The text of the case and of its twin; None if the other has no twin.

    Raises CaseError if there is no such cell.
    """
    cell = _meant(like, cases)
    assert cell.source is not None  # it was read from a file
    path = cell.source.path
    missing = [module for module in _beside(path) if not (cases / module).is_file()]
    if missing:
        raise CaseError(
            f"{cell.name} is built from {', '.join(missing)}, which {_are(missing)} not in "
            f"{shown_path(cases)}.\n"
            f"Copy {', '.join(shown_path(path.parent / one) for one in missing)} there first."
        )
    case = _renamed(path, cell.name, name)
    if not cell.derived:
        case = _stubbed(case, cell, name)
    beside = twins.beside(path, Path(reference.name))
    return case, _renamed(beside, cell.name, name) if beside else None


def _meant(like: str, cases: Path) -> Cell:
    """The cell of a file, or of that name in the folder of cases or among those shipped."""
    path, _, only = like.partition("::")
    if path.endswith(".py"):
        found = case_files.chosen(Path(path), only or None)
        if len(found) > 1:
            names = ", ".join(one.name for one in found)
            raise CaseError(f"{like} has several cells.\nWrite {path}::NAME, with one of {names}.")
        return _readable(found[0])
    known: dict[str, Path] = {}
    for folder in (cases, _SHIPPED):
        for file in twins.case_files(folder) if folder.is_dir() else ():
            for cell_name in _functions(file):
                known.setdefault(cell_name, file)
    if like not in known:
        raise CaseError(
            f"There is no cell {like!r} in {shown_path(cases)}.{nearest(like, known)}\n"
            "Write its name, or FILE::CELL."
        )
    return _readable(case_files.chosen(known[like], like)[0])


def _are(some: Sequence[str]) -> str:
    return "is" if len(some) == 1 else "are"


def _readable(found: Cell | Malformed) -> Cell:
    if isinstance(found, Malformed):
        raise CaseError(found.message)
    return found


def _functions(path: Path) -> Iterator[str]:
    """The functions of a file that may be cells; without executing it."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and _is_cell(node):
            yield node.name


def _is_cell(node: ast.FunctionDef) -> bool:
    annotations = [argument.annotation for argument in node.args.args]
    return node.name[0] != "_" and any(isinstance(one, ast.Constant) for one in annotations)


def _beside(path: Path) -> Iterator[str]:
    """The files of the same folder that a case imports."""
    for node in ast.parse(path.read_bytes()).body:
        match node:
            case ast.ImportFrom(module=str(name)):
                names = [name]
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case _:
                continue
        yield from (f"{n}.py" for n in names if (path.parent / f"{n}.py").is_file())


def _renamed(path: Path, old: str, new: str) -> str:
    """The file without the functions that this one does not reach, and with its new name."""
    text = path.read_text(encoding="utf-8")
    tree, lines = ast.parse(text), text.splitlines()
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if old not in functions:
        raise CaseError(f"{shown_path(path)} has no function {old}.")
    own = functions[old]
    needed = {old, *reached([own], functions)}
    lines[own.lineno - 1] = lines[own.lineno - 1].replace(f"def {old}(", f"def {new}(", 1)
    for name, node in reversed(functions.items()):
        if name not in needed:
            del lines[_first(node, lines) : node.end_lineno]
    return "\n".join(lines).rstrip() + "\n"


def _first(node: ast.FunctionDef, lines: Sequence[str]) -> int:
    """Where a function begins, counted from 0: with the comments and blank lines above it."""
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1
    while first and (not lines[first - 1].strip() or lines[first - 1].startswith("#")):
        first -= 1
    return first


def _stubbed(text: str, cell: Cell, name: str) -> str:
    """The text with a backward of stubs in front of the cell's return statement."""
    lines = text.splitlines()
    function = next(
        n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == name
    )
    end = function.body[-1]
    given = ", ".join(f"d{output}" for output in cell.outputs)
    stubs = [f"    def backward({given}):"]
    for stage in stages(cell, function, lines, ()):
        stubs.append(f"        # {stage.source}")
        for gradient in stage.missing:
            own = f"{gradient} + " if gradient[1:] in cell.outputs else ""
            why = f"  # a sum: {gradient[1:]} is read in several lines"
            stubs.append(f"        {gradient} = {own}...{why if gradient in stage.sums else ''}")
    outputs = ", ".join(cell.outputs)
    outputs = f"({outputs})" if len(cell.outputs) > 1 else outputs
    stubs += [f"        return {', '.join(cell.gradients)}", "", f"    return {outputs}, backward"]
    lines[end.lineno - 1 : end.end_lineno] = (
        ["", *stubs] if lines[end.lineno - 2].strip() else stubs
    )
    return "\n".join(lines).rstrip() + "\n"
