"""The demo from its first command to its ranked table: real worker, real potential, real phonons, smallest protocol."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "kappaweb.cli", "demo", "--protocol", "smoke"]
LONGEST_S = 540


class Demo:
    """A home of its own and the demo's command run in it."""

    def __init__(self, home: Path) -> None:
        self.environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")}
        self.environment |= {"KAPPAWEB_HOME": str(home), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=PROJECT, env=self.environment, capture_output=True, text=True, timeout=LONGEST_S, check=False,
        )  # fmt: skip

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(COMMAND, cwd=PROJECT, env=self.environment, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return Demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def first(demo: Demo) -> subprocess.CompletedProcess[str]:
    return demo.run("--exit")


@pytest.fixture
def served(demo: Demo, first: subprocess.CompletedProcess[str]) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The finished demo, served: (process, address, all that it printed until then)."""
    process = demo.start()
    assert process.stdout is not None
    printed: list[str] = []
    for text in process.stdout:
        printed.append(text)
        if "Serving until Ctrl-C" in text:
            break
    found = re.search(r"http://127\.0\.0\.1:\d+/", "".join(printed))
    assert found, "".join(printed)
    yield process, found.group(), "".join(printed)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def test_the_demo_ends_with_a_ranked_table(first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    for words in ("κ_L at 300 K by RTA", "W/(m·K)", "diamond", "Fd-3m (227)", "carbon-laptop", "ssh -L", "login"):
        assert words in first.stdout


def test_every_step_of_the_method_was_taken(first: subprocess.CompletedProcess[str]) -> None:
    for title in ("Import crystals", "Generate crystals", "Relax", "Remove duplicates", "Compare with known crystals",
                  "Screen by size", "Energy above the hull", "Map (SOAP", "Diverse sample", "plan κ_L",
                  "Thermal conductivity κ_L", "Neighbours of good ones"):  # fmt: skip
        assert re.search(rf"^{re.escape(title)}.*: done", first.stdout, re.M) or f"{title}" in first.stdout, title


def test_a_finished_demo_is_served_again_without_being_run_again(
    served: tuple[subprocess.Popen[str], str, str],
) -> None:
    _, address, printed = served
    assert "Fd-3m (227)" in printed
    with urllib.request.urlopen(address, timeout=20) as page:
        assert page.status == 200


def test_a_second_demo_beside_it_points_to_the_first(
    demo: Demo, served: tuple[subprocess.Popen[str], str, str]
) -> None:
    started = time.monotonic()
    second = demo.run()
    assert second.returncode == 0
    assert served[1] in second.stdout
    assert time.monotonic() - started < 60
