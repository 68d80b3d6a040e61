"""`make dft`: an environment of its own for GPAW, compiled against libxc, FFTW and BLAS. May be repeated.

GPAW is free software under the GPL and brings its own numpy: kappaweb never imports it, it starts it as a program.
Where C headers are missing the Debian packages are named; as root on a Debian system they are installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "constraints-dft.txt"
WANTED = ("gpaw", "gpaw-data", "ase", "spglib")
HEADERS = {"xc.h": "libxc-dev", "cblas.h": "libopenblas-dev"}
"""What the compiler must find → the Debian package that brings it."""
LIBRARIES = ["xc", "openblas"]
FFTW_HEADER, FFTW_PACKAGE = "fftw3.h", "libfftw3-dev"
CHECK = """
import ase, gpaw, numpy
from gpaw import get_libraries, setup_paths
from gpaw.fftw import have_fftw
data = [path for path in setup_paths if list(path.glob("C.PBE*"))]
assert data, f"no PAW data set of carbon in {setup_paths}"
print(f"gpaw {gpaw.__version__}, ase {ase.__version__}, numpy {numpy.__version__}, libxc {get_libraries()['libxc']}, "
      f"FFTW {'yes' if have_fftw() else 'no'}, PAW data in {data[0]}")
"""


def home() -> Path:
    """dft/ in KAPPAWEB_HOME, which is var/ of the clone by default."""
    return Path(os.environ.get("KAPPAWEB_HOME", ROOT / "var")).resolve() / "dft"


def compiles(header: str) -> bool:
    """Whether g++ finds a header."""
    compiler = shutil.which("g++")
    if compiler is None:
        return False
    source = f"#include <{header}>\n"
    done = subprocess.run([compiler, "-x", "c++", "-E", "-"], input=source, capture_output=True, text=True, check=False)
    return done.returncode == 0


def missing() -> list[str]:
    """Debian packages that the build needs, and FFTW's, which makes it faster."""
    lacking = [] if shutil.which("g++") else ["g++"]
    lacking += [package for header, package in HEADERS.items() if not compiles(header)]
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        lacking.append("python3-dev")
    return lacking + ([] if compiles(FFTW_HEADER) else [FFTW_PACKAGE])


def install_packages(packages: list[str]) -> None:
    """By apt-get as root; what then still lacks is told, and ends the program unless it is FFTW alone."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", *packages], env=environment, check=False)
    if lacking := missing():
        print(f"to build GPAW, as root: apt-get install {' '.join(lacking)}", file=sys.stderr)
        if lacking != [FFTW_PACKAGE]:
            sys.exit(1)
        print("without FFTW it works, and an energy takes about 1.4 times as long", file=sys.stderr)


def siteconfig(*, fftw: bool) -> str:
    """GPAW's siteconfig.py: serial, C++ compiler, FFTW where it is there."""
    libraries = [*LIBRARIES, "fftw3"] if fftw else LIBRARIES
    return f"compiler = 'g++'\nmpi = False\nfftw = {fftw}\nscalapack = False\nlibraries = {libraries!r}\n"


def stamp(config: str) -> str:
    """Names what is installed: pins, configuration and the Python under it."""
    return hashlib.sha256((PINS.read_text() + config + sys.version).encode()).hexdigest()


def pinned(names: tuple[str, ...]) -> list[str]:
    """Requirements with the versions of constraints-dft.txt."""
    pins = dict(line.split("==") for line in PINS.read_text().splitlines() if "==" in line)
    return [f"{name}=={pins[name]}" for name in names]


def build(folder: Path, config: str) -> None:
    """A new environment in `folder`; GPAW is compiled there, which takes a minute or two."""
    venv.create(folder, with_pip=True, clear=True)
    with tempfile.TemporaryDirectory() as scratch:
        site = Path(scratch) / "siteconfig.py"
        site.write_text(config)
        command = [folder / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        # A wheel that pip kept from an earlier build may have been made without FFTW.
        command += ["--no-cache-dir", "--no-binary", "gpaw", "-c", PINS, *pinned(WANTED)]
        subprocess.run([str(part) for part in command], env=os.environ | {"GPAW_CONFIG": str(site)}, check=True)


def check(folder: Path) -> str:
    """Import GPAW and find its PAW data; raises CalledProcessError where that fails."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GPAW_")}
    command = [str(folder / "bin/python"), "-c", CHECK]
    return subprocess.run(command, env=clean, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Install unless the same is there already, and check."""
    folder = home()
    if packages := missing():
        install_packages(packages)
    config = siteconfig(fftw=compiles(FFTW_HEADER))
    mark = folder / "installed"
    if not mark.exists() or mark.read_text() != stamp(config):
        print(f"building GPAW in {folder}", flush=True)
        build(folder, config)
    print(f"GPAW is ready: {check(folder)}")
    mark.write_text(stamp(config))


if __name__ == "__main__":
    main()
