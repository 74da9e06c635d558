"""Personal data that has a form: found by how it is written, check digits, and the words before it.

Three kinds of evidence, in the order of their strength. *Check digits* (cards, IBANs) leave one
random number in ten, or in a hundred. A *form* nothing else has is enough by itself: an address
with an @, a number with +49. Where many things look alike (nine digits may be a social security
number, an order or an account), the *nearest word before it* decides. The trade-off: what is
written in no known form and after no known word is missed, and `grade_spans` says how often.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from stdnum import iban, luhn
from stdnum.us import ssn

from fmcourse.data.privacy.spans import CHECKED, CONTEXT, FORM, PersonalSpan

_GAP = r"[ \t\u00a0\u202f.\-\u2010\u2011\u2013]"  # what people put between groups of digits
_DIGIT = re.compile("[0-9]")
_NEAR = 48  # characters before a number, on its line, in which a word tells what it is
_CARD_WORDS = (r"card|credit|debit|visa|mastercard|master|amex|american express|discover|maestro|"
               r"diners|pan|paid|charged?|payment|kreditkarte|carte|tarjeta|carta|cart[aã]o")
_PHONE_WORDS = (r"(?:tele)?phone|tel|tlf|call(?:ed|ing|s)?|call ?back|mobile|mob|cell(?:ular)?|fax|"
                r"ring|rang|whatsapp|sms|text(?:ed)?|dial(?:led)?|landline|hotline|voicemail|"
                r"reach(?:ed|able)?|msisdn|telefon\w*|handy|mobil\w*|t[eé]l[eé]phone|tel[eé]fono|"
                r"celular|m[oó]vil|portable|cellulare|contact(?: number)?")
_SSN_WORDS = (r"soc(?:ial|\.)?[ _-]?sec(?:urity|\.)?(?: id\w*)?|tax[ _-]?(?:payer)?[ _-]?id\w*|"
              r"ssns?|s\.s\.n|ss ?#|ss(?: no| number)?|socialsecurity\w*|social|taxpayer|i?tin|"
              r"payroll|w-?[249]")
_SECRET_WORDS = (r"password|passwd|passcode|pass phrase|access code|door code|entry code|"
                 r"security code|pin(?: code)?|secret|api[ _-]?key|access[ _-]?key|token")
_OTHER_NUMBERS = (
    r"order|invoice|ticket|case|tracking|shipment|parcel|reference|ref|serial|account|acct|isbn|"
    r"issn|ean|sku|part|model|build|batch|lot|item|request|transaction|job|arn|aws|version|"
    r"release|port|checksum|hash|sha\d*|md5|commit|uuid|id|timestamp|epoch|patent|licen[cs]e|"
    r"article|section|chapter|page|meter|firmware|bytes|records|catalogue|asset|policy|contract")
_VERSION_WORDS = (r"version|versions|release|firmware|build|section|chapter|clause|paragraph|"
                  r"schema|driver|runtime|package|upgrade[ds]?|downgraded?|oid|kernel|library|"
                  r"python|java|node|openssl|engine|patch|sdk|cli|agent|v|ver|rev")


def structured(text: str) -> Iterator[PersonalSpan]:
    """All that has a form, overlaps included; see `find`."""
    yield from _emails(text)
    if _DIGIT.search(text):
        yield from _cards(text)
        yield from _ibans(text)
        yield from _ssns(text)
        yield from _phones(text)
        yield from _addresses(text)
    yield from _secrets(text)


def _nearest(text: str, start: int, words: re.Pattern[str]) -> str | None:
    """Which group of words the last one before a place, on its line, belongs to."""
    before = text[max(0, start - _NEAR):start].rpartition("\n")[2]
    found = None
    for match in words.finditer(before):
        found = match.lastgroup
    return found


def _words(yes: str, no: str) -> re.Pattern[str]:
    """Words for and against; they may stand in a name with underscores, such as `card_number`."""
    edge = r"(?<![^\W_])(?:{})(?![^\W\d_])"
    return re.compile(f"(?P<yes>{edge.format(yes)})|(?P<no>{edge.format(no)})", re.I)


_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%'-]{0,63}\w[+-]?"
    r"(?:@|\s?[\[({<]\s?at\s?[\])}>]\s?|\s?[\[({]@[\])}]\s?|\(at\))"
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?(?:\.|\s?[\[({<]\s?(?:dot|\.)\s?[\])}>]\s?)){1,8}"
    r"(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59})(?![\w@-])", re.I)
_NO_EMAIL = re.compile(  # a repository's address, a picture's name
    r"(?:^git@.*)|.*@\d+x\.(?:png|jpe?g|gif|webp|svg)$", re.I)


def _emails(text: str) -> Iterator[PersonalSpan]:
    for match in _EMAIL.finditer(text):
        if not _NO_EMAIL.fullmatch(match[0]):
            start = match.start() + len(match[0]) - len(match[0].lstrip(".'%+-"))
            yield PersonalSpan(start, match.end(), "email", FORM)


_CARD = re.compile(
    rf"(?<![0-9A-Za-z_])(?:[2-6][0-9]{{3}}(?P<a>{_GAP}{{1,2}})[0-9]{{4}}(?P=a)[0-9]{{4}}(?P=a)"
    rf"[0-9]{{4}}(?:(?P=a)[0-9]{{3}})?|3[0-9]{{3}}(?P<b>{_GAP}{{1,2}})[0-9]{{6}}(?P=b)[0-9]{{4,5}}"
    r"|[2-6][0-9]{11,18})(?![0-9A-Za-z_])")
_CARD_OR_OTHER = _words(_CARD_WORDS, _OTHER_NUMBERS)


def _cards(text: str) -> Iterator[PersonalSpan]:
    for match in _CARD.finditer(text):
        digits = re.sub("[^0-9]", "", match[0])
        told = _nearest(text, match.start(), _CARD_OR_OTHER)
        short = len(digits) < 13  # some Maestro cards; and most AWS accounts that pass by chance
        if luhn.is_valid(digits) and told != "no" and (told == "yes" or not short):
            yield PersonalSpan(*match.span(), "card", CHECKED)


_IBAN = re.compile(rf"(?<![0-9A-Za-z])(?=([A-Z]{{2}}{_GAP}?[0-9]{{2}}"
                   rf"(?:{_GAP}{{0,2}}[0-9A-Z]){{11,30}}))", re.I)


def _ibans(text: str) -> Iterator[PersonalSpan]:
    for match in _IBAN.finditer(text):
        for end in range(match.end(1), match.start() + 14, -1):  # what follows may be a word
            after = text[end:end + 1]
            own = re.sub("[^0-9A-Za-z]", "", text[match.start():end])
            if (text[end - 1].isalnum() and not (after.isalnum() and after.isascii())
                    and iban.is_valid(own, check_country=False)):
                yield PersonalSpan(match.start(), end, "iban", CHECKED)
                break


_SSN = re.compile(rf"(?<![0-9A-Za-z_.\-/])([0-9]{{3}})({_GAP}?| [\-\u2013] )([0-9]{{2}})\2"
                  r"([0-9]{4})(?![0-9A-Za-z_]|[.\-][0-9])")
_SSN_OR_OTHER = _words(_SSN_WORDS, f"{_OTHER_NUMBERS}|{_PHONE_WORDS}")
_CALLED_OTHER = re.compile(rf"(?<![^\W_])(?:{_OTHER_NUMBERS})(?: (?:number|no|code))?[ .:#=\"']*$",
                           re.I)


def _ssns(text: str) -> Iterator[PersonalSpan]:
    """With hyphens unless the words before say otherwise; else where a word near says so."""
    for match in _SSN.finditer(text):
        if not ssn.is_valid(match[1] + match[3] + match[4]):
            continue
        told = _beside(text, match, _SSN_OR_OTHER)
        hyphens = match[2].strip(" \t\u00a0\u202f.")
        if told == "yes" or (hyphens and told is None):
            yield PersonalSpan(*match.span(), "ssn", FORM if told is None else CONTEXT)


def _beside(text: str, match: re.Match[str], words: re.Pattern[str]) -> str | None:
    """What a number is, by any word for it near, unless the word right before it is against.

    Looks at the line up to the number, what follows it there, and the line above: a form's label
    or a table's head.
    """
    before, after = text[:match.start()].rpartition("\n"), text[match.end():].partition("\n")[0]
    told = _nearest(text, match.start(), words)
    if told == "no" and _CALLED_OTHER.search(before[2][-_NEAR:]):
        return "no"
    above = before[0].rpartition("\n")[2]
    near = (before[2][-2 * _NEAR:], after[:_NEAR], above[-2 * _NEAR:])
    if any(found.lastgroup == "yes" for part in near for found in words.finditer(part)):
        return "yes"
    return told


_EXTENSION = r"(?:\s?(?:x|ext\.?|extension|#|Durchwahl)\s?[0-9]{1,6})?"
_AFTER = r"(?![0-9A-Za-z_@]|[.\-:][0-9])"
_BEFORE = r"(?<![0-9A-Za-z_@#$€£.\-/])"
_PART = r"[ \u00a0\u202f.\-\u2010\u2011\u2013/()]"  # between the digits of a phone number
_FOREIGN = re.compile(rf"{_BEFORE}\(?(?:\+|00)[1-9](?:{_PART}{{0,3}}[0-9]){{7,14}}"
                      rf"{_EXTENSION}{_AFTER}")
_AMERICAN = re.compile(
    rf"{_BEFORE}(?:1{_GAP})?(?:\([2-9][0-9]{{2}}\){_GAP}?|[2-9][0-9]{{2}}{_GAP})"
    rf"[2-9][0-9]{{2}}{_GAP}[0-9]{{4}}{_EXTENSION}{_AFTER}")
_TRUNK = re.compile(rf"{_BEFORE}(?=[^\n]{{0,7}}[ \u00a0\u202f/)\-\u2010\u2011\u2013.])"
                    rf"\(?0[1-9](?:{_PART}{{0,2}}[0-9]){{7,10}}{_EXTENSION}{_AFTER}")
_ANY = re.compile(rf"{_BEFORE}\(?[0-9](?:{_PART}{{0,2}}[0-9]){{6,14}}{_EXTENSION}{_AFTER}")
_DATE = re.compile(r"\(?(?:(?:19|20)\d\d([./ -])[01]?\d\1[0-3]?\d|"
                   r"[0-3]?\d([./ -])[0-3]?\d\2(?:19|20)\d\d)")
_PHONE_OR_OTHER = _words(_PHONE_WORDS, f"{_OTHER_NUMBERS}|{_SSN_WORDS}|{_VERSION_WORDS}")


def _phones(text: str) -> Iterator[PersonalSpan]:
    for form, by in ((_FOREIGN, FORM), (_AMERICAN, FORM), (_TRUNK, FORM), (_ANY, CONTEXT)):
        for match in form.finditer(text):
            told = _nearest(text, match.start(), _PHONE_OR_OTHER)
            if _DATE.match(match[0]) or _is_address(match[0]):
                continue
            if told == "yes" or (by is FORM and (told is None or match[0].lstrip("(")[0] == "+")):
                yield PersonalSpan(*match.span(), "phone", by)


_FOUR = re.compile(r"(?<![\w.@])(?<!==)(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\w|\.[0-9])"
                   r"(/[0-9]{1,2}(?![0-9]))?")
_SIX = re.compile(r"(?<![\w:.])(?=[0-9a-f:]*[0-9])(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{1,4}|"
                  r"(?:[0-9]{1,3}\.){3}[0-9]{1,3})?(?![\w:])(?:%\w+)?(/[0-9]{1,3}(?![0-9]))?", re.I)
_VERSIONED = re.compile(rf"(?<![^\W_])(?:{_VERSION_WORDS})[ \t:=\"'#]*(?:number|no\.?|is|to|from)?"
                        r"[ \t:=\"']*(?:v|ver\.? ?)?$", re.I)


def _addresses(text: str) -> Iterator[PersonalSpan]:
    """Of one host: neither networks and masks nor the addresses every machine has."""
    for form in (_FOUR, _SIX):
        for match in form.finditer(text):
            before = text[max(0, match.start() - _NEAR):match.start()]
            end = match.end() - len(match[1] or "")
            if (_is_host(text[match.start():end], match[1] or "")
                    and not (form is _FOUR and _VERSIONED.search(before))):
                yield PersonalSpan(match.start(), end, "ip", FORM)


def _is_address(written: str) -> bool:
    try:
        return bool(ipaddress.ip_address(written))
    except ValueError:
        return False


def _is_host(written: str, prefix: str) -> bool:
    try:
        found = ipaddress.ip_address(written)
        network = bool(prefix) and str(ipaddress.ip_interface(written + prefix).network
                                       .network_address) == str(found)
    except ValueError:
        return False
    size = int(prefix[1:]) if prefix else found.max_prefixlen
    return not (found.is_unspecified or found.is_loopback or found.is_multicast
                or str(found).startswith("255.") or (network and size < found.max_prefixlen))


_SECRET = re.compile(rf"(?<![^\W_])(?:{_SECRET_WORDS})(?![^\W_])[^\n.;,\d]{{0,40}}?"
                     r"(?:\bis|\bwas|:|=)[ \t\"']*(?P<value>[\w!@#$%^&*+/=-]*[0-9]"
                     r"[\w!@#$%^&*+/=-]*)", re.I)
_ACCESS_KEY = re.compile(r"(?<!\w)(?:AKIA|ASIA)[A-Z2-7]{16}(?!\w)")


def _secrets(text: str) -> Iterator[PersonalSpan]:
    for match in _ACCESS_KEY.finditer(text):
        yield PersonalSpan(*match.span(), "secret", FORM)
    for match in _SECRET.finditer(text):
        if len(match["value"]) >= 4:
            yield PersonalSpan(*match.span("value"), "secret", CONTEXT)
