"""A description cut into words, clauses and sentences, with stems. Knows English spelling and no meaning."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise

import snowballstemmer  # type: ignore[import-untyped]

TOKEN = re.compile(
    r"\d{1,3}(?:[ '\u00a0]\d{3})+(?!\d)|\d[\d.,]*\d[a-z]{0,3}\b|\d+[a-z]{0,3}\b|[^\W\d_]+(?:'[^\W\d_]+)?|[^\w\s]"
)
BREAKS, ENDS = set(",;:()—–"), set(".!?")
ATTACHED = {"but", "though", "although", "however", "strictly"}  # a clause that begins so speaks of the one before
LIGHT_WORDS = """
    a an the this that these those our ours their its his her your my we us it they them he she you i is are was be
    been being has have had do does did will would can could should may might of also just very quite really so too
    all any some such then there here own ever even rather more"""
FUNCTION_WORDS = """
    in on at of for from to with by into onto over under about as and or but so if than then when while where because
    which who whom whose what how why there here one ones per via up out off not no nor only both either neither each
    every get gets got make makes made take takes let lets want wants need needs use uses used like"""
LIGHT, FUNCTION = frozenset(LIGHT_WORDS.split()), frozenset(FUNCTION_WORDS.split())
GLUED_UNIT = re.compile(r"(\d[\d.,]*)(ms|s|sec|gb|tb|mb)$")  # "800ms", "1.5s"; "1990s" is a decade
POSSESSIVE = re.compile(r"'(s|re|d|ll|ve|m)$")


@dataclass(frozen=True)
class Word:
    """One word or number. `start`, `end`: its place in the text; `glued`: a hyphen or slash between it and the next."""

    text: str
    stem: str
    start: int
    end: int
    sentence: int
    clause: int
    part: int  # its clause before short ones were joined; a negation reaches no further
    glued: str = ""

    @property
    def plain(self) -> bool:
        """Whether a reader need not know that nothing was made of it: light, or a preposition or conjunction."""
        return self.light or self.text in FUNCTION or len(self.text) == 1

    @property
    def light(self) -> bool:
        """Whether it carries no meaning of its own: articles, pronouns, auxiliaries, adverbs in -ly."""
        return self.text in LIGHT or (self.text.endswith("ly") and self.text not in ("daily", "weekly", "monthly"))


class Words(tuple[Word, ...]):
    """The words of a text in reading order, with the places of each spelling and each stem."""

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Where a spelling or stem stands."""
        found: dict[str, list[int]] = {}
        for at, word in enumerate(self):
            for key in {word.text, word.stem}:
                found.setdefault(key, []).append(at)
        return found


def parse(text: str) -> Words:
    """The words of a text in reading order. Negations like "doesn't" become two words, `does` and `not`."""
    found: list[Word] = []
    sentence = clause = 0
    flat = text.lower().replace("’", "'")
    for match in TOKEN.finditer(flat):
        token, start, end = match[0], match.start(), match.end()
        spaced = flat[start - 1 : start].isspace()
        joins = token in "-–" and found and found[-1].text[0].isdigit() and flat[end:].lstrip(" ")[:1].isdigit()
        if joins:
            found[-1] = replace(found[-1], glued="-")  # "10 - 20"
        elif token in ENDS:
            sentence, clause = sentence + 1, clause + 1
        elif token in BREAKS or (token == "-" and spaced):
            clause += 1
        elif token in "-/" and found and found[-1].end == start:
            found[-1] = replace(found[-1], glued=token)
        elif token in "$€£%":
            found.append(Word(token, token, start, end, sentence, clause, clause))
        elif token[0].isalnum():
            negated = token.endswith("n't")
            bare = POSSESSIVE.sub("", token.removesuffix("n't"))
            bare = re.sub(r"(?<=\d)[ '\u00a0](?=\d)", "", bare)
            bare = "can" if negated and bare == "ca" else bare
            split = GLUED_UNIT.match(bare)
            if split and (split[2] != "s" or len(split[1]) == 1 or "." in split[1]):
                middle = end - len(split[2])
                found.append(Word(split[1], split[1], start, middle, sentence, clause, clause))
                bare, start = split[2], middle
            found.append(Word(bare, stem(bare), start, end, sentence, clause, clause))
            if negated:
                found.append(Word("not", "not", start, end, sentence, clause, clause))
    return Words(_attached(found))


def stem(word: str) -> str:
    """The stem of a lower-case word: 'changes', 'changed' and 'changing' have one."""
    return _stem(word)


def after(words: Sequence[Word], at: int, most: int) -> Iterator[tuple[int, Word]]:
    """Up to `most` words of the same part of a clause after place `at`."""
    for place in range(at + 1, min(len(words), at + 1 + most)):
        if words[place].part != words[at].part:
            return
        yield place, words[place]


@cache
def _stem(word: str) -> str:
    made: str = _stemmer().stemWord(word)
    return made


@cache
def _stemmer() -> "snowballstemmer.stemmer":
    return snowballstemmer.stemmer("english")


def _attached(words: list[Word]) -> Iterator[Word]:
    """Words with a clause of at most two words, or one that begins with "but", joined to the clause before it."""
    moved: dict[int, int] = {}
    clauses = sorted({word.clause for word in words})
    for before, now in pairwise(clauses):
        inside = [word for word in words if word.clause == now]
        previous = [word for word in words if word.clause == before]
        same = inside[0].sentence == previous[0].sentence
        if same and (len(inside) <= 2 or inside[0].text in ATTACHED):
            moved[now] = moved.get(before, before)
    for word in words:
        yield replace(word, clause=moved.get(word.clause, word.clause))
