"""The page of a month's availability, and the same as CSV."""

import csv
import io
from dataclasses import replace

import pytest

from mailward.testing.availability_values import AVAILABILITY, PROXY
from mailward.web.pages.availability import COLUMNS, as_csv, percent_text


async def test_the_month_is_told_with_each_outage_and_what_mended_it(pages, text):
    shown = text(await pages.get("/availability", query={"month": "2026-11"}))

    told = (
        "99.895 %",
        "all customer touch points",
        "not measured",
        "the proxy proxy1 answers nobody",
        "/recoveries/1",
        "How this is computed",
    )
    assert [] == [one for one in told if one not in shown]


async def test_without_a_month_it_is_this_one(pages, text):
    assert "Availability in 2026-11" in text(await pages.get("/availability"))


async def test_the_rows_can_be_searched(pages, text):
    shown = text(await pages.get("/availability", query={"q": "IMAP.Protocol"}))

    assert 'href="/servers/mbx2"' in shown
    assert "customer touch point</span>" not in shown


@pytest.mark.parametrize("path", ["/availability", "/availability.csv"])
async def test_what_is_no_month_is_refused(pages, path):
    assert 409 == (await pages.get(path, query={"month": "<b>"})).status


async def test_the_month_can_be_downloaded(pages, text):
    answered = await pages.get("/availability.csv", query={"month": "2026-11"})

    assert 'attachment; filename="availability-2026-11.csv"' == answered.headers["content-disposition"]
    assert as_csv(AVAILABILITY) == text(answered)


def test_the_csv_holds_every_row_in_whole_seconds():
    header, overall, *rows = csv.reader(io.StringIO(as_csv(AVAILABILITY)))

    assert list(COLUMNS) == header
    assert [
        "2026-11",
        "all customer touch points",
        "IMAP",
        "99.895833",
        "1726200",
        "1800",
        "172800",
        "129600",
        "yes",
        "",
    ] == overall
    assert [("proxy1", "1"), ("mbx2", "")] == [(row[1], row[-1]) for row in rows]


def test_a_name_that_a_spreadsheet_would_compute_is_text():
    report = replace(AVAILABILITY, overall=None, rows=(replace(PROXY, server="=1+1"),))

    assert "'=1+1" in as_csv(report)


@pytest.mark.parametrize(
    ("percent", "told"),
    [(None, "not measured"), (100.0, "100 %"), (99.99999, "99.999 %"), (0.0, "0.000 %"), (99.95, "99.950 %")],
)
def test_a_figure_is_never_rounded_up_to_hundred(percent, told):
    assert told == percent_text(replace(PROXY, percent=percent))
