"""Pages and addresses of the region view: templates filled in on the server, in the language that was chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from nbb_opt.app.answers import download
from nbb_opt.app.pages import render
from nbb_opt.app.region import Region
from nbb_opt.app.store import NotFound
from nbb_opt.errors import NbbError


class FlowKey(BaseModel):
    origin: str = Field(max_length=200)
    destination: str = Field(max_length=200)
    commodity: str = Field(max_length=200)
    year: int


class StudyForm(BaseModel):
    name: str = Field(max_length=20)
    plant: str = Field(max_length=100, default="")


class PlantForm(BaseModel):
    name: str = Field(max_length=200)
    text: str = Field(max_length=100_000)


class Form(BaseModel):
    fields: dict[str, list[str]]


def serve_region(api: FastAPI, region: Region) -> None:
    """Add the addresses of the region view."""

    def page(template: str, request: Request, case: str, view: str, of: Callable[[], dict[str, Any]]) -> HTMLResponse:
        status = 200
        region.store.case(case)
        try:
            given = of()
        except NbbError as error:
            template, given, status = (
                "error.html.j2",
                {"message": str(error)},
                404 if isinstance(error, NotFound) else 409,
            )
        return render(
            template, request, status=status, case=case, title=region.store.case(case).title, view=view, **given
        )

    @api.get("/region/{case}")
    def levers(case: str, request: Request, source: Annotated[str, Query(max_length=60)] = "") -> Response:
        return page("levers.html.j2", request, case, "levers", lambda: region.levers(case, source))

    @api.get("/region/{case}/runs/{run}")
    def run_page(case: str, run: str, request: Request) -> Response:
        return page("run.html.j2", request, case, "run", lambda: region.run(case, run))

    @api.get("/region/{case}/compare")
    def compare(case: str, request: Request, run: Annotated[list[str], Query(max_length=9)]) -> Response:
        return page("compare.html.j2", request, case, "compare", lambda: region.compare(case, run))

    @api.get("/region/{case}/runs/{run}/files/{name}")
    def file(case: str, run: str, name: str, view: bool = False) -> Response:
        content, kind = region.file(case, run, name)
        return download(content, kind, name, view=view)

    @api.get("/region/{case}/runs/{run}/studies/{study}/{name}")
    def study_page(case: str, run: str, study: str, name: str) -> Response:
        return download(region.page(case, run, study, name), "text/html; charset=utf-8", name, view=True)

    @api.post("/api/region/{case}/runs/{run}/studies")
    def study(case: str, run: str, wanted: StudyForm) -> dict[str, str]:
        region.study(case, run, wanted.name, wanted.plant)
        return {"address": f"/region/{case}/runs/{run}"}

    @api.post("/api/region/{case}/plants")
    def bring_plant(case: str, table: PlantForm) -> dict[str, list[str]]:
        region.bring_plant(case, table.name, table.text)
        return {"plants": list(region.plants(case))}

    @api.post("/api/region/{case}/runs")
    def start(case: str, form: Form) -> dict[str, str]:
        return {"address": f"/region/{case}/runs/{region.start(case, form.fields)}"}

    @api.post("/api/region/{case}/runs/{run}/again")
    def again(case: str, run: str) -> dict[str, str]:
        return {"address": f"/region/{case}/runs/{region.again(case, run)}"}

    @api.post("/api/region/{case}/runs/{run}/explain")
    def explain(case: str, run: str, flow: FlowKey) -> dict[str, str]:
        region.explain(case, run, flow.model_dump())
        return {"address": f"/region/{case}/runs/{run}"}

    @api.post("/api/region/{case}/runs/{run}/front")
    def front(case: str, run: str) -> dict[str, str]:
        region.front(case, run)
        return {"address": f"/region/{case}/runs/{run}"}

    @api.delete("/api/region/{case}/runs/{run}")
    def delete(case: str, run: str) -> dict[str, str]:
        region.delete(case, run)
        return {"address": f"/region/{case}"}
