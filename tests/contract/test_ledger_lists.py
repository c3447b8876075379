"""What `ports/ledger.py` promises of lists: one owner's records of one type, in id order, page by page."""

from typing import Any

import pytest

from smmu.domain.job import Job, State
from smmu.ports.ledger import Ledger, Page, Put, Query, Remove
from smmu.ports.platform import Platform
from smmu.ports.records import Stored, key_of
from tests.support.records import OTHER, OWNER, a_job, an_upload


@pytest.fixture
def ledger(platform: Platform) -> Ledger:
    return platform.ledger


async def put_jobs(ledger: Ledger, *names: str, **changed: Any) -> None:
    await ledger.commit([Put(value=a_job(name, **changed), expect=0) for name in names])


async def all_pages(ledger: Ledger, **asked: Any) -> tuple[list[str], list[Page[Job]]]:
    pages: list[Page[Job]] = []
    cursor: str | None = None
    while not pages or cursor is not None:
        pages.append(await ledger.query(Query(type=Job, **({"owner": OWNER} | asked), after=cursor)))
        cursor = pages[-1].cursor
    return [item.value.id for page in pages for item in page.items], pages


async def test_a_list_is_in_id_order_oldest_first(ledger: Ledger) -> None:
    await put_jobs(ledger, "job_c", "job_a", "job_b")
    assert (await all_pages(ledger))[0] == ["job_a", "job_b", "job_c"]


async def test_a_list_can_be_newest_first(ledger: Ledger) -> None:
    await put_jobs(ledger, "job_c", "job_a", "job_b")
    assert (await all_pages(ledger, newest=True))[0] == ["job_c", "job_b", "job_a"]


async def test_a_list_holds_one_owners_records_of_one_type(ledger: Ledger) -> None:
    await put_jobs(ledger, "job_a")
    await put_jobs(ledger, "job_b", owner=OTHER)
    await ledger.commit([Put(value=an_upload("job_c"), expect=0)])
    assert (await all_pages(ledger))[0] == ["job_a"]


async def test_an_empty_list_has_no_cursor(ledger: Ledger) -> None:
    assert (await all_pages(ledger))[1][-1] == Page(items=(), cursor=None)


async def test_a_list_carries_versions(ledger: Ledger) -> None:
    await put_jobs(ledger, "job_1")
    await ledger.commit([Put(value=a_job(progress=1), expect=1)])
    page = await ledger.query(Query(type=Job, owner=OWNER))
    assert page.items == (Stored(a_job(progress=1), 2),)


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_pages_are_within_the_limit_and_together_hold_everything_once(
    ledger: Ledger,
    limit: int,
    newest: bool,  # noqa: FBT001
) -> None:
    names = [f"job_{number}" for number in range(7)]
    await put_jobs(ledger, *names)
    found, pages = await all_pages(ledger, limit=limit, newest=newest)
    assert found == (names[::-1] if newest else names)
    assert all(len(page.items) <= limit for page in pages)


@pytest.mark.parametrize("newest", [False, True])
async def test_what_is_put_behind_the_cursor_is_still_found(ledger: Ledger, newest: bool) -> None:  # noqa: FBT001
    await put_jobs(ledger, "job_b", "job_c", "job_d")
    first = await ledger.query(Query(type=Job, owner=OWNER, limit=1, newest=newest))
    await put_jobs(ledger, "job_a", "job_e")
    assert first.cursor is not None
    rest = await ledger.query(Query(type=Job, owner=OWNER, after=first.cursor, newest=newest))
    names = [item.value.id for item in rest.items]
    assert names == (["job_c", "job_b", "job_a"] if newest else ["job_c", "job_d", "job_e"])


@pytest.mark.parametrize("newest", [False, True])
async def test_a_list_can_be_of_one_prefix(ledger: Ledger, newest: bool) -> None:  # noqa: FBT001
    names = ["job_", "job_1", "job_1/a", "job_1/b", "job_10", "job_2", "job_1\U0001f600", "zeta"]
    await put_jobs(ledger, *names)
    expected = sorted(name for name in names if name.startswith("job_1"))
    assert (await all_pages(ledger, prefix="job_1", newest=newest, limit=2))[0] == (
        expected[::-1] if newest else expected
    )


async def test_a_prefix_is_no_pattern(ledger: Ledger) -> None:
    await put_jobs(ledger, "a%b", "a_b", "axb", "a*b", "A_B")
    assert (await all_pages(ledger, prefix="a%"))[0] == ["a%b"]
    assert (await all_pages(ledger, prefix="a_"))[0] == ["a_b"]
    assert (await all_pages(ledger, prefix="a*"))[0] == ["a*b"]


async def test_a_list_can_be_of_one_state_and_one_kind(ledger: Ledger) -> None:
    await put_jobs(ledger, "job_1", "job_3", state=State.FAILED)
    await put_jobs(ledger, "job_2", "job_4", state=State.RUNNING, kind="image")
    await put_jobs(ledger, "job_5", state=State.RUNNING)
    assert (await all_pages(ledger, state="failed", limit=1))[0] == ["job_1", "job_3"]
    assert (await all_pages(ledger, kind="image", limit=1))[0] == ["job_2", "job_4"]
    assert (await all_pages(ledger, state="running", kind="video"))[0] == ["job_5"]
    assert (await all_pages(ledger, state="cancelled"))[0] == []


async def test_a_list_follows_a_change_of_state(ledger: Ledger) -> None:
    await put_jobs(ledger, "job_1")
    await ledger.commit([Put(value=a_job(state=State.FAILED), expect=1)])
    assert (await all_pages(ledger, state="created"))[0] == []
    assert (await all_pages(ledger, state="failed"))[0] == ["job_1"]


async def test_a_removed_record_is_in_no_list(ledger: Ledger) -> None:
    await put_jobs(ledger, "job_1", "job_2")
    await ledger.commit([Remove(key=key_of(a_job()), expect=1)])
    assert (await all_pages(ledger))[0] == ["job_2"]
