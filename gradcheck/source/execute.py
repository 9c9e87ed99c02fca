"""Execute a Python file as a module."""

import ast
import importlib.util
import linecache
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from gradcheck.errors import CaseError, shown_path, what_raised
from gradcheck.running import monte_carlo


def module(
    path: Path,
    change: Callable[[ast.Module], ast.Module] = lambda tree: tree,
    names: Mapping[str, Any] | None = None,
) -> ModuleType:
    """Execute the file and return it as a module, perhaps with its syntax tree changed first.

    ``names`` are put into the module before it runs, for what the change refers to. Compiled
    from its text at every call: a bytecode cache compares time stamps, and would miss an edit of
    the same length within the same second.
    Raises CaseError if the file cannot be read, parsed or executed.
    """
    path = path.resolve()
    name = f"gradcheck_file_{path.stem}_{abs(hash(path)):x}"
    spec = importlib.util.spec_from_loader(name, loader=None, origin=str(path))
    assert spec is not None  # a spec without a loader always exists
    loaded = importlib.util.module_from_spec(spec)
    loaded.__file__ = str(path)
    # At the end of the path, so that a case called random.py hides nothing of the standard library.
    extra = [str(path.parent), str(path.parent.parent)]
    sys.path += extra
    sys.modules[name] = loaded
    linecache.checkcache(str(path))
    try:
        loaded.__dict__.update(names or {})
        tree = change(ast.parse(path.read_bytes(), str(path)))
        exec(compile(tree, str(path), "exec"), loaded.__dict__)
        loaded.__dict__.update(_late(loaded.__dict__))
    except OSError as error:
        raise CaseError(f"{shown_path(path)} cannot be read: {error.strerror or error}.") from None
    except SyntaxError as error:
        where = f"{shown_path(path)}:{error.lineno}" if error.lineno else shown_path(path)
        line = (error.text or "").strip()
        raise CaseError(f"{where} is not Python: {error.msg}.\n    {line}") from None
    except (CaseError, KeyboardInterrupt):
        raise
    except BaseException as error:  # sys.exit, or pytest.skip, of one file must not end the run
        raise CaseError(
            f"{shown_path(path)} cannot be imported: {what_raised(error, path)}"
        ) from None
    finally:
        for entry in extra:
            sys.path.remove(entry)
    return loaded


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
