"""Every error doxa raises, on one page.

DoxaError                   base; `hint` is the next step, `exit_code` what the command line returns
├── UsageError         2    the caller asked for something that does not exist or does not fit
│   └── DataError      2    a file, a row or an array is not what it should be
├── Incomplete         3    the run stopped early; the same command continues it
│   └── JournalError   3    the journal of a run cannot be read or written
├── Refused            4    the provider said no for good: key, quota, permission
├── Unanswered              the answer comes by a file: nothing may be made of its absence meanwhile
└── Unavailable             an ask cannot be had; becomes a confidence of None with this reason
    └── CallFailed          the model call behind the ask failed; counted as an error, never as a score
"""


class DoxaError(Exception):
    """Base of all errors: says what is wrong, and in `hint` what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(DoxaError):
    """The caller asked for something that does not exist or does not fit."""

    exit_code = 2


class DataError(UsageError):
    """A file, a row or an array is not what it should be."""


class Incomplete(DoxaError):
    """The run stopped before its end and can be resumed by the same command."""

    exit_code = 3


class JournalError(Incomplete):
    """The journal of a run cannot be read or written."""


class Refused(DoxaError):
    """The provider refused for good (authentication, permission, quota)."""

    exit_code = 4


class Unanswered(DoxaError):
    """The answer will come by a file; until then nothing may be made of its absence, not even a fallback."""


class Unavailable(DoxaError):
    """An ask that cannot be had: never recorded, or no access. Becomes `Confidence(None, reason=…)`."""


class CallFailed(Unavailable):
    """The model call behind an ask failed after all attempts: an error, never a score."""
