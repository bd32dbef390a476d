"""Data sets: structures that matvae generates, and measured ones that it downloads.

Every built-in data set has a card (a folder with ``dataset.toml`` and ``README.md``), from which `make_dataset` creates
a store.
"""

from __future__ import annotations

from .cards import Card, list_datasets, load_card
from .generator import GENERATORS, StructureGenerator
from .make import make_dataset

__all__ = ["GENERATORS", "Card", "StructureGenerator", "list_datasets", "load_card", "make_dataset"]
