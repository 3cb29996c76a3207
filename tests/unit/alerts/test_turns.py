from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mailward.alerts.settings import EscalationSettings
from mailward.alerts.turns import News, after_telling, is_higher, news
from mailward.model.alerting import Turns, Urgency

BEGIN = datetime(2026, 11, 24, 2, 14, tzinfo=UTC)
SITUATIONS = st.tuples(
    st.timedeltas(timedelta(seconds=1), timedelta(hours=8)),
    st.sampled_from(Urgency),
    st.sampled_from(["", "approval 1", "approval 2", "escalated"]),
)


@given(
    situations=st.lists(SITUATIONS, max_size=60), repeat_after=st.timedeltas(timedelta(minutes=1), timedelta(days=2))
)
def test_whatever_happens_nobody_is_told_twice_of_the_same_within_the_repeat_interval(situations, repeat_after):
    settings = EscalationSettings(repeat_after=repeat_after)
    turns, now, told = Turns(), BEGIN, []
    for passed, urgency, standing in situations:
        now += passed
        what = news(turns, urgency=urgency, standing=standing, starts_at=BEGIN, now=now, settings=settings)
        if what is not None:
            turns = after_telling(turns, what, urgency=urgency, standing=standing, now=now)
            told.append((now, what, urgency, standing))

    assert len(told) == turns.number
    assert [News.NEW] == [what for _, what, _, _ in told][:1] or not told
    for (before, _, _, _), (after, what, _, _) in pairwise(told):
        assert what is not News.NEW
        assert what is not News.REPEATED or after - before >= repeat_after
    risen = [urgency for _, what, urgency, standing in told if what is News.MORE_URGENT and not standing]
    assert all(is_higher(later, earlier) for earlier, later in pairwise(risen))


def test_a_repeat_comes_at_least_once_a_day():
    settings = EscalationSettings(repeat_after=timedelta(hours=4))
    turns = Turns(number=30, last_at=BEGIN, urgency=Urgency.CRITICAL, repeats=29)

    def at(after: timedelta) -> News | None:
        return news(turns, urgency=Urgency.CRITICAL, standing="", starts_at=BEGIN, now=BEGIN + after, settings=settings)

    assert (None, News.REPEATED) == (at(timedelta(hours=23, minutes=59)), at(timedelta(hours=24)))


def test_a_longer_interval_of_ones_own_is_kept():
    settings = EscalationSettings(repeat_after=timedelta(days=3))
    turns = Turns(number=1, last_at=BEGIN, urgency=Urgency.WARNING)

    def at(after: timedelta) -> News | None:
        return news(turns, urgency=Urgency.WARNING, standing="", starts_at=BEGIN, now=BEGIN + after, settings=settings)

    assert (None, News.REPEATED) == (at(timedelta(days=2)), at(timedelta(days=3)))
