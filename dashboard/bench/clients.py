"""Many readers without a browser: each holds a session over a websocket and walks from unit to unit.

`python -m dashboard.bench.clients '{"address": …}'` prints what they found as JSON. A process of its own, so that the
clients do not take the time of who measures.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass, field
from urllib.parse import quote, urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

PATIENCE_S = 60
_LARGEST = 2**26  # bytes of one message


@dataclass(frozen=True, slots=True)
class Walk:
    """What clients do: each takes `switches` steps through a layer, one each `every` seconds (0: at once)."""

    address: str
    dissection: str
    layers: dict[str, int]  # units of each
    clients: int
    switches: int
    every: float
    first: int = 0  # the unit that the first client begins at


@dataclass(slots=True)
class Found:
    """How long each switch took, from asking to the last byte of page, record and picture; and what went wrong."""

    milliseconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


async def walk(plan: Walk, number: int, found: Found) -> None:
    """Be one client."""
    names = list(plan.layers)
    layer = names[number % len(names)]
    start = plan.first + number * plan.layers[layer] // plan.clients
    await asyncio.sleep(plan.every * number / plan.clients)  # not all at once
    socket = plan.address.replace("http", "ws", 1) + "/_stcore/stream"
    async with connect(socket, subprotocols=["streamlit"], max_size=_LARGEST) as connection:  # type: ignore[list-item]
        for step in range(plan.switches):
            unit = (start + step) % plan.layers[layer]
            began = time.perf_counter()
            try:
                await asyncio.wait_for(_switch(plan, connection, layer, unit), PATIENCE_S)
            except (OSError, ValueError, TimeoutError) as problem:
                found.errors.append(f"client {number}, {layer} unit {unit}: {problem or type(problem).__name__}")
                return
            taken = time.perf_counter() - began
            found.milliseconds.append(1000 * taken)
            await asyncio.sleep(max(0.0, plan.every - taken))


async def _switch(plan: Walk, connection: ClientConnection, layer: str, unit: int) -> None:
    """Open a unit as a browser does: run the page, fetch the record and the picture."""
    query = urlencode({"d": plan.dissection, "layer": layer, "unit": unit})
    ask = BackMsg()
    ask.rerun_script.query_string = query
    ask.rerun_script.page_name = "neuron"
    await connection.send(ask.SerializeToString())
    place = f"{plan.address}/mami/{plan.dissection}/{quote(layer)}/{unit}"
    fetched = [asyncio.to_thread(_fetch, f"{place}.{kind}") for kind in ("json", "jpg")]
    await asyncio.gather(_until_shown(connection, unit), *fetched)


async def _until_shown(connection: ClientConnection, unit: int) -> None:
    """Wait until the page has run; ValueError where it raised, or did not show the unit."""
    shown = None
    while True:
        message = ForwardMsg()
        message.ParseFromString(bytes(await connection.recv(decode=False)))
        kind = message.WhichOneof("type")
        element = message.delta.new_element if kind == "delta" else None
        if element is not None and element.WhichOneof("type") == "exception":
            raise ValueError(f"the page raised {element.exception.type}: {element.exception.message}")
        if element is not None and element.WhichOneof("type") == "bidi_component":
            shown = json.loads(element.bidi_component.json).get("unit", shown)
        if kind == "script_finished":
            break
    if shown != unit:
        raise ValueError(f"the page showed unit {shown}")


def _fetch(address: str) -> None:
    with urllib.request.urlopen(address, timeout=PATIENCE_S) as answer:
        if not answer.read() and answer.status != 204:
            raise ValueError(f"{address} answered nothing")


async def main(plan: Walk) -> Found:
    """Run all clients until each has taken its steps."""
    found = Found()
    await asyncio.gather(*(walk(plan, number, found) for number in range(plan.clients)))
    return found


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(main(Walk(**json.loads(sys.argv[1])))))))
