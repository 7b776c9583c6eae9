"""What people do to jobs and pools with one key or one button: who may, and what is said when it is done."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.actions import Target, Verb
from services.keys import Role


@dataclass(frozen=True, slots=True)
class Steer:
    """An act.

    Args:
        role: the least that may do it.
        outcome: what is said when it is done.
        own: uploaders may do it with what they have uploaded alone.
    """

    role: Role
    outcome: str
    own: bool = False


STEERS: Mapping[tuple[Verb, Target], Steer] = {
    (Verb.CANCEL, Target.JOB): Steer(
        Role.UPLOADER, "The job is cancelled, or its run is being stopped.", own=True
    ),
    (Verb.RETRY, Target.JOB): Steer(Role.UPLOADER, "The job is queued again.", own=True),
    (Verb.RUN_NOW, Target.JOB): Steer(Role.ADMIN, "The job runs as soon as there is a slot for it."),
    (Verb.PAUSE, Target.POOL): Steer(
        Role.ADMIN, "The pool is paused: runs at work go on, and nothing else starts."
    ),
    (Verb.PROBE, Target.POOL): Steer(Role.ADMIN, "One run is tried now; the pool goes on when it starts."),
    (Verb.RESUME, Target.POOL): Steer(Role.ADMIN, "The pool goes on."),
}  # fmt: skip
