"""What is refused of a campaign, one class for each situation."""

from __future__ import annotations

from apps.core.errors import ApplicationError


class ProtocolRefused(ApplicationError):
    """`detail`: path of a field ('relax.max_steps') → what is wrong with it."""

    code = "protocol_refused"
    status = 400


class FieldRefused(ApplicationError):
    """`detail`: field → what is wrong with it."""

    code = "field_refused"
    status = 400


class NotReady(ApplicationError):
    """Something is missing before the campaign can start; the message says what to do."""

    code = "not_ready"
    status = 409
