from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from video.media.conversation import KEPT, Conversation

BOTH = {"a", "b"}


def test_of_a_line_that_grows_the_latest_state_is_told() -> None:
    talk = Conversation(first=7)
    for text in ("h", "he", "hey"):
        talk.say("a", 0, text, final=text == "hey", to=BOTH)
    talk.say("a", 0, "a page loaded again begins at 0", final=True, to=BOTH)
    assert [said.text for said in talk.after(7, "b")] == ["hey", "a page loaded again begins at 0"]
    assert [said.number for said in talk.after(8, "b")] == [10, 11]


def test_no_more_is_kept_than_so_many_lines() -> None:
    talk = Conversation(first=0)
    for line in range(3 * KEPT):
        talk.say("a", line, "x", final=line % 2 == 0, to=BOTH)
    assert len(talk.after(0, "b")) == KEPT and len(talk._open) <= KEPT
    assert talk.after(0, "b")[-1].line == 3 * KEPT - 1


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.booleans(), st.integers(0, 5))))
def test_a_reader_who_comes_and_goes_hears_every_final_line_once_and_in_order(
    said: list[tuple[str, int, bool, int]],
) -> None:
    talk, heard, number, spoken = Conversation(first=0), [], 0, []
    for index, (who, line, final, away) in enumerate(said):
        one = talk.say(who, line, str(index), final=final, to={"c"})
        if final:
            spoken.append(one.text)
        if not away:
            for told in talk.after(number, "c"):
                number = told.number
                heard += [told.text] if told.final else []
    heard += [told.text for told in talk.after(number, "c") if told.final]
    assert heard == spoken
