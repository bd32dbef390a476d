"""Registration of conforming and faulty classes under a name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from matvae.registry import Registry


@pytest.fixture
def register(monkeypatch) -> Callable[[Registry, type], None]:
    """Register a class of a test module under the name ``"mine"``."""

    def add(registry: Registry, kind: type) -> None:
        targets = {**registry.targets, "mine": f"{kind.__module__}:{kind.__name__}"}
        monkeypatch.setattr(registry, "targets", targets)

    return add
