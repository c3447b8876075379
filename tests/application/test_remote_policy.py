"""What a policy's service is sent, and what of its answers is believed."""

import hmac

import pytest

from smmu.domain.policy import Unanswered
from smmu.ports.errors import Corrupt, Denied, Throttled, Unavailable, WorldError
from tests.contract.test_policy import QUESTION
from tests.support.policies import KEY, Answer, Mind, serving


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_question_is_signed_with_the_time_and_the_key() -> None:
    with serving(Mind()) as service:
        await service.policy().judge(QUESTION)
        told = dict(pair.split("=") for pair in service.answer.got_headers["smmu-signature"].split(","))
        signed = told["t"].encode() + b"." + service.answer.got_body
        assert told["v1"] == hmac.new(KEY, signed, "sha256").hexdigest()
        assert abs(int(told["t"]) - service.policy().clock.now()) < 60
        assert service.answer.got_headers["content-type"] == "application/json"


def test_the_key_is_not_shown() -> None:
    with serving(Mind()) as service:
        assert KEY.decode() not in repr(service.policy())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(status=500), Unavailable),
        (Answer(status=408), Unavailable),
        (Answer(status=429), Throttled),
        (Answer(status=401), Denied),
        (Answer(status=204, body=b""), Corrupt),
        (Answer(status=302, more={"location": "/elsewhere"}), Corrupt),
        (Answer(body=b"yes"), Corrupt),
        (Answer(body=b"\xff"), Corrupt),
        (Answer(body=b"[" * 10_000), Corrupt),
        (Answer(body=b"[true]"), Corrupt),
        (Answer(body=b"{}"), Corrupt),
        (Answer(body=b'{"accept": "false"}'), Corrupt),
        (Answer(body=b'{"accept": 1}'), Corrupt),
        (Answer(body=b'{"accept": false}'), Corrupt),
        (Answer(body=b'{"accept": false, "code": "no", "message": 7}'), Corrupt),
        (Answer(body=b'{"accept": false, "code": "No!", "message": "No."}'), Corrupt),
        (Answer(body=b'{"accept": true, "more": "' + b"x" * 20_000 + b'"}'), Corrupt),
    ],
)
async def test_what_is_no_answer_is_not_believed(answer: Answer, kind: type[WorldError]) -> None:
    with serving(Mind()) as service:
        service.answer.status, service.answer.body, service.answer.more = answer.status, answer.body, answer.more
        with pytest.raises(kind) as raised:
            await service.policy().judge(QUESTION)
        assert type(raised.value) is kind


async def test_what_else_an_answer_says_is_for_later_versions() -> None:
    with serving(Mind()) as service:
        service.answer.body = b'{"accept": true, "because": ["of", "that"]}'
        assert (await service.policy().judge(QUESTION)).accepted


async def test_a_service_that_is_not_there_may_be_there_later() -> None:
    with serving(Mind()) as service:
        gone = service.policy(unanswered=Unanswered.OPEN)
    with pytest.raises(Unavailable, match="cannot be reached"):
        await gone.judge(QUESTION)
