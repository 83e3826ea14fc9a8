"""Where a server of the tests differs from AWS: by server, the test that fails there, and what it does instead.

Each is a strict xfail: once a newer version does as AWS does, the test fails and the line has to go. What users rely on
and no server does is a unit test with botocore's Stubber.
"""

from __future__ import annotations

_RUNS_NOTHING = "moto runs functions in Docker alone; here it answers with the payload"

DIFFERENCES: dict[str, dict[str, str]] = {
    "moto": {
        "test_a_bucket_of_another_program_is_left_alone": "moto fails where a condition compares a text with a number",
        "test_sequence_numbers_ascend": "moto makes them at random",
        "test_nesting_beyond_32_levels_is_refused": "moto takes any depth",
        "test_the_same_token_is_done_once": "moto does not read ClientRequestToken",
        "test_an_event_tells_its_account": "moto leaves the account out of what it delivers",
        "test_another_key_is_refused": "moto does not check signatures",
        "test_what_has_expired_is_refused": "moto does not check signatures",
        "test_an_error_of_a_function_is_told": _RUNS_NOTHING,
        "test_type_and_trace_of_an_error_are_told": _RUNS_NOTHING,
        "test_an_event_is_handled_later": _RUNS_NOTHING,
        "test_a_function_that_is_not_there_is_told": "moto answers for any name where it runs no functions",
    },
    "ministack": {
        "test_adding_to_what_is_no_number_is_refused": "MiniStack adds to a map as if it were not there",
        "test_an_event_has_the_time_that_was_given": "MiniStack puts the time of the call in its place",
        "test_type_and_trace_of_an_error_are_told": "MiniStack calls each Runtime.HandlerError, without a trace",
    },
}
