"""The training loop: AdamW with warm-up and cosine decay, averaged weights, resumable at any step."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from math import cos, inf, pi
from pathlib import Path

import torch
from torch import Tensor

from kappakit.engines.cdvae import checkpoint, network
from kappakit.engines.cdvae.batches import Bucket, Store, buckets, epoch_batches
from kappakit.engines.cdvae.losses import TERMS, Task, prepare, weights
from kappakit.engines.cdvae.replay import Replay
from kappakit.errors import InputError
from kappakit.ports import GeneratorCurvePoint, Progress

CURVE = "curve.jsonl"
CHECKPOINT_EVERY = 30.0
"""Seconds between two checkpoints."""
MOST_SKIPPED = 100
VALIDATION_CRYSTALS = 512
VALIDATION_SEED = 7


class Training:
    """One training in `folder`: network, optimiser, averaged weights, and the steps done so far."""

    def __init__(
        self, description: network.Description, *, seed: int, device: str, folder: Path, minutes: float = 0.0
    ) -> None:
        """`minutes` > 0 ends it by the clock, the learning rate following whichever of steps and time is nearer."""
        self.settings = description.configuration.training
        self.seed, self.device, self.folder = seed, torch.device(device), folder
        self.limit_s = 60.0 * minutes
        self.network = network.build(description, seed).to(self.device).train()
        self.weights = [p for p in self.network.parameters() if p.requires_grad]
        fused = self.device.type == "cuda"
        if fused:
            torch.set_float32_matmul_precision("high")
        self.optimiser = torch.optim.AdamW(
            self.weights,
            lr=self.settings.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=self.settings.weight_decay,
            fused=fused,
        )
        for weight in self.weights:
            # its own from the start: a replay hands out the same tensors again and again
            weight.grad = torch.zeros_like(weight)
        self.average = [w.detach().clone() for w in self.weights]
        self.objective = Replay(self.network)
        self.term_weights = weights(self.settings, self.device)
        self.side = torch.cuda.Stream() if fused else None
        self.state = checkpoint.State()
        folder.mkdir(parents=True, exist_ok=True)

    def resume(self) -> None:
        """Continue from the checkpoint in the folder, if there is one."""
        self.state = checkpoint.restore(self.folder, self.weights, self.average, self.optimiser)
        _cut_curve(self.folder / CURVE, self.state.step)

    def run(self, train: Store, validation: Store, progress: Progress) -> None:
        """All steps that are left; a line of the curve every `validate_every` steps, a checkpoint now and then."""
        train, validation = train.to(self.device), validation.to(self.device)
        began = saved = time.monotonic()
        before = self.state.seconds
        sums: list[Tensor] = []
        for terms in self._steps(train):
            sums.append(terms)
            self.state.seconds = before + time.monotonic() - began
            if self.state.step % self.settings.validate_every == 0 or self._over():
                self._report(torch.stack(sums).mean(0), validation, progress)
                sums.clear()
            if time.monotonic() - saved > CHECKPOINT_EVERY:
                self._save()
                saved = time.monotonic()
        self._save()

    def _steps(self, train: Store) -> Iterator[Tensor]:
        """The terms of each step that is left. The next task is prepared while a GPU still works at the last one."""
        schedule = self._schedule(train)
        ahead = self.settings.lattice != "predicted"
        task = self._task(train, next(schedule), self.state.step)
        while not self._over():
            terms, norm = self._gradients(task)
            following = self._task(train, next(schedule), self.state.step + 1) if ahead else None
            self._move(norm)
            self.state.step += 1
            task = following or self._task(train, next(schedule), self.state.step)
            yield terms

    def _schedule(self, train: Store) -> Iterator[Bucket]:
        """The batches that are left, epoch after epoch; the same from a checkpoint as without one."""
        homes = buckets(train.counts.tolist())
        first, epoch = self.state.step, 0
        while True:
            batches = epoch_batches(homes, self.settings.batch, (self.seed, epoch))
            yield from batches[first:]
            first = max(0, first - len(batches))
            epoch += 1

    def _over(self) -> bool:
        return self.share >= 1.0

    @property
    def share(self) -> float:
        """How much of the training is done, by steps or by the clock."""
        by_clock = self.state.seconds / self.limit_s if self.limit_s else 0.0
        return max(self.state.step / self.settings.steps, by_clock)

    def _task(self, train: Store, chosen: Bucket, step: int) -> Task:
        """Batch, noise and geometry of a step; on a GPU beside what it is doing."""
        if self.side is None:
            return self._prepared(train, chosen, step)
        now = torch.cuda.current_stream()
        with torch.cuda.stream(self.side):
            task = self._prepared(train, chosen, step)
        now.wait_stream(self.side)
        for tensor in task:
            tensor.record_stream(now)
        return task

    def _prepared(self, train: Store, chosen: Bucket, step: int) -> Task:
        s = self.settings
        generator = torch.Generator(self.device).manual_seed(1_000_003 * (self.seed + 1) + step)
        batch = train.batch(torch.from_numpy(chosen.indices).to(self.device), chosen.atoms)
        lattice = "true" if s.lattice == "predicted" and self.share < s.predicted_from else s.lattice
        return prepare(self.network, batch, s, generator, lattice=lattice)

    def _gradients(self, task: Task) -> tuple[Tensor, Tensor]:
        """The terms, and the norm of their gradient; where memory does not suffice, in smaller pieces."""
        while True:
            try:
                return self._accumulated(task)
            except torch.OutOfMemoryError:
                self._smaller(len(task.counts))

    def _accumulated(self, task: Task) -> tuple[Tensor, Tensor]:
        self.optimiser.zero_grad(set_to_none=False)
        size = len(task.counts)
        piece = self.state.micro or size
        values = torch.zeros(len(TERMS), device=self.device)
        for start in range(0, size, piece):
            part = Task(*(tensor[start : start + piece] for tensor in task))
            share = len(part.counts) / size
            terms = self.objective(part)
            (share * (self.term_weights * terms).sum()).backward()
            values += share * terms.detach()
        return values, torch.nn.utils.clip_grad_norm_(self.weights, self.settings.clip, foreach=True)

    def _move(self, norm: Tensor) -> None:
        if not bool(torch.isfinite(norm)):
            self._skipped()
            return
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        self.optimiser.step()
        with torch.no_grad():
            decay = min(self.settings.average_decay, (1.0 + self.state.step) / (10.0 + self.state.step))
            torch._foreach_lerp_(self.average, [w.detach() for w in self.weights], 1.0 - decay)

    def _skipped(self) -> None:
        self.state.skipped += 1
        if self.state.skipped > MOST_SKIPPED:
            raise InputError("the training diverges: lower the learning rate or the clip")

    def _smaller(self, size: int) -> None:
        self.state.micro = (self.state.micro or size) // 2
        if not self.state.micro:
            raise InputError("not one crystal fits into the device's memory: take fewer features or a shorter cutoff")
        self.objective.forget()
        torch.cuda.empty_cache()

    def rate(self) -> float:
        """Learning rate: linear warm-up, then half a cosine down to its final fraction."""
        s = self.settings
        warm = min(1.0, (self.state.step + 1) / max(s.warmup_steps, 1))
        fraction = s.final_rate + (1.0 - s.final_rate) * 0.5 * (1.0 + cos(pi * min(self.share, 1.0)))
        return s.learning_rate * warm * fraction

    def _report(self, train_terms: Tensor, validation: Store, progress: Progress) -> None:
        found = self.validation_terms(validation)
        trained = dict(zip(TERMS, train_terms.tolist(), strict=True))
        point = GeneratorCurvePoint(
            step=self.state.step,
            train_coordinates=trained["coordinates"],
            train_lattice=trained["lattice"],
            train_number=trained["number"],
            val_coordinates=found["coordinates"],
            val_lattice=found["lattice"],
            val_number=found["number"],
            val_types=found["types"],
            kl=trained["kl"],
            learning_rate=self.rate(),
            seconds=self.state.seconds,
        )
        with (self.folder / CURVE).open("a") as curve:
            curve.write(json.dumps(asdict(point)) + "\n")
        done = round(self.share * self.settings.steps)
        note = f"step {self.state.step}: coordinates {point.val_coordinates:.3f} on held-out crystals"
        progress(min(done, self.settings.steps), self.settings.steps, note)

    @torch.no_grad()
    def validation_terms(self, validation: Store) -> dict[str, float]:
        """Mean terms of the averaged weights over held-out crystals, the same noise every time."""
        self.swap()
        self.network.eval()
        generator = torch.Generator(self.device).manual_seed(VALIDATION_SEED)
        sums = torch.zeros(len(TERMS), device=self.device)
        crystals = 0
        for chosen in self._held_out(validation):
            task = prepare(self.network, validation.batch(chosen), self.settings, generator, lattice="true")
            sums += len(chosen) * self.objective.plain(task)
            crystals += len(chosen)
        self.network.train()
        self.swap()
        return dict(zip(TERMS, (sums / max(crystals, 1)).tolist(), strict=True))

    def _held_out(self, validation: Store) -> Iterator[Tensor]:
        counts = validation.counts.tolist()
        stride = max(1, len(counts) // VALIDATION_CRYSTALS)
        kept = set(range(0, len(counts), stride))
        for home in buckets(counts):
            some = [int(index) for index in home.indices if int(index) in kept]
            for start in range(0, len(some), 64):
                yield torch.tensor(some[start : start + 64], device=self.device)

    def swap(self) -> None:
        """Exchange the weights and their average."""
        with torch.no_grad():
            for weight, mean in zip(self.weights, self.average, strict=True):
                kept = weight.detach().clone()
                weight.copy_(mean)
                mean.copy_(kept)

    def _save(self) -> None:
        checkpoint.save(self.folder, self.state, self.weights, self.average, self.optimiser)


def _cut_curve(path: Path, step: int) -> None:
    if path.exists():
        kept = [line for line in path.read_text().splitlines() if _step_of(line) <= step]
        path.write_text("".join(line + "\n" for line in kept))


def _step_of(line: str) -> float:
    """The step of a line of the curve; none ever reaches that of a line which a crash tore."""
    try:
        return float(json.loads(line)["step"])
    except ValueError:
        return inf
