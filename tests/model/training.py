"""Small training runs shared by several tests: sources of batches, trainers and comparisons."""

from __future__ import annotations

import torch

from matvae.model import StatsVAE, Trainer, TrainingSettings

CPU = torch.device("cpu")


class Source:
    """Batches of a tensor in memory, in an order that depends on the epoch."""

    def __init__(self, X, *, held=None, size=8):
        self.X, self.held, self.size = X, held, size
        self.steps_per_epoch = -(-len(X) // size)
        self.epochs = []

    def epoch(self, number):
        self.epochs.append(number)
        order = torch.randperm(len(self.X), generator=torch.Generator().manual_seed(number))
        yield from self.X[order].split(self.size)

    def validation(self):
        return iter([] if self.held is None else self.held.split(self.size))


class Interrupted(Source):
    """Source that raises KeyboardInterrupt before a given batch of a given epoch."""

    def __init__(self, *args, at, **kwargs):
        super().__init__(*args, **kwargs)
        self.at = at

    def epoch(self, number):
        for k, batch in enumerate(super().epoch(number)):
            if (number, k) == self.at:
                raise KeyboardInterrupt
            yield batch


def stripes(n=40, size=12, seed=0):
    """Periodic stripes of random width, position and direction."""
    generator = torch.Generator().manual_seed(seed)
    X = torch.zeros(n, size, size, dtype=torch.uint8)
    for k, (width, start, turned) in enumerate(torch.rand(n, 3, generator=generator).tolist()):
        X[k, : 2 + int(width * 5)] = 1
        X[k] = X[k].roll(int(start * size), 0)
        if turned > 0.5:
            X[k] = X[k].T.clone()
    return X


SETTINGS = TrainingSettings(max_epochs=4, warmup_steps=5, learning_rate=3e-3)


def trainer_of(make_module, X, settings=SETTINGS, seed=0, **values):
    module = make_module(tuple(X.shape[1:]), width=32, **values)
    module.calibrate([X])
    return Trainer(module, settings, CPU, "float32", seed)


def without_seconds(history):
    return [{k: v for k, v in record.items() if k != "seconds"} for record in history]


def same_weights(first: StatsVAE, second: StatsVAE) -> bool:
    return all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )
