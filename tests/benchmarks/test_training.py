"""Share of a training step that is spent on statistics."""

from __future__ import annotations

import pytest
import torch

from matvae.model import ModelSpec, StatsVAE, Trainer, TrainingSettings, plan_model
from matvae.model.loss import statistics_loss

from .ratios import interleaved, report


@pytest.mark.parametrize(("n", "size"), [(64, 64), (32, 224)])
def test_share_of_the_statistics_loss(n, size):
    shape = (size, size)
    spec = ModelSpec(
        shape=shape,
        phases=2,
        pairs=((1, 1),),
        periodic=True,
        cutoff=None,
        n_components=9,
        encoder="statistics",
        decoder="dense",
        width=384,
    )
    X = (torch.rand(n, *shape, generator=torch.Generator().manual_seed(0)) < 0.2).to(torch.uint8)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = StatsVAE(plan_model(spec, []))
    module.calibrate([X])
    trainer = Trainer(module, TrainingSettings(), torch.device("cpu"), "auto", seed=0)
    fields = module.fields(X)
    output = module.decode(torch.zeros(n, 9)).detach().requires_grad_()

    target = module.statistics(fields)

    def originals() -> torch.Tensor:
        with torch.no_grad():
            return module.statistics(fields)

    def statistics() -> torch.Tensor:
        loss = statistics_loss(target, module.statistics(output), "relative").mean()
        return torch.autograd.grad(loss, output)[0]

    assert torch.isfinite(statistics()).all()
    work = {"loss": statistics, "originals": originals}
    for name, progress in (("early", 0.1), ("late", 0.9)):
        work[name] = lambda progress=progress: trainer.train_step(X, progress)
    times = interleaved(work, rounds=5)
    for name in ("early", "late"):
        share = times["loss"] / times[name]
        report(f"statistics loss {n} x {size}^2 / {name} step, {spec.decoder} decoder", share, "< 0.15")
        share = (times["loss"] + times["originals"]) / times[name]
        report("  with the statistics of the originals, which the encoder reads as well", share, "-")
