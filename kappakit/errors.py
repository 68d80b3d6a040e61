"""Failures, by who must act.

`Rejected`: this crystal is out, the job goes on. `Transient`: try again later. `InputError`: the person who asked
must change something. Anything else is a bug and keeps its traceback.
"""


class KappakitError(Exception):
    """Base of the failures that kappakit raises on purpose."""


class Rejected(KappakitError):
    """One crystal is out; `reason` is a stable code, the message is for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Transient(KappakitError):
    """The engine is busy or a node is lost: the same call may succeed later."""


class InputError(KappakitError):
    """What was asked cannot be done as it stands; the message says what to change."""


class DftFailure(KappakitError):
    """A DFT attempt gave no result. `kind`: 'input' | 'not_converged' | 'walltime' | 'memory' | 'lost' | 'engine'."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
