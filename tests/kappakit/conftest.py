"""One tiny generator for all tests of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from kappakit.ports import GeneratorRef
from tests.kappakit.small_crystals import train_tiny


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    train_tiny(folder)
    return folder


@pytest.fixture
def tiny(tiny_folder: Path) -> GeneratorRef:
    return GeneratorRef("cdvae", "tiny", str(tiny_folder))
