"""The promises of `ports/search.py`."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smmu.domain.search import matches, tokens
from smmu.ports.platform import Platform
from smmu.ports.search import SearchIndex

MINE, NEWER, OTHERS = "med_1", "med_2", "med_3"


@pytest.fixture
def index(platform: Platform) -> SearchIndex:
    return platform.search


async def found(index: SearchIndex, question: str, owner: str = "ada", **more: Any) -> list[str]:
    return [*await index.find(owner, tokens(question), **{"after": None, "limit": 10, **more})]


async def test_each_word_has_to_begin_one(index: SearchIndex) -> None:
    await index.put("ada", MINE, tokens("Holiday in Örebro.mp4"))
    assert await found(index, "holi OREB") == [MINE]
    assert await found(index, "holiday oslo") == []
    assert await found(index, "liday") == []
    assert await found(index, "") == []


async def test_the_newest_comes_first_and_pages_go_on(index: SearchIndex) -> None:
    for media_id in (MINE, NEWER, OTHERS):
        await index.put("ada", media_id, tokens("same words"))
    assert await found(index, "same words") == [OTHERS, NEWER, MINE]
    assert await found(index, "same", limit=2) == [OTHERS, NEWER]
    assert await found(index, "same", after=NEWER) == [MINE]


async def test_nobody_finds_anybody_elses(index: SearchIndex) -> None:
    await index.put("eve", OTHERS, tokens("secret"))
    assert await found(index, "secret") == []
    await index.remove("ada", OTHERS)
    assert await found(index, "secret", owner="eve") == [OTHERS]


async def test_what_is_put_again_loses_what_it_had(index: SearchIndex) -> None:
    await index.put("ada", MINE, tokens("old name"))
    await index.put("ada", MINE, tokens("new name"))
    assert (await found(index, "old"), await found(index, "new")) == ([], [MINE])


async def test_what_is_removed_is_not_found_and_removing_it_again_is_fine(index: SearchIndex) -> None:
    await index.put("ada", MINE, tokens("gone"))
    await index.remove("ada", MINE)
    await index.remove("ada", MINE)
    assert await found(index, "gone") == []


async def test_every_index_finds_what_the_domain_says_it_should(index: SearchIndex) -> None:
    texts = ["été à Zürich", "日本の空", "x" * 60, "naïve_café-42.mov", "\U0001d54f\U0010ffff end", "Straße", "ﬁlm"]
    for number, text in enumerate(texts):
        await index.put("ada", f"med_{number}", tokens(text))
    for question in ("ete zur", "日", "空 本", "x" * 50, "cafe 42", "STRASSE", "film", "end", "mo na", "€"):
        expected = [
            f"med_{n}" for n, text in enumerate(texts) if tokens(question) and matches(tokens(question), tokens(text))
        ]
        assert await found(index, question) == expected[::-1], question


# --- what a word is


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80))
def test_a_text_is_found_by_itself_and_by_its_shouted_self(text: str) -> None:
    assert matches(tokens(text), tokens(text))
    assert tokens(text) == tokens(text.casefold())


def test_words_are_found_without_case_accents_and_marks() -> None:
    assert tokens("L'été, EN  Forêt_noire.MP4") == {"l", "ete", "en", "foret", "noire", "mp4"}
    assert tokens("東京タワー2024") >= {"東", "京", "タ", "2024"}
