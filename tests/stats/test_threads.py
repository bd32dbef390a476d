from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread, current_thread

import pytest
import torch

from matvae.interrupt import Interrupted, interruptible
from matvae.stats.threads import for_each, one_torch_thread


@pytest.fixture(autouse=True)
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def number_in_a_new_thread() -> int:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.get_num_threads).result()


def test_the_number_of_threads_is_restored():
    with one_torch_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3
    assert number_in_a_new_thread() == 3


def test_the_number_of_threads_is_restored_after_an_error():
    with pytest.raises(KeyError), one_torch_thread():
        raise KeyError
    assert torch.get_num_threads() == 3


def test_overlapping_contexts_restore_the_number_of_threads():
    barrier = Barrier(3)
    inside: list[int] = []

    def work() -> None:
        with one_torch_thread():
            barrier.wait()
            inside.append(torch.get_num_threads())

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == [1, 1, 1]
    assert torch.get_num_threads() == 3
    assert number_in_a_new_thread() == 3


def test_each_worker_uses_one_torch_thread_and_the_calling_thread_keeps_its_number():
    seen: list[tuple[int, bool]] = []
    for_each(range(4), lambda _: seen.append((torch.get_num_threads(), torch.is_grad_enabled())), 2)
    assert seen == [(1, False)] * 4
    assert torch.get_num_threads() == 3
    assert torch.is_grad_enabled()


def test_every_item_is_processed_once():
    done: list[int] = []
    for_each(range(50), done.append, 4)
    assert sorted(done) == list(range(50))


def test_a_single_worker_runs_in_the_calling_thread():
    threads: list[Thread] = []
    for_each(range(3), lambda _: threads.append(current_thread()), 1)
    assert threads == [current_thread()] * 3


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_inherit_inference_mode(workers):
    seen: list[bool] = []
    for_each(range(3), lambda _: seen.append(torch.is_inference_mode_enabled()), workers)
    with torch.inference_mode():
        for_each(range(3), lambda _: seen.append(torch.is_inference_mode_enabled()), workers)
    assert seen == [False] * 3 + [True] * 3


def test_an_error_is_raised_and_items_not_yet_started_are_dropped():
    started: list[int] = []

    def work(item: int) -> None:
        started.append(item)
        raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 0"):
        for_each(range(500), work, 2)
    assert len(started) < 500
    assert number_in_a_new_thread() == 3


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_comes_between_two_items(workers):
    started: list[int] = []
    with interruptible(lambda: len(started) >= 3), pytest.raises(Interrupted):
        for_each(range(500), started.append, workers)
    assert 3 <= len(started) <= 3 + workers
