"""Execute a Python file as a module, and the files beside it that it imports."""

import ast
import importlib.util
import linecache
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial, wraps
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from gradcheck.errors import CaseError, shown_path, what_raised
from gradcheck.running import monte_carlo


def module(
    path: Path,
    change: Callable[[ast.Module], ast.Module] = lambda tree: tree,
    names: Mapping[str, Any] | None = None,
    beside: Callable[[ast.Module, Path], ast.Module] = lambda tree, _: tree,
) -> ModuleType:
    """Execute the file and return it as a module, perhaps with its syntax tree changed first.

    ``names`` are put into the module before it runs, for what the change refers to. Compiled
    from its text at every call, and so is each file beside it that it imports, such as another
    case: a bytecode cache compares time stamps, and would miss an edit of the same length within
    the same second. Their trees ``beside`` may change; they have the same ``names``.
    Raises CaseError if the file cannot be read, parsed or executed.
    """
    path = path.resolve()
    name = f"gradcheck_file_{path.stem}_{abs(hash(path)):x}"
    spec = importlib.util.spec_from_loader(name, loader=None, origin=str(path))
    assert spec is not None  # a spec without a loader always exists
    loaded = importlib.util.module_from_spec(spec)
    loaded.__file__ = str(path)
    sys.modules[name] = loaded
    linecache.checkcache(str(path))
    try:
        loaded.__dict__.update(names or {})
        imported = partial(_Anew, beside, names or {})
        tree = change(ast.parse(path.read_bytes(), str(path)))
        with _importing_from(path.parent, imported):
            exec(compile(tree, str(path), "exec"), loaded.__dict__)
        loaded.__dict__.update(_late(loaded.__dict__))
    except OSError as error:
        raise CaseError(f"{shown_path(path)} cannot be read: {error.strerror or error}.") from None
    except SyntaxError as error:
        where = shown_path(Path(error.filename or path))  # it may be in a file that is imported
        where = f"{where}:{error.lineno}" if error.lineno else where
        line = (error.text or "").strip()
        raise CaseError(f"{where} is not Python: {error.msg}.\n    {line}") from None
    except (CaseError, KeyboardInterrupt):
        raise
    except BaseException as error:  # sys.exit, or pytest.skip, of one file must not end the run
        raise CaseError(
            f"{shown_path(path)} cannot be imported: {what_raised(error, path)}"
        ) from None
    return loaded


@contextmanager
def _importing_from(folder: Path, loader: Any) -> Iterator[None]:
    """Let the files of a folder import each other; none of them stays imported afterwards.

    Two folders may each have a gru.py, as cases and their twins do. They are looked for last, so
    that a case called random.py hides nothing of the standard library. A package stays.
    """
    beside, above, before = _Beside(str(folder), loader), str(folder.parent), set(sys.modules)
    sys.meta_path.append(beside)
    sys.path.append(above)
    try:
        yield
    finally:
        sys.path.remove(above)
        sys.meta_path.remove(beside)
        for name in sys.modules.keys() - before:
            known = vars(sys.modules[name])
            if isinstance(known.get("__loader__"), _Anew) and "__path__" not in known:
                del sys.modules[name]


class _Beside:
    """Finds the modules of one folder."""

    def __init__(self, folder: str, loader: Any) -> None:
        compiled = ExtensionFileLoader, EXTENSION_SUFFIXES
        self._finder = FileFinder(folder, compiled, (loader, SOURCE_SUFFIXES))

    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return self._finder.find_spec(name)


class _Anew(SourceFileLoader):
    """Loads a module from its text, perhaps changed, without a bytecode cache."""

    def __init__(
        self,
        change: Callable[[ast.Module, Path], ast.Module],
        names: Mapping[str, Any],
        fullname: str,
        path: str,
    ) -> None:
        super().__init__(fullname, path)
        self._change, self._names = change, names

    def get_code(self, name: str) -> CodeType:
        path = self.get_filename(name)
        linecache.checkcache(path)
        tree = self._change(ast.parse(self.get_data(path), path), Path(path))
        return compile(tree, path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__.update(self._names)
        super().exec_module(module)
        module.__dict__.update(_late(module.__dict__))


def _late(names: Mapping[str, Any]) -> dict[str, Any]:
    """What is imported by name from NumPy to make arrays, looked up when it is called: the run
    that measures rounding puts others in its place.
    """

    def looked_up(made: str, original: Callable[..., Any]) -> Callable[..., Any]:
        return wraps(original)(lambda *args, **kwargs: getattr(np, made)(*args, **kwargs))

    originals = {id(getattr(np, made)): made for made in monte_carlo.MAKING}
    return {
        name: looked_up(originals[id(value)], value)
        for name, value in names.items()
        if id(value) in originals
    }
