"""Reads a description by the rules of lexicon.toml: proposed answers, exact numbers, and what became of every word.

    words.py        words, clauses, stems          patterns.py     phrases over them, and negation
    quantities.py   numbers with units, and rates  lexicon.toml    what words mean to the advisor
    whole.py        what the words as a whole lean to, where the rules by themselves would say otherwise

Three kinds of rule: plain statements ("nothing to look up"), questions of degree (a topic such as tone, with how much
of it is wanted), and numbers (how much text, how many requests, how often facts change). The stronger kind of evidence
wins; between equals the more demanding option, which comes later in rules.toml. Nothing leaves the machine, and
nothing counts before a person has confirmed it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core import tomlfile
from core.advisor import quantities, rules, whole
from core.advisor.patterns import NEGATIONS, Span, find_any, negated
from core.advisor.quantities import MONTHLY, Quantity
from core.advisor.words import Words, after, parse, stem

FILE = Path(__file__).with_name("lexicon.toml")
MAX_TEXT = 20_000  # characters read; a description is shorter
LEARNED, STATED, COUNTED, HINTED, WEAK = 4, 3, 2, 1, 0  # kinds of evidence, the strongest first
# From so many times a month on, facts change so often.
OFTEN = ((60.0, "live"), (3.0, "daily"), (0.2, "monthly"), (0.0, "rarely"))
PAGES = ((2000, "large"), (16, "medium"), (0, "fits-prompt"))
DOCUMENTS = ((300, "large"), (6, "medium"), (0, "fits-prompt"))
QUESTIONS = ((2000, "large"), (60, "medium"), (0, "fits-prompt"))
EXAMPLES = ((1000, "thousands"), (100, "hundreds"), (0, "collectable"))
VOLUMES = ((1e6, "high"), (1e4, "medium"), (0, "low"))
DELAYS = ((2001, "relaxed"), (500, "interactive"), (0, "tight"))  # ms
WEEKS = ((9, "months"), (1.01, "weeks"), (0, "days"))
TOKENS_A_PAGE, WORDS_A_PAGE = 500, 400  # only to choose an option; the hand-over has its own, wider range
FEWEST_EXAMPLES = 20  # "seven headings" are none
SOON = {"in", "within", "under", "below", "after", "than", "about", "launch", "live"}
LAUNCH = {"launch", "live", "release", "deadline", "rollout"}
DELAY_WORDS = {"within", "under", "below", "than", "about", "in"}
MONTH = {"day": 12 / 365, "week": 84 / 365, "month": 1.0, "quarter": 3.0, "year": 12.0}  # how many of them
WEEKS_A_MONTH = 365 / 84
ROUGHLY = 0.25  # either way around "about 12,000" (ours)
DOLLARS = {"$", "usd", "dollar", "dollars"}  # what the calculator counts in; other money is left to be typed
TEXT = ("page", "token", "word")
PER_MILLION = {"million", "mtok", "m", "1m", "1mtok"}
SENT, WRITTEN = {"input", "in", "prompt"}, {"output", "out", "completion"}
FIRST_YEAR = ("first year ", "year one ", "year 1 ")
MORE = {
    "more",
    "less",
    "fewer",
    "over",
    "above",
    "exceed",
    "beyond",
    "later",
    "longer",
    "before",
    "than",
    "only",
    "until",
}
REPLY = {"answer", "answers", "reply", "replies", "response", "responses"}
RIGHT = {"right", "correct", "accurate", "accuracy", "accurately", "correctly"}
SPENT = {"budget", "total", "altogether", "spend", "cap", "funding", "fund", "afford", "money", "cost"}
DEGREES = ("none", "wish", "must")  # of several in one clause the weakest is meant: "wanted but not a must"
UNREAD, READ, OVERRULED, LIGHT = "unread", "read", "overruled", "light"


@dataclass(frozen=True)
class Found:
    """Words that speak for one option. `start`, `end`: their place in the text; `used`: it became the answer.

    `learned`: no rule knows these words; they told most for what the text as a whole leans to.
    """

    question: str
    option: str
    words: str
    start: int
    end: int
    used: bool = True
    learned: bool = False


@dataclass(frozen=True)
class Fact:
    """A number that the text states: low and high in `unit`, under a name that handover.toml knows."""

    name: str
    low: float
    high: float
    unit: str
    words: str
    start: int
    end: int


@dataclass(frozen=True)
class Piece:
    """A stretch of the text: READ, OVERRULED by stronger words, LIGHT (no meaning of its own, spaces) or UNREAD."""

    text: str
    kind: str


@dataclass(frozen=True)
class Reading:
    """What a text gave away."""

    answers: dict[str, str]
    found: tuple[Found, ...]
    facts: tuple[Fact, ...]
    pieces: tuple[Piece, ...]

    @property
    def unread(self) -> tuple[str, ...]:
        """The words that no rule understood, in reading order."""
        return tuple(piece.text for piece in self.pieces if piece.kind == UNREAD)


@dataclass(frozen=True)
class Graded:
    """A question of degree: phrases that speak of it, and the option for each degree."""

    options: dict[str, str]
    strong: tuple[str, ...]
    weak: tuple[str, ...]
    mild: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """Words of change, of what changes, and phrases that say how often."""

    words: tuple[str, ...]
    data: tuple[str, ...]
    live: tuple[str, ...]
    daily: tuple[str, ...]
    often: tuple[str, ...]
    monthly: tuple[str, ...]
    rarely: tuple[str, ...]
    never: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    """Words that make a count of things a count of examples."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Lexicon:
    """The shape of lexicon.toml."""

    units: dict[str, tuple[str, ...]]
    degree: dict[str, tuple[str, ...]]
    graded: dict[str, Graded]
    change: Change
    said: dict[str, dict[str, tuple[str, ...]]]
    hint: dict[str, dict[str, tuple[str, ...]]]
    weak: dict[str, dict[str, tuple[str, ...]]]
    checked: Checked


@dataclass(frozen=True)
class _Mark:
    question: str
    option: str
    span: Span
    strength: int
    per_month: float = 0.0  # of a rate


def read(text: str) -> Reading:
    """Everything that the text gives away; never raises, whatever the text."""
    text = text[:MAX_TEXT]
    words = parse(text)
    numbers = quantities.quantities(words, _units())
    marks = _marks(words, numbers)
    answers = _answers(marks)
    loose = [asked for asked in answers if _strength(asked, marks) < STATED]
    counted = {at for each in numbers for at in range(each.first, each.last + 1)}
    if settled := whole.settle(words, answers, loose, _signs(marks), counted):
        answers = {name: option for name, option in {**answers, **settled.answers}.items() if option}
        given = [(name, option) for name, option in settled.answers.items() if option]
        marks += [_Mark(*pair, span, LEARNED) for pair in given for span in settled.spans]
    facts = tuple(_facts(text, words, numbers, marks, answers.get("data-changes", "")))
    found = tuple(_found(text, words, marks, answers))
    return Reading(answers, found, facts, tuple(_pieces(text, words, found, facts)))


def by_rules(words: Words) -> tuple[dict[str, str], set[str]]:
    """The answers that the rules alone read, without what the text as a whole leans to, and the signs they found."""
    marks = _marks(words, quantities.quantities(words, _units()))
    return _answers(marks), _signs(marks)


def _signs(marks: Sequence[_Mark]) -> set[str]:
    """Everything that a rule found, also what stronger words overrule, as whole.py weighs it."""
    return {f"{mark.question} {mark.option} {mark.strength}" for mark in marks}


def _marks(words: Words, numbers: Sequence[Quantity]) -> list[_Mark]:
    return list(_plausible([*_said(words), *_graded(words), *_changing(words, numbers), *_counted(words, numbers)]))


def _answers(marks: Sequence[_Mark]) -> dict[str, str]:
    return {asked: option for asked in rules.load().questions if (option := _best(asked, marks))}


def _strength(question: str, marks: Sequence[_Mark]) -> int:
    return max(mark.strength for mark in marks if mark.question == question)


def _plausible(marks: Sequence[_Mark]) -> Iterator[_Mark]:
    """Marks without weak signs of "nothing to look up" where facts change: changing facts must come from somewhere."""
    moving = _best("data-changes", marks) in ("monthly", "daily", "live")
    for mark in marks:
        if not (moving and (mark.question, mark.option, mark.strength) == ("knowledge-size", "none", WEAK)):
            yield mark


def _best(question: str, marks: Sequence[_Mark]) -> str:
    """The option with the strongest evidence; between equals the one that comes later in the rules."""
    order = [option.id for option in rules.load().questions[question].options]
    here = [(mark.strength, order.index(mark.option), mark.option) for mark in marks if mark.question == question]
    return max(here)[2] if here else ""


def _said(words: Words) -> Iterator[_Mark]:
    """Plain statements, hints and weak signs."""
    lexicon = load()
    for strength, sections in ((STATED, lexicon.said), (HINTED, lexicon.hint), (WEAK, lexicon.weak)):
        for question, options in sections.items():
            for option, phrases in options.items():
                for span in find_any(phrases, words):
                    if not negated(span, words):
                        yield _Mark(question, option, span, strength)


def _graded(words: Words) -> Iterator[_Mark]:
    """Questions of degree: every topic with the degree that its sentence gives it."""
    topics = [
        (question, kind, span)
        for question, graded in load().graded.items()
        for kind in ("strong", "weak", "mild")
        for span in find_any(getattr(graded, kind), words)
    ]
    told = _degrees(words, {words[span.first].clause: words[span.first].sentence for _, _, span in topics})
    spoken: dict[tuple[str, str, Span], None] = {}
    for question, kind, span in topics:
        options = load().graded[question].options
        here = [each for each in told.get(words[span.first].clause, ()) if not _within(each[1], span)]
        if any(words[other.first].clause == words[span.first].clause and name != question for name, _, other in topics):
            # "must cite, voice wanted": of several topics in a clause each has the words of its own part, if it has any
            here = [each for each in here if words[each[1].first].part == words[span.first].part] or here
        if negated(span, words):
            if kind != "mild":
                yield _Mark(question, options["none"], span, STATED if kind == "strong" else COUNTED)
        elif kind == "mild":
            yield _Mark(question, options["wish"], span, HINTED)
        elif not here:
            sure = kind == "strong"
            yield _Mark(question, options["must" if sure else "wish"], span, COUNTED if sure else WEAK)
        else:
            degree = min(here, key=lambda pair: DEGREES.index(pair[0]))[0]
            yield _Mark(question, options[degree], span, STATED)
            spoken |= {(question, options[degree], at): None for each, at in here if each == degree}
    for question, option, at in spoken:
        yield _Mark(question, option, at, STATED)


def _degrees(words: Words, topics: Mapping[int, int]) -> dict[int, list[tuple[str, Span]]]:
    """Words of degree by the clause whose topic they speak of. `topics`: clause -> sentence of everything spoken of.

    That is their own clause, else the nearest of their sentence that has a topic, the one before first.
    """
    every = [(degree, span) for degree, phrases in load().degree.items() for span in find_any(phrases, words)]
    longest: dict[
        tuple[str, int], Span
    ] = {}  # of those that begin or end at one place only the longest counts: "not matter much", "not matter"
    for _, span in every:
        for end in (("from", span.first), ("to", span.last)):
            if end not in longest or span.last - span.first > longest[end].last - longest[end].first:
                longest[end] = span
    found: dict[int, list[tuple[str, Span]]] = {}
    for degree, span in every:
        if longest["from", span.first] != span or longest["to", span.last] != span:
            continue
        at = words[span.first]
        others = [clause for clause, sentence in topics.items() if sentence == at.sentence]
        before = [clause for clause in others if clause < at.clause]
        owner = at.clause if at.clause in topics else max(before) if before else min(others, default=None)
        if owner is not None:
            found.setdefault(owner, []).append((degree, span))
    return found


def _within(span: Span, other: Span) -> bool:
    """Whether a span lies in another."""
    return other.first <= span.first and span.last <= other.last


def _changing(words: Words, numbers: Sequence[Quantity]) -> Iterator[_Mark]:
    """How often facts change: rates beside a word of change or beside changing data, and phrases that say so."""
    change = load().change
    moving = [span for span in find_any(change.words, words) if not negated(span, words)]
    data = list(find_any(change.data, words))
    taken = {place for each in numbers if each.per_month for place in range(each.first, each.last + 1)}
    for rate in quantities.rates(words):
        near = [span for span in data if words[span.first].clause == words[rate.first].clause]
        beside = any(abs(span.first - rate.last) <= 2 or abs(rate.first - span.last) <= 2 for span in near)
        moved = any(words[span.first].clause == words[rate.first].clause for span in moving)
        if rate.first not in taken and (moved or beside):
            often = rate.per_month
            yield _Mark("data-changes", _step(OFTEN, often), Span(rate.first, rate.last), STATED, often)
    for each in numbers:
        before = words[each.first : each.last + 1]
        if each.per_month and any(word.text == "new" for word in before):
            often = each.low * each.per_month
            yield _Mark("data-changes", _step(OFTEN, often), Span(each.first, each.last), STATED, often)
    told = {words[span.first].clause for span in (*moving, *data)}
    for span in find_any(change.often, words):
        if words[span.first].clause in told and not negated(span, words):
            yield _Mark("data-changes", "daily", span, COUNTED)
    for option, strength in (
        ("never", STATED),
        ("rarely", STATED),
        ("monthly", COUNTED),
        ("daily", COUNTED),
        ("live", COUNTED),
    ):
        for span in find_any(getattr(change, option), words):
            if span.first not in taken and not negated(span, words):
                yield _Mark("data-changes", option, span, strength)


def _counted(words: Words, numbers: Sequence[Quantity]) -> Iterator[_Mark]:
    """What the numbers say of size, examples, volume, delay and launch."""
    checked = {words[span.first].clause for span in find_any(load().checked.words, words)}
    for at, each in enumerate(numbers):
        span = Span(each.first, each.last)
        if each.per_month and each.kind in ("request", "document", "thing", "example"):
            new = any(word.text == "new" for word in words[each.first : each.last + 1])
            if not new and not quantities.per_head(each, words, _units()["person"]):
                yield _Mark("volume", _step(VOLUMES, each.low * each.per_month), span, COUNTED)
        elif _examples(each, words, checked):
            yield _Mark("examples", _step(EXAMPLES, each.low), span, COUNTED)
        elif not _reply(each, words) and (pages := _pages(each, words)):
            pages *= quantities.pieces(at, numbers, words, TEXT)
            yield _Mark("knowledge-size", _step(PAGES, pages), span, COUNTED)
        elif stem(each.noun) == "question" and _asked_about(each, words):
            yield _Mark("knowledge-size", _step(QUESTIONS, each.low), span, COUNTED)
        elif each.kind == "document" and each.low > 1:
            yield _Mark("knowledge-size", _step(DOCUMENTS, each.low), span, HINTED)
        elif (delay := _delay(each, words)) is not None:
            yield _Mark("latency", _step(DELAYS, delay), _wider(span, words), STATED)
        elif (weeks := _weeks(each, words)) is not None:
            yield _Mark("time", _step(WEEKS, weeks), _wider(span, words), STATED)


def _examples(each: Quantity, words: Words, checked: set[int]) -> bool:
    """Whether a count is one of good examples: of examples, or of anything in a clause that says they were checked."""
    counted = each.kind in ("document", "thing", "request") and words[each.first].clause in checked
    return (counted or each.kind == "example") and each.low >= FEWEST_EXAMPLES


def _asked_about(each: Quantity, words: Words) -> bool:
    """Whether a count of questions is one of different questions: "twelve frequent questions", "40 questions about"."""
    inside = {word.text for word in words[each.first : each.last + 1]}
    behind = {word.text for _, word in after(words, each.last, 1)}
    return bool(
        inside & {"frequent", "same", "common", "standard", "typical", "usual", "different"} or behind & {"about", "on"}
    )


def _pages(each: Quantity, words: Words) -> float:
    """How many pages of text a quantity is; 0 when it is none, as in a price "per 1M tokens"."""
    before = words[each.first - 1] if each.first else None
    if each.kind == "token" and before:
        priced = any(word.text[0].isdigit() for word in words[max(0, each.first - 3) : each.first - 1])
        if before.glued == "/" or before.text in ("per", "each", "every") or (before.text == "a" and priced):
            return 0
    if each.kind == "page":
        return each.low
    if each.kind == "token" and each.low >= 1000:
        return each.low / TOKENS_A_PAGE
    return each.low / WORDS_A_PAGE if each.kind == "word" and each.low >= 200 else 0


def _delay(each: Quantity, words: Words) -> float | None:
    """The delay in ms that a quantity sets, or None."""
    if each.kind == "ms":
        return each.high
    second = each.kind == "time" and each.noun in ("second", "seconds", "sec", "secs", "s")
    return each.high * 1000 if second and _before(each, words) & DELAY_WORDS else None


def _weeks(each: Quantity, words: Words) -> float | None:
    """The weeks until launch that a quantity sets, or None: "in 8 weeks", "launch in 3 months"."""
    clause = words[each.first].clause
    moving = any(words[span.first].clause == clause for span in find_any(load().change.words, words))
    behind = {word.text for _, word in after(words, each.last, 3)}
    before = _before(each, words, 3 if "next" in _before(each, words) else 2)
    if not (months := _months(each)) or moving or not (before & SOON or behind & LAUNCH):
        return None
    return months * WEEKS_A_MONTH


def _months(each: Quantity) -> float:
    """The length of a time in months, its upper end; 0 for what is none."""
    length = {stem(word): value for word, value in MONTH.items()}.get(stem(each.noun), 0.0)
    return each.high * length if each.kind == "time" and not each.per_month else 0.0


def _reply(each: Quantity, words: Words) -> bool:
    """Whether a count of tokens or words is the length of an answer: "answers of 200 words", "200-word answers"."""
    near = {*_before(each, words, 5), *(word.text for _, word in after(words, each.last, 1))}
    return each.kind in ("token", "word") and each.low < 1e4 and bool(near & REPLY)


def _wider(span: Span, words: Words) -> Span:
    """A span with the words before it that gave it its meaning: "launch in" 8 weeks."""
    first = span.first
    while first and words[first - 1].text in SOON | DELAY_WORDS and words[first - 1].part == words[span.first].part:
        first -= 1
    return Span(first, span.last)


def _before(each: Quantity, words: Words, most: int = 2) -> set[str]:
    """The words before a quantity in its clause."""
    first = each.first
    return {word.text for word in words[max(0, first - most) : first] if word.clause == words[first].clause}


def _facts(
    text: str, words: Words, numbers: Sequence[Quantity], marks: Sequence[_Mark], changes: str
) -> Iterator[Fact]:
    """The exact numbers, by name, and the rate of change behind the answer `changes`."""
    taken: set[str] = set()
    rates = [
        ("changes", "times/month", each.per_month, each.per_month, each.span.first, each.span.last)
        for each in marks
        if each.question == "data-changes" and each.option == changes and each.per_month
    ]
    asked = any(each.per_month and each.kind == "request" for each in numbers)
    for name, unit, low, high, first, last in [*_named(words, numbers, asked), *rates]:
        if name not in taken:
            taken.add(name)
            start, end = words[first].start, words[last].end
            low, high = (float(f"{value:.9g}") for value in (low, high))
            yield Fact(name, low, high, unit, text[start:end], start, end)


def _named(words: Words, numbers: Sequence[Quantity], asked: bool) -> Iterator[tuple[str, str, float, float, int, int]]:
    """(name, unit, low, high, first word, last word). `asked`: requests are counted by that name, so that nothing else
    that comes so often is."""
    checked = {words[span.first].clause for span in find_any(load().checked.words, words)}
    counts = ("request",) if asked else ("request", "document", "thing")
    for at, each in enumerate(numbers):
        if not each.exact or _denied(each, words):
            continue
        place = each.first, each.last
        wide = ROUGHLY if each.about else 0.0
        ends = each.low * (1 - wide), each.high * (1 + wide)
        behind = [word.text for _, word in after(words, each.last, 6)]
        if _is_price_pair(numbers[at : at + 2], words):
            last = numbers[at + 1].last
            yield "price_in", "USD/M tokens", each.low, each.low, each.first, last
            yield "price_out", "USD/M tokens", numbers[at + 1].low, numbers[at + 1].low, each.first, last
        elif at and _is_price_pair(numbers[at - 1 : at + 1], words):
            continue
        elif side := _price_of(each, words):
            yield f"price_{side}", "USD/M tokens", each.low, each.low, *place
        elif each.kind == "money" and each.low >= 1 and each.noun in DOLLARS:
            if span := _budget(each, words, behind):
                near = [at for at, word in after(words, each.last, 4) if word.text in ("year", "month", "total", "one")]
                yield f"budget_{span}", "USD", *ends, each.first, max([each.last, *near])
        elif each.per_month and each.kind in counts:
            new = "new" in [word.text for word in words[each.first : each.last + 1]]
            if not new and not quantities.per_head(each, words, _units()["person"]):
                low, high = (round(end * each.per_month) for end in ends)
                yield "queries", "queries/month", low, high, *place
        elif _reply(each, words):
            yield f"answer_{each.kind}s", f"{each.kind}s", *ends, *place
        elif _pages(each, words):
            count = quantities.pieces(at, numbers, words, TEXT)
            first = numbers[at - 1].first if count > 1 else each.first
            name = "corpus_tokens" if each.kind == "token" else f"{each.kind}s"
            yield name, f"{each.kind}s", ends[0] * count, ends[1] * count, first, each.last
        elif each.kind == "percent" and (RIGHT & {*behind[:5], *_before(each, words, 5)}):
            yield "accuracy", "%", *ends, *place
        elif each.kind == "percent" and each.per_month == 1 and _grows(each, words, behind):
            yield "growth", "%", *ends, *place
        elif (months := _months(each)) and _horizon(each, words):
            yield "horizon", "months", months, months, *place
        elif (delay := _delay(each, words)) is not None:
            yield "latency_ms", "ms", delay, delay, *place
        elif (weeks := _weeks(each, words)) is not None:
            yield "launch_weeks", "weeks", weeks, weeks, *place
        elif each.low <= 50 and _builders(each, words, behind):
            yield "people", "engineers", *ends, *place
        elif each.kind == "person":
            yield f"count of {each.noun}", "people", each.low, each.high, *place
        elif each.kind == "document" and each.low > 1 and not checked & {words[each.first].clause}:
            yield "documents", "documents", *ends, *place
        elif _examples(each, words, checked):
            yield "labelled_rows", "rows", *ends, *place


def _budget(each: Quantity, words: Words, behind: Sequence[str]) -> str:
    """Which budget an amount of money is: "month", "first_year", "total"; "" when it is none."""
    if each.per_month == 1:
        return "month"
    around = {word.stem for word in words if word.sentence == words[each.first].sentence}
    before = " ".join(word.text for word in words[max(0, each.first - 5) : each.first])
    said = " ".join(behind[:3]) + " "
    if not each.per_month and {"total", "all", "altogether", "overall"} & set(said.split()):
        return "total"
    first_year = any(name in f"{' '.join(behind)} " for name in FIRST_YEAR) or any(
        name in f"{before} " for name in FIRST_YEAR
    )
    if first_year or each.per_month == MONTHLY["year"]:
        return "first_year"
    return "total" if not each.per_month and around & {stem(word) for word in SPENT} else ""


def _grows(each: Quantity, words: Words, behind: Sequence[str]) -> bool:
    """Whether a percentage a month is growth: "growing by 5 % a month", "5 % growth a month"."""
    grow = stem("growth"), stem("grow")
    return any(stem(word) in grow for word in (*_before(each, words, 4), *behind, each.noun))


def _horizon(each: Quantity, words: Words) -> bool:
    """Whether a time is the one over which costs are summed: "over 3 years", "for the next two years"."""
    before = _before(each, words, 3)
    soon = "next" in before and bool(before & {"within", "in"}) and _months(each) < MONTH["year"]
    return bool(before & {"over", "horizon", "next"}) and not soon and not _before(each, words) & {"last", "past"}


def _builders(each: Quantity, words: Words, behind: Sequence[str]) -> bool:
    """Whether a count is of those who build it: "2 engineers" (not "for 2 engineers"), "a team of three"."""
    before = _before(each, words)
    if not each.noun or each.kind in ("thing", ""):
        return {"team", "of"} <= before
    makers = {stem(word) for word in ("engineer", "developer", "programmer", "dev", "devs")}
    builds = each.noun == "people" and bool({"build", "building", "work", "working"} & set(behind[:3]))
    return each.kind == "person" and "for" not in before and (stem(each.noun) in makers or builds)


def _is_price_pair(pair: Sequence[Quantity], words: Words) -> bool:
    """'0.40 / 1.60 a million': two small numbers close together, the second per million of nothing but tokens."""
    kinds = ("", "thing", "token", "money")
    if len(pair) < 2 or pair[1].first - pair[0].first > 5 or any(each.kind not in kinds for each in pair):
        return False
    last = pair[1].last
    per = [*words[pair[1].first : last + 1], *(word for _, word in after(words, last, 4))]
    return any(word.text in PER_MILLION for word in per) and all(each.low < 1000 for each in pair)


def _price_of(each: Quantity, words: Words) -> str:
    """ "in" or "out" for the price of a million tokens read or written: "0.40 USD per million input tokens"."""
    behind: list[str] = []
    for _, word in after(words, each.first, 8):
        if word.text[0].isdigit() and word.text not in PER_MILLION:
            break
        behind.append(word.text)
    plain = (
        each.noun in DOLLARS or each.kind in ("", "thing") or (each.kind == "token" and behind[:1] in (["per"], ["a"]))
    )
    if not plain or each.low >= 1000 or not PER_MILLION & set(behind):
        return ""
    return "in" if SENT & set(behind) else "out" if WRITTEN & set(behind) else ""


def _denied(each: Quantity, words: Words) -> bool:
    """Whether a number is said not to hold ("we do not have 2 engineers"); "no more than 2" does hold."""
    between: set[str] = set()
    for word in reversed(words[max(0, each.first - 4) : each.first]):
        if word.part != words[each.first].part:
            return False
        if word.text in NEGATIONS:
            return bool(between & {"have", "has", "got", "need", "longer"}) and not between & (MORE - {"longer"})
        between.add(word.text)
    return False


def _found(text: str, words: Words, marks: Sequence[_Mark], answers: Mapping[str, str]) -> Iterator[Found]:
    """Every mark once, in reading order; of an answer only its evidence counts as used."""
    seen: set[tuple[str, str, int, int]] = set()
    for mark in sorted(marks, key=lambda each: (each.span.first, -each.strength)):
        start, end = words[mark.span.first].start, words[mark.span.last].end
        key = (mark.question, mark.option, start, end)
        if key not in seen:
            seen.add(key)
            used = answers.get(mark.question) == mark.option
            learned = mark.strength == LEARNED
            yield Found(mark.question, mark.option, text[start:end], start, end, used, learned)


def _pieces(text: str, words: Words, found: Sequence[Found], facts: Sequence[Fact]) -> Iterator[Piece]:
    """The whole text in stretches, so that joined they give it back."""
    kinds = [LIGHT] * len(text)
    for word in words:
        if not word.plain:
            kinds[word.start : word.end] = [UNREAD] * (word.end - word.start)
    told = [(READ if each.used else OVERRULED, each.start, each.end) for each in found]
    told += [(READ, fact.start, fact.end) for fact in facts]
    for kind, start, end in sorted(told):  # OVERRULED first, so that what counts is not hidden by it
        kinds[start:end] = [kind] * (end - start)
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or kinds[at] != kinds[start]:
            yield Piece(text[start:at], kinds[start])
            start = at


def _step(steps: Sequence[tuple[float, str]], value: float) -> str:
    """The first option whose threshold the value reaches."""
    return next(option for least, option in steps if value >= least)


@cache
def load() -> Lexicon:
    """The lexicon as shipped. Raises Problem on a slip in the file."""
    return tomlfile.read(FILE, Lexicon)


@cache
def _units() -> dict[str, frozenset[str]]:
    return {kind: frozenset(map(stem, nouns)) for kind, nouns in load().units.items()}
