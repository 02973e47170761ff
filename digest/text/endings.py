"""Endings of the Turkic languages that Snowball does not know, and of Tajik, in the order in which words stack them.

Written as grammars have them: for nouns number, possession and case, for verbs voice, negation, tense and person.
Left out are "my" and "your", which news does not say, and endings of verbs in which many nouns end (Kazakh еңбек,
Kyrgyz өкмөт, Uzbek shahar): a noun has to have one stem with and without its endings.
What stands before an ending is part of it: `+сы` follows a vowel, `C:ды` a consonant, `ыі:нда` one of these letters;
others follow the rules of their language (`Grammar.hard_onsets`, ...). Kazakh and Kyrgyz are in Cyrillic, Uzbek and
Turkmen in Latin letters, with the letters of `script.one_script`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grammar:
    """The endings of a language by layer; those of a layer exclude each other."""

    vowels: str
    back: str = ""  # vowels that go with each other
    front: str = ""  # and those that never follow them in one word; "" where the language has no such harmony
    hard: str = ""  # consonants after which endings begin with one of `hard_onsets`, never of `soft_onsets`
    either: str = ""  # consonants, mostly of loans, after which both stand
    hard_onsets: str = ""
    soft_onsets: str = ""
    nominal: tuple[str, ...] = ()  # from the end of the word inwards
    tense: str = ""
    nouns_of_verbs: str = ""  # those of `tense` that nominal endings may follow
    person: str = ""
    negation: str = ""
    voice: str = ""
    disharmonic: frozenset[str] = frozenset()  # endings that are alike after all vowels
    finals: tuple[tuple[str, str], ...] = ()  # last letters of stems before vowels, and what they are elsewhere
    whole: frozenset[str] = frozenset()  # words that only seem to have endings
    truncated: int = 0  # letters that stay of a longer stem; 0: all


KAZAKH = Grammar(
    vowels="аәеёиоөуұүыіэюя", back="аоұыяё", front="әеөүіэ", hard="кқпстшфхцчщ", either="бвгд",
    hard_onsets="тқкп", soft_onsets="дғглб",
    nominal=(
        """ның нің C:дың C:дің тың тің ға ге қа ке +ны +ні C:ды C:ді ты ті да де та те дан ден тан тен нан нен
        мен бен пен менен бенен пенен ыі:н ыі:на ыі:не ыі:нда ыі:нде мң:а мң:е""",
        "дағы дегі тағы тегі ыі:ндағы ыі:ндегі",
        # not after ш: кенші is whoever mines
        """бвгғджзйкқлмнңпрстфхцуи:ы бвгғджзйкқлмнңпрстфхцуи:і аәеоөияю:сы аәеоөияю:сі ымыз іміз +мыз +міз
        ыңыз іңіз +ңыз +ңіз""",
        "лар лер дар дер тар тер",
    ),
    tense="""ған ген қан кен ып іп +п атын етін +йтын +йтін ады еді +йды +йді ды ді ты ті дым дім тым тім
        дық дік тық тік дың дің тың тің дыңыз діңіз тыңыз тіңіз са се сам сем сақ сек саң сең саңыз сеңіз
        у айық ейік +йық +йік ғалы гелі қалы келі амын емін +ймын +ймін
        асың есің +йсың +йсің амыз еміз +ймыз +йміз асыз есіз +йсыз +йсіз""",
    nouns_of_verbs="ған ген қан кен атын етін йтын йтін у",
    person="мын мін бын бін пын пін сың сің мыз міз быз біз пыз піз сыз сіз сыңдар сіңдер сыздар сіздер",
    negation="ма ме ба бе па пе", voice="ыл іл +л ын ін",
    disharmonic=frozenset("мен бен пен менен бенен пенен".split()), finals=(("б", "п"), ("ғ", "қ"), ("г", "к")),
    whole=frozenset("мектеп оңтүстік солтүстік".split()),
)
KYRGYZ = Grammar(
    vowels="аеёиоөуүыэюя", back="аоуыяёю", front="еөүиэ", hard="кпстшфхцчщ", either="бвгд",
    hard_onsets="ткп", soft_onsets="дглб",
    nominal=(
        """+нын +нин +нун +нүн C:дын C:дин C:дун C:дүн тын тин тун түн га ге го гө ка ке ко кө +ны +ни +ну +нү
        C:ды C:ди C:ду C:дү ты ти ту тү да де до дө та те то тө дан ден дон дөн тан тен тон төн
        ыиуү:н ыиуү:на ыиуү:не ыиуү:но ыиуү:нө ыиуү:нда ыиуү:нде ыиуү:ндо ыиуү:ндө ыиуү:нан ыиуү:нен ыиуү:нон ыиуү:нөн
        мң:а мң:е мң:о мң:ө""",
        "дагы деги догу дөгү тагы теги тогу төгү ыиуү:ндагы ыиуү:ндеги ыиуү:ндогу ыиуү:ндөгү",
        """ы и у ү аеоөияю:сы аеоөияю:си аеоөияю:су аеоөияю:сү ыбыз ибиз убуз үбүз +быз +биз +буз +бүз
        ыңыз иңиз уңуз үңүз +ңыз +ңиз +ңуз +ңүз""",
        "лар лер лор лөр дар дер дор дөр тар тер тор төр",
    ),
    tense="""ган ген гон гөн кан кен кон көн ып ип уп үп +п +йт ды ди ду дү ты ти ту тү
        дым дим дум дүм тым тим тум түм дың диң дуң дүң тың тиң туң түң
        са се со сө уу үү оо өө
        амын емин омун өмүн асың есиң осуң өсүң абыз ебиз обуз өбүз асыз есиз осуз өсүз +йбыз +йбиз +йбуз +йбүз""",
    nouns_of_verbs="ган ген гон гөн кан кен кон көн уу үү оо өө",
    person="мын мин мун мүн сың сиң суң сүң быз биз буз бүз пыз пиз пуз пүз сыз сиз суз сүз",
    negation="ба бе бо бө па пе по пө", voice="ыл ил ул үл +л ын ин ун үн",
    finals=(("б", "п"), ("г", "к")), whole=frozenset("түштүк түндүк".split()),
)
UZBEK = Grammar(
    vowels="aeiou",
    nominal=(
        "ning ni ga ka qa da dan gacha kacha qacha dek day",
        "dagi",
        "i +si imiz ingiz +miz +ngiz",
        "lar",
    ),
    tense="""gan kan qan ib adi +ydi di dim ding dik dingiz dilar sa sam sang sak ish +sh moqda moqchi
        ayotgan +yotgan ayotir +yotir adigan +ydigan yapti yaptilar guncha gach""",
    nouns_of_verbs="gan kan qan ish sh ayotgan yotgan adigan ydigan moqchi",
    person="man san miz siz lar",
    negation="ma", voice="il +l in",
    finals=(("g'", "q"), ("g", "k")),
    whole=frozenset("majlis aholi".split()),
)
TURKMEN = Grammar(
    vowels="aäeioöuüy", back="aouy", front="äeiöü", hard="", soft_onsets="",
    nominal=(
        """C:yň C:iň C:uň C:üň +nyň +niň +nuň +nüň +ny +ni C:a C:e yiuü:na yiuü:ne da de dan den yiuü:nda yiuü:nde
        yiuü:ndan yiuü:nden""",
        "daky däki yiuü:ndaky yiuü:ndäki",
        "ym im um üm y i u ü +m +ň +sy +si ymyz imiz umyz ümiz +myz +miz",
        "lar ler",
    ),
    finals=(("b", "p"), ("g", "k")), truncated=7,
)
TAJIK = Grammar(
    vowels="аеёиоуэюяӣӯ",
    nominal=("ро +ю C:у", "аш ашон атон амон +яш +яшон", "C:и C:ӣ +и +е C:е", "ҳо C:он +ён +гон"),
    truncated=7,
)
GRAMMARS = {"kk": KAZAKH, "ky": KYRGYZ, "uz": UZBEK, "tk": TURKMEN, "tg": TAJIK}
