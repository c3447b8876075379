"""Contract tests that do not pass on the stand-in of AWS, each with the reason."""

_FAIR = "SQS serves the groups of a standard queue fairly (a MessageGroupId makes it so); moto serves first come, first"
_ABANDONED = (
    "SQS may hand a message to a long poll whose client has gone, and leases it to nobody (aws-sdk-js issue 2350,"
    " aws-sdk-java-v2 issue 1395); so may moto, or not. It comes again when its lease ends."
)

# What moto does otherwise than SQS documents. Expected to fail, strictly: when one passes, its row is to go.
DIFFERENCES = {
    "test_many_messages_of_one_owner_do_not_delay_anothers_first": _FAIR,
    "test_owners_take_turns": _FAIR,
}

# What AWS itself does otherwise, as the adapter's header says. Left out.
NOT_ON_AWS = {
    "test_a_waiting_receiver_can_be_cancelled_and_takes_nothing_with_it": _ABANDONED,
}
