from digest.query import match, parse_query
from digest.query.match import prepare_text
from digest.query.quote import LONGEST, Piece, marked, quote


def _quote(query: str, *paragraphs: str, language: str = "en", title_only: bool = False) -> tuple[str, tuple[str, ...]]:
    text = prepare_text(paragraphs, language)
    spans = match(parse_query(query), text)
    assert spans is not None
    found = quote(text, spans, title_only=title_only)
    return found.sentence, found.words


def test_the_sentence_with_most_of_the_words_is_quoted() -> None:
    text = "Gas is cheap. Astana builds a gas  pipeline. Gas again."
    assert _quote("gas pipeline Astana", "Gas and pipelines", text) == (
        "Astana builds a gas pipeline.", ("Astana", "gas", "pipeline", "pipelines"))


def test_a_sentence_of_the_text_is_rather_quoted_than_the_title() -> None:
    assert _quote("gas", "Gas rises", "Prices up. The gas price rose.")[0] == "The gas price rose."
    assert _quote("gas", "Gas rises", "Prices are up.")[0] == "Gas rises"
    assert _quote("gas AND price", "Gas price up", "It is the gas.", "The price.") == ("Gas price up", ("Gas", "price"))


def test_a_text_that_may_not_be_shown_is_not_quoted() -> None:
    assert _quote("coal", "Gas rises", "Coal falls.", title_only=True) == ("Gas rises", ("Coal",))


def test_a_long_sentence_is_cut_at_words_round_the_match() -> None:
    sentence, _ = _quote("gas", "Title", "word " * 200 + "gas " + "other " * 200)
    assert len(sentence) <= LONGEST + 2
    assert sentence.startswith("…word") and " gas " in sentence and sentence.endswith("other…")
    assert _quote("gas", "Title", "x" * 1000 + " gas " + "y" * 1000)[0] == "…gas…"


def test_a_russian_sentence_does_not_end_at_an_abbreviation() -> None:
    assert _quote("газопровод", "Заголовок", "В 2026 г. построят газопровод в г. Атырау. Всё.", language="ru")[0] \
        == "В 2026 г. построят газопровод в г. Атырау."


def test_words_are_marked_as_whole_words() -> None:
    assert marked("Gas gases GAS pipeline.", ("gas", "gas pipeline")) == (
        Piece("Gas", True), Piece(" gases ", False), Piece("GAS pipeline", True), Piece(".", False))
    assert marked("Nothing (here)", ()) == (Piece("Nothing (here)", False),)
