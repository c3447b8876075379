"""The limits of a deployment, for a process that reads no other setting.

A worker process starts for every heavy task: it reads `SMMU_LIMITS__…` here, from the environment that the server has
checked and handed down, instead of loading the whole tree (which takes longer than everything else it does first).
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from smmu.bootstrap.variables import SettingsError, variable
from smmu.domain.limits import Limits


def limits_in(environment: Mapping[str, str]) -> Limits:
    """The limits as the environment changes them; `SettingsError` for a value that is no number, or contradicts."""
    given: dict[str, Any] = {}
    for field in dataclasses.fields(Limits):
        name = variable(("limits", field.name))
        if name in environment:
            given[field.name] = _number(name, environment[name], float if isinstance(field.default, float) else int)
    try:
        return Limits(**given)
    except ValueError as error:
        raise SettingsError(f"{variable(('limits',))} is wrong: {error}.") from error


def _number(name: str, text: str, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(text)
    except ValueError as error:
        raise SettingsError(f"{name} is wrong: it should be a number, and not {text!r}.") from error
