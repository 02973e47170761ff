"""Datelines and agency credits at the head of a text ("ALMATY, March 20 (Reuters) - ...")."""

import re
from dataclasses import dataclass
from functools import lru_cache

# How agencies are credited, in lower case -> the name shown.
AGENCIES = {
    "reuters": "Reuters", "рейтер": "Reuters", "thomson reuters": "Reuters", "reuters news": "Reuters",
    "ap": "Associated Press", "associated press": "Associated Press", "the associated press": "Associated Press",
    "afp": "AFP", "agence france-presse": "AFP", "афп": "AFP", "bloomberg": "Bloomberg", "bloomberg news": "Bloomberg",
    "voice of america": "Voice of America", "voa": "Voice of America", "voa news": "Voice of America",
    "rfe/rl": "RFE/RL", "radio free europe/radio liberty": "RFE/RL", "radio free europe": "RFE/RL",
    "rferl": "RFE/RL", "xinhua": "Xinhua", "xinhua news agency": "Xinhua", "синьхуа": "Xinhua",
    "tass": "TASS", "itar-tass": "TASS", "тасс": "ТАСС", "интерфакс": "Интерфакс", "interfax": "Interfax",
    "interfax-kazakhstan": "Interfax-Kazakhstan", "интерфакс-казахстан": "Интерфакс-Казахстан",
    "interfax-ukraine": "Interfax-Ukraine", "kazinform": "Kazinform", "qazinform": "Kazinform",
    "казинформ": "Казинформ", "қазақпарат": "ҚазАқпарат", "kaztag": "KazTAG", "казтаг": "КазТАГ",
    "ria novosti": "RIA Novosti", "риа новости": "РИА Новости", "sputnik": "Sputnik", "спутник": "Спутник",
    "akipress": "AKIpress", "акиpress": "AKIpress", "kabar": "Kabar", "кабар": "Кабар", "uza": "UzA", "уза": "УзА",
    "khovar": "Khovar", "ховар": "Ховар", "azertac": "AZERTAC", "азертадж": "АЗЕРТАДЖ", "armenpress": "Armenpress",
    "арменпресс": "Арменпресс", "anadolu agency": "Anadolu Agency", "anadolu": "Anadolu Agency", "dpa": "dpa",
    "efe": "EFE", "ansa": "ANSA", "upi": "UPI", "kyodo": "Kyodo", "kyodo news": "Kyodo", "yonhap": "Yonhap",
    "pti": "PTI", "ians": "IANS", "press association": "PA Media", "pa media": "PA Media",
    "australian associated press": "AAP", "ukrinform": "Ukrinform", "укринформ": "Укринформ", "belta": "BelTA",
    "белта": "БЕЛТА", "irna": "IRNA", "eurasianet": "Eurasianet", "rnz": "RNZ", "deutsche welle": "Deutsche Welle",
    "media outreach newswire": "Media OutReach Newswire", "pr newswire": "PR Newswire",
    "business wire": "Business Wire",
}
NO_PLACE = frozenset("""breaking update updated exclusive video photo photos watch live opinion analysis explainer
factbox review interview editorial covid nato news alert urgent corrected column wrapup graphic podcast quiz
warning advisory sponsored advertisement special report profile obituary essay column letter watch listen gallery
exclusif critique dossier portrait disparition livre format clash enquête récit vidéo vidéos infographie entretien
jeu-concours tribune éditorial chronique reportage eilmeldung kommentar exklusiv urgente exclusiva
срочно видео фото обзор мнение интервью молния ковид нато обновлено covid-19 коронавирус""".split())

REMEMBERED = 1_000  # credits: the authors of a document come again and again
MAX_DATELINE = 160  # characters in which a dateline ends
_WORD = r"(?:ST\.|(?:[A-ZА-ЯЁӘІҢҒҮҰҚӨҺЎҲЧÀ-ÖØ-Þ]['’]?){2,30})"
_CITY = rf"{_WORD}(?:[ -]{_WORD}){{0,4}}"
_DATE = r"(?:\d{1,2}\.? [^\W\d_]{3,12}\.?|[^\W\d_]{3,12}\.? \d{1,2})"
_DASH = r"(?:\s*(?:--|[–—−]|-(?=\s))\s*)"
DATELINE = re.compile(
    rf"(?P<city>{_CITY})(?:\s?/\s?(?P<second>{_CITY}))?"
    r"(?P<country>,\s(?!\d)[A-ZА-ЯЁ][^\W\d_]+\.?(?:\s[A-ZА-ЯЁ][^\W\d_]+\.?){0,2})??"
    rf"(?:[.,]?\s{_DATE}(?:,? \d{{4}})?[.,]?)?"
    rf"(?:\s?[.,]?\s?[(/](?P<agency>[^()/]{{2,40}}(?:/[A-Z]{{2,3}})?)[)/]\.?|\.\s(?P<named>[^\W\d_]{{3,20}}))?"
    rf"(?:{_DASH}|(?<=/\.)\s+)")
CREDIT = re.compile(rf"\((?P<agency>[^()]{{2,40}})\){_DASH}")
NAMED_AGENCY = re.compile(r"(?:[Tt]he )?((?:[A-Z][\w'’.-]*\s){1,4}(?:News|Press) Agency)")  # calls itself one
CLOSING = (")", "/", ").", "/.")  # what CLOSING_CREDIT ends with
CLOSING_CREDIT = re.compile(r"\s*[(/](?P<agency>[^()/]{2,40})[)/]\.?$")


@dataclass(frozen=True, slots=True)
class Dateline:
    """The head of a text: `text` is what follows it."""

    text: str
    place: str | None
    agency: str | None


def split_dateline(text: str) -> Dateline:
    """Parts a leading dateline from a paragraph; place and agency are None where it has none.

    Two cities are joined by a slash ("Almaty/Astana"); a country after the city stays with it.
    """
    if text[:1].isupper() and (found := DATELINE.match(text[:MAX_DATELINE])):
        city, second, country = found.group("city", "second", "country")
        named = agency_named(found.group("agency") or found.group("named") or "")
        is_label = not NO_PLACE.isdisjoint(re.split("[ -]", city.casefold())) or city.casefold() in NO_PLACE
        usable = len(city) > 2 and not is_label and (named or not found.group("named"))
        rest = text[found.end():]
        if usable and len(rest) > 20 and not _is_agency(city):
            return Dateline(_capital(rest), _place(city, second, country), named)
        if _is_agency(city) and not second and len(rest) > 20:  # "TASS - ..."
            return Dateline(_capital(rest), None, agency_named(city))
    credit = CREDIT.match(text[:MAX_DATELINE]) if text[:1] == "(" else None
    if credit and (named := agency_named(credit.group("agency"))):
        return Dateline(_capital(text[credit.end():]), None, named)
    return Dateline(text, None, None)


@lru_cache(REMEMBERED)
def agency_named(credit: str) -> str | None:
    """The agency that an author line, byline or credit names ("By John Smith, Reuters"), or None."""
    credit = re.sub(r"(?i)^\s*(by|from|source|источник|автор)[: ]\s*", "", credit.strip())
    if whole := AGENCIES.get(_bare(credit)):
        return whole
    for part in re.split(r"[,()|&;–—]|\s-\s|\s(?:and|with|for|и)\s|/(?!RL)", credit):
        if found := AGENCIES.get(_bare(part)):
            return found
        if named := NAMED_AGENCY.fullmatch(part.strip()):
            return named.group(1)
    return None


def closing_agency(text: str) -> str | None:
    """The agency credited in brackets at the end of a text, or None."""
    found = CLOSING_CREDIT.search(text[-60:]) if text.endswith(CLOSING) else None
    return AGENCIES.get(_bare(found.group("agency"))) if found else None


def _bare(name: str) -> str:
    return name.strip(" .:*\u00a0©").casefold()


def _is_agency(city: str) -> bool:
    return _bare(city) in AGENCIES


def _place(city: str, second: str | None, country: str | None) -> str:
    names = [_title_case(name) for name in (city, second) if name]
    return "/".join(names) + (country or "")


def _title_case(name: str) -> str:
    """"NUR-SULTAN" as "Nur-Sultan"; small words within stay small."""
    words = re.split(r"([ -])", name.strip())
    small = {"of", "de", "la", "le", "sur", "на", "upon", "the"}
    return "".join(w.lower() if i and w.lower() in small else w[:1] + w[1:].lower() for i, w in enumerate(words))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
