"""What composing and rendering one edition costs: python -m bench.edition [--stories N] [--profile]

N generated stories (5,000) of 1.25 items on average, as in recorded weeks, with titles of 7 words and summaries of 24,
in English and Russian, of a region and its neighbours, go through
the shipped newsletter of Kazakhstan with its topics and gazetteer: pool, topics, ranking, arrangement, view, byte
budget; then the HTML and the text are rendered. The same stories every time; CPU time of this process, best of three
rounds after a first one, which also tells what a fresh process pays. Queries are parsed and words are stemmed anew
in that first round only.
"""

import argparse
import cProfile
import pstats
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate

from digest.documents import Caps, Configuration, read_configuration
from digest.model import DateQuality, Feed, Item, Story, short_id
from digest.pipeline.budget import fit
from digest.pipeline.compose import compose
from digest.pipeline.pool import EditionInputs
from digest.pipeline.render import Renderer
from digest.pipeline.view import EditionView
from digest.resources import packaged_config_dir, template_texts
from digest.services.config import packaged_gazetteer, read_files
from digest.settings import Instance

CUTOFF = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
ROUNDS = 3
VOCABULARY = 20_000  # made-up words of each language
CONSONANTS = {"en": "bdfgklmnprstvz", "ru": "бвгдзклмнпрстф"}
VOWELS = {"en": "aeiou", "ru": "аеиоуы"}
WORDS = {
    "en": """parliament president government minister budget tax bank oil gas pipeline railway grain harvest school
        hospital doctor police fire flood earthquake weather water museum film music festival football boxing champion
        court protest journalist election border summit ambassador sanctions investment inflation export electricity
        salary drivers farmers engineers pupils tourists builders villagers officials company committee council district
        city village street bridge river lake mountain steppe road airport station factory plant market shop price
        reported opened closed promised refused signed measured counted planned delayed finished began visited found
        new old large small early late northern southern eastern western first second last public private""".split(),
    "ru": """парламент президент правительство министр бюджет налог банк нефть газ нефтепровод дорога зерно урожай школа
        больница врач полиция пожар паводок землетрясение погода вода музей фильм музыка фестиваль футбол чемпион суд
        журналист выборы граница саммит посол санкции инвестиции инфляция экспорт тариф зарплата водители фермеры
        инженеры ученики туристы строители жители компания комитет совет район город село улица мост река озеро гора
        степь аэропорт вокзал завод рынок магазин цена сообщили открыли закрыли обещали подписали посчитали начали
        новый старый большой северный южный восточный западный первый последний""".split(),
}
PLACES = {"en": ["Almaty", "Astana", "Kazakhstan", "Tashkent", "Bishkek", "Moscow", "Aktau", ""],
          "ru": ["Алматы", "Астане", "Казахстане", "Ташкенте", "Бишкеке", "Москве", "Актау", ""]}


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds of one round."""

    compose: float
    html: float
    text: float

    @property
    def total(self) -> float:
        return self.compose + self.html + self.text


def generated(configuration: Configuration, count: int) -> EditionInputs:
    """Inputs of an edition with so many stories: the same at every call."""
    chance = random.Random(20260320)
    newsletter = configuration.newsletters["kazakhstan"].model_copy(
        update={"caps": Caps(source=0, family=0, topic=0, country=0)})  # for a full mail of few sources
    feeds = {language: [f for f in configuration.feeds_of(newsletter) if f.language == language] for language in WORDS}
    stories = tuple(_story(number, feeds, chance) for number in range(count))
    return EditionInputs(newsletter, configuration.gazetteer, stories, CUTOFF - timedelta(hours=24), CUTOFF,
                         CUTOFF.date(), items_seen=sum(len(story.items) for story in stories))


def edition_of(inputs: EditionInputs, renderer: Renderer) -> tuple[EditionView, Cost]:
    """One edition and what it cost: compose (within the byte budget), HTML, text."""
    start = time.process_time()
    composed = fit(compose(inputs), inputs.newsletter.byte_budget, lambda view: len(renderer.html(view).encode()))
    made = time.process_time()
    renderer.html(composed.view)
    marked_up = time.process_time()
    renderer.text(composed.view)
    end = time.process_time()
    return composed.view, Cost(*(1000 * t for t in (made - start, marked_up - made, end - marked_up)))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.edition", description=__doc__.splitlines()[0])
    parser.add_argument("--stories", type=int, default=5000)
    parser.add_argument("--profile", action="store_true", help="print where the time of one later round goes")
    options = parser.parse_args(arguments)
    configuration = read_configuration(read_files(Instance(packaged_config_dir().parent)), packaged_gazetteer())
    inputs = generated(configuration, options.stories)
    renderer = Renderer(template_texts(None))
    view, first = edition_of(inputs, renderer)
    best = min((edition_of(inputs, renderer)[1] for _ in range(ROUNDS)), key=lambda cost: cost.total)
    print(f"{options.stories} stories, {inputs.items_seen} items, {len(view.mailed)} in the mail, "
          f"{len(view.all_stories)} on the web page")
    for name, cost in (("first", first), ("later", best)):
        print(f"{name}: {cost.total:.0f} ms CPU "
              f"(compose {cost.compose:.0f}, html {cost.html:.0f}, text {cost.text:.0f})")
    if options.profile:
        profile = cProfile.Profile()
        profile.runcall(edition_of, inputs, renderer)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


def _prose(language: str, count: int, chance: random.Random) -> str:
    words, weights = _vocabulary(language)
    return " ".join(chance.choices(words, cum_weights=weights, k=count)).capitalize()


@lru_cache
def _vocabulary(language: str) -> tuple[list[str], list[float]]:
    """Words of the news and made-up ones, the nth as often as 1/n, in cumulated weights (Zipf's law)."""
    chance = random.Random(language)
    syllables = [c + v for c in CONSONANTS[language] for v in VOWELS[language]]
    made_up = {"".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(VOCABULARY)}
    words = [*WORDS[language], *sorted(made_up, key=lambda word: (len(word), word))]
    return words, list(accumulate(1 / n for n in range(1, len(words) + 1)))


def _story(number: int, feeds: dict[str, list[Feed]], chance: random.Random) -> Story:
    told = min(len(feeds["en"]), 1 + int(chance.expovariate(1.6)))
    region_words = chance.randrange(len(PLACES["en"]))
    items = sorted((_item(number, copy, feeds, region_words, chance) for copy in range(told)),
                   key=lambda item: (item.first_seen_at, item.id))
    return Story(items[0].id, tuple(items))


def _item(number: int, copy: int, feeds: dict[str, list[Feed]], place: int, chance: random.Random) -> Item:
    language = "ru" if copy and chance.random() < 0.5 else "en"
    feed = chance.choice(feeds[language])
    title = f"{_prose(language, 7, chance)} {PLACES[language][place]}".strip()
    summary = ". ".join(_prose(language, 12, chance) for _ in range(2)) + "."
    seen = CUTOFF - timedelta(minutes=chance.uniform(5, 23 * 60))
    key = f"{number}-{copy}"
    url = f"https://{feed.source.slug}.example/{key}"
    return Item(short_id(feed.id, key), feed, key, url, url, title, summary, (), None, None, language,
                seen - timedelta(minutes=4), 0, DateQuality.EXACT, seen)


if __name__ == "__main__":
    main()
