"""Places for a plant: their order is that of solving each; briefs speak four languages; faults of a plant are named."""

from __future__ import annotations

from pathlib import Path

import pytest

import nbb_opt as nbb
from nbb_opt.studies.locate_view import LANGUAGES, Sites, phrases
from nbb_opt.studies.plant import read_plant

HEAD = "what,commodity,partner,amount,low_factor,high_factor,source,note\n"
WORKS = HEAD + "plant,,,,,,,Works of Æøå\nstart_year,,,2030,,,made_up,\npower_mw,,,1,0.5,2,assumption,a guess\n"
WORKS += "people,,,40,0.8,1.2,assumption,a guess\nneeds,BOX,PLANT,4000,0.8,1.2,assumption,a guess\n"
WORKS += "produces,BOX,WEST,3000,,,made_up,\n"
PLACES = ["MINE", "WEST", "EAST", "PORTW", "PORTE", "PLANT"]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plant") / "works.csv"
    path.write_text(WORKS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found(plant: Path) -> Sites:
    region = nbb.examples.tiny()
    named = region.with_table("nodes", lambda t: t.assign(name=t["name"].replace({"Plant": "Åbo Öster Äng Ø Æ"})))
    return nbb.locate(named, plant, nbb.solve(named, gap=1e-6), places=PLACES, exact=len(PLACES))


def test_the_order_is_that_of_solving_every_place(found: Sites) -> None:
    assert found.places.sort_values("exact_eur")["place"].tolist() == found.places["place"].tolist()
    assert found.places["place"].iloc[0] == "PLANT"  # its inputs are made there
    assert "Solved one by one (6 places), the first 3 are the same." in found.sentences


def test_prices_and_solved_costs_agree_where_nothing_is_full(found: Sites) -> None:
    free = found.places[found.places["first_bottleneck"] == ""]
    assert len(free) > 2
    assert free["exact_eur"].tolist() == pytest.approx(free["npv_eur"].tolist(), rel=1e-6)
    assert free["others_eur"].abs().max() < 1e-3 * free["exact_eur"].max()


def test_cost_of_a_place_is_tonnes_times_the_cost_of_its_flows(found: Sites) -> None:
    flows = found.flows[found.flows["place"] == "EAST"]
    east = found.places.set_index("place").loc["EAST"]
    assert (flows["tonnes"] * flows["eur_per_t"]).sum() / 3000 == pytest.approx(east["eur_per_t_product"])
    assert east["inputs_eur_per_t_product"] + east["outputs_eur_per_t_product"] == pytest.approx(
        east["eur_per_t_product"]
    )


def test_a_plant_too_large_for_the_harbour_names_it_and_its_year(tmp_path: Path) -> None:
    path = tmp_path / "mill.csv"
    path.write_text(HEAD + "start_year,,,2030,,,made_up,\nproduces,PULP,PORTW,20000,,,made_up,\n", encoding="utf-8")
    region = nbb.examples.tiny()
    sites = nbb.locate(region, path, nbb.solve(region, gap=1e-6), places=["PORTE", "EAST"], exact=1)
    best = sites.places.iloc[0]
    assert (best["first_bottleneck"], best["full_year"]) == ("West harbour", 2030)
    assert best["exact_eur"] > best["npv_eur"]  # the first tonne is cheap, those beyond the limit are not


def test_briefs_have_every_phrase_in_four_languages_and_their_letters(found: Sites, tmp_path: Path) -> None:
    found.save(tmp_path)
    for language in LANGUAGES:
        assert all(phrases()[language].values())
        page = (tmp_path / f"brief-{language}.html").read_text(encoding="utf-8")
        assert f'<html lang="{language}">' in page
        assert "Åbo Öster Äng Ø Æ" in page
        assert "Works of Æøå" in page
        assert phrases()[language]["emissions"] in page
        assert "<svg" in page
    words = [" ".join(phrases()[language].values()) for language in LANGUAGES]
    assert len(set(words)) == len(LANGUAGES)


def test_every_fault_of_a_plant_is_named_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    rows = "needs,BOXX,PLANT,4000,,,made_up,\nneeds,BOX,NOWHERE,0,,,assumption,\n"
    path.write_text(HEAD + rows, encoding="utf-8")
    with pytest.raises(nbb.InstanceError) as fault:
        read_plant(path, nbb.examples.tiny())
    told = str(fault.value)
    for part in ("row 2, column commodity", "row 3, column partner", "row 3, column amount", "row 3, column source",
                 "start_year"):  # fmt: skip
        assert part in told
    path.write_text(HEAD + "wants,BOX,WEST,many,,,made_up,\n", encoding="utf-8")
    with pytest.raises(nbb.InstanceError, match=r"column what.*\n.*column amount"):
        read_plant(path, nbb.examples.tiny())


def test_nothing_is_written_into_a_folder_of_others(found: Sites, tmp_path: Path) -> None:
    (tmp_path / "projects.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(nbb.NbbError, match="holds no results of this command"):
        found.save(tmp_path)


def test_shipped_plants_are_read_and_say_how_sure_every_figure_is() -> None:
    region = nbb.examples.nbb()
    for name, tonnes in (("cells_16gwh", 57100), ("cathode_30kt", 30000)):
        plant = read_plant(region.path / f"plant_{name}.csv", region)
        assert plant.product_t == tonnes
        assert (plant.rows["source"] != "").sum() == len(plant.rows) - 1
