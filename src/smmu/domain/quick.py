"""Frozen dataclasses that are made quickly: a request makes some forty values, and that was a tenth of its time.

A frozen class's `__init__` goes around its own guard through `object.__setattr__`, once for each field. The one made
here lets go of the guard once: it makes a bare object one of a twin class that has none, assigns as any other class
does, and makes it a value of its own class at the end. Nobody else ever sees the twin.

It is for classes of many fields that are made for every request; it does nothing else, so any frozen dataclass with
slots may have it or not. The class is final, for a value of one below it would be made one of its own; and every field
is an argument, and nothing else is: `TypeError` for others.
"""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["quick", "replace"]

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import replace  # what may be replaced by what is checked as it is for any dataclass
else:

    def replace(value: T, /, **changes: Any) -> T:  # noqa: ANN401 - as dataclasses' own
        """As `dataclasses.replace`, for a value of a quick class."""
        return value.__replace__(**changes)


def quick(cls: type[T]) -> type[T]:
    """Give a frozen dataclass with slots an `__init__` and a `__replace__` that cost a fraction of dataclasses' own."""
    known: tuple[Field[Any], ...] = fields(cls)  # type: ignore[arg-type] # a dataclass, as whoever decorates sees
    if signature(cls).parameters.keys() != {field.name for field in known}:
        raise TypeError(f"{cls.__qualname__} is not quick: it has init-only variables, or fields that are no arguments")
    # Both together, or Python would look for one of them in each assignment.
    unguarded = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    twin = type(cls.__name__, (cls,), {"__slots__": (), **unguarded})
    names = {
        "_Twin": twin,
        "_Class": cls,
        "_become": object.__setattr__,
        "_bare": object.__new__,
        "_missing": MISSING,
        **{f"_default_{field.name}": field.default for field in known},
        **{f"_made_{field.name}": field.default_factory for field in known},
    }
    then = ("self.__post_init__()",) if hasattr(cls, "__post_init__") else ()
    body = ("_become(self, '__class__', _Twin)", *map(_assigned, known), "self.__class__ = _Class", *then)
    _put(cls, "__init__", f"self, {', '.join(_arguments(known))}", body, names)
    copies = (f"self.{field.name} = value.{field.name}" for field in known)
    changes = ("for name, changed in changes.items():", "    setattr(self, name, changed)")
    body = ("self = _bare(_Twin)", *copies, *changes, "self.__class__ = _Class", *then, "return self")
    _put(cls, "__replace__", "value, /, **changes", body, names)
    return cls


def _arguments(known: tuple[Field[Any], ...]) -> Iterator[str]:
    """As dataclasses orders them: what may be given by its place comes first."""
    yield from (_argument(field) for field in known if not field.kw_only)
    if any(field.kw_only for field in known):
        yield "*"
    yield from (_argument(field) for field in known if field.kw_only)


def _argument(field: Field[Any]) -> str:
    if field.default is not MISSING:
        return f"{field.name}=_default_{field.name}"
    return field.name if field.default_factory is MISSING else f"{field.name}=_missing"


def _assigned(field: Field[Any]) -> str:
    name = field.name
    if field.default_factory is MISSING:
        return f"self.{name} = {name}"
    return f"self.{name} = _made_{name}() if {name} is _missing else {name}"


def _put(cls: type[Any], name: str, arguments: str, body: tuple[str, ...], names: dict[str, Any]) -> None:
    source = f"def {name}({arguments}):\n" + "".join(f"    {line}\n" for line in body)
    made: dict[str, Callable[..., Any]] = {}
    exec(source, names, made)  # noqa: S102 - made of the names of fields, as dataclasses makes its own
    function = made[name]
    function.__qualname__ = f"{cls.__qualname__}.{name}"
    setattr(cls, name, function)
