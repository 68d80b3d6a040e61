"""What is told where a device has too little memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from kappakit.errors import Transient


@contextmanager
def device_memory() -> Iterator[None]:
    """Turn torch's OutOfMemoryError into a Transient that says what to do."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise Transient(
            "the GPU has too little free memory for the interaction strengths: try again when it is free, or choose "
            "the interaction “phono3py”, which runs on the processor"
        ) from error
