"""Our own addresses beside Streamlit's: a unit's record and pictures, checked against the dissection, never changing.

`/mami/<dissection>~<version>/<layer>/<unit>.json` and `.jpg` or `.webp` answer for exactly that version, so a browser
may keep them for ever. Without `~<version>` the present one answers, to be asked for again each time.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard import loaders, probes, similar, spaces
from dashboard.scripts import bundle
from mami_core.probing.filtering import UnitFilter

PREFIX = "/mami"
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
ASK_AGAIN = {"Cache-Control": "no-cache"}
_TYPES = {"jpg": "image/jpeg", "webp": "image/webp"}
_state = {"served": False}


def say_served() -> None:
    """From now on pages may send addresses instead of data: called where the application behind them is mounted."""
    _state["served"] = True


def are_served() -> bool:
    """Tell whether this process answers our addresses; under AppTest or a bare `streamlit run app.py` it does not."""
    return _state["served"]


def serving() -> Starlette:
    """Return the application behind `/mami`."""
    return Starlette(
        routes=[
            Route("/-/{digest}/{name}.js", _script),
            Route("/{address}/-/units.json", _units),
            Route("/{address}/-/map.json", _map),
            Route("/{address}/-/neighbours.json", _neighbours),
            Route("/{address}/-/image/{image:int}.{kind}", _image),
            Route("/{address}/{layer:path}/{unit:int}/similar.json", _similar),
            Route("/{address}/{layer:path}/{unit:int}/doubts.json", _doubts),
            Route("/{address}/{layer:path}/{unit:int}.json", _record),
            Route("/{address}/{layer:path}/{unit:int}.{kind}", _sprite),
        ],
        exception_handlers={KeyError: _refuse, ValueError: _refuse, FileNotFoundError: _refuse},
    )


def unit_address(found: loaders.Found) -> str:
    """Return the beginning of the addresses of a dissection's units, relative to the page."""
    return f"{PREFIX.strip('/')}/{found.address}"


async def _refuse(_request: Request, problem: Exception) -> Response:
    """Answer 404 with the sentence that says what is not there."""
    text = problem.args[0] if problem.args else "not found"
    return PlainTextResponse(str(text), 404, headers={"Cache-Control": "no-store"})


def _found(request: Request) -> tuple[loaders.Found, dict[str, str]]:
    """Return the dissection an address names, and how long its answer may be kept; KeyError when it is not there."""
    name, _, version = request.path_params["address"].partition("~")
    found = loaders.found_dissections().get(name)
    if found is None:
        raise KeyError(f"no dissection {name!r} here")
    if version and version != found.version:
        raise KeyError(f"{name} has changed since this page was loaded: reload it")
    return found, FOR_EVER if version else ASK_AGAIN


def _record(request: Request) -> Response:
    found, keep = _found(request)
    body = loaders.unit_json(found, request.path_params["layer"], request.path_params["unit"])
    return Response(body, media_type="application/json", headers=keep)


def _similar(request: Request) -> Response:
    found, _ = _found(request)
    body = similar.similar_json(found, request.path_params["layer"], request.path_params["unit"])
    return Response(body, media_type="application/json", headers=ASK_AGAIN)  # of other dissections too


def _doubts(request: Request) -> Response:
    found, keep = _found(request)
    body = probes.doubts_json(found, request.path_params["layer"], request.path_params["unit"])
    return Response(body, media_type="application/json", headers=keep)


def _sprite(request: Request) -> Response:
    found, keep = _found(request)
    kind = _kind(request)
    count = _whole_number(request, "count", 0, 100)
    part = request.query_params.get("set", "top")
    body = loaders.unit_sprite(found, request.path_params["layer"], request.path_params["unit"], kind, count, part)
    if not body:
        return Response(status_code=204, headers=keep)
    return Response(body, media_type=_TYPES[kind], headers=keep)


def _image(request: Request) -> Response:
    found, keep = _found(request)
    _kind(request)
    body = loaders.image_bytes(found, request.path_params["image"])
    kind = "image/webp" if body[:4] == b"RIFF" else "image/jpeg"
    return Response(body, media_type=kind, headers=keep)


def _units(request: Request) -> Response:
    found, _ = _found(request)
    start, count = _whole_number(request, "start", 0, 10**7), _whole_number(request, "count", 100, 1000)
    choice = UnitFilter.from_mapping(dict(request.query_params))
    body = loaders.units_json(found, choice, start, count)
    return Response(body, media_type="application/json", headers=ASK_AGAIN)  # labels change


def _map(request: Request) -> Response:
    found, _ = _found(request)
    body = spaces.map_json(found, request.query_params.get("by", "caption"), request.query_params.get("method", "pca"))
    return Response(body, media_type="application/json", headers=ASK_AGAIN)  # of figures that may be made later


def _neighbours(request: Request) -> Response:
    found, keep = _found(request)
    body = spaces.neighbours_json(
        found, request.query_params.get("by", "caption"), _whole_number(request, "row", 0, 10**7)
    )
    return Response(body, media_type="application/json", headers=keep)


def _script(request: Request) -> Response:
    """Answer with a component's script under the digest of its text."""
    source = bundle(request.path_params["name"])
    if source.digest != request.path_params["digest"]:
        raise KeyError("this script has changed: reload the page")
    return Response(source.text, media_type="text/javascript", headers=FOR_EVER)


def _kind(request: Request) -> str:
    kind = request.path_params["kind"]
    if kind not in _TYPES:
        raise KeyError(f"no picture of kind {kind!r}: ask for jpg or webp")
    return kind


def _whole_number(request: Request, name: str, default: int, limit: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or len(text) > len(str(limit)) or int(text) > limit:
        raise ValueError(f"{name} must be a number from 0 to {limit}, got {text[:40]!r}")
    return int(text)
