"""A page with nothing but the choice of models, for tests/app/test_pairs_page.py."""

from core import runtime
from pages.draw.pairs import draw_pairs

draw_pairs(runtime.get())
