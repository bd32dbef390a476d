from __future__ import annotations

import threading
import types
from concurrent.futures import ThreadPoolExecutor

import pytest

from matvae.warn import kept_warnings, kind_of, warn


def function_in(module_name, body, **names):
    """Return a function whose code belongs to the module of that name."""
    module = types.ModuleType(module_name)
    vars(module).update(names)
    exec(compile(f"def function():\n    {body}", f"{module_name}.py", "exec"), vars(module))
    return module.function


@pytest.mark.parametrize(
    "callers", [[], ["matvae.a"], ["sklearn.b", "matvae.a"], ["matvae_pymks.c", "contextlib", "functools"]]
)
def test_the_first_line_outside_the_packages_is_named(callers):
    call = function_in("matvae.part", "warn('Look here.')", warn=warn)
    for module_name in callers:
        call = function_in(module_name, "call()", call=call)
    with pytest.warns(UserWarning, match=r"Look here\.") as caught:
        call()
    assert caught[0].filename == __file__


def test_a_thread_names_no_line_of_a_library():
    call = function_in("matvae.part", "warn('Look here.')", warn=warn)
    with pytest.warns(UserWarning, match=r"Look here\.") as caught, ThreadPoolExecutor(1) as pool:
        pool.submit(call).result()
    assert caught[0].filename == "sys"


def test_a_package_with_a_similar_name_counts_as_a_caller():
    inner = function_in("matvae.part", "warn('Look here.', RuntimeWarning)", warn=warn)
    foreign = function_in("matvaex.part", "call()", call=inner)
    with pytest.warns(RuntimeWarning) as caught:
        foreign()
    assert caught[0].filename == "matvaex.part.py"


def test_the_kind_of_a_message_is_what_stays_if_its_numbers_change():
    assert kind_of("3 of 7 are off by 1.2e-05.") == kind_of("1 of 70 are off by 0.4.") != kind_of("3 of 7 are fine.")


def test_warnings_are_kept_for_whoever_asked_and_for_no_other_thread():
    shown = []

    def elsewhere():
        with pytest.warns(UserWarning, match="Shown") as caught:
            warn("Shown in another thread.")
        shown.extend(caught)

    with kept_warnings() as kept:
        warn("Kept.")
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert kept == ["Kept."]
    assert len(shown) == 1
    with pytest.warns(UserWarning, match="Shown again"):
        warn("Shown again.")
