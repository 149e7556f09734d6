"""What can go wrong outside a verdict, and whose fault it is.

ConformanceError
  CannotStart              the run cannot begin                                 exit 4
    ProfileError           the profile, an option or an environment variable is wrong
  TranscriptError          a saved transcript cannot be read                    exit 4
  HarnessError             the suite did something wrong                        exit 3
    InvalidClientEvent     a scenario sent what the client-event schema forbids

A protocol violation is never an exception: it is a finding.
"""


class ConformanceError(Exception):
    """Something went wrong that is not a verdict about the target."""


class CannotStart(ConformanceError):
    """The run cannot begin; the message says what to do."""


class ProfileError(CannotStart):
    """The profile, an option or an environment variable is wrong."""


class TranscriptError(ConformanceError):
    """A saved transcript cannot be read."""


class HarnessError(ConformanceError):
    """The suite itself did something wrong."""


class InvalidClientEvent(HarnessError):
    """A scenario sent, without saying so, what the client-event schema forbids."""
