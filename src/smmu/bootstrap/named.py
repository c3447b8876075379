"""A function of a deployment's own, found by the name that a variable gives it."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from smmu.bootstrap.variables import SettingsError


def function_named(name: str, variable: str, others: str) -> Callable[[Any], Any]:
    """`package.module:function`. Raises `SettingsError`, which names the `variable` and what else it may hold.

    What the function takes and gives is seen when it is asked.
    """
    module, _, function = name.partition(":")
    if not module or not function:
        raise SettingsError(f"{variable} is wrong ({name!r}): it is package.module:function, or {others}.")
    try:
        found: object = getattr(import_module(module), function)
    except (ImportError, ValueError, AttributeError) as error:
        raise SettingsError(f"{variable} is wrong ({name!r}): {error}.") from error
    if not callable(found):
        raise SettingsError(f"{variable} is wrong ({name!r}): that is no function.")
    return cast("Callable[[Any], Any]", found)
