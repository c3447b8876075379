"""Playing over HTTP: one address, everything below it relative, and media bytes from the storage alone."""

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from smmu import wire
from smmu.adapters.inmemory.identity import StaticVerifier
from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.system import FixedClock
from smmu.application.system import assemble
from smmu.domain import passes
from smmu.domain.facts import Kind
from smmu.domain.limits import Limits
from smmu.domain.media import Media
from smmu.domain.passes import Pass
from smmu.entrypoints.api.app import create_app
from smmu.ports.delivery import Cookie, Delivery
from smmu.ports.ledger import Put
from smmu.ports.platform import Capability
from smmu.ports.records import Key
from tests.support.deployment import Ledgerless
from tests.support.service import BASE, CLIP, TOKENS, Service, a_service, completed, ended, is_problem

PAGE = "https://page.example"
HOURS = 3_600


async def played(service: Service, client: httpx.AsyncClient, data: bytes = CLIP, **changed: Any) -> dict[str, Any]:
    """The media's id and where it plays."""
    made = await completed(client, data, **changed)
    async with service.working():
        await ended(client, made["job_id"])
    answer = await client.post(f"/media/{made['media_id']}/playback")
    assert answer.status_code == 200, answer.text
    return {"media_id": made["media_id"], "job_id": made["job_id"], **answer.json()}


@pytest.fixture
async def film(service: Service, client: httpx.AsyncClient) -> dict[str, Any]:
    return await played(service, client)


@pytest.fixture
def player(service: Service) -> httpx.AsyncClient:
    """Whoever has an address; it sends no token."""
    return service.client(None)


async def test_a_film_plays_at_addresses_that_need_no_token(
    client: httpx.AsyncClient, film: dict[str, Any], player: httpx.AsyncClient
) -> None:
    answer = await client.post(f"/media/{film['media_id']}/playback")
    found = wire.PlaybackAnswer.model_validate_json(answer.content)
    assert answer.headers["cache-control"] == "private, no-store"
    assert found.hls_url is not None
    assert found.hls_url.startswith(f"{BASE}/play/")
    playlist = await player.get(found.hls_url)
    assert playlist.status_code == 200
    assert playlist.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert playlist.headers["x-content-type-options"] == "nosniff"
    assert playlist.headers["cache-control"] == "private, max-age=300"


async def test_playlists_are_served_as_they_are_stored(
    service: Service, client: httpx.AsyncClient, film: dict[str, Any], player: httpx.AsyncClient
) -> None:
    for name, url in (("hls", film["hls_url"]), ("dash", film["dash_url"])):
        stored = await client.get(f"/media/{film['media_id']}/renditions/{name}", follow_redirects=True)
        assert (await player.get(url)).content == stored.content
        head = await player.head(url, headers={"accept-encoding": "identity"})
        assert (head.status_code, head.content) == (200, b"")
        assert int(head.headers["content-length"]) == len(stored.content)
    assert len(service.world.objects.rows) > 10


async def test_playlists_are_sent_compressed_to_who_takes_that(film: dict[str, Any], player: httpx.AsyncClient) -> None:
    plain = await player.get(film["hls_url"], headers={"accept-encoding": "br, gzip;q=0"})
    packed = await player.get(film["hls_url"], headers={"accept-encoding": "br, gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"


async def test_a_playlist_that_is_known_is_not_sent_again(film: dict[str, Any], player: httpx.AsyncClient) -> None:
    first = await player.get(film["hls_url"])
    again = await player.get(film["hls_url"], headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_what_a_playlist_names_is_found_relative_to_it(film: dict[str, Any], player: httpx.AsyncClient) -> None:
    answer = await player.get(urljoin(film["hls_url"], "720p/index.m3u8"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"


async def test_bytes_of_media_never_pass_through_the_api(film: dict[str, Any], player: httpx.AsyncClient) -> None:
    answer = await player.get(film["mp4_url"], headers={"range": "bytes=0-3"})
    assert (answer.status_code, answer.content) == (307, b"")
    assert answer.headers["location"].startswith(f"{BASE}/blobs/")
    assert answer.headers["cache-control"] == "private, max-age=300"
    found = await player.get(answer.headers["location"], headers={"range": "bytes=0-3"})
    assert (found.status_code, len(found.content)) == (206, 4)
    assert found.headers["content-type"] == "video/mp4"
    assert (await player.head(film["mp4_url"])).status_code == 307


@pytest.mark.parametrize(
    "path",
    ["", "manifest-1.json", "../manifest-1.json", "plan-1.json", "video-1/renditions.json", "%2e%2e/x", "video-1//x"],
)
async def test_only_what_the_manifest_lists_is_reachable(
    film: dict[str, Any], player: httpx.AsyncClient, path: str
) -> None:
    root = film["hls_url"].split("/play/")[0] + "/play/" + film["hls_url"].split("/play/")[1].split("/")[0]
    is_problem(await player.get(f"{root}/{path}"), 404, "not_found")


async def test_the_pass_lives_the_duration_and_six_hours() -> None:
    clock = FixedClock()
    service = a_service(clock=clock, limits=Limits(chunks_from_seconds=2 * HOURS))
    async with service.client() as client, service.client(None) as player:
        film = await played(service, client, pretend_file(duration_s=HOURS))
        expires_at = wire.PlaybackAnswer.model_validate(film).expires_at.timestamp()
        assert expires_at == clock.now() + 7 * HOURS
        clock.advance(7 * HOURS - 1)
        assert (await player.get(film["hls_url"])).status_code == 200
        assert (await player.get(film["mp4_url"])).headers["cache-control"] == "private, max-age=0"
        clock.advance(1)
        problem = is_problem(await player.get(film["hls_url"]), 403, "url_refused")
        assert problem["detail"] == "This address cannot be used: its time is over. Ask for a new one."
        assert problem["instance"] == "/play"


@pytest.mark.parametrize("change", ["x{}", "{}x", "{}.x", "x", "a.b", "%F0%9F%98%80"])
async def test_a_pass_that_was_tampered_with_opens_nothing(
    film: dict[str, Any], player: httpx.AsyncClient, change: str
) -> None:
    token = film["hls_url"].split("/play/")[1].split("/")[0]
    url = film["hls_url"].replace(token, change.format(token))
    problem = is_problem(await player.get(url), 403, "url_refused")
    assert problem["detail"] == "This address cannot be used: it was not signed here. Ask for a new one."


async def test_another_owner_gets_no_pass_and_a_pass_opens_nobody_elses(
    service: Service, film: dict[str, Any], player: httpx.AsyncClient
) -> None:
    grace = service.client("grace")
    is_problem(await grace.post(f"/media/{film['media_id']}/playback"), 404, "not_found")
    secret = await service.system.platform.secrets.secret(passes.SECRET)
    token = film["hls_url"].split("/play/")[1].split("/")[0]
    ours = passes.unseal(token, secret)
    assert ours is not None
    forged = passes.seal(
        Pass(owner="grace", media_id=ours.media_id, manifest=ours.manifest, expires_at=ours.expires_at), secret
    )
    is_problem(await player.get(film["hls_url"].replace(token, forged)), 404, "not_found")


async def test_who_is_playing_goes_on_playing_what_it_began_with(
    service: Service, client: httpx.AsyncClient, film: dict[str, Any], player: httpx.AsyncClient
) -> None:
    """Whatever revision has come since: here one that lists nothing."""
    began = (await player.get(film["hls_url"])).content
    platform = service.system.platform
    stored = await platform.ledger.load(Key(Media, "ada", film["media_id"]))
    assert stored is not None
    empty = await platform.objects.put("media/ada/x/manifest-2.json", b'{"renditions": []}', content_type="x/y")
    later = replace(stored.value, revision=2, manifest=empty, renditions=(), playable=False)
    await platform.ledger.commit([Put(value=later, expect=stored.version)])
    assert (await player.get(film["hls_url"])).content == began
    is_problem(await client.post(f"/media/{film['media_id']}/playback"), 409, "not_playable")


async def test_what_was_deleted_does_not_play_any_more(
    client: httpx.AsyncClient, film: dict[str, Any], player: httpx.AsyncClient
) -> None:
    assert (await player.get(film["hls_url"])).status_code == 200
    await client.delete(f"/media/{film['media_id']}")
    for url in (film["hls_url"], film["dash_url"], film["mp4_url"]):
        is_problem(await player.get(url), 404, "not_found")
    is_problem(await client.post(f"/media/{film['media_id']}/playback"), 404, "not_found")


async def test_what_is_not_ready_or_does_not_play_says_so(service: Service, client: httpx.AsyncClient) -> None:
    made = await completed(client)
    problem = is_problem(await client.post(f"/media/{made['media_id']}/playback"), 409, "not_playable")
    assert problem["detail"] == "There is nothing to play: the media is processing."
    refused = pretend_file(Kind.IMAGE, size=2_000, refuse="rejected_corrupt")
    made = await completed(client, refused, filename="photo.jpg", content_type="image/jpeg")
    async with service.working():
        await ended(client, made["job_id"])
    is_problem(await client.post(f"/media/{made['media_id']}/playback"), 409, "not_playable")


async def test_a_picture_is_shown_in_any_size_at_an_address_that_needs_no_token(
    service: Service, client: httpx.AsyncClient, player: httpx.AsyncClient
) -> None:
    data = pretend_file(Kind.IMAGE, size=2_000, width=800, height=600)
    photo = await played(service, client, data, filename="photo.jpg", content_type="image/jpeg")
    assert (photo["hls_url"], photo["dash_url"], photo["mp4_url"]) == (None, None, None)
    assert photo["image_url"].startswith(f"{BASE}/play/")
    answer = await player.get(photo["image_url"], params={"w": "320", "format": "jpeg"})
    assert answer.status_code == 307
    assert answer.headers["cache-control"].startswith("private, max-age=")
    assert (await player.get(answer.headers["location"])).headers["content-type"] == "image/jpeg"
    is_problem(await player.get(photo["image_url"], params={"w": "321"}), 422, "invalid_variant")
    is_problem(await player.get(photo["image_url"].replace("/play/", "/play/x")), 403, "url_refused")
    await client.delete(f"/media/{photo['media_id']}")
    is_problem(await player.get(photo["image_url"], params={"w": "320"}), 404, "not_found")


@pytest.mark.parametrize(("left", "lives", "kept"), [(HOURS, 900, 300), (100, 100, 50), (1, 1, 0)])
async def test_where_a_picture_is_lives_no_longer_than_the_pass(left: int, lives: int, kept: int) -> None:
    clock = FixedClock()
    service = a_service(clock=clock)
    async with service.client() as client, service.client(None) as player:
        data = pretend_file(Kind.IMAGE, size=2_000, width=800, height=600)
        photo = await played(service, client, data, filename="photo.jpg", content_type="image/jpeg")
        clock.advance(6 * HOURS - left)
        answer = await player.get(photo["image_url"], params={"w": "320"})
        assert answer.headers["cache-control"] == f"private, max-age={kept}"
        clock.advance(lives - 0.5)
        assert (await player.get(answer.headers["location"])).status_code == 200
        clock.advance(0.5)
        is_problem(await player.get(answer.headers["location"]), 403, "url_refused")


async def test_no_address_is_given_of_pictures_where_nobody_makes_them(
    service: Service, client: httpx.AsyncClient, film: dict[str, Any]
) -> None:
    data = pretend_file(Kind.IMAGE, size=2_000, width=800, height=600)
    photo = await played(service, client, data, filename="photo.jpg", content_type="image/jpeg")
    platform = service.system.platform
    able = platform.capabilities | {Capability.ORCHESTRATES}
    served = replace(platform, orchestrator=Ledgerless(), pictures=None, capabilities=able)
    system = assemble(served, PretendEngine(), Limits(), service.telemetry)
    async with replace(service, app=create_app(system, StaticVerifier(TOKENS, service.clock))).client() as other:
        is_problem(await other.post(f"/media/{photo['media_id']}/playback"), 501, "not_made_here")
        assert (await other.post(f"/media/{film['media_id']}/playback")).status_code == 200


async def test_a_link_that_is_short_is_not_kept_for_long() -> None:
    service = a_service(limits=Limits(read_url_seconds=60), clock=FixedClock())
    async with service.client() as client, service.client(None) as player:
        data = pretend_file(Kind.IMAGE, size=2_000, width=800, height=600)
        photo = await played(service, client, data, filename="photo.jpg", content_type="image/jpeg")
        answer = await player.get(photo["image_url"], params={"w": "320"})
    assert answer.headers["cache-control"] == "private, max-age=30"


async def test_a_sound_plays_as_a_stream_and_as_its_aac(
    service: Service, client: httpx.AsyncClient, player: httpx.AsyncClient
) -> None:
    song = await played(
        service, client, pretend_file(Kind.AUDIO, size=2_000), filename="s.mp3", content_type="audio/mpeg",
        options={"audio_formats": ["opus", "mp3"]},
    )  # fmt: skip
    assert (await player.get(song["hls_url"])).status_code == 200
    assert (await player.get(song["dash_url"])).status_code == 200
    assert song["mp4_url"].endswith(".m4a")
    assert (await player.get(song["mp4_url"])).status_code == 307


async def test_a_film_whose_rungs_are_all_too_large_for_one_file_plays_as_a_stream(
    service: Service, client: httpx.AsyncClient, player: httpx.AsyncClient
) -> None:
    large = pretend_file(size=2_000, width=3840, height=2160)
    film = await played(service, client, large, options={"rungs": [2160]})
    assert film["mp4_url"] is None
    assert (await player.get(film["hls_url"])).status_code == 200


async def test_a_page_that_is_let_in_may_play() -> None:
    service = a_service(origins=[PAGE])
    async with service.client() as client, service.client(None) as player:
        film = await played(service, client)
        for url in (film["hls_url"], film["mp4_url"]):
            answer = await player.get(url, headers={"origin": PAGE})
            assert answer.headers["access-control-allow-origin"] == PAGE
            other = await player.get(url, headers={"origin": "https://evil.example"})
            assert "access-control-allow-origin" not in other.headers


@dataclass
class Network(Delivery):
    """A delivery network that remembers whom it let in where."""

    admitted: list[tuple[str, float]] = field(default_factory=list)

    def url(self, key: str) -> str:
        return f"https://cdn.example/{key}"

    async def admit(self, prefix: str, *, expires_at: float) -> list[Cookie]:
        self.admitted.append((prefix, expires_at))
        return [Cookie(name=name, value="v", domain="example", path=f"/{prefix}") for name in ("A", "B")]


async def test_where_a_network_hands_out_bytes_its_addresses_and_cookies_are_given(
    service: Service, film: dict[str, Any]
) -> None:
    network = Network()
    system = replace(service.system, playback=replace(service.system.playback, delivery=network))
    app = create_app(system, StaticVerifier(TOKENS, service.clock))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as client:
        answer = await client.post(f"/media/{film['media_id']}/playback", headers={"authorization": "Bearer ada-token"})
    found = wire.PlaybackAnswer.model_validate_json(answer.content)
    ((folder, expires_at),) = network.admitted
    assert folder.startswith(f"media/ada/{film['media_id']}/")
    assert expires_at == pytest.approx(found.expires_at.timestamp(), abs=0.001)
    for url in (found.hls_url, found.dash_url, found.mp4_url):
        assert url is not None
        assert url.startswith(f"https://cdn.example/{folder}")
        assert url.removeprefix("https://cdn.example/") in service.world.objects.rows
    assert answer.headers.get_list("set-cookie") == [
        f"{name}=v; Domain=example; Path=/{folder}; Secure; HttpOnly; SameSite=None" for name in ("A", "B")
    ]
