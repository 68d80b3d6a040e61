"""A stage that waits and repeats what it was given, or misbehaves as asked: for tests of the job engine only."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field

from kappakit.errors import InputError, Transient
from kappakit.ports import Engines
from kappakit.stages.table import STAGES, NoSettings, Stage


@dataclass(frozen=True)
class EchoInputs:
    """`words` come back after `seconds`; `misdeeds`: word → 'segfault' | 'bug' | 'input' | 'transient' | 'hang'."""

    words: tuple[str, ...]
    seconds: float = 0.0
    misdeeds: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EchoOutputs:
    """The words again; `file` holds them too, relative to the stage's folder."""

    words: tuple[str, ...]
    file: str


ECHO = Stage("echo", "kappakit.testing.echo", "1", EchoInputs, EchoOutputs, NoSettings)


def register() -> None:
    """Make the stage known to this process."""
    STAGES["echo"] = ECHO


def run(inputs: EchoInputs, settings: NoSettings, *, engines: Engines) -> EchoOutputs:
    """Wait in ten pieces, reporting each; then misbehave or echo."""
    for piece in range(10):
        engines.progress(piece, 10, f"piece {piece}")
        time.sleep(inputs.seconds / 10)
    for word in inputs.words:
        _misbehave(inputs.misdeeds.get(word, ""), word)
    with open("words.txt", "w") as file:
        file.write("\n".join(inputs.words))
    print(f"echo of {len(inputs.words)} words")
    return EchoOutputs(inputs.words, "words.txt")


def _misbehave(misdeed: str, word: str) -> None:
    if misdeed == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if misdeed == "bug":
        raise RuntimeError(f"{word} was never foreseen")
    if misdeed == "input":
        raise InputError(f"{word} cannot be echoed")
    if misdeed == "transient":
        raise Transient(f"no echo of {word} just now")
    if misdeed == "hang":
        time.sleep(3600)
