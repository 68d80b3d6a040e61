"""One optimisation step, plain or captured as a CUDA graph (a small network is bound by kernel launches)."""

from __future__ import annotations

from collections.abc import Callable

import torch

from kappakit.engines.allegro.batches import Batch
from kappakit.engines.allegro.configurations import TrainingSettings
from kappakit.engines.allegro.losses import loss

Step = Callable[[Batch], torch.Tensor]
"""Takes a batch on the CPU, moves the weights one step, returns the loss before the step."""

WARMUP_STEPS = 3


def eager_step(
    network: torch.nn.Module,
    weights: list[torch.nn.Parameter],
    average: list[torch.Tensor],
    optimiser: torch.optim.Optimizer,
    settings: TrainingSettings,
    example: Batch,
) -> Step:
    """A step that runs kernel by kernel; `example` says where the tensors live."""

    def step(batch: Batch) -> torch.Tensor:
        return _advance(network, weights, average, optimiser, settings, batch)

    return step


def captured_step(
    network: torch.nn.Module,
    weights: list[torch.nn.Parameter],
    average: list[torch.Tensor],
    optimiser: torch.optim.Optimizer,
    settings: TrainingSettings,
    example: Batch,
) -> Step:
    """A step recorded once on the GPU and replayed; every batch must have the sizes of `example`."""
    device = weights[0].device
    static = Batch(
        {k: v.to(device) for k, v in example.inputs.items()}, {k: v.to(device) for k, v in example.targets.items()}
    )
    kept = _snapshot(weights, average, optimiser)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARMUP_STEPS):
            _advance(network, weights, average, optimiser, settings, static)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        value = _advance(network, weights, average, optimiser, settings, static)
    _put_back(kept, weights, average, optimiser)

    def step(batch: Batch) -> torch.Tensor:
        for stored, fresh in ((static.inputs, batch.inputs), (static.targets, batch.targets)):
            for key, tensor in stored.items():
                tensor.copy_(fresh[key])
        graph.replay()
        return value

    return step


def _advance(
    network: torch.nn.Module,
    weights: list[torch.nn.Parameter],
    average: list[torch.Tensor],
    optimiser: torch.optim.Optimizer,
    settings: TrainingSettings,
    batch: Batch,
) -> torch.Tensor:
    for weight in weights:
        weight.grad = None
    value = loss(network(dict(batch.inputs)), batch.targets, settings)
    value.backward()
    torch.nn.utils.clip_grad_norm_(weights, settings.clip, foreach=True)
    optimiser.step()
    with torch.no_grad():
        torch._foreach_lerp_(average, [w.detach() for w in weights], 1.0 - settings.average_decay)
    return value.detach()


def _snapshot(
    weights: list[torch.nn.Parameter], average: list[torch.Tensor], optimiser: torch.optim.Optimizer
) -> tuple[list[torch.Tensor], list[torch.Tensor], list[dict[str, torch.Tensor]]]:
    moments = [{k: v.clone() for k, v in optimiser.state.get(w, {}).items()} for w in weights]
    return [w.detach().clone() for w in weights], [a.clone() for a in average], moments


def _put_back(
    kept: tuple[list[torch.Tensor], list[torch.Tensor], list[dict[str, torch.Tensor]]],
    weights: list[torch.nn.Parameter],
    average: list[torch.Tensor],
    optimiser: torch.optim.Optimizer,
) -> None:
    """In place: the recorded graph knows the tensors by their addresses."""
    with torch.no_grad():
        for weight, mean, old_weight, old_mean, moments in zip(weights, average, *kept, strict=True):
            weight.copy_(old_weight)
            mean.copy_(old_mean)
            for key, value in optimiser.state[weight].items():
                value.copy_(moments[key]) if key in moments else value.zero_()
