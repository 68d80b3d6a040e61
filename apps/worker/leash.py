"""`python leash.py PARENT COMMAND …`: become COMMAND, and die when the parent dies, even by SIGKILL.

A script of its own because it runs between fork and exec, where a process with threads may do nothing else.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Tie this process to `parent` (its pid), then replace it by `command`."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the worker is gone")
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
