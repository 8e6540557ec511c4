"""Pages and addresses for a haulier who has no instance yet."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response

from nbb_opt.app.fleet import GOODS, SLIDERS, asked_of, lane_cost, lane_of, places, present, trucks_of
from nbb_opt.app.pages import render
from nbb_opt.errors import InstanceError, NbbError


def problems_of(error: NbbError) -> list[str]:
    """What is wrong, in lines."""
    return [str(each) for each in error.problems] if isinstance(error, InstanceError) else [str(error)]


def serve_fleet(api: FastAPI) -> None:
    """Add the addresses for a haulier."""

    @api.get("/fleet/cost")
    def cost(request: Request) -> Response:
        query = {name: value[:200] for name, value in request.query_params.items()}
        given: dict[str, Any] = {"found": None, "present": {}, "trucks": ["DIESEL"], "problems": []}
        asked = asked_of({})
        try:
            asked = asked_of(query)
            lane = lane_of(**asked["lane"])
            given["present"], given["trucks"] = present(lane), trucks_of(lane)
            given["found"] = lane_cost(lane, against=asked["against"], moved=asked["moved"])
        except NbbError as error:
            given["problems"] = problems_of(error)
        return render(
            "cost.html.j2", request, view="cost", asked=asked, query=query, sliders=SLIDERS, places=places(),
            goods=GOODS, **given,
        )  # fmt: skip
