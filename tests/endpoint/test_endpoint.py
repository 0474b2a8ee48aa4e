"""A model behind an address: answers of a right server, one plain line for each wrong one, and the key never seen."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core import addresses, ask, endpoint, export, runtime
from core.arms import Arm
from core.calculator import calibrate
from core.endpoint import Endpoints, Patience
from core.engine import Generation, Request, Result, Sampling
from core.errors import Problem
from core.evaluation.questions import Question
from core.evaluation.records import replies
from core.evaluation.report import report
from core.evaluation.run import Options, run
from core.evidence import bills
from core.evidence.prices import Offer
from core.project import Model, Project, editing
from core.records import ArmRecord, RunRecord
from core.runtime import spec
from tests.endpoint.lying import KEY, Server, serving

HASTY = Patience(connect_s=2, first_s=8, silence_s=1, total_s=10, retries=2)
CHAT = ({"role": "user", "content": "What does it cost?"},)
DEADLINE_S = 30
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture
def endpoints(server: Server) -> Iterator[Endpoints]:
    made = Endpoints(HASTY)
    yield made
    made.close()


def model(server: Server, name: str, **more: str) -> Model:
    return Model(name, name.title(), name, endpoint=server.url, **more)


def begun(endpoints: Endpoints, server: Server, name: str, *chats: tuple, **more: str) -> Generation:
    found = endpoint.spec(model(server, name, **more))
    return endpoints.submit(Request(found, chats or (CHAT,), Sampling(max_tokens=16)))


def answer(endpoints: Endpoints, server: Server, name: str, *chats: tuple, **more: str) -> Result:
    return begun(endpoints, server, name, *chats, **more).wait(DEADLINE_S)


def test_a_right_answer_has_its_figures_and_says_what_it_cannot_tell(endpoints: Endpoints, server: Server) -> None:
    made = answer(endpoints, server, "good")
    assert made.text == "It costs $389. (good: What does it cost?)" and made.finish == "stop"
    assert made.tokens == {"prompt": 9, "prompt_reused": 3, "output": 5}
    assert 0 < made.timing["ttft_engine"] <= made.timing["total"]
    assert made.model["device"] == "at the endpoint" and "chat template" in made.model["note"]
    assert json.loads(made.prompt) == list(CHAT)
    assert server.bodies[-1]["max_tokens"] == 16 and server.keys[-1] is None


def test_what_the_wire_does_not_give_is_none(endpoints: Endpoints, server: Server) -> None:
    made = answer(endpoints, server, "silent")
    assert made.tokens == {} and made.rates["decode_per_s"] is None and made.finish == "length"
    assert "how many tokens" in made.model["note"]


def test_a_key_comes_from_the_environment_and_another_ones_is_never_sent(
    endpoints: Endpoints, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "of-somebody-else-entirely")
    answer(endpoints, server, "good")
    assert server.keys[-1] is None and "somebody-else" not in server.headers[-1]
    with pytest.raises(Problem, match="wants a key"):
        answer(endpoints, server, "keyed")
    monkeypatch.setenv("MY_API_KEY", "wrong-key-" + KEY)
    with pytest.raises(Problem, match=r"does not accept the key in MY_API_KEY \(401\)") as wrong:
        answer(endpoints, server, "keyed", key_variable="MY_API_KEY")
    assert KEY not in wrong.value.message
    monkeypatch.setenv("MY_API_KEY", KEY)
    assert answer(endpoints, server, "keyed", key_variable="MY_API_KEY").text
    monkeypatch.delenv("MY_API_KEY")
    with pytest.raises(Problem, match="MY_API_KEY holds no key"):
        endpoint.spec(model(server, "keyed", key_variable="MY_API_KEY"))


WRONG = {
    "nobody": "does not know the model 'nobody'",
    "cut": "broke off after 8 characters",
    "unfinished": "broke off after 8 characters",
    "empty": "ended without an answer",
    "stalled": "too slow: it stalled after 8 characters",
    "mute": "sent no word within",
    "garbage": "no streamed chat completion",
    "bytes": "no streamed chat completion",
    "shapes": "no streamed chat completion",
    "numbers": "no streamed chat completion",
    "page": "ended without an answer",
    "huge": "far more than the 16 tokens",
    "one-line": "sent more than 16,000,000 bytes",
    "packed": "packs its replies",
    "told": "gave up: out of memory",
    "moved": "points to another address",
    "broken": r"failed \(500\)",
}


@pytest.mark.parametrize("name", WRONG)
def test_each_fault_is_one_plain_line_within_its_deadline(
    server: Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_KEY", KEY)
    hasty = Endpoints(Patience(connect_s=1, first_s=1 if name == "mute" else 20, silence_s=1, retries=1))
    try:
        with pytest.raises(Problem, match=WRONG[name]) as found:
            answer(hasty, server, name, key_variable="MY_API_KEY")
    finally:
        hasty.close()
    assert "\n" not in found.value.message and KEY not in found.value.message and "Traceback" not in found.value.message


def test_an_answer_without_end_is_ended(server: Server) -> None:
    hasty = Endpoints(Patience(first_s=5, total_s=1))
    try:
        with pytest.raises(Problem, match="did not end its answer within 1 s"):
            answer(hasty, server, "endless")
    finally:
        hasty.close()


def test_a_limited_server_is_asked_again(endpoints: Endpoints, server: Server) -> None:
    server.limited = 1
    assert answer(endpoints, server, "limited").text.startswith("It costs")
    server.limited = 99
    with pytest.raises(Problem, match=r"limits how often it may be asked \(429\)"):
        answer(endpoints, server, "limited")


def test_nobody_there_no_such_name_and_no_tls(endpoints: Endpoints, server: Server) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    cases = {
        url: "was refused: no server listens",
        "http://nobody.invalid/v1": "No server of the name|cannot be reached",
        server.url.replace("http:", "https:"): "No trusted connection",
    }
    for address, words in cases.items():
        found = endpoint.spec(Model("m", "M", "good", endpoint=address))
        with pytest.raises(Problem, match=words):
            endpoints.submit(Request(found, (CHAT,))).wait(DEADLINE_S)


def test_control_characters_stay_text_and_a_key_sent_back_is_not_kept(
    endpoints: Endpoints, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_KEY", KEY)
    made = answer(endpoints, server, "control", key_variable="MY_API_KEY")
    assert made.text.startswith("<|im_end|> ? half") and "[key]" in made.text
    assert KEY not in repr(made) and made.tokens == {}
    (made.text + made.model["note"]).encode()
    assert answer(endpoints, server, "control").text.count(KEY) == 1  # without a key there is nothing to hide


def test_stop_strings_hold_whatever_the_server_does(endpoints: Endpoints, server: Server) -> None:
    found = endpoint.spec(Model("m", "M", "good", endpoint=server.url, stop=("$38", "never")))
    assert endpoints.submit(Request(found, (CHAT,))).wait(DEADLINE_S).text == "It costs "
    assert server.bodies[-1]["stop"] == ["$38", "never"]


def test_the_first_version_that_fits_is_used(endpoints: Endpoints, server: Server) -> None:
    long = ({"role": "user", "content": "x" * 300},)
    made = answer(endpoints, server, "small", long, CHAT)
    assert made.alternative == 1 and json.loads(made.prompt) == list(CHAT)
    with pytest.raises(Problem, match="too long for the model"):
        answer(endpoints, server, "small", long)


def test_a_server_that_takes_less_is_asked_for_less_and_the_record_says_so(
    endpoints: Endpoints, server: Server
) -> None:
    made = answer(endpoints, server, "strict")
    assert made.text == "Yes" and "no 'seed'" in made.model["note"]
    assert server.bodies[-1]["max_completion_tokens"] == 16


def test_cancelling_ends_at_once_and_closes_the_connection(server: Server) -> None:
    patient = Endpoints()
    try:
        early, mute, endless = (begun(patient, server, name) for name in ("good", "mute", "endless"))
        early.cancel()
        assert early.wait(DEADLINE_S).finish == "cancelled"
        server.writing.clear()
        assert server.writing.wait(DEADLINE_S)
        server.gone.clear()
        endless.cancel()
        assert endless.wait(DEADLINE_S).finish == "cancelled" and server.gone.wait(DEADLINE_S)
    finally:
        patient.close()
    assert mute.wait(DEADLINE_S).finish == "cancelled"
    with pytest.raises(Problem, match="closing"):
        begun(patient, server, "good")


def test_panes_keep_their_own_answers_and_go_on_beside_a_failing_one(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    models = (
        model(server, "good"), model(server, "tuned", base="good"), model(server, "cut"), model(server, "garbage"),
    )  # fmt: skip
    mine = tuple(Arm(one.id) for one in models)
    here = runtime.get()
    try:
        project = here.projects.create("Far", Project("far", "Far", models=models, arms=mine))
        here.prepare(project, project.arms, lambda _share, _words: None, lambda: False)
        runs = [here.ask(project, f"question {n}?", ask.Settings(project.arms, way), watched=False)
                for n, way in enumerate(ask.WAYS * 4)]  # fmt: skip
        records = [run.wait(DEADLINE_S).record() for run in runs]
    finally:
        runtime.close()
    for record in records:
        by_arm = {arm.arm: arm for arm in record.arms}
        assert by_arm["good"].answer == f"It costs $389. (good: {record.question})"
        assert by_arm["tuned"].answer == f"It costs $389. (tuned: {record.question})"
        assert "broke off" in (by_arm["cut"].problem or "") and by_arm["garbage"].problem
        assert kept(by_arm["good"])
    assert not calibrate.collect(records).get("output_tokens")
    assert "unknown of them reused" not in exported(records[0])


def kept(arm: ArmRecord) -> bool:
    return arm.model is not None and arm.model.kind == "endpoint" and arm.timing.ttft_total is not None


def exported(record: RunRecord) -> str:
    return export.as_json(record) + export.as_csv(record) + export.as_markdown(record)


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://a", "a", "", "http://", "http://a:b@c", "http://a/?key=1", "http://a/#b",
     "http://a b", "http://a:99999", "http://[::1", "javascript:alert(1)", "http://a\n", "http://" + "a" * 400],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(Problem):
        Project("a", "A", models=(Model("m", "M", "good", endpoint=address),)).check()


@pytest.mark.parametrize("variable", ["HOME", "AWS_SECRET_ACCESS_KEY", "sk-1234567890", "A=B_API_KEY", "_API_KEY"])
def test_no_other_variable_of_the_environment_is_read(variable: str) -> None:
    with pytest.raises(Problem, match="no key's variable"):
        Project("a", "A", models=(Model("m", "M", "x", endpoint="http://a", key_variable=variable),)).check()


TEAM = "MY_API_KEY=https://gpu.example/v1, MY_API_KEY=http://127.0.0.1:9/v1 OPENAI_API_KEY=https://API.openai.com:443"


@pytest.mark.parametrize(
    ("pairs", "variable", "address", "may"),
    [
        (None, "MY_API_KEY", "https://anywhere.example", True),
        ("", "MY_API_KEY", "https://gpu.example/v1", False),
        ("", "", "https://gpu.example/v1", True),
        (TEAM, "MY_API_KEY", "https://gpu.example/v1/other", True),
        (TEAM, "MY_API_KEY", "http://127.0.0.1:9", True),
        (TEAM, "OPENAI_API_KEY", "https://api.openai.com/v1", True),
        (TEAM, "OPENAI_API_KEY", "https://gpu.example/v1", False),
        (TEAM, "MY_API_KEY", "https://gpu.example.evil.example/v1", False),
        (TEAM, "MY_API_KEY", "http://gpu.example/v1", False),
        (TEAM, "MY_API_KEY", "https://gpu.example:8443/v1", False),
        (TEAM, "OTHER_API_KEY", "https://gpu.example/v1", False),
    ],
)
def test_a_key_goes_only_where_the_server_pairs_it(
    monkeypatch: pytest.MonkeyPatch, pairs: str | None, variable: str, address: str, may: bool
) -> None:
    monkeypatch.delenv("RR_KEYS", raising=False)
    if pairs is not None:
        monkeypatch.setenv("RR_KEYS", pairs)
    monkeypatch.setenv(variable or "MY_API_KEY", KEY)
    try:
        found = addresses.key(variable, address)
    except Problem as problem:
        assert not may and f"The key in {variable} may not be sent to {address}" in problem.message
        assert KEY not in problem.message
    else:
        assert may and found == (KEY if variable else None)


@pytest.mark.parametrize("pairs", ["https://a", "=https://a", "HOME=https://a", "MY_API_KEY", "MY_API_KEY=gpu"])
def test_a_pair_that_is_none_is_said_when_the_server_starts(monkeypatch: pytest.MonkeyPatch, pairs: str) -> None:
    monkeypatch.setenv("RR_KEYS", pairs)
    with pytest.raises(Problem, match="RR_KEYS holds"):
        addresses.allowed()


def test_no_key_leaves_a_team_s_server_for_an_address_that_a_project_s_editor_chose(
    endpoints: Endpoints, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_KEY", KEY)
    kept = endpoint.spec(model(server, "keyed", key_variable="MY_API_KEY"))  # a pair from before RR_KEYS was set
    monkeypatch.setenv("RR_KEYS", "MY_API_KEY=https://gpu.example/v1")
    seen = len(server.keys)
    for ask_there in (
        lambda: endpoints.submit(Request(kept, (CHAT,), Sampling(max_tokens=16))),
        lambda: endpoints.embed(kept, ["a"]),
        lambda: editing.with_model(Project("a", "A"), "keyed", "", endpoint=server.url, key_variable="MY_API_KEY"),
    ):
        with pytest.raises(Problem, match="may not be sent to"):
            ask_there()
    assert len(server.keys) == seen


def test_where_people_sign_in_no_key_goes_anywhere_unless_it_is_paired() -> None:
    script = "import app; from core import addresses; print(addresses.allowed())"
    for secret, said in (("RR_SECRET", "{}"), ("RR_NONE", "None")):
        given = {
            name: value for name, value in os.environ.items() if name not in ("RR_SECRET", "RR_SECRET_FILE", "RR_KEYS")
        }
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=given | {secret: "a-secret-of-the-team"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines()[-1] == said


def test_without_the_client_one_line_says_what_to_install(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint.installed, "there", lambda _module, _package: False)
    with pytest.raises(Problem, match=r"pip install -r core/requirements-endpoints\.txt"):
        endpoint.spec(model(server, "good"))


def test_an_evaluation_asks_several_at_once_and_keeps_each_answer_with_its_question(
    server: Server, endpoints: Endpoints
) -> None:
    models = (model(server, "good", offer="gpt-4.1-mini"), model(server, "tuned", base="good"))
    project = Project("far", "Far", models=models)
    parts = ask.Parts(project, endpoints, lambda: pytest.fail("nothing is searched"), lambda m: spec(project, m))
    asked = tuple(Question(f"question {n}?", "$389", "static") for n in range(9))
    rows: list[dict] = []
    server.together = threading.Barrier(4, timeout=DEADLINE_S)
    try:
        run(asked[:8], Options((Arm("good"), Arm("tuned"))), parts, rows.append)
    finally:
        server.together = None
    assert sorted((row["number"], row["arm"]) for row in rows) == [
        (n, arm) for n in range(8) for arm in ("good", "tuned")
    ]
    assert all(f"({row['arm']}: question {row['number']}?)" in row["reply"] for row in rows)
    assert all(row["timing"]["contended"] for row in rows)
    more: list[dict] = []
    run(asked, Options((Arm("good"), Arm("tuned"))), parts, more.append, done=rows, cancelled=lambda: bool(more))
    assert [row["number"] for row in more] == [8]  # of either arm: whichever answered first
    whole = report(asked, replies(rows + more), (Arm("good"), Arm("tuned")), project)
    costs = {row.arm: row.cost for row in whole.rows}
    assert costs == {"good": pytest.approx((6 * 0.40 + 3 * 0.10 + 5 * 1.60) / 1e6), "tuned": None}


def test_an_answers_cost_is_its_tokens_at_the_catalogues_price(server: Server) -> None:
    sold = Offer("m", "model", "s", "2026-08", input=0.4, output=1.6, cached=0.1)
    assert bills.cost(sold, 1000, 400, 200) == pytest.approx(0.0006)
    assert bills.cost(sold, 1000, None, 200) == pytest.approx(0.00072)
    assert bills.cost(replace(sold, cached=None), 1000, 400, 200) == pytest.approx(0.00072)
    assert bills.cost(sold, None, None, 5) is None and bills.cost(sold, 5, 0, None) is None
    with pytest.raises(Problem, match="no model 'h100-rented'"):
        bills.offer("h100-rented")
    gone = Project("far", "Far", models=(model(server, "good", offer="not-in-any-list"),))
    gone.check()
    assert ask.priced(gone, "good") is None
    with pytest.raises(Problem, match="runs here"):
        Project("a", "A", models=(Model("m", "M", "base", offer="gpt-4.1-mini"),)).check()
