"""The page of mailbox databases."""

from mailward.testing.copy_values import COPIES


async def test_it_shows_every_copy_with_its_state_and_marks_the_active_one(pages, text):
    shown = text(await pages.get("/databases"))

    assert shown.count('class="active"') == 2
    assert "Failed" in shown
    assert "lags 2 s" in shown
    assert "doveadm sync: No space left on device" in shown


async def test_each_database_can_be_moved_to_where_it_is_not(pages, text):
    shown = text(await pages.get("/databases"))

    assert 'action="/databases/DB1/move"' in shown
    assert "<option>mbx2</option>" in shown


async def test_a_viewer_is_offered_no_move(pages, text):
    assert "/move" not in text(await pages.get("/databases", viewer=True))


async def test_an_organization_without_second_copies_is_told_so_in_a_sentence(pages, text, fake):
    fake.copied = [COPIES[0]]

    shown = text(await pages.get("/databases"))

    assert "The database has one copy, so there is nowhere to move it." in shown
    assert "See what would be done" not in shown


async def test_an_organization_without_databases_is_told_so_in_a_sentence(pages, text, fake):
    fake.copied = []

    shown = text(await pages.get("/databases"))

    assert "No mailbox database is configured" in shown
    assert "<table" not in shown


async def test_what_is_looked_for_is_found_by_database_or_server(pages, text):
    shown = text(await pages.get("/databases", query={"q": "archive", "show": "all"}))

    assert 'id="db-db2"' in shown
    assert 'id="db-db1"' not in shown
