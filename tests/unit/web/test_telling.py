"""The routes about who is told, and the store's backup."""

import json

from mailward.model.errors import PermanentFailure


def body(**members) -> bytes:
    return json.dumps(members).encode()


async def test_a_failure_that_trying_again_will_not_change_is_told_in_its_own_words(api, fake):
    async def cannot(path, *, actor):
        raise PermanentFailure(f"{path}: no space left on device")

    fake.backup = cannot
    answered = await api("POST", "/api/v1/backup", body=body(path="/full/a.db"))

    assert (500, "/full/a.db: no space left on device") == (answered.status, answered.json["detail"])


async def test_a_backup_answers_with_what_was_written(api, fake):
    answered = await api("POST", "/api/v1/backup", peer="root", body=body(path="/var/backups/a.db"))

    assert {"schema": 1, "written": "/var/backups/a.db: 4096 bytes"} == answered.json
    assert [("root", "/var/backups/a.db")] == fake.backups
    assert 400 == (await api("POST", "/api/v1/backup", body=b"{}")).status


async def test_a_test_of_one_channel_leaves_the_others_alone(api, fake):
    fake.channels = {"mail": "", "pager": "refused"}

    answered = await api("POST", "/api/v1/notify/test", body=body(channel="pager"))

    assert [("pager", "refused")] == [(one["channel"], one["last_error"]) for one in answered.json["items"]]
