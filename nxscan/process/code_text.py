"""What a function computes, as text: its code, and the values that it takes from outside."""

from __future__ import annotations

import functools
import hashlib
import pickle
import sys
import sysconfig
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import cloudpickle
import numpy as np

_PLAIN = (type(None), bool, int, float, complex, str, bytes, range, slice)


def code_text(function: Callable[..., Any]) -> str:
    """Return text that is the same only if the function computes the same.

    It is made of what runs, not of the file, which may have been edited since: the code,
    defaults, the values that the function closes over, the globals that it uses, and the
    user's own functions that it calls. Where in doubt, it differs: that costs a computation,
    never a wrong result. What is called in installed packages is told by its name; a function
    that is of such a package itself, by its code and the package's version.

    >>> code_text(lambda x: x + 1) == code_text(lambda x: x + 2)
    False
    """
    return "\n".join(_lines(function, set()))


def class_text(cls: type) -> str:
    """Return the same for a class: all that its methods, and those it inherits, compute.

    Classes of installed packages are told by their name.
    """
    return "\n".join(_class(cls, set()))


def _lines(value: Any, seen: set[int]) -> Iterator[str]:
    """Yield lines for a value that code refers to."""
    inner = getattr(value, "py_func", value)  # what numba compiles
    if isinstance(inner, FunctionType):
        yield from _function(inner, seen)
    elif isinstance(inner, functools.partial):
        yield "partial"
        yield from _lines([inner.func, inner.args, inner.keywords], seen)
    elif isinstance(inner, MethodType):
        yield "method"
        yield from _lines([inner.__func__, inner.__self__], seen)
    elif isinstance(inner, _PLAIN):
        yield repr(inner)
    elif isinstance(inner, ModuleType):
        yield from _module(inner, seen)
    elif isinstance(inner, list | tuple):
        yield f"{type(inner).__name__} of {len(inner)}"
        for item in inner:
            yield from _lines(item, seen)
    elif isinstance(inner, dict):
        yield f"dict of {len(inner)}"
        for key, item in inner.items():
            yield from (f"{key!r}:", *_lines(item, seen))
    elif isinstance(inner, set | frozenset):
        yield f"set {sorted(map(repr, inner))}"
    elif isinstance(inner, type):
        yield from _class(inner, seen)
    elif _is_plain_object(inner):
        yield from _object(inner, seen)
    else:
        yield _other(inner)


def _function(function: FunctionType, seen: set[int]) -> Iterator[str]:
    yield f"function {function.__module__}:{function.__qualname__}"
    is_first, is_installed = not seen, _is_installed(function)
    if id(function) in seen or (is_installed and not is_first):
        return
    seen.add(id(function))
    if is_installed:
        yield f"version {_version(function.__module__ or '')}"
    yield from _code(function.__code__)
    for part in (function.__defaults__, function.__kwdefaults__):
        yield from _lines(part, seen)
    for cell in function.__closure__ or ():
        try:
            yield from _lines(cell.cell_contents, seen)
        except ValueError:  # a variable that has no value yet
            yield "empty"
    for name in sorted(_names(function.__code__)):
        if name in function.__globals__:
            yield f"global {name}"
            yield from _lines(function.__globals__[name], seen)


def _class(found: type, seen: set[int]) -> Iterator[str]:
    yield f"class {found.__module__}:{found.__qualname__}"
    if id(found) in seen or _is_installed_module(found.__module__):
        return
    seen.add(id(found))
    for name, value in vars(found).items():
        inner = getattr(value, "__func__", getattr(value, "fget", value))
        inner = getattr(inner, "py_func", inner)
        if isinstance(inner, FunctionType):
            yield from _function(inner, seen)
        elif isinstance(inner, type) and inner.__qualname__.startswith(f"{found.__qualname__}."):
            yield from _class(inner, seen)
        elif isinstance(inner, _PLAIN) and not name.startswith("__"):
            yield f"{name} = {inner!r}"
    for base in found.__bases__:
        yield from _class(base, seen)


def _module(module: ModuleType, seen: set[int]) -> Iterator[str]:
    """Yield lines for a module: of the user's own, what is defined there."""
    yield f"module {module.__name__}"
    if id(module) in seen or _is_installed_module(module.__name__):
        return
    seen.add(id(module))
    for name, value in sorted(vars(module).items()):
        is_own = getattr(value, "__module__", None) == module.__name__
        if is_own or (isinstance(value, _PLAIN) and not name.startswith("__")):
            yield f"{name}:"
            yield from _lines(value, seen)


def _is_plain_object(value: Any) -> bool:
    """Tell whether an object is no more than its class and its attributes."""
    ways = ("__reduce__", "__reduce_ex__")
    is_plain = all(getattr(type(value), way) is getattr(object, way) for way in ways)
    return is_plain and hasattr(value, "__dict__")


def _object(value: Any, seen: set[int]) -> Iterator[str]:
    yield "object"
    if id(value) in seen:
        return
    seen.add(id(value))
    yield from _class(type(value), seen)
    yield from _lines(vars(value), seen)


def _code(code: CodeType) -> Iterator[str]:
    yield code.co_code.hex()
    yield f"{code.co_names} {code.co_varnames} {code.co_freevars}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code(constant)
        elif isinstance(constant, frozenset):
            yield f"set {sorted(map(repr, constant))}"
        else:
            yield repr(constant)


def _names(code: CodeType) -> set[str]:
    """Return the names that code, and code within it, looks up outside of itself."""
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    return set(code.co_names).union(*(_names(one) for one in inner))


def _other(value: Any) -> str:
    """Return the fingerprint of any object; one that cannot be pickled is told by its type."""
    kind = f"{type(value).__module__}:{type(value).__qualname__}"
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"{kind} {value.dtype} {value.shape} {digest}"
    try:
        return f"{kind} {hashlib.sha256(cloudpickle.dumps(value)).hexdigest()}"
    except (pickle.PicklingError, TypeError, AttributeError, ValueError):
        return kind


def _version(module: str) -> str:
    """Return the version of the packages that a module is of."""
    names = packages_distributions().get(module.partition(".")[0], [])
    return ", ".join(sorted({f"{name} {version(name)}" for name in names})) or sys.version


def _is_installed(function: FunctionType) -> bool:
    """Tell whether a function is of the standard library, an installed package or nxscan."""
    top = (function.__module__ or "").partition(".")[0]
    return top == "nxscan" or _is_in_place(function.__code__.co_filename)


def _is_installed_module(name: str) -> bool:
    top = name.partition(".")[0]
    file = getattr(sys.modules.get(name), "__file__", None)
    if top == "nxscan" or (file is None and top in sys.stdlib_module_names):
        return True
    return file is not None and _is_in_place(file)


def _is_in_place(file: str) -> bool:
    """Tell whether a file lies where packages are installed."""
    places = {sysconfig.get_path(key) for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    return any(Path(file).is_relative_to(place) for place in places if place)
