"""Pages and addresses for a haulier: a lane's cost, a small fleet from a form, trips, studies of a plan."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field, StringConstraints
from starlette.concurrency import run_in_threadpool

from nbb_opt.app import fleet
from nbb_opt.app.answers import sections_of
from nbb_opt.app.fleet import FORM, cells_at_fault
from nbb_opt.app.pages import render
from nbb_opt.app.service import Service
from nbb_opt.app.worker import MONEY
from nbb_opt.errors import InstanceError, NbbError
from nbb_opt.options import DEFAULT_TIME_LIMIT_S, SolveOptions

Cell = Annotated[str, StringConstraints(max_length=200)]
Table = Annotated[list[list[Cell]], Field(max_length=fleet.MOST_FORM_ROWS)]


class FleetForm(BaseModel):
    name: str = Field(max_length=200)
    depot: Table
    truck: Table
    lane: Table


class StudyAsked(BaseModel):
    loan_rate: float | None = Field(None, ge=0.0, lt=1.0)
    loan_years: int = Field(5, ge=1, le=50)
    lease: dict[Cell, float] = {}
    against: Cell = "DIESEL"


def problems_of(error: NbbError) -> list[str]:
    """What is wrong, in lines."""
    return [str(each) for each in error.problems] if isinstance(error, InstanceError) else [str(error)]


def serve_fleet(api: FastAPI, service: Service) -> None:
    """Add the addresses for a haulier."""
    trips = service.trips

    @api.get("/fleet/cost")
    def cost(request: Request) -> Response:
        query = {name: value[:200] for name, value in request.query_params.items()}
        given: dict[str, Any] = {"found": None, "present": {}, "trucks": ["DIESEL"], "problems": []}
        asked = fleet.asked_of({})
        try:
            asked = fleet.asked_of(query)
            lane = fleet.lane_of(**asked["lane"])
            given["present"], given["trucks"] = fleet.present(lane), fleet.trucks_of(lane)
            given["found"] = fleet.lane_cost(lane, against=asked["against"], moved=asked["moved"])
        except NbbError as error:
            given["problems"] = problems_of(error)
        return render(
            "cost.html.j2", request, view="cost", asked=asked, query=query, sliders=fleet.SLIDERS,
            places=fleet.places(), goods=fleet.GOODS, **given,
        )  # fmt: skip

    @api.get("/fleet/new")
    def form(request: Request, trips_of: Annotated[str, Query(alias="trips", max_length=60)] = "") -> Response:
        rows = trips.rows(trips_of) if trips_of else {}
        offers = {"place": fleet.places(), "goods": fleet.GOODS, "unit": fleet.UNITS, "fuel": fleet.FUELS}
        given = {"rows": rows, "columns": FORM, "offers": offers, "most": fleet.MOST_FORM_ROWS}
        return render("new.html.j2", request, view="new", given=given)

    @api.post("/api/fleet")
    def make(wanted: FleetForm) -> Any:
        rows = {what: getattr(wanted, what) for what in FORM}
        for what, columns in FORM.items():
            if any(len(row) != len(columns) for row in rows[what]):
                raise NbbError(f"A row of {what} has {len(columns)} cells.")
        try:
            return service.new_fleet(wanted.name, rows)
        except InstanceError as error:
            found = {"detail": "", "problems": problems_of(error), "cells": cells_at_fault(error, rows)}
            return JSONResponse(found, 422)

    @api.get("/fleet/trips")
    def all_trips(request: Request) -> Response:
        return render("trips.html.j2", request, view="trips", all=trips.all(), found=None, goods=fleet.GOODS)

    @api.get("/fleet/trips/{name}")
    def one_export(request: Request, name: str) -> Response:
        found = trips.get(name)
        return render(
            "trips.html.j2", request, view="trips", all=[], found=found, id=name, sections=sections_of(found),
            goods=fleet.GOODS,
        )  # fmt: skip

    @api.post("/api/fleet/trips")
    async def bring_trips(request: Request, name: str, goods: str = "general", loaded: str = "out") -> dict[str, str]:
        content = await request.body()
        new = await run_in_threadpool(lambda: trips.add(content, name, goods=goods, loaded=loaded))
        return {"address": f"/fleet/trips/{new}"}

    @api.delete("/api/fleet/trips/{name}")
    def delete_trips(name: str) -> dict[str, str]:
        trips.delete(name)
        return {"address": "/fleet/trips"}

    @api.delete("/api/cases/{case}")
    def delete_case(case: str) -> dict[str, str]:
        service.delete_case(case)
        return {"address": "/#/"}

    @api.get("/fleet/{case}/{plan}/{kind}")
    def study(request: Request, case: str, plan: str, kind: str) -> Response:
        given = service.study(case, plan, kind)
        sections = sections_of(given["found"]) if given["found"] else []
        return render("study.html.j2", request, view=kind, sections=sections, **given)

    @api.post("/api/fleet/{case}/{plan}/{kind}")
    def start_study(case: str, plan: str, kind: str, asked: StudyAsked) -> dict[str, Any]:
        service.study(case, plan, kind)
        finance = {"loan_rate": asked.loan_rate, "loan_years": asked.loan_years, "lease_eur_per_month": asked.lease}
        options = SolveOptions(time_limit_s=DEFAULT_TIME_LIMIT_S)
        wanted = {"finance": finance, "against": asked.against} if kind == MONEY else {}
        return service.start_job(case, plan, kind, options, wanted)
