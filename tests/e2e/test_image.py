"""A picture on request from a real server: decoded in the isolated child, and a picture indeed."""

import io
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from PIL import Image

from tests.e2e.conftest import Files
from tests.support.served import Server, pause, smmu

pytestmark = pytest.mark.served


def test_a_picture_is_made_in_the_size_that_is_asked_for(server: Server, files: Files) -> None:
    assert smmu("upload", files.photo, "--watch", *server.options("ida")).status == 0
    [known] = json.loads(smmu("media", "list", "--json", *server.options("ida")).out)["media"]
    asked = {"w": "64", "h": "64", "fit": "cover", "format": "avif"}

    def get(_: int) -> httpx.Response:
        url = f"{server.url}/media/{known['media_id']}/image"
        headers = {"authorization": f"Bearer {server.token('ida')}"}
        return httpx.get(url, params=asked, headers=headers, follow_redirects=True, timeout=60)

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(get, range(3)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    picture = Image.open(io.BytesIO(answers[0].content), formats=["AVIF"])
    assert picture.size == (48, 48)  # the photo is 64 × 48, and nothing is enlarged
    pause(0.5)  # lines are written a moment after what they tell of
    assert server.log.read_text().count('"variant_made"') == 1
