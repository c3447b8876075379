"""What the stand-in does otherwise than AWS documents, by the contract test that shows it, and why.

These tests are expected to fail there, strictly: when one passes, its row is to go.
"""

_FAIR = "SQS serves the groups of a standard queue fairly (a MessageGroupId makes it so); moto serves first come, first"

DIFFERENCES = {
    "test_many_messages_of_one_owner_do_not_delay_anothers_first": _FAIR,
    "test_owners_take_turns": _FAIR,
}
