"""nginx as a mail proxy (field notes §F): no response codes; an untagged BAD when its back end or auth_http fails."""

from mailward.diagnosis.wording.saying import LOGIN, Saying
from mailward.model.probing import Cause, Phase

SAYINGS: tuple[Saying, ...] = (
    Saying("internal server error", Cause.BACKEND_UNAVAILABLE, LOGIN | {Phase.GREETING, Phase.CAPABILITY}),
    Saying("invalid login or password", Cause.AUTH_REJECTED, LOGIN),
)
