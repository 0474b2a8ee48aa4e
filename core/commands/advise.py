"""`python -m core advise --json [--set question=option ...] [--text "..."] [--list]`: the advisor without a browser."""

import dataclasses
from typing import Any

from core import scenario
from core.advisor import guidance, handover, reader, rules, score
from core.commands import emit, keep, log, of_project, parser
from core.errors import Problem


def main(argv: list[str]) -> int:
    """Print the advice for the answers given; exit status 0, or 2 on an answer that does not exist."""
    options = parser("advise", "A recommendation from a few answers; what is not answered counts as unknown.")
    options.add_argument("--set", action="append", default=[], metavar="QUESTION=OPTION", help="one answer; repeat it")
    options.add_argument(
        "--text",
        default="",
        help="a description of the use case: what is read in it answers what --set leaves open; check `prefilled`",
    )
    options.add_argument("--link", default="", help="the text after ?s= in a shared link: start from its answers")
    options.add_argument("--project", metavar="ID", help="begin with the answers that this project keeps")
    options.add_argument("--keep", action="store_true", help="keep the answers, as they are then, with --project")
    options.add_argument("--list", action="store_true", help="every question with options, help and source")
    given = options.parse_args(argv)
    if given.list:
        show_list(as_json=given.json)
        return 0
    if given.keep and not given.project:
        raise Problem("--keep needs --project: whose answers are they?")
    before = of_project(given.project) if given.project else scenario.empty()
    shared, notes = scenario.decode(given.link) if given.link else (before, [])
    answers, more = handover.answers_in(shared.get("advisor", {}))
    for note in notes + more:
        log(note)
    numbers, unusable = handover.numbers_in(shared.get("advisor", {}))
    for note in unusable:
        log(note)
    reading = reader.read(given.text)
    answers = {**answers, **reading.answers}
    numbers = {**numbers, **handover.numbers_of(reading.facts)}
    for name, option in pairs(given.set):
        answers.pop(name, None)
        answers |= {name: option} if option else {}
    result = report(answers, numbers)
    if given.keep:
        link = scenario.decode(result["link"])[0]
        keep(given.project, {**before, "advisor": link.get("advisor", {})})
    result["prefilled"] = [dataclasses.asdict(each) for each in reading.found if each.used]
    result["numbers"] = [dataclasses.asdict(each) for each in reading.facts]
    result["unread"] = list(reading.unread)
    if given.json:
        emit(result)
    else:
        show(result)
    return 0


def pairs(settings: list[str]) -> list[tuple[str, str]]:
    """Checked (question, option) pairs; the option is empty for "unknown". Raises Problem on a slip or a repetition."""
    made: dict[str, str] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals:
            raise Problem(f"--set takes question=option, not '{text[:60]}'. See: python -m core advise --list")
        question = rules.find_question(name).id
        answer = rules.read_answers({name: value})
        if question in made:
            raise Problem(f"Question {question} was answered twice.")
        made[question] = answer.get(question, "")
    return list(made.items())


def report(answers: dict[str, str], numbers: dict[str, handover.Number] | None = None) -> dict[str, Any]:
    """The advice as JSON values. `numbers`: what was stated exactly, to travel in the link."""
    advice = score.advise(answers)
    return {
        "verdict": advice.verdict,
        "confidence": advice.confidence,
        "confidence_word": advice.confidence_word,
        "confidence_means": guidance.CONFIDENCE,
        "why_undecided": advice.why_undecided,
        "runner_up": advice.runner_up,
        "scores": advice.scores,
        "constraints": [dataclasses.asdict(each) for each in advice.constraints],
        "start": advice.start,
        "floor": advice.floor,
        "trace": [dataclasses.asdict(step) for step in advice.trace],
        "flips": [_flip(flip) for flip in score.flips(advice)],
        "must_give": [_flip(flip) for flip in score.what_must_give(advice)],
        "unknown": list(advice.unknown),
        "sensitivity": {str(spread): score.sensitivity(answers, spread) for spread in score.SPREADS},
        "order": [dataclasses.asdict(work) for work in guidance.order(advice)],
        "measure": list(guidance.measure(advice)),
        "checklist": [
            {"kind": each.kind, "text": each.text, "source": each.source} for each in guidance.applying(advice)
        ],
        "answers": advice.answers,
        "link": scenario.encode(handover.whole(answers, advice.verdict, None, numbers)),
    }


def _flip(flip: score.Flip) -> dict[str, Any]:
    return {
        "change": {name: {"from": now, "to": then} for name, (now, then) in flip.change.items()},
        "verdict": flip.verdict,
        "gives_up": [each.id for each in flip.drops],
    }


def show(result: dict[str, Any]) -> None:
    """The advice for people: the verdict, everything that adds up to the scores, what would change it, what to do."""
    print(f"{result['verdict']} (confidence {result['confidence_word']}, {result['confidence']:.0%})")
    print(result["why_undecided"] or f"Confidence: {result['confidence_means']}")
    for question, option in {each["question"]: each["option"] for each in result["prefilled"]}.items():
        words = dict.fromkeys(each["words"] for each in result["prefilled"] if each["question"] == question)
        print(f"read from the text: {question} = {option}, from {', '.join(repr(each) for each in words)}")
    for each in result["numbers"]:
        print(f"stated: {each['name']} {each['low']:g} to {each['high']:g} {each['unit']}, from '{each['words']}'")
    if result["unread"]:
        print(f"not understood: {', '.join(result['unread'])}")
    names = list(result["scores"])
    print("  " + "".join(f"{name:>13}" for name in names))
    print(_line("start, before any answer", result["start"], "ours"))
    for step in result["trace"]:
        print(_line(f"{step['question']} = {step['answer']}", step["effect"], step["source"]))
    if result["floor"]:
        given = {**dict.fromkeys(names, 0.0), "fine-tuning": result["floor"]}
        print(_line("the gain from not looking up never counts below zero", given, "ours"))
    print(_line("score", result["scores"], "the sum"))
    for each in result["constraints"]:
        print(f"ruled out: {', '.join(each['excludes'])}. {each['because']} ({each['source']})")
    for flip in result["flips"]:
        print(f"would flip it: {_change(flip)}")
    for flip in result["must_give"]:
        print(f"only if a requirement gives ({', '.join(flip['gives_up'])}): {_change(flip)}")
    for number, work in enumerate(result["order"], 1):
        print(f"{number}. {work['text']} ({work['source']})")


def _line(title: str, points: dict[str, float], source: str) -> str:
    return "  " + "".join(f"{value:>+13.2f}" for value in points.values()) + f"  {title} ({source})"


def _change(flip: dict[str, Any]) -> str:
    changes = (f"{name} from {each['from']} to {each['to']}" for name, each in flip["change"].items())
    return f"{' and '.join(changes)}: {flip['verdict']}"


def show_list(*, as_json: bool) -> None:
    """Every question with its options."""
    questions: list[dict[str, Any]] = [
        {
            "question": each.id,
            "ask": each.ask,
            "help": each.help,
            "criteria": each.criteria,
            "aliases": each.aliases,
            "options": [
                {"option": option.id, "label": option.label, "source": option.source, "aliases": option.aliases}
                for option in each.options
            ]
            + [{"option": rules.UNKNOWN, "label": "Don't know", "source": "", "aliases": []}],
            "source": "; ".join(dict.fromkeys(option.source for option in each.options)),
        }
        for each in rules.load().questions.values()
    ]
    if as_json:
        emit({"questions": questions})
        return
    for each in questions:
        print(f"{each['question']}: {each['ask']} {each['help']}")
        for option in each["options"]:
            print(f"    {option['option']:<12} {option['label']}")
