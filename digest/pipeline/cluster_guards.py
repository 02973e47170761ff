"""What keeps two clusters apart however alike they read: each guard names one way in which likeness deceives.

A guard is a function of two clusters, the smaller first, that says whether it parts them. To add one, write the
function and put it into `GUARDS`.
"""

from collections.abc import Callable, Iterable

from digest.pipeline.cluster_document import Document, same_pattern
from digest.pipeline.cluster_features import strangers
from digest.pipeline.cluster_index import Cluster, Pair

Guard = Callable[[Cluster, Cluster], bool]

KNOWN_SHARE = 0.15  # of the members that must have a term for the cluster to know it
FEWEST_KNOWN = 4  # terms of an item that a cluster must know
FEWEST_KNOWN_OF_SHORT = 2  # the same for a short item
SHORT_TERMS = 12  # an item with fewer terms is short, a headline alone
FEWEST_KNOWN_TITLE = 2  # title terms that a cluster of the same source must know, beside the source's boilerplate


def share_a_rare_word(smaller: Cluster, larger: Cluster) -> bool:
    """No item of the smaller shares more with the larger than a rare word or two ("August", "Ramadan")."""
    return not any(_speaks_of(doc, larger) for _, doc in smaller.members)


def are_one_source(smaller: Cluster, larger: Cluster) -> bool:
    """One source tells both and repeats nothing: its own series, not several outlets' one event."""
    return len(smaller.sources.keys() | larger.sources.keys()) == 1 and bool(strangers(smaller, larger))


def share_boilerplate(smaller: Cluster, larger: Cluster) -> bool:
    """A source of both shares hardly a word of its title with what it told there."""
    return any(known(doc.title_terms, larger) < FEWEST_KNOWN_TITLE for doc in strangers(smaller, larger))


def fill_a_template(smaller: Cluster, larger: Cluster) -> bool:
    """One source fills a template with two objects ("Fire in Almaty", "Fire in Astana")."""
    return any(doc.source == member.source and same_pattern(doc, member)
               for doc in strangers(smaller, larger) for _, member in larger.members)


GUARDS: tuple[Guard, ...] = (share_a_rare_word, are_one_source, share_boilerplate, fill_a_template)


def parted(pair: Pair) -> bool:
    """Whether a guard keeps the two clusters apart."""
    smaller, larger = pair.by_size()
    return any(guard(smaller, larger) for guard in GUARDS)


def known(terms: Iterable[str], cluster: Cluster) -> int:
    """How many of the terms at least 15 % of the cluster's members have."""
    enough, counts = KNOWN_SHARE * cluster.size, cluster.counts
    return sum([counts[term] >= enough for term in terms if term in counts])


def _speaks_of(doc: Document, cluster: Cluster) -> bool:
    needed = FEWEST_KNOWN if len(doc.terms) >= SHORT_TERMS else FEWEST_KNOWN_OF_SHORT
    return known(doc.terms, cluster) >= needed
