"""Words too common to say what a text is about, by language, in the form that `tokens.fold` gives."""

from digest.text.romanised import LANGUAGES, romanised

STOPWORDS: dict[str, frozenset[str]] = {
    "en": frozenset("""
        a about above after again against all also am an and any are aren as at be because been before being below
        between both but by can cannot could couldn d did didn do does doesn doing don down during each few for from
        further had hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn it
        its itself just ll m may me might more most must my myself no nor not now o of off on once only or other our
        ours ourselves out over own re s said same say says shall she should so some such t than that the their theirs
        them themselves then there these they this those through to too under until up upon us ve very was wasn we were
        weren what when where which while who whom why will with won would wouldn you your yours yourself yourselves
        """.split()),
    "ru": frozenset("""
        а без более бы был была были было быть в вам вами вас весь во вот все всего всех вся вы где да даже для до его
        ее если есть еще ж же за здесь и из или им ими их к как какая какой когда кто ли либо между меня мне может мы
        на над надо наш не него нее нет ни них но ну о об однако он она они оно от ото перед по под после потому при
        про с сам своей своего свои свой свою себе себя со так также такой там те тем то того тоже той только том тот
        ту тут ты у уже хотя чего чей чем через что чтобы эта эти это этого этой этом этот эту я который которая
        которые которых которого которой котором сообщает сообщил сообщила сообщили заявил заявила
        """.split()),
    "kk": frozenset("""
        ал арасында арқылы бар барлық бір біз бойынша болады болған болды болып бұл бұрын да де деді деп дейін
        екен еді ең еткен етті жатыр және жоқ жөнінде кейін керек көп мен мұны не немесе ол олар осы осындай оның
        отыр өз өте сол соң сондай та тағы те туралы тұр үшін үшін шейін яғни
        """.split()),
    "ky": frozenset("""
        ал анын аркылуу ар бар бир биз болгон болду болуп боюнча бул да дагы деген деди деп жана же жок кийин көп
        керек кылып менен мурда ошол ошондой өз өтө сен тууралуу үчүн эле эмес эң
        """.split()),
    "uz": frozenset("""
        bilan bir biz bo'lgan bo'ldi bo'lib bo'yicha bu edi ega emas esa ham haqda haqida har keyin kerak ko'p lekin
        mazkur mumkin o'z qildi qilgan qilib shu uchun va yoki ва билан бир бу бўйича бўлган бўлди бўлиб эди эса ҳам
        ҳақида ҳар кейин керак кўп лекин мазкур мумкин ўз учун шу ёки қилди қилган
        """.split()),
    "tg": frozenset("""
        аз ба дар бо барои ва ки ин он як аст буд шуд шудааст мешавад кард карда кардааст мекунад ҳам низ то е ҳар бояд
        дигар инчунин аммо вале дорад доранд онҳо мо ман шумо худ чун пас баъд бештар бар дар бораи гуфт
        """.split()),
    "tk": frozenset("""
        we bu bilen üçin hem ol bir diýip diýdi boldy bolan bolup boýunça barada ýa eden etdi edýär köp soň şeýle şol
        öz olar ýaly has bar däl her
        """.split()),
    "tr": frozenset("""
        acaba ama ancak bir bu çok da daha de değil diye en gibi göre hem için ile ise ki mi mı mu mü ne o olan olarak
        oldu olduğu sonra şu ve veya ya
        """.split()),
}
STOPWORDS.update({language: frozenset(map(romanised, STOPWORDS["ru"])) for language in LANGUAGES})
_NONE: frozenset[str] = frozenset()


def stop_words(language: str) -> frozenset[str]:
    """The stop words of a language; an unknown language has none."""
    return STOPWORDS.get(language, _NONE)


def is_stop(word: str, language: str) -> bool:
    """Whether a folded word is a stop word of the language."""
    return word in STOPWORDS.get(language, _NONE)
