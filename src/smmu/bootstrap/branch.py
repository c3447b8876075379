"""A part of the tree of settings: `settings.py` puts them together, and what reads one alone need not load the rest."""

from pydantic import BaseModel, ConfigDict


class Branch(BaseModel):
    """Frozen, and without fields that nobody knows. The string below a field is its line in docs/settings.md."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
