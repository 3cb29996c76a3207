from datetime import UTC, timedelta

from mailward.platforms.local.system_clock import SystemClock


def test_the_clock_tells_an_aware_moment_in_utc():
    assert (UTC, timedelta(0)) == (SystemClock().now().tzinfo, SystemClock().now().utcoffset())
