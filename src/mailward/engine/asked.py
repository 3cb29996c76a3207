"""Who waits for the next result of a probe."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence

from mailward.model.errors import NotFound
from mailward.model.probing import ProbeResult
from mailward.monitors.samples import ProbeKey

Answer = asyncio.Future[ProbeResult]


class Asked:
    """Those who asked for a probe to be run, until it has been."""

    def __init__(self) -> None:
        """Nobody waits."""
        self._waiting: defaultdict[ProbeKey, list[Answer]] = defaultdict(list)

    def wait_for(self, key: ProbeKey) -> Answer:
        """What the next run of that probe, from its beginning on, will answer."""
        answer: Answer = asyncio.get_running_loop().create_future()
        self._waiting[key].append(answer)
        return answer

    def take(self, key: ProbeKey) -> Sequence[Answer]:
        """Whom the run that begins now answers; who asks from now on waits for the next."""
        return self._waiting.pop(key, ())

    def keep_only(self, planned: Collection[ProbeKey]) -> None:
        """Tell those who wait for any other probe that it is not run any more."""
        for key in self._waiting.keys() - set(planned):
            for answer in self._waiting.pop(key):
                if not answer.done():
                    answer.set_exception(NotFound(f"{key} is not run any more"))


def tell(answers: Sequence[Answer], result: ProbeResult) -> None:
    """Give everybody the result who still waits for it."""
    for answer in answers:
        if not answer.done():
            answer.set_result(result)
