"""Every metric of a reply, one small function each; tables, page, export and schema follow from what stands here.

To add one: write a function of a Case that gives a number or None (it does not apply), and decorate it. Text metrics
are those of well-kept libraries (rouge-score, sacrebleu), loaded on first use. Knows no arm and no statistics.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from core.evaluation import scoring
from core.evaluation.quantities import Quantity, tokens
from core.records import Timing, Tokens

# Not where a sentence, a line or an item of a list begins: there any word has a capital letter.
_NAME: Final = re.compile(r"(?<![.!?:\n\"] )(?<![-*•] )(?<![\n*])(?<!^)\b[A-Z][\w-]{2,}(?: [A-Z][\w-]{2,})*")

_ITEM: Final = re.compile(r"^\s*\d{1,2}[.)]\s+(?=\S)", re.MULTILINE)  # the number of a list's item states nothing


@dataclass(frozen=True)
class Case:
    """One reply and what is known of it. `accepted`: the answers that count, the proper one first; may be empty.

    `found`: for each retrieved passage, best first, whether it holds the answer; None when nothing was retrieved.
    `cost`: dollars. Times in ms. `meaning`: cosine to the nearest accepted answer, where an embedder was at hand.
    """

    question: str
    reply: str
    accepted: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()
    found: tuple[bool, ...] | None = None
    timing: Timing = field(default_factory=Timing)
    tokens: Tokens = field(default_factory=Tokens)
    cost: float | None = None
    meaning: float | None = None


@dataclass(frozen=True)
class Metric:
    """A metric: its name in files, its title for people, its unit ("share", "ms", "words", "USD"), what it says."""

    name: str
    title: str
    unit: str
    about: str
    measure: Callable[[Case], float | None]


Measure = Callable[[Case], float | None]
Meaning = Callable[[str, Sequence[str]], float | None]  # a reply and texts: cosine to the nearest, None: not known
METRICS: Final[dict[str, Metric]] = {}
IN_WORDS: Final = ("exact_match", "contains", "token_f1", "rouge_l", "bleu", "chrf")
LIKENESS: Final = (*IN_WORDS, "embedding_similarity")  # compare with an answer; the last one needs an embedder


def metric(
    title: str, unit: str = "share"
) -> Callable[[Callable[[Case], float | None]], Callable[[Case], float | None]]:
    """Enters a function as a metric; its name is the function's, its docstring says what it measures."""

    def enter(measure: "Measure") -> "Measure":
        METRICS[measure.__name__] = Metric(measure.__name__, title, unit, (measure.__doc__ or "").strip(), measure)
        return measure

    return enter


def measured(case: Case) -> dict[str, float]:
    """Name -> value, of the metrics that apply."""
    values = {name: one.measure(case) for name, one in METRICS.items()}
    return {name: float(value) for name, value in values.items() if value is not None}


def no_meaning(_reply: str, _texts: Sequence[str]) -> float | None:
    """The Meaning of who has no embedder."""
    return None


def likeness(name: str, reply: str, accepted: Sequence[str], meaning: Meaning = no_meaning) -> float | None:
    """How like the best of the accepted answers a reply is, 0 to 1, by one of LIKENESS; None: it cannot be said."""
    near = meaning(reply, accepted) if name == embedding_similarity.__name__ else None
    return METRICS[name].measure(Case("", reply, tuple(accepted), meaning=near))


# -- likeness to the accepted answers --------------------------------------------------------------------------------


@metric("Exact match")
def exact_match(case: Case) -> float | None:
    """The reply is an accepted answer and nothing else, whatever its case, punctuation and articles (as SQuAD)."""
    return _best(case, lambda reference: float(_plain(case.reply) == _plain(reference)))


@metric("Contains")
def contains(case: Case) -> float | None:
    """An accepted answer stands in the reply."""
    return float(scoring.holds(case.reply, case.accepted)) if case.accepted else None


@metric("Token F1")
def token_f1(case: Case) -> float | None:
    """Words in common with the best accepted answer: harmonic mean of precision and recall (as SQuAD)."""
    return _best(case, lambda reference: _f1(_plain(case.reply), _plain(reference)))


@metric("ROUGE-L")
def rouge_l(case: Case) -> float | None:
    """Longest common subsequence with the best accepted answer, F-measure (rouge-score)."""
    return _best(case, lambda reference: float(_rouge().score(reference, case.reply)["rougeL"].fmeasure))


@metric("BLEU")
def bleu(case: Case) -> float | None:
    """Sentence BLEU against all accepted answers (sacrebleu, smoothed), 0 to 1."""
    if not case.accepted:
        return None
    return float(_sacrebleu().sentence_bleu(case.reply, list(case.accepted)).score) / 100


@metric("chrF")
def chrf(case: Case) -> float | None:
    """Character n-grams against all accepted answers (sacrebleu), 0 to 1."""
    return float(_sacrebleu().sentence_chrf(case.reply, list(case.accepted)).score) / 100 if case.accepted else None


@metric("Embedding similarity")
def embedding_similarity(case: Case) -> float | None:
    """Cosine of the reply and the nearest accepted answer, by the embedder that the project searches with."""
    return None if case.meaning is None else max(0.0, case.meaning)


# -- what stands behind the reply --------------------------------------------------------------------------------------


@metric("Grounded")
def grounded(case: Case) -> float | None:
    """Share of the reply's numbers and names that stand in its passages or in the question."""
    if not case.passages:
        return None
    claims = _claims(case.reply)
    if not claims:
        return None
    return 1 - len(absent(case)) / len(claims)


@metric("Citations right")
def citations_right(case: Case) -> float | None:
    """Share of the cited passages that exist and hold an accepted answer; none where nothing is cited."""
    numbers = scoring.cited(case.reply)
    if not numbers or not case.passages or not case.accepted:
        return None
    good = [1 <= n <= len(case.passages) and scoring.holds(case.passages[n - 1], case.accepted) for n in numbers]
    return sum(good) / len(good)


@metric("Hit@k")
def hit_at_k(case: Case) -> float | None:
    """A retrieved passage holds the answer."""
    return None if case.found is None else float(any(case.found))


@metric("MRR")
def mrr(case: Case) -> float | None:
    """One over the rank of the first passage that holds the answer, 0 when none does."""
    if case.found is None:
        return None
    return next((1 / rank for rank, holds in enumerate(case.found, 1) if holds), 0.0)


@metric("Declined")
def abstention(case: Case) -> float | None:
    """The reply says that it does not know, or that the documents do not say."""
    return float(scoring.abstains(case.reply))


# -- what it costs -------------------------------------------------------------------------------------------------


@metric("Words", "words")
def length(case: Case) -> float | None:
    """Words of the reply."""
    return float(len(case.reply.split()))


@metric("TTFT", "ms")
def ttft(case: Case) -> float | None:
    """From asking to the first token: retrieval, queue, prefill."""
    return case.timing.ttft_total


@metric("Retrieval", "ms")
def retrieval_time(case: Case) -> float | None:
    """Embedding the question and searching; none where nothing was searched."""
    return case.timing.retrieval


@metric("Queue", "ms")
def queue_time(case: Case) -> float | None:
    """Waiting for the model to be free."""
    return case.timing.queue


@metric("Prefill", "ms")
def prefill_time(case: Case) -> float | None:
    """Reading the prompt, less what an earlier one had already computed."""
    return case.timing.prefill


@metric("Decode", "ms")
def decode_time(case: Case) -> float | None:
    """Writing the reply after its first token."""
    return case.timing.decode


@metric("Total time", "ms")
def total_time(case: Case) -> float | None:
    """From asking to the last token."""
    return case.timing.total


@metric("Prompt tokens", "tokens")
def prompt_tokens(case: Case) -> float | None:
    """Tokens of the prompt, passages included."""
    return case.tokens.prompt


@metric("Output tokens", "tokens")
def output_tokens(case: Case) -> float | None:
    """Tokens of the reply."""
    return case.tokens.output


@metric("Cost", "USD")
def cost(case: Case) -> float | None:
    """Dollars of machine time at the project's hourly price, or of tokens at an endpoint's named price."""
    return case.cost


# -- helpers -------------------------------------------------------------------------------------------------------


def _best(case: Case, score: Callable[[str], float]) -> float | None:
    return max((score(reference) for reference in case.accepted), default=None)


def _plain(text: str) -> list[str]:
    """Words as SQuAD compares them: lower case, no punctuation, no articles."""
    words = re.sub(r"[^\w\s]", "", text.lower()).split()
    return [word for word in words if word not in ("a", "an", "the")]


def _f1(said: list[str], wanted: list[str]) -> float:
    common = sum((Counter(said) & Counter(wanted)).values())
    return 2 * common / (len(said) + len(wanted)) if common else 0.0


def absent(case: Case) -> list[str]:
    """The numbers and names of the reply that stand neither in its passages nor in the question, as written."""
    known = tokens(" \n".join((*case.passages, case.question)))
    return [text for text, claim in _claims(case.reply) if not scoring.in_order(known, claim)]


def _claims(reply: str) -> list[tuple[str, Sequence[Any]]]:
    """The numbers and names a reply states: as text, and as tokens."""
    reply = _ITEM.sub("", reply)
    numbers = [
        (f"{token.written:g} {token.unit}".strip(), (token,)) for token in tokens(reply) if isinstance(token, Quantity)
    ]
    return [*numbers, *((name, tokens(name)) for name in _NAME.findall(reply))]


@cache
def _rouge() -> Any:
    from rouge_score import rouge_scorer

    return rouge_scorer.RougeScorer(["rougeL"])


@cache
def _sacrebleu() -> Any:
    import sacrebleu

    return sacrebleu
