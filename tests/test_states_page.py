"""The drawn states are the coded ones."""

from tests.support.diagrams import PAGE, page


def test_the_page_of_states_is_drawn_from_the_tables() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.support.diagrams"
