"""What people are told: what fires, what was resolved lately, and a page of each alert that stays."""

from starlette.requests import Request
from starlette.responses import Response

from mailward.model.alerting import AlertStatus
from mailward.model.identity import subject_of
from mailward.ports.manager import Manager
from mailward.web.pages.rendering import page
from mailward.web.requests import asked, in_path
from mailward.web.routes import Routes


async def _alerts(manager: Manager, request: Request) -> Response:
    asked(request).finish()
    found = await manager.alerts(resolved=True)
    return await page(
        manager,
        request,
        "alerts.html",
        firing=[alert for alert in found if alert.status is AlertStatus.FIRING],
        resolved=[alert for alert in found if alert.status is AlertStatus.RESOLVED],
    )


async def _alert(manager: Manager, request: Request) -> Response:
    asked(request).finish()
    story = await manager.alert(in_path(request, "key"))
    return await page(
        manager,
        request,
        "alert.html",
        alert=story.alert,
        notices=story.notices,
        monitors=[(key.server, subject_of(key)) for key in story.alert.monitors],
        is_firing=story.alert.status is AlertStatus.FIRING,
    )


READS: Routes = {"/alerts": _alerts, "/alerts/{key:path}": _alert}
