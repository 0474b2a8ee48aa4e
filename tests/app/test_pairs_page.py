"""Choosing models on the Model files page: what a preset costs stands first, failures say why, own files play."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import runtime
from core.paths import ROOT
from core.weights import catalog, choice

PAGE = str(ROOT / "tests" / "app" / "pairs_script.py")
PRESET = "Qwen2.5 1.5B, general and coder"
WAIT_S = 120


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for name in ("RR_BASE", "RR_FINE_TUNED", "RR_MODELS"):
        monkeypatch.delenv(name, raising=False)
    yield runtime.get()
    runtime.close()


def show() -> AppTest:
    page = AppTest.from_file(PAGE, default_timeout=WAIT_S).run()
    assert not page.exception
    return page


def test_size_memory_and_licence_stand_beside_the_button_before_anything_is_fetched(here):
    page = show()
    captions = " ".join(item.value for item in page.caption).replace("\\", "")
    assert "download 2,235 MB" in captions and "3,200 MB of memory" in captions and "Apache-2.0" in captions
    assert here.jobs.list("fetch") == []


def test_a_download_that_fails_says_what_was_tried_and_can_be_repeated(here):
    page = show()
    page.button(key=f"download-{PRESET}").click().run()
    (job,) = here.jobs.list("fetch")
    assert here.jobs.wait(job.id, WAIT_S).state == "failed"
    page = show()
    said = " ".join(item.value for item in page.error).replace("\\", "")
    assert "could not be had" in said and "the model hub (Qwen/Qwen2.5-1.5B-Instruct-GGUF)" in said
    assert page.button(key=f"download-{PRESET}")


@pytest.mark.real
def test_own_files_can_be_chosen_and_given_back(real_home, here):
    folder = catalog.default().weights
    name = Path("smollm2-135m-instruct.q8_0.gguf")
    shutil.copy(real_home / "models" / name, folder / "mine.gguf")
    for ours in (real_home / "models").glob("smollm2*"):
        shutil.copy2(ours, folder)
    page = show()
    page.selectbox[0].set_value("mine")
    page.selectbox[1].set_value("fine-tuned")
    next(button for button in page.button if button.label == "Compare these two").click().run()
    assert not page.exception and [item.value for item in page.error] == []
    assert catalog.spec("base").path == folder / "mine.gguf"
    assert catalog.spec("fine-tuned").id == "fine-tuned"
    page = show()
    page.button(key="use-SmolLM2 135M, general and fine-tuned on Brightwater").click().run()
    assert catalog.spec("base").id == "base"


def test_a_pair_without_a_fine_tune_leaves_its_panes_out_and_says_so(here):
    script = str(ROOT / "tests" / "app" / "settings_script.py")
    page = AppTest.from_file(script, default_timeout=WAIT_S).run()
    assert not page.exception and page.text[0].value == "base base+retrieval fine-tuned fine-tuned+retrieval"
    choice.save(catalog.default().weights, {"base": "qwen2.5-coder-0.5b-instruct", "fine-tuned": None})
    page = AppTest.from_file(script, default_timeout=WAIT_S).run()
    assert not page.exception and page.text[0].value == "base base+retrieval"
    assert any("no fine-tuned model" in caption.value for caption in page.sidebar.caption)
    said = " ".join(item.value for item in show().caption)
    assert "none, so its panes are absent" in said and "small pair is the default" in said
