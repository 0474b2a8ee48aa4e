"""What an answer of a model at an endpoint costs, by its tokens and a price of the catalogue. Knows no project."""

from core.errors import Problem
from core.evidence import price_lists
from core.evidence.prices import Offer
from core.text import one_line


def offer(name: str) -> Offer:
    """The catalogue's model of that id, which has a price for tokens in and out. Raises Problem."""
    found = price_lists.catalogue().get(name)
    if found is None or found.kind != "model" or found.input is None or found.output is None:
        raise Problem(
            f"The price catalogue has no model '{one_line(name, 60)}' with a price by the token. See: python -m core "
            "prices."
        )
    return found


def cost(sold: Offer, prompt: int | None, reused: int | None, output: int | None) -> float | None:
    """Dollars for one answer: its tokens at the offer's USD per million; what the endpoint had read before at the price
    of cached input, where there is one. None when the endpoint did not tell its tokens."""
    if prompt is None or output is None or sold.input is None or sold.output is None:
        return None
    cached = min(reused or 0, prompt) if sold.cached is not None else 0
    return ((prompt - cached) * sold.input + cached * (sold.cached or 0.0) + output * sold.output) / 1e6
