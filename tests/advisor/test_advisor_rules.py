"""Laws of the scoring: monotonicity of every question, conservation of points, limits, determinism."""

import itertools
import math
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.advisor import rules, score
from core.errors import Problem
from core.evidence import claims

QUESTIONS = rules.load().questions
EVERYTHING = {name: [option.id for option in each.options] for name, each in QUESTIONS.items()}
ANSWERS = st.fixed_dictionaries({}, optional={name: st.sampled_from(ids) for name, ids in EVERYTHING.items()})
RETRIEVES, TUNES = {"retrieval", "hybrid"}, {"fine-tuning", "hybrid"}


def allowed(never: str, before: str, after: str) -> bool:
    """Whether a move from `before` to `after` keeps a question's promise."""
    if never == "away from retrieval":
        return before not in RETRIEVES or after in RETRIEVES
    if never == "away from fine-tuning":
        return before not in TUNES or after in TUNES
    return before in RETRIEVES or after not in RETRIEVES  # towards retrieval


@pytest.mark.parametrize("name", QUESTIONS)
@settings(max_examples=150, deadline=None)
@given(answers=ANSWERS)
def test_a_later_option_never_breaks_its_questions_promise(name, answers):
    verdicts = [score.verdict({**answers, name: option}) for option in EVERYTHING[name]]
    for before, after in itertools.combinations(verdicts, 2):
        if before in rules.APPROACHES and after in rules.APPROACHES:
            assert allowed(QUESTIONS[name].never, before, after), (answers, verdicts)


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_can_change_the_verdict(name):
    """No question is decoration: somewhere between two answers to it, some verdict changes."""
    others = [{}, {"data-changes": "daily"}, {"style": "strict"}, {"style": "strict", "data-changes": "daily"}]
    others += [{"format": "strict", "room": "no"}, {"knowledge-size": "medium", "network": "no"}]
    others += [{"room": "no", "data-changes": "daily"}]
    assert any(len({score.verdict({**other, name: option}) for option in EVERYTHING[name]}) > 1 for other in others)


def test_the_promises_the_user_asked_for_are_declared():
    assert QUESTIONS["data-changes"].never == "away from retrieval"
    assert QUESTIONS["format"].never == "away from fine-tuning"
    assert 10 <= len(QUESTIONS) <= 14


@given(answers=ANSWERS)
@settings(max_examples=150, deadline=None)
def test_scores_are_the_start_plus_the_trace(answers):
    advice = score.advise(answers)
    for approach, points in advice.scores.items():
        total = advice.start[approach] + sum(step.effect[approach] for step in advice.trace)
        total += advice.floor if approach == "fine-tuning" else 0
        assert math.isclose(points, total, abs_tol=1e-9)


@given(answers=ANSWERS)
@settings(max_examples=150, deadline=None)
def test_the_verdict_is_the_best_score_that_no_constraint_excludes(answers):
    advice = score.advise(answers)
    assert (advice.verdict == score.NOTHING) == (set(advice.excluded) == set(rules.APPROACHES))
    if advice.decided:
        assert advice.verdict not in advice.excluded
        left = [points for name, points in advice.scores.items() if name not in advice.excluded]
        assert advice.scores[advice.verdict] == max(left)
        assert 0 <= advice.confidence <= 1


@given(answers=ANSWERS)
@settings(max_examples=60, deadline=None)
def test_a_flip_does_what_it_says_and_breaks_nothing_that_is_required(answers):
    advice = score.advise(answers)
    for flip in score.flips(advice) + score.what_must_give(advice):
        then = {**answers, **{name: option for name, (_, option) in flip.change.items()}}
        assert score.verdict(then) == flip.verdict != advice.verdict
        assert all(answers.get(name, rules.UNKNOWN) == now for name, (now, _) in flip.change.items())
        assert not any(each.holds(then) for each in flip.drops)
    for flip in score.flips(advice):
        then = {**answers, **{name: option for name, (_, option) in flip.change.items()}}
        assert flip.verdict not in advice.excluded
        assert all(each.holds(then) for each in advice.constraints)


def test_a_requirement_is_never_given_up_unsaid():
    advice = score.advise({"citations": "required", "format": "strict", "examples": "thousands"})
    assert all(flip.verdict != "fine-tuning" for flip in score.flips(advice))
    given_up = [flip for flip in score.what_must_give(advice) if flip.verdict == "fine-tuning"]
    assert [[each.id for each in flip.drops] for flip in given_up] == [["must-cite"]]


def test_dont_know_everywhere_is_undecided():
    advice = score.advise(rules.read_answers(dict.fromkeys(QUESTIONS, "don't know")))
    assert advice.verdict == score.UNDECIDED
    assert advice.unknown == tuple(QUESTIONS)
    assert advice.why_undecided
    assert advice.confidence == 0


@given(
    answers=st.fixed_dictionaries(
        {}, optional={n: st.sampled_from(EVERYTHING[n]) for n, q in QUESTIONS.items() if q.means}
    )
)
def test_what_one_has_never_decides_without_what_one_needs(answers):
    assert score.advise(answers).verdict == score.UNDECIDED


@given(answers=ANSWERS)
@settings(max_examples=150, deadline=None)
def test_offline_alone_never_excludes_retrieval_nor_lowers_it(answers):
    online, offline = (score.advise({**answers, "network": each}) for each in ("yes", "no"))
    assert offline.scores["retrieval"] == online.scores["retrieval"]
    if answers.get("room") != "no":
        assert "retrieval" not in set(offline.excluded) - set(online.excluded)


def test_no_network_and_no_room_together_exclude_retrieval_and_hybrid():
    advice = score.advise({"network": "no", "room": "no", "data-changes": "daily"})
    assert set(advice.excluded) == {"retrieval", "hybrid"}
    assert [each.id for each in advice.constraints] == ["nowhere-to-look"]


@pytest.mark.parametrize(
    "answers",
    [
        {"network": "no", "room": "no", "examples": "none", "knowledge-size": "large"},
        {"network": "no", "room": "no", "citations": "required"},
        {"network": "no", "room": "no", "knowledge-size": "medium", "data-changes": "live"},
        {"network": "no", "room": "no", "knowledge-size": "large", "privacy": "strict"},
    ],
)
def test_constraints_that_leave_nothing_say_so_and_what_must_give(answers):
    advice = score.advise(answers)
    assert advice.verdict == score.NOTHING
    assert "must give" in advice.why_undecided
    assert advice.runner_up == ""
    ways = score.what_must_give(advice)
    assert ways, "there is always a way out"
    assert all(each.drops and each.verdict in rules.APPROACHES for each in ways)
    assert score.flips(advice) == []


def test_sensitivity_is_a_distribution_repeats_and_holds_at_zero_spread():
    answers = {"style": "strict", "data-changes": "daily"}
    shares = score.sensitivity(answers, 0.5)
    assert math.isclose(sum(shares.values()), 1)
    assert shares == score.sensitivity(answers, 0.5)
    assert score.sensitivity(answers, 0.0) == {**dict.fromkeys(score.VERDICTS, 0.0), "hybrid": 1.0}
    holds = [score.sensitivity(answers, spread)["hybrid"] for spread in score.SPREADS]
    assert holds == sorted(holds, reverse=True)


def test_sensitivity_never_picks_what_is_excluded():
    shares = score.sensitivity({"citations": "required", "style": "strict"}, 1.0)
    assert shares["fine-tuning"] == 0


def test_every_weight_names_who_gives_its_direction():
    """A document named as source of an option has a claim on one of the question's criteria."""
    for question in QUESTIONS.values():
        for option in question.options:
            assert option.source
            for document in claims.DOCUMENTS:
                if document in option.source.split("ours")[0]:
                    assert any(claims.select(criterion, document=document) for criterion in question.criteria), (
                        question.id,
                        option.id,
                        document,
                    )
            if any(option.points):
                assert option.source


def test_ids_and_aliases_are_unambiguous():
    names = [name for each in QUESTIONS.values() for name in (each.id, *each.aliases)]
    assert len(names) == len(set(names))
    for question in QUESTIONS.values():
        words = [word for option in question.options for word in (option.id, *option.aliases)]
        assert len(words) == len(set(words)), question.id
        assert not set(words) & rules.UNKNOWN_WORDS


def test_answers_are_read_by_id_alias_label_and_case():
    assert rules.read_answers({"Tone": "YES", "data_changes": "weekly", "volume": "Over 1 million"}) == {
        "style": "strict",
        "data-changes": "daily",
        "volume": "high",
    }


@pytest.mark.parametrize("given_answers", [{"nonsense": "x"}, {"style": "purple"}, {"style": "no", "tone": "strict"}])
def test_what_is_not_known_is_refused_in_one_line(given_answers):
    with pytest.raises(Problem) as caught:
        rules.read_answers(given_answers)
    assert "\n" not in caught.value.message


def test_a_rule_that_names_nothing_is_refused():
    raw = {"start": {"knowledge": 0, "behaviour": 0, "both": 0, "enough": 1}, "question": []}
    bad = {"id": "x", "when": {"ghost": ["yes"]}, "excludes": [], "because": "", "source": ""}
    with pytest.raises(Problem, match="names no question: ghost"):
        rules.parse({**raw, "constraint": [bad]})


def test_a_misspelt_key_of_the_rules_is_refused_with_its_place():
    raw = tomllib.loads(rules.FILE.read_text(encoding="utf-8"))
    raw["question"][3]["options"][0]["knowlege"] = 1
    with pytest.raises(Problem, match=r"question\[3\] 'privacy', options\[0\] 'no': unknown key 'knowlege'"):
        rules.parse(raw)
