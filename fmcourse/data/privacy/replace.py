"""Personal data replaced: taken out, masked, or given a pseudonym that a key decides.

*Redacting* leaves the kind alone, which is safest and costs most of what a text says. *Masking*
keeps a little, as receipts do. A *pseudonym* keeps who is who: the same person has the same one in
every document made with the same key, and without the key nobody can compute which (HMAC-SHA256,
RFC 2104). Whoever has the key can: pseudonymised data is still personal data (GDPR, article 4(5)
and recital 26), and the key must be kept elsewhere than the data. What the detector misses stays
as it was, in all three.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from datasets import Dataset
from stdnum import luhn

from fmcourse.data.card import card, values, with_card
from fmcourse.data.curation.pipeline import Step, each, with_texts
from fmcourse.data.privacy.find import find
from fmcourse.data.privacy.names import NameTagger
from fmcourse.data.privacy.spans import PersonalSpan
from fmcourse.errors import DataError

Way = Callable[[str, str], str]  # kind and value → what stands in its place
STEP = "personal data replaced"  # on a card; the policy knows it by this name
SHORTEST_KEY = 16  # bytes: 128 bits
_WORD = re.compile(r"[^\W\d_]+")
_ONSETS, _VOWELS, _CODAS = "bdfgklmnprstvz", "aeiou", ("", "n", "r", "l", "s")


def replaced(text: str, spans: Iterable[PersonalSpan], way: Way) -> str:
    """A text with its spans, in order and none overlapping, replaced; nothing else changes."""
    written, done = [], 0
    for span in spans:
        written += [text[done:span.start], way(span.kind, text[span.start:span.end])]
        done = span.end
    return "".join([*written, text[done:]])


def label(kind: str, value: str) -> str:
    """The way of `redact`: nothing of the value is left.

    >>> label("email", "ann@example.com")
    '[EMAIL]'
    """
    return f"[{kind.upper()}]"


def stars(kind: str, value: str) -> str:
    """The way of `mask`: of numbers the last four digits stay, of others the first character.

    >>> stars("card", "4111 1111 1111 1111"), stars("name", "Ann Lee")
    ('**** **** **** 1111', 'A** ***')
    """
    own = [place for place, char in enumerate(value) if char.isalnum()]
    shown = {*(own[-4:] if kind in ("card", "iban", "phone", "ssn") else own[:1])}
    return "".join(char if not char.isalnum() or place in shown else "*"
                   for place, char in enumerate(value))


@dataclass(frozen=True)
class Pseudonyms:
    """A way to replace values by others that look alike and that the key decides.

    Names become pronounceable words, word by word, so that 'Ms Lopez' is still the 'Maria Lopez' of
    another document (and relatives still share a name, which is the price). The others become what
    nobody can have: a card number that fails its check, a social security number of area 000, an
    IBAN with check digits 00, a phone number of the unassigned country code 999, an address of the
    reserved block 240.0.0.0/4 or of 2001:db8::/32, a mailbox at example.com.

    Attributes:
        key: at least 16 bytes, best 32 from `new_key()`. It is in no card and not printed.

    Raises:
        DataError: the key is no bytes, or too short.
    """

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.key, bytes) or len(self.key) < SHORTEST_KEY:
            size = f"{len(self.key)} bytes" if isinstance(self.key, bytes) else "no bytes at all"
            raise DataError(f"A key of {size} can be guessed.", where="Pseudonyms.key",
                            fix="Make one with privacy.new_key(), and keep it apart from the data.")

    def __call__(self, kind: str, value: str) -> str:
        """The pseudonym of a value; however it is spaced and capitalised, the same one."""
        if kind == "name":
            return _WORD.sub(lambda word: self._name(word[0]), value)
        plain = "".join(char for char in value.casefold() if char.isalnum() or char in "@.:")
        if kind in ("card", "ssn", "iban", "phone"):
            plain = "".join(char for char in plain if char.isalnum())
        return _LIKE[kind](self._number(kind, plain), value)

    @property
    def fingerprint(self) -> str:
        """Tells two keys apart and gives neither away."""
        return f"{self._number('fingerprint', '') % 16**8:08x}"

    def _number(self, kind: str, value: str) -> int:
        message = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hmac.new(self.key, message, hashlib.sha256).digest(), "big")

    def _name(self, word: str) -> str:
        number = self._number("name", word.casefold())
        made = _syllables(number, 1) if len(word) == 1 else _syllables(number, 3)
        made = made[:1] if len(word) == 1 else made
        return made.upper() if word.isupper() else made if word.islower() else made.capitalize()


def _syllables(number: int, count: int) -> str:
    made = ""
    for parts in (_ONSETS, _VOWELS) * count + (_CODAS,):
        number, place = divmod(number, len(parts))
        made += parts[place]
    return made


def _refilled(number: int, value: str, start: str = "") -> str:
    """A value with other digits and letters in the places of its own, the first ones given."""
    draw, begun = number, iter(start)
    made = ""
    for char in value:
        if not char.isalnum():
            made += char
            continue
        draw, digit = divmod(draw or _more(number), 10)
        new = str(digit) if char.isdigit() else chr(ord("a") + digit)
        made += next(begun, new.upper() if char.isupper() else new)
    return made


def _more(number: int) -> int:
    """More digits from a number that is used up, for values of any length."""
    return int.from_bytes(hashlib.sha256(str(number).encode()).digest(), "big")


def _card(number: int, value: str) -> str:
    made = _refilled(number, value, "9")  # no network's
    digits = re.sub("[^0-9]", "", made)
    return made[:-1] + str((int(luhn.calc_check_digit(digits[:-1])) + 1) % 10)


def _ip(number: int, value: str) -> str:
    if ":" in value:
        return "2001:db8:" + ":".join(f"{number >> 16 * n & 0xffff:x}" for n in range(6))
    return f"{240 + number % 15}." + ".".join(str(number >> 8 * n & 0xff) for n in (1, 2, 3))


_LIKE: dict[str, Callable[[int, str], str]] = {
    "email": lambda number, _: f"{_syllables(number, 4)}{number % 9973}@example.com",
    "card": _card, "ip": _ip, "secret": _refilled,
    "ssn": lambda number, value: _refilled(number, value, "000"),
    "iban": lambda number, value: _refilled(number, value, value[:2].upper() + "00"),
    "phone": lambda number, value: "+999 " + f"{number % 10**9:09}"}


def new_key() -> bytes:
    """32 random bytes for `Pseudonyms`."""
    return secrets.token_bytes(32)


def redact(text: str, names: NameTagger | None = None) -> str:
    """A text with a label for each piece of personal data.

    Args:
        text: any.
        names: finds the names; without it none are replaced.

    >>> redact("Write to ann@example.com.")
    'Write to [EMAIL].'
    """
    return replaced(text, find(text, names), label)


def mask(text: str, names: NameTagger | None = None) -> str:
    """A text with most of each piece of personal data starred out; `names` as in `redact`.

    >>> mask("Paid with 4111 1111 1111 1111.")
    'Paid with **** **** **** 1111.'
    """
    return replaced(text, find(text, names), stars)


def pseudonymise(text: str, key: bytes, names: NameTagger | None = None) -> str:
    """A text with pseudonyms; see `Pseudonyms`, and `redact` for `names`."""
    return replaced(text, find(text, names), Pseudonyms(key))


def step(way: Way = label, names: NameTagger | None = None) -> Step:
    """A step of `curation.curate` that replaces personal data.

    Args:
        way: `label`, `stars` or `Pseudonyms(key)`.
        names: as in `redact`.
    """
    return each(STEP, lambda text: replaced(text, find(text, names), way))


def without_personal(dataset: Dataset, way: Way = label, names: NameTagger | None = None
                     ) -> Dataset:
    """A data set whose texts have their personal data replaced; its card says what and how much.

    Args:
        dataset: a column `text`; a card.
        way, names: as in `step`.
    """
    counted: Counter[str] = Counter()
    texts = []
    for text in values(dataset):
        spans = find(text, names)
        counted.update(span.kind for span in spans)
        texts.append(replaced(text, spans, way))
    found = ", ".join(f"{kind} {n:,}" for kind, n in counted.most_common()) or "none found"
    how = f"key {way.fingerprint}" if isinstance(way, Pseudonyms) else way.__name__
    made = with_texts(dataset, range(len(texts)), texts)
    return with_card(made, card(dataset).step(STEP, len(made), 0, f"{how}: {found}"))
