"""A GPU that is full says so in words."""

from __future__ import annotations

import pytest
import torch

from kappakit.engines.boltzmann.memory import device_memory
from kappakit.errors import Transient


@device_memory()
def full() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def test_too_little_memory_is_something_to_try_again_and_says_what_else_to_do() -> None:
    with pytest.raises(Transient, match="choose the interaction “phono3py”"):
        full()


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(ZeroDivisionError), device_memory():
        1 / 0  # noqa: B018
