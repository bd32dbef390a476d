from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from matvae import registry
from matvae.errors import PluginError
from matvae.registry import Registry


def with_plugins(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> Registry:
    def entry_points(group: str) -> list[EntryPoint]:
        return [EntryPoint(name, value, group) for name, value in points]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    return Registry("encoder", "matvae.encoders", {"root": "math:sqrt", "gone": "math:gone", "nowhere": "nowhere:x"})


def test_parts_are_imported_only_on_request(monkeypatch):
    parts = with_plugins(monkeypatch, ("power", "math:pow"))
    assert parts.names() == ["root", "gone", "nowhere", "power"]
    assert parts.get("root")(9) == 3
    assert parts.get("power")(2, 3) == 8


def test_an_unknown_name_is_refused_with_the_closest_one(monkeypatch):
    parts = with_plugins(monkeypatch)
    message = (
        r"no encoder called 'rot'; known are .*Did you mean 'root'\? If a plugin provides it, install that package\."
    )
    with pytest.raises(PluginError, match=message):
        parts.get("rot")


@pytest.mark.parametrize("name", ["gone", "nowhere"])
def test_a_part_that_cannot_be_imported_is_named(monkeypatch, name):
    with pytest.raises(PluginError, match=rf"The encoder '{name}' \(.*\) cannot be imported.*Reinstall the package"):
        with_plugins(monkeypatch).get(name)


def test_a_part_that_breaks_the_contract_is_refused(monkeypatch):
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    parts = Registry("number", "matvae.numbers", {"whole": "builtins:int", "real": "builtins:float"}, contract=int)
    assert parts.get("whole") is int
    with pytest.raises(PluginError, match=r"'real' .* is not a subclass of builtins\.int\. Derive it"):
        parts.get("real")


def test_two_parts_with_the_same_name_are_refused(monkeypatch):
    with pytest.raises(PluginError, match="claimed twice: by math:sqrt and by math:pow"):
        with_plugins(monkeypatch, ("root", "math:pow")).names()
    assert with_plugins(monkeypatch, ("root", "math:sqrt")).names() == ["root", "gone", "nowhere"]
