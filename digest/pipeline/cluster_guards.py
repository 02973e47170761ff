"""What keeps two clusters apart however alike they read: each guard names one way in which likeness deceives.

A guard is a function of a compared pair that says whether it parts them. To add one, write the function and put it
into `GUARDS`.
"""

from collections.abc import Callable, Iterable

from digest.pipeline.cluster_document import Document, repeats, same_pattern
from digest.pipeline.cluster_features import grams, overlap, strangers
from digest.pipeline.cluster_index import Cluster, Pair
from digest.text.evidence import STRONG

Guard = Callable[[Pair], bool]

KNOWN_SHARE = 0.15  # of the members that must have a term for the cluster to know it
FEWEST_KNOWN = 4  # terms of an item that a cluster must know
FEWEST_KNOWN_OF_SHORT = 2  # the same for a short item
SHORT_TERMS = 12  # an item with fewer terms is short, a headline alone
FEWEST_WORDS = 2  # among them that are neither places nor numbers
WORTH = 2.8  # of the terms shared with one recent member, in terms that two items alone have
WORTH_OF_SHORT = 1.2  # the same for a short item
ALIKE_TITLES = 0.3  # share of grams of two titles that may fill one template
COMPARED = 4  # newest members whose places are compared
RECENT = 12  # members
FEWEST_KNOWN_TITLE = 2  # title terms that a cluster of the same source must know, beside the source's boilerplate


def share_little(pair: Pair) -> bool:
    """No item of the smaller shares more with the larger than common words or a rare one ("August", "Ramadan")."""
    smaller, larger = pair.by_size()
    return pair.evidence is None and not any(_speaks_of(doc, larger, pair) for _, doc in smaller.members)


def are_one_source(pair: Pair) -> bool:
    """One source tells both and repeats nothing: its own series, not several outlets' one event."""
    smaller, larger = pair.by_size()
    return len(smaller.sources.keys() | larger.sources.keys()) == 1 and bool(strangers(smaller, larger))


def share_boilerplate(pair: Pair) -> bool:
    """A source of both shares hardly a word of its title with what it told there."""
    smaller, larger = pair.by_size()
    return any(len(known(doc.title_terms, larger)) < FEWEST_KNOWN_TITLE for doc in strangers(smaller, larger))


def fill_a_template(pair: Pair) -> bool:
    """One source fills a template with two objects ("Fire in Almaty", "Fire in Astana")."""
    smaller, larger = pair.by_size()
    return any(doc.source == member.source and same_pattern(doc, member)
               for doc in strangers(smaller, larger) for _, member in larger.members)


def have_other_objects(pair: Pair) -> bool:
    """Alike titles name countries of which the other says nothing ("ambassador of Austria", "of Malaysia")."""
    ones, others = (cluster.members[-COMPARED:] for cluster in (pair.younger, pair.older))
    pairs = [(one, other) for _, one in ones for _, other in others]
    return (all(one.places.titled - other.places.named and other.places.titled - one.places.named
                for one, other in pairs)
            and any(overlap(grams(one.title), grams(other.title)) >= ALIKE_TITLES for one, other in pairs))


def round_up(pair: Pair) -> bool:
    """One of both rounds up many things, or tells one anew all day, and the other is no copy of it."""
    if not any(doc.roundup for cluster in (pair.younger, pair.older) for _, doc in cluster.members):
        return False
    return not any(repeats(one, other) for _, one in pair.younger.members for _, other in pair.older.members)


def state_little_alike(pair: Pair) -> bool:
    """They are in different languages, and the names and numbers of both are too few to tell one event."""
    return pair.evidence is not None and pair.evidence.strength < STRONG


GUARDS: tuple[Guard, ...] = (share_little, are_one_source, share_boilerplate, fill_a_template,
                             have_other_objects, round_up, state_little_alike)


def parted(pair: Pair) -> bool:
    """Whether a guard keeps the two clusters apart."""
    return any(guard(pair) for guard in GUARDS)


def known(terms: Iterable[str], cluster: Cluster) -> list[str]:
    """Those of the terms that at least 15 % of the cluster's members have."""
    enough, counts = KNOWN_SHARE * cluster.size, cluster.counts
    return [term for term in terms if term in counts and counts[term] >= enough]


def _speaks_of(doc: Document, cluster: Cluster, pair: Pair) -> bool:
    is_short = len(doc.terms) < SHORT_TERMS
    shared = known(doc.terms, cluster)
    if sum([term not in doc.places.terms and not term.isdigit() for term in shared]) < FEWEST_WORDS:
        return False
    if len(shared) < (FEWEST_KNOWN_OF_SHORT if is_short else FEWEST_KNOWN):
        return False
    return any(pair.live.worth(doc.terms.keys() & member.terms.keys())
               >= (WORTH_OF_SHORT if is_short or len(member.terms) < SHORT_TERMS else WORTH)
               for _, member in cluster.members[-RECENT:])
