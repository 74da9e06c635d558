"""Conversations as hypothesis draws them: any text that a record may hold, in turns."""

from hypothesis import strategies as st

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0|｜[<>"),
                min_size=1).filter(str.strip)


@st.composite
def dialogues(draw) -> list[dict[str, str]]:
    """Pairs of user and assistant, with or without a system message before them."""
    pairs = draw(st.lists(st.tuples(texts, texts), min_size=1, max_size=3))
    turns = [{"role": role, "content": text} for pair in pairs
             for role, text in zip(("user", "assistant"), pair, strict=True)]
    system = draw(st.none() | texts)
    return turns if system is None else [{"role": "system", "content": system}, *turns]
