"""The host itself, as far as it can be restarted: everything goes away, and some seconds later it boots."""

import sys
import threading
import time
import uuid

from mailward.lab.supervisor.door import Door
from mailward.lab.supervisor.service import NotDone, Service


class Machine:
    """One lab host that can restart."""

    def __init__(self, service: Service, door: Door, *, down_seconds: float) -> None:
        """It has just booted; `boot` opens the door and starts the service."""
        self._service = service
        self._door = door
        self._down_seconds = down_seconds
        self._restarting = threading.Lock()
        self.boot_id = str(uuid.uuid4())
        """Another one after each boot, as Linux' own."""
        self.boots = 1

    def boot(self) -> None:
        """Let clients in and start the service, as at every boot."""
        self._service.power_on()
        self._door.open()
        threading.Thread(target=self._start_service, daemon=True).start()

    def restart(self) -> None:
        """Go down at once, with everything, and boot after the host's time."""
        if not self._restarting.acquire(blocking=False):
            return  # it is going down already
        try:
            self._door.shut()
            self._service.lose_power()
            time.sleep(self._down_seconds)
            self.boot_id, self.boots = str(uuid.uuid4()), self.boots + 1
            self.boot()
        finally:
            self._restarting.release()

    def _start_service(self) -> None:
        try:
            self._service.start()
        except NotDone as error:
            print(error, file=sys.stderr, flush=True)  # noqa: T201 - the supervisor's own log
