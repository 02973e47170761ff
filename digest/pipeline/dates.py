"""Publication dates out of the raw strings of feeds.

Libraries read MSK, ALMT or UTC+05:00 as UTC, hours off; this module rather returns None: a wrong instant puts a story
into the wrong edition, an unknown one does not.

Understood are ISO 8601, RFC 822 and its common variants, the forms of C and JavaScript, Unix epochs, and days written
out in English, Russian, Kazakh, Uzbek (both scripts), Kyrgyz, Tajik, Turkmen, German, French and Spanish, with the
endings that months take there. A time of day without a zone says only the day, for the zone may lie 14 hours to either
side. An ambiguous 04/05/2026 is refused.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# Minutes east of UTC. Names with two meanings (AMT: Armenia or the Amazon, IST: India, Ireland or Israel) are left out;
# CST, MST and such are those of RFC 822.
ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420,
    "mdt": -360, "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600, "brt": -180, "art": -180,
    "bst": 60, "cet": 60, "west": 60, "wat": 60, "met": 60, "cest": 120, "mest": 120, "eet": 120, "cat": 120,
    "sast": 120, "eest": 180, "msk": 180, "мск": 180, "eat": 180, "trt": 180, "msd": 240, "samt": 240, "get": 240,
    "azt": 240, "irst": 210, "aft": 270, "pkt": 300, "uzt": 300, "tjt": 300, "tmt": 300, "yekt": 300, "aqtt": 300,
    "orat": 300, "npt": 345, "kgt": 360, "qyzt": 300, "omst": 360, "novt": 420, "krat": 420, "hovt": 420, "ict": 420,
    "wib": 420, "irkt": 480, "ulat": 480, "hkt": 480, "sgt": 480, "pht": 480, "myt": 480, "awst": 480, "jst": 540,
    "kst": 540, "yakt": 540, "acst": 570, "aest": 600, "vlat": 600, "chst": 600, "acdt": 630, "aedt": 660, "magt": 660,
    "fjt": 720, "nzst": 720, "pett": 720, "nzdt": 780,
}
ALMATY_MOVED = datetime(2024, 3, 1, tzinfo=UTC)  # Almaty went from UTC+6 to UTC+5
_MONTHS = """
jan january янв январь января январ қаң қаңтар ян yan yanvar januar januari janvier ene enero jän jänner
feb february фев февраль февраля феврал февр ақп ақпан fev fevral februar februari février févr febrero fevrier
mar march мар март марта нау наурыз mart märz mars marzo mär mrz maart
apr april апр апрель апреля апрел сәу сәуір aprel avril abr abril avr
may май майи мая мам мамыр mai mayo mei
jun june июн июнь июня мау маусым iyn iyun juni juin junio
jul july июл июль июля шіл шілде iyl iyul juli juillet julio juil
aug august авг август августа там тамыз avg avgust août ago agosto aout augustus
sep sept september сен сентябрь сентября сентябр сент қыр қыркүйек sen sentyabr sentabr septembre septiembre
oct october окт октябрь октября октябр қаз қазан okt oktyabr oktabr oktober octobre octubre
nov november ноя ноябрь ноября ноябр нояб қар қараша noy noyabr novembre noviembre
dec december дек декабрь декабря декабр жел желтоқсан dek dekabr dez dezember décembre dic diciembre decembre
"""
_MONTHS_TURKMEN = "ýanwar fewral mart aprel maý iýun iýul awgust sentýabr oktýabr noýabr dekabr"
_MONTHS_KAZAKH_LATIN = "qańtar aqpan naýryz sáýir mamyr maýsym shilde tamyz qyrkúıek qazan qarasha jeltoqsan"
MONTHS = {
    name: number
    for lines in (_MONTHS.strip().splitlines(), _MONTHS_TURKMEN.split(), _MONTHS_KAZAKH_LATIN.split())
    for number, line in enumerate(lines, start=1) for name in line.split()}
# Endings of a month in a date: Kazakh ақпанда, ақпанның; Kyrgyz февралы, февралында; Uzbek fevralda, fevraldagi; Tajik
# феврали; Turkmen fewraly, fewralynda.
ENDINGS = re.compile(
    "(?:[дт][ае]|[нд][ыі]ң|[ндт]ың|нан|нен|дан|ден|тан|тен|д[ае]ғы|д[ае]гі|ы|ында|ынан|ынын|дагы|и|"
    "da|dagi|dan|ning|ida|idagi|y|ynda|yndan|ynyň|daky)$")

RFC822 = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4}) "
    r"(\d\d):(\d\d):(\d\d) (GMT|[+-]\d{4})", re.ASCII)
ISO = re.compile(
    r"(\d{4})-?(\d{2})-?(\d{2})(?:[tT ]\s*(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?\s*(.*))?$")
NUMERIC = re.compile(r"\b(\d{1,4})([./-])(\d{1,2})\2(\d{2,4})\b")
LONGEST_SHORT = 4  # letters of a month's short form; it takes no ending
CLOCK = re.compile(
    r"(?<![\d+:-])(\d{1,2})[:h](\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([ap]\.?m\.?(?![a-z]))?", re.IGNORECASE)
OCLOCK = re.compile(r"^(?:uhr|час\w*|ч)\b", re.IGNORECASE)
OFFSET = re.compile(r"(?:(utc|gmt|мск|msk)\s*)?([+−-])(\d{1,2})(?::?(\d{2}))?$", re.IGNORECASE)
ZONE_NAME = re.compile(r"\b[A-Z][a-z]+/[A-Z][A-Za-z_]+\b")


@dataclass(frozen=True, slots=True)
class ParsedDate:
    """An instant in UTC. `offset_minutes` is as the string gave it, None where it gave none.

    With `date_only` the string gave a day, and the instant is its first in that offset (else in UTC).
    """

    instant: datetime
    offset_minutes: int | None
    date_only: bool


def parse_date(text: str) -> ParsedDate | None:
    """The date that `text` gives, or None where it gives none or could mean another instant."""
    try:
        if found := RFC822.fullmatch(text):
            day, month, year, hour, minute, second, zone = found.groups()
            return _assemble((int(year), MONTHS[month.lower()], int(day)), (int(hour), int(minute), int(second)), zone)
        text = re.sub(r"\s+", " ", re.sub(r"\([^()]*\)", " ", text[:100])).strip(" ,.;")
        if re.fullmatch(r"\d{10}|\d{13}", text):
            seconds = int(text) if len(text) == 10 else int(text) / 1000
            return ParsedDate(datetime.fromtimestamp(seconds, UTC), 0, False)
        if found := ISO.match(text):
            year, month, day, hour, minute, second, zone = found.groups()
            clock = (int(hour), int(minute), int(second or 0)) if hour else None
            return _assemble((int(year), int(month), int(day)), clock, zone or "")
        return _parse_words(text)
    except (ValueError, OverflowError):
        return None


def _parse_words(text: str) -> ParsedDate | None:
    """Reads "Tue, 17 Feb 2026 08:06 GMT+10", "17 февраля 2026 г. в 17:36", "Feb 17, 2026 5:36 pm EST" and the like."""
    clock_found = CLOCK.search(text)
    clock = None
    zone = ""
    if clock_found:
        clock = _clock(clock_found)
        zone = OCLOCK.sub("", text[clock_found.end():].strip(" ,.")).strip(" ,.")
        text = text[: clock_found.start()] + " "
        if day_after := _day(zone):  # 17:36, 17 февраля 2026
            return _assemble(day_after, clock, "")
        if year_last := re.search(r"(?:^|\s)(\d{4})$", zone):  # Tue Feb 17 17:36:36 MSK 2026
            text, zone = f"{text} {year_last.group(1)}", zone[: year_last.start()].strip()
        elif moved := re.match(r"(\d{4})\s*(.*)$", zone):  # Tue Feb 17 17:36 2026 MSK
            text, zone = f"{text} {moved.group(1)}", moved.group(2)
    day = _day(text)
    return _assemble(day, clock, zone) if day else None


def _clock(found: re.Match[str]) -> tuple[int, int, int]:
    hour, minute, second = int(found.group(1)), int(found.group(2)), int(found.group(3) or 0)
    half = (found.group(4) or "").lower()[:1]
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of half a day")
        hour = hour % 12 + (12 if half == "p" else 0)
    return hour, minute, second


def _day(text: str) -> tuple[int, int, int] | None:
    """Year, month and day; raises ValueError where their order is ambiguous."""
    if found := NUMERIC.search(text):
        return _numeric_day(found)
    words = re.findall(r"[^\W\d_]+|\d+", text.lower())
    months = [month for month in map(_month, words) if month]
    if len(set(months)) > 1 and words[0] == "mar":  # French and Spanish for Tuesday
        months = months[1:]
    numbers = [word for word in words if word.isdigit()]
    if len(set(months)) != 1 or len(numbers) != 2:
        return None
    if len(numbers[0]) == 4:
        return int(numbers[0]), months[0], int(numbers[1])
    year = int(numbers[1])
    if len(numbers[1]) == 2:
        year += 2000 if year < 70 else 1900
    return year, months[0], int(numbers[0])


def _month(word: str) -> int | None:
    """The month that a word names, as it stands or with an ending of the region's languages."""
    return MONTHS.get(word) or (MONTHS.get(ENDINGS.sub("", word)) if len(word) > LONGEST_SHORT else None)


def _numeric_day(found: re.Match[str]) -> tuple[int, int, int]:
    first, separator, second, third = found.groups()
    if len(first) == 4:
        return int(first), int(second), int(third)
    if len(third) != 4 or len(first) > 2:
        raise ValueError("no year")
    day, month = int(first), int(second)
    if separator != "." and day != month and day <= 12:
        if month <= 12:
            raise ValueError("day and month could be swapped")
        day, month = month, day
    return int(third), month, day


def _assemble(day: tuple[int, int, int], clock: tuple[int, int, int] | None, zone: str) -> ParsedDate | None:
    hour, minute, second = clock or (0, 0, 0)
    is_next_day = (hour, minute) == (24, 0)
    local = datetime(*day, 0 if is_next_day else hour, minute, min(second, 59), tzinfo=UTC)
    if is_next_day:
        local, hour = local + timedelta(days=1), 0
    zone = zone.strip(" ,.")
    if not zone:
        return ParsedDate(local.replace(hour=0, minute=0, second=0), None, True)
    offset = _offset(zone, local)
    if offset is None:
        return None
    # Publishing systems that know the day alone write midnight.
    return ParsedDate(local - timedelta(minutes=offset), offset, (hour, minute, second) == (0, 0, 0))


def _offset(zone: str, local: datetime | None) -> int | None:
    """Minutes east of UTC of "+0500", "GMT+10", "UTC+05:00", "MSK", "+05", "Asia/Almaty"; None where unknown.

    `local` is the wall-clock time that a zone with changing offsets is asked about.
    """
    if zone in {"GMT", "+0000"}:
        return 0
    if "/" in zone and (named := ZONE_NAME.search(zone)):
        return _named_offset(named.group(), local)
    words = zone.lower().replace("−", "-").split(" ")
    text = " ".join(words)
    if found := OFFSET.fullmatch(text):
        return _signed(found)
    if words[0] in {"almt", "alma-ata"} and len(words) == 1:
        return 360 if local and local < ALMATY_MOVED else 300
    if text in ZONES:
        return ZONES[text]
    first = _offset(words[0], local) if len(words) == 2 else None
    second = _offset(words[1], local) if len(words) == 2 else None
    return first if first is not None and first == second else None  # "+0300 MSK"


def _signed(found: re.Match[str]) -> int:
    base, sign, hours, minutes = found.groups()
    if int(hours) > 14 or int(minutes or 0) > 59:
        raise ValueError("no offset of this world")
    return ZONES.get(base or "utc", 0) + (-1 if sign == "-" else 1) * (int(hours) * 60 + int(minutes or 0))


def _named_offset(name: str, local: datetime | None) -> int | None:
    try:
        moment = (local or datetime(2000, 1, 1)).replace(tzinfo=ZoneInfo(name))  # noqa: DTZ001 -- zone follows
    except (KeyError, ValueError, OSError):
        return None
    offset = moment.utcoffset()
    return int(offset.total_seconds() // 60) if offset is not None else None
