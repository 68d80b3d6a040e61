"""`python measure.py FOLDER COMMAND…`: run COMMAND on a cluster's node and write what it used to FOLDER/usage.json.

A script of its own, standard library only: the node has our folder and nothing else of the worker. Not every cluster
keeps accounts, and none keeps them for ever.
"""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

USAGE = "usage.json"


def main(folder: Path, command: list[str]) -> int:
    """The command's exit code, 128 + signal where it died by one. A wish to end is passed on to it."""
    begin = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    code = child.wait()
    _write(folder / USAGE, code, time.monotonic() - begin)
    return code if code >= 0 else 128 - code


def _write(file: Path, code: int, time_s: float) -> None:
    """Whole or not at all. Memory is that of the largest process, in MiB."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    record = {
        "exit_code": code,
        "time_s": round(time_s, 1),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "memory_mib": round(used.ru_maxrss / 1024, 1),
        "node": socket.gethostname(),
    }
    part = file.with_suffix(".part")
    part.write_text(json.dumps(record))
    os.replace(part, file)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
