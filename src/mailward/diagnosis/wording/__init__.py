"""What servers of each vendor are known to say: tables, one file a vendor. New wordings go here, not into code."""

from mailward.diagnosis.wording import courier, cyrus, dovecot, exchange, hosted, nginx, plain_english
from mailward.diagnosis.wording.saying import Saying, first_fitting

#: In this order; what everybody says stands last.
SAYINGS: tuple[Saying, ...] = (
    *dovecot.SAYINGS,
    *nginx.SAYINGS,
    *cyrus.SAYINGS,
    *exchange.SAYINGS,
    *courier.SAYINGS,
    *hosted.SAYINGS,
    *plain_english.SAYINGS,
)

__all__ = ["SAYINGS", "Saying", "first_fitting"]
