"""What the server answers beside the pages: whether it is well, and its metrics. Knows ASGI and runtime, no page."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core import metrics, runtime

BROKEN = "The database cannot be read: the pages, and `python -m core state check`, say why."
TEXT = "text/plain; version=0.0.4; charset=utf-8"  # Prometheus' own


async def health(_request: Request) -> Response:
    """Ready, and how many models are loaded; 503 when the database cannot be read. Names nothing: anybody may ask."""
    now = await run_in_threadpool(runtime.now)
    loaded = sum(one.get("state") == "ready" for one in now.workers)
    if now.store:
        return JSONResponse({"ready": True, "models_loaded": loaded})
    return JSONResponse({"ready": False, "models_loaded": loaded, "problem": BROKEN}, 503)


async def measured(_request: Request) -> Response:
    """The metrics; 404 where they are switched off."""
    if not metrics.wanted():
        return PlainTextResponse("Metrics are switched off (RR_METRICS=0).\n", 404)
    return Response(await run_in_threadpool(lambda: runtime.get().metrics.text(runtime.now())), media_type=TEXT)


ROUTES = [Route("/healthz", health), Route("/metrics", measured)]
