"""Films play in a real browser, on a page of another origin, at the addresses that the service gives: to their end,
with seeking. HLS in a bare `<video>`, DASH in a player of somebody else's.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.browser import Browser, Page, chromium
from tests.support.clips import FAST, make
from tests.support.pages import page
from tests.support.served import serving, smmu

pytestmark = [pytest.mark.served, pytest.mark.browser]

SECONDS = 14
COLOURS = {1.0: (255, 0, 0), 8.0: (0, 255, 0), 13.0: (0, 0, 255)}  # when what is seen; 8.0 is in the second segment


SAID = (
    "1\n00:00:01,000 --> 00:00:04,000\nRed\n\n2\n00:00:06,000 --> 00:00:09,000\nGreen\n",
    "1\n00:00:01,000 --> 00:00:04,000\nRot\n\n2\n00:00:06,000 --> 00:00:09,000\nGrün & still\n",
)


@dataclass(frozen=True)
class Playing:
    """A film that is ready, a page elsewhere, and a browser."""

    urls: dict[str, str]
    origin: str
    browser: Browser

    def page(self) -> Page:
        opened = self.browser.page()
        opened.open(self.origin)
        return opened


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playing]:
    """Red for five seconds, green for five, blue for four; a tone in English, one in German, and texts for both.

    And a tone alone. And the film again when its largest rung was made once more: it is of two folders then.
    """
    folder = tmp_path_factory.mktemp("playing")
    colours = ";".join(
        f"color={name}:s=640x360:r=25:d={seconds}[{name}]"
        for name, seconds in (("0xff0000", 5), ("0x00ff00", 5), ("0x0000ff", 4))
    )
    joined = f"{colours};[0xff0000][0x00ff00][0x0000ff]concat=n=3:v=1:a=0"
    inputs = ["-f", "lavfi", "-i", joined]
    for at, hertz in enumerate((440, 880)):
        inputs += ["-f", "lavfi", "-i", f"sine=f={hertz}:d={SECONDS}"]
        (folder / f"{at}.srt").write_text(SAID[at], encoding="utf-8")
    inputs += [argument for at in (0, 1) for argument in ("-i", str(folder / f"{at}.srt"))]
    maps = [argument for at in range(5) for argument in ("-map", str(at))]
    tags = [f"-metadata:s:{kind}:{at}=language={tag}" for kind in "as" for at, tag in enumerate(("eng", "ger"))]
    tags = [argument for tag in tags for argument in tag.split("=", 1)]
    film = make(folder / "film.mkv", *inputs, *maps, *tags, *FAST, "-c:a", "aac", "-c:s", "srt")
    with page() as origin, serving(folder / "data", SMMU_ORIGINS=json.dumps([origin])) as server:
        song = make(folder / "song.flac", "-f", "lavfi", "-i", f"sine=f=330:r=44100:d={SECONDS}")
        urls, media_id = dict[str, str](), ""
        for file, prefix in ((song, "song-"), (film, "")):
            assert smmu("upload", file, "--watch", *server.options()).status == 0
            media_id = smmu("media", "list", *server.options()).out.split()[0]
            told = json.loads(smmu("media", "play", media_id, "--json", *server.options()).out)
            urls |= {f"{prefix}{name}": told[f"{name}_url"] for name in ("hls", "dash", "mp4")}
        remade = smmu("media", "redo", media_id, "360p", "--watch", *server.options())
        assert remade.status == 0, remade.err
        told = json.loads(smmu("media", "play", media_id, "--json", *server.options()).out)
        urls |= {f"remade-{name}": told[f"{name}_url"] for name in ("hls", "dash")}
        urls["remade-by"] = remade.out.strip()
        with chromium(folder / "browser.log") as browser:
            yield Playing(urls, origin, browser)


@pytest.mark.parametrize("name", ["hls", "dash", "mp4", "remade-hls", "remade-dash"])
def test_a_film_plays_to_its_end_with_seeking(playing: Playing, tmp_path: Path, name: str) -> None:
    opened = playing.page()
    begin = "beginWithPlayer" if name.endswith("dash") else "begin"
    shown = opened.evaluate(f"{begin}({json.dumps(playing.urls[name])})")
    assert (shown["width"] / shown["height"], shown["duration"]) == pytest.approx((16 / 9, SECONDS), abs=0.1)
    assert opened.evaluate("playFor(1)") >= 1
    for seconds in (8.0, 1.0, 13.0):
        assert opened.evaluate(f"seek({seconds})") == pytest.approx(seconds, abs=0.1)
        seen = colour_seen(opened, tmp_path / f"{name}-{seconds}.png")
        assert all(abs(ours - its) < 60 for ours, its in zip(seen, COLOURS[seconds], strict=True)), (seconds, seen)
    assert opened.evaluate("playToTheEnd()") == pytest.approx(SECONDS, abs=0.1)
    told = opened.evaluate("shown()")
    assert told["frames"] > 25
    assert opened.evaluate("video.error === null && video.ended")
    if name == "remade-dash":
        assert folders_of(opened, "/360p/") == {playing.urls["remade-by"]}
        assert len(folders_of(opened, "/audio/")) == 1
        assert folders_of(opened, "/audio/") != folders_of(opened, "/360p/")


def folders_of(opened: Page, part: str) -> set[str]:
    """The jobs in whose folders a player has found files that have this in their name."""
    script = "performance.getEntriesByType('resource').map(one => one.name)"
    names = [str(name) for name in opened.evaluate(script)]
    return {found[1] for name in names if part in name and (found := re.search(r"/(job_[0-9a-z]+)-a1/", name))}


@pytest.mark.parametrize("name", ["hls", "dash"])
def test_a_player_offers_every_text_and_sound_and_shows_what_is_chosen(
    playing: Playing, tmp_path: Path, name: str
) -> None:
    opened = playing.page()
    opened.evaluate(f"beginWithPlayer({json.dumps(playing.urls[name])})")
    languages = [["de", "German"], ["en", "English"]]
    assert opened.evaluate("menu()") == {"texts": languages, "sounds": languages}
    assert opened.evaluate("fetched('/audio/hls-audio-2/seg-')") == 0
    before = letters_seen(opened, tmp_path / f"{name}-before.png")
    opened.evaluate("choose('de', '/audio/hls-audio-2/seg-')")
    opened.evaluate("seek(8)")
    assert opened.evaluate("textShown()") == "Grün & still"
    assert letters_seen(opened, tmp_path / f"{name}-after.png") > before == 0
    assert opened.evaluate("playFor(1)") >= 1


def letters_seen(opened: Page, target: Path) -> int:
    """White points in the lower third of a picture that has none."""
    opened.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    with Image.open(opened.photograph(target)) as picture:
        lower = np.asarray(picture.convert("RGB").crop((0, 320, 854, 480)))
    return int((lower.min(axis=2) > 200).sum())


@pytest.mark.parametrize("name", ["song-hls", "song-dash", "song-mp4"])
def test_a_sound_plays_to_its_end_with_seeking(playing: Playing, name: str) -> None:
    opened = playing.page()
    begin = "beginWithPlayer" if name == "song-dash" else "begin"
    shown = opened.evaluate(f"{begin}({json.dumps(playing.urls[name])})")
    assert (shown["width"], shown["height"]) == (0, 0)
    assert shown["duration"] == pytest.approx(SECONDS, abs=0.1)
    assert opened.evaluate("playFor(0.5)") >= 0.5
    assert opened.evaluate("seek(12.5)") == pytest.approx(12.5, abs=0.1)
    assert opened.evaluate("playToTheEnd()") == pytest.approx(SECONDS, abs=0.1)
    assert opened.evaluate("video.error === null && video.ended && video.webkitAudioDecodedByteCount > 0")


def colour_seen(opened: Page, target: Path) -> tuple[int, ...]:
    """The colour in the middle of the picture, as the screen has it."""
    opened.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    with Image.open(opened.photograph(target)) as picture:
        found = picture.convert("RGB").getpixel((427, 240))
    assert isinstance(found, tuple)
    return found


def test_a_page_that_was_not_let_in_can_show_a_film_and_not_read_it(playing: Playing) -> None:
    with page() as elsewhere:
        opened = playing.browser.page()
        opened.open(elsewhere)
        assert opened.evaluate(f"begin({json.dumps(playing.urls['hls'])})")["width"] > 0
        assert opened.evaluate("playFor(1)") >= 1
        script = f"fetch({json.dumps(playing.urls['dash'])}).then(() => 'read', () => 'refused')"
        assert opened.evaluate(script) == "refused"
