"""Where a stand-in of AWS is known to differ from what the service documents, test by test.

Such a test is expected to fail there, and must: when the stand-in learns better, its row here goes. A promise that no
stand-in keeps is proven against a real account only (`make test-live`).
"""

import pytest

_UNFAIR = "moto serves messages as they came; SQS serves the groups of a standard queue fairly (SQS guide, fair queues)"
_NO_SIGNATURE = "LocalStack looks at the conditions of a form's policy, and not at who signed it"

KNOWN: dict[tuple[str, str], str] = {
    ("aws", "test_a_young_session_is_no_orphan"): "moto says of every multipart upload that it began in 2010",
    ("aws", "test_many_messages_of_one_owner_do_not_delay_anothers_first"): _UNFAIR,
    ("aws", "test_owners_take_turns"): _UNFAIR,
    (
        "localstack",
        "test_an_address_without_any_authority_is_refused",
    ): "LocalStack evaluates no permissions: it takes what nobody has signed, if it does not claim to be signed",
    ("localstack", "test_a_form_without_its_key_is_refused"): "LocalStack fails (500) where a form has no key",
    ("localstack", "test_a_form_without_its_policy_is_refused"): _NO_SIGNATURE,
    ("localstack", "test_a_signature_of_somebody_else_is_refused"): _NO_SIGNATURE,
    ("localstack", "test_a_policy_that_was_widened_is_refused"): _NO_SIGNATURE,
    (
        "localstack",
        "test_a_field_that_the_policy_does_not_know_is_refused",
    ): "LocalStack takes fields of a form that its policy does not know",
}

# What goes either way there by chance, so that neither outcome can be expected: left out.
BY_CHANCE: dict[tuple[str, str], str] = {
    (
        "aws",
        "test_a_waiting_receiver_can_be_cancelled_and_takes_nothing_with_it",
    ): "SQS may hand a message to a long poll whose client has gone, and leases it to nobody (aws-sdk-js issue 2350,"
    " aws-sdk-java-v2 issue 1395); so may moto, or not. It comes again when its lease ends.",
    (
        "localstack",
        "test_completing_at_once_makes_one_object",
    ): "LocalStack completes a multipart upload without a lock: of two that race, the second makes the one object they"
    " share not current, and it is gone. S3 is atomic here, and so is moto, where the test runs.",
}


def expect_known_differences(items: list[pytest.Item]) -> None:
    """Mark the tests of the tables."""
    for item in items:
        chosen = getattr(getattr(item, "callspec", None), "id", "").split("-")
        for where in chosen:
            row = (where, getattr(item, "originalname", ""))
            if row in KNOWN:
                item.add_marker(pytest.mark.xfail(reason=KNOWN[row], strict=True))
            if row in BY_CHANCE:
                item.add_marker(pytest.mark.skip(reason=BY_CHANCE[row]))
