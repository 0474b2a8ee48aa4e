"""The charts show the data they are given; the advisor runs without the playground's packages."""

import subprocess
import sys

from core.advisor import score
from core.charts import advisor as charts
from core.evidence import handbook
from core.paths import ROOT


def test_the_scores_chart_shows_every_score_and_what_is_ruled_out():
    advice = score.advise({"citations": "required", "style": "strict"})
    bar = charts.scores(advice).data[0]
    assert sorted(bar.x) == sorted(advice.scores.values())
    assert [label for label in bar.y if "ruled out" in label] == [f"Fine-tuning<br>{bar.x[1]:+.2f}, ruled out"]


def test_the_sensitivity_chart_stacks_to_a_hundred_percent():
    shares = {spread: score.sensitivity({"style": "strict"}, spread) for spread in score.SPREADS}
    figure = charts.sensitivity(shares)
    for index in range(len(score.SPREADS)):
        assert abs(sum(bar.y[index] for bar in figure.data) - 100) < 1e-9


def test_a_pipeline_has_a_box_and_its_words_for_every_step():
    for one in handbook.pipelines():
        figure = charts.pipeline(one)
        assert len(figure.layout.shapes) == len(one.steps)
        words = " ".join(each.text.replace("<br>", " ") for each in figure.layout.annotations if each.text)
        assert all(step in words for step in one.steps)


def test_the_advisor_runs_without_llama_cpp_and_llama_index():
    code = (
        "import sys; sys.modules['llama_cpp'] = sys.modules['llama_index'] = None\n"
        "from core.__main__ import main; raise SystemExit(main(['advise', '--json', '--set', 'style=strict']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"verdict": "fine-tuning"' in done.stdout
