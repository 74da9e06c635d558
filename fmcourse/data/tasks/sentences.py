"""Plain sentences out of real text, by strict patterns and no parser.

Whatever could be an abbreviation, a quotation or a list is left out, and with it most of the text;
what remains is cut where a reader would cut it, and a task about it has one right answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_BREAK = re.compile(r"(?<=[.!?])\s+")
_SENTENCE = re.compile(r"[A-Z][a-z]*[\w ,:;'()%$-]{16,150}\.", re.ASCII)
_LAST = re.compile(r"(?!(?:etc|approx|vol|inc)\.)[a-z]{3,}\.|(?!Assoc\.)[A-Z][a-z]{4,}\.|"
                   r"\d\d+\.|\S+\)\.")  # the last word of a sentence, and no abbreviation
_ORDINARY_WORDS = (
    "about above after again also although among because been before being below between both "
    "came come could does each either from give given have having here hers herself himself into "
    "itself just less like made make many more most much must only other others over said same "
    "shall should some such than that their them then there these they this those though through "
    "under until unto upon used uses using very want went were what when where whether which while "
    "whom whose will with within without would your yours")
_ORDINARY = frozenset(_ORDINARY_WORDS.split())
_WORD = re.compile(r"(?<![\w'-])[a-z]{4,10}(?![\w'-])")
_LABELLED = re.compile(r"\w+:")
YEAR = re.compile(r"\b(?:[Ii]n|[Ss]ince|[Uu]ntil|[Dd]uring|[Bb]efore|[Aa]fter|January|February|"
                  r"March|April|May|June|July|August|September|October|November|December) "
                  r"((?:1\d|20)\d\d)(?![\w-]|,\d)")
NUMBER = re.compile(r"(?<![\w,.(-])(\d{1,3})(?![\w,)-]|\.\d)")
_LONG_FORM = re.compile(r"((?:[A-Z][a-z]+[ -]){2,6})\(([A-Z]{2,6})\)")
_NAMING = re.compile(r"[A-Z][^\n]{20,200}\.", re.ASCII)


def telling_words(text: str) -> tuple[str, ...]:
    """Words of four to ten small letters that say something, in their order, each once.

    >>> telling_words("The fox that saw the harbour saw its well-known lamps.")
    ('harbour', 'lamps')
    """
    return tuple(word for word in dict.fromkeys(_WORD.findall(text)) if word not in _ORDINARY)


def plain_sentences(text: str) -> Iterator[str | None]:
    """The short, complete sentences of a text in order; None where anything else stands.

    >>> list(plain_sentences("The ship was found by Lt. George Conner. It had sunk in winter."))
    [None, None, 'It had sunk in winter.', None]
    """
    for paragraph in text.split("\n"):
        ended = True  # a piece after "Lt." is the rest of a sentence
        for piece in _BREAK.split(paragraph.strip()):
            complete = _LAST.fullmatch(piece.rsplit(" ", 1)[-1]) is not None
            plain = ended and complete and _SENTENCE.fullmatch(piece) is not None
            fits = plain and not _LABELLED.match(piece) and piece.count("(") == piece.count(")")
            yield piece if fits else None
            ended = complete
        yield None  # a paragraph ends


def runs(sentences: Iterable[str | None], longest: int = 300) -> Iterator[tuple[str, ...]]:
    """Two or three sentences in a row, all different; none comes twice.

    >>> list(runs(["One.", "Two.", "Three.", "Four.", None, "Five.", "Six."]))
    [('One.', 'Two.', 'Three.'), ('Five.', 'Six.')]
    """
    run: list[str] = []
    for sentence in (*sentences, None):
        full = len(run) == 3 or not sentence or sentence in run
        full = full or len(" ".join([*run, sentence])) > longest
        if full:
            if len(run) > 1:
                yield tuple(run)
            run = []
        if sentence:
            run.append(sentence)


def short_forms(text: str) -> Iterator[tuple[tuple[str, str], str]]:
    """Abbreviations with what they stand for, and the sentence that says so.

    >>> list(short_forms("Ask a Domain Name System (DNS) server for it."))
    [(('DNS', 'Domain Name System'), 'Ask a Domain Name System (DNS) server for it.')]
    """
    if "(" not in text:
        return
    for paragraph in text.split("\n"):
        for piece in _BREAK.split(paragraph):
            matches = _LONG_FORM.findall(piece)
            if len(matches) == 1 and _NAMING.fullmatch(piece):
                (words, short), = matches
                last = re.findall(r"[A-Z][a-z]+", words)[-len(short):]
                full = " ".join(last)
                if "".join(word[0] for word in last) == short and full in piece:
                    yield (short, full), piece
