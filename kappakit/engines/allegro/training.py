"""The training loop: Adam with warm-up and cosine decay, an averaged copy of the weights, resumable checkpoints."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from math import cos, pi
from pathlib import Path

import numpy as np
import torch

from kappakit.engines.allegro import checkpoint, network
from kappakit.engines.allegro.batches import Batch, Capacity, Prepared, assemble, capacity_for, packed
from kappakit.engines.allegro.configurations import TrainingSettings
from kappakit.engines.allegro.graphs import Graph
from kappakit.engines.allegro.losses import ErrorSums
from kappakit.engines.allegro.preparation import Start
from kappakit.engines.allegro.steps import Step, captured_step, eager_step
from kappakit.ports import Progress, TrainingCurvePoint
from kappakit.units import EV_PER_A3_IN_GPA

CURVE = "curve.jsonl"
VALIDATION_BATCH = 16


class Training:
    """One training: network, optimiser, averaged weights and the epochs done so far, in `folder`."""

    def __init__(
        self,
        description: network.Description,
        settings: TrainingSettings,
        *,
        seed: int,
        device: str,
        folder: Path,
    ) -> None:
        self.description, self.settings, self.seed = description, settings, seed
        self.device, self.folder = torch.device(device), folder
        self.network = network.build(description, dtype="float32", seed=seed).to(self.device).train()
        self.weights = [p for p in self.network.parameters() if p.requires_grad]
        on_gpu = self.device.type == "cuda"
        rate = torch.tensor(settings.learning_rate, device=self.device) if on_gpu else settings.learning_rate
        self.optimiser = torch.optim.Adam(self.weights, lr=rate, capturable=on_gpu)
        self.average = [w.detach().clone() for w in self.weights]
        self.epoch = 0
        folder.mkdir(parents=True, exist_ok=True)

    def begin_from(self, start: Start) -> None:
        """Take stored weights, also as the average; the optimiser knows nothing of them."""
        network.fill(self.network, start.state, "float32")
        self.average = [w.detach().clone() for w in self.weights]

    def resume(self) -> None:
        """Continue from the checkpoint in the folder, if there is one."""
        self.epoch = checkpoint.restore(self.folder, self.weights, self.average, self.optimiser)
        _cut_curve(self.folder / CURVE, self.epoch)

    def run(self, train: Sequence[Prepared], validation: Sequence[Prepared], progress: Progress) -> None:
        """All epochs that are left; a line of the curve and a checkpoint after each validated one."""
        capacity = capacity_for(train, self.settings.batch_edges)
        step = self._step(train, capacity)
        started, last_saved = time.monotonic(), time.monotonic()
        for epoch in range(self.epoch, self.settings.epochs):
            train_loss = self._train_epoch(train, capacity, step, epoch)
            self.epoch = epoch + 1
            if self.epoch % self.settings.validate_every and self.epoch != self.settings.epochs:
                continue
            point = self._point(train_loss, validation, time.monotonic() - started)
            started = time.monotonic()
            with (self.folder / CURVE).open("a") as curve:
                curve.write(json.dumps(asdict(point)) + "\n")
            if time.monotonic() - last_saved > checkpoint.INTERVAL or self.epoch == self.settings.epochs:
                checkpoint.save(self.folder, self.epoch, self.weights, self.average, self.optimiser)
                last_saved = time.monotonic()
            progress(self.epoch, self.settings.epochs, f"forces {point.val_force_rmse:.0f} meV/Å on held-out crystals")

    def _step(self, train: Sequence[Prepared], capacity: Capacity) -> Step:
        make = captured_step if self.device.type == "cuda" else eager_step
        first = next(packed(train, range(len(train)), capacity))
        example = self._assembled(first, capacity)
        return make(self.network, self.weights, self.average, self.optimiser, self.settings, example)

    def _assembled(self, frames: Sequence[Prepared], capacity: Capacity) -> Batch:
        cutoff = self.description.architecture.cutoff
        return assemble(frames, cutoff, capacity if self.device.type == "cuda" else None)

    def _train_epoch(self, train: Sequence[Prepared], capacity: Capacity, step: Step, epoch: int) -> float:
        order = np.random.default_rng([self.seed, epoch]).permutation(len(train))
        batches = list(packed(train, list(order), capacity))
        losses = []
        for index, frames in enumerate(batches):
            self._set_rate(epoch + index / len(batches))
            losses.append(step(self._assembled(frames, capacity)).clone())
        return float(torch.stack(losses).mean())

    def _set_rate(self, epoch: float) -> None:
        rate = rate_at(epoch, self.settings)
        for group in self.optimiser.param_groups:
            if torch.is_tensor(group["lr"]):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def _point(self, train_loss: float, validation: Sequence[Prepared], seconds: float) -> TrainingCurvePoint:
        energy, force, stress = self.errors(validation)
        return TrainingCurvePoint(
            epoch=self.epoch,
            train_loss=train_loss,
            val_energy_mae=energy,
            val_force_rmse=force,
            val_stress_mae=stress * EV_PER_A3_IN_GPA,
            learning_rate=rate_at(self.epoch, self.settings),
            seconds=seconds,
        )

    def errors(self, frames: Sequence[Prepared]) -> tuple[float, float, float]:
        """Of the averaged weights: energy MAE meV/atom, force RMSE meV/Å, stress MAE eV/Å³."""
        sums = ErrorSums()
        self._swap()
        self.network.eval()
        for batch in self._plain_batches(frames):
            sums.add(self.network(dict(batch.inputs)), batch)
        self.network.train()
        self._swap()
        return sums.means()

    def _plain_batches(self, frames: Sequence[Prepared]) -> Iterator[Batch]:
        for start in range(0, len(frames), VALIDATION_BATCH):
            batch = assemble(frames[start : start + VALIDATION_BATCH], self.description.architecture.cutoff)
            yield Batch(_moved(batch.inputs, self.device), _moved(batch.targets, self.device))

    def _swap(self) -> None:
        with torch.no_grad():
            for weight, mean in zip(self.weights, self.average, strict=True):
                kept = weight.detach().clone()
                weight.copy_(mean)
                mean.copy_(kept)

    def store(self) -> str:
        """Write the averaged weights as the folder's model; returns their sha256."""
        self._swap()
        sha256 = network.save(self.network, self.description, self.folder)
        self._swap()
        return sha256


def rate_at(epoch: float, settings: TrainingSettings) -> float:
    """Learning rate after `epoch` epochs: linear warm-up, then half a cosine down to its final fraction."""
    if epoch < settings.warmup_epochs:
        return settings.learning_rate * (epoch + 1) / (settings.warmup_epochs + 1)
    share = (epoch - settings.warmup_epochs) / max(settings.epochs - settings.warmup_epochs, 1)
    fraction = settings.final_rate + (1.0 - settings.final_rate) * 0.5 * (1.0 + cos(pi * min(share, 1.0)))
    return settings.learning_rate * fraction


def _moved(tensors: Graph, device: torch.device) -> Graph:
    return {key: value.to(device) for key, value in tensors.items()}


def _cut_curve(path: Path, epoch: int) -> None:
    if path.exists():
        kept = [line for line in path.read_text().splitlines() if json.loads(line)["epoch"] <= epoch]
        path.write_text("".join(line + "\n" for line in kept))
