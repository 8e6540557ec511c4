"""Energy prices and emission factors by carrier, country and year."""

from __future__ import annotations

from store import YEARS, Row, raw, refs

MJ = 3.6 / 1000  # g/MJ to kg/kWh
DIESEL_MJ_PER_L = 35.9
DIESEL_KWH_PER_L = DIESEL_MJ_PER_L / 3.6
DIESEL_WTT = 0.62409 / DIESEL_KWH_PER_L
DIESEL_TTW = 95.1 * MJ - DIESEL_WTT
HVO_TTW, HVO_WTT = 0.001, 16.445 * MJ
MGO_TTW, MGO_WTT = 76.37 * MJ, 14.4 * MJ
LNG_TTW, LNG_WTT = 70.70 * MJ, 18.5 * MJ
# Bio-LNG burns without fossil CO2, but 3.1 % slips unburnt (25 g CO2e per g) and N2O stays.
BIO_LNG_TTW = ((3.1 / 100) * 25 + (1 - 3.1 / 100) * 298 * 0.00011) / 0.0491 * MJ
BIO_LNG_WTT = 23.903 * MJ
# CO2 where biofuel is burnt, outside CO2e: HVO 3.115 kg per kg and 44 MJ/kg, as FuelEU Annex II has it by general
# knowledge; bio-LNG 2.75 kg per kg over 49.1 MJ/kg, of what does not slip.
HVO_BIOGENIC = 3.115 / 0.044 * MJ
BIO_LNG_BIOGENIC = (1 - 3.1 / 100) * 2.75 / 0.0491 * MJ
BIOGENIC_NOTE = "biogenic CO2: 3.115 kg per kg HVO at 44 MJ/kg, general knowledge of FuelEU Annex II"
# Greenhouse gas intensity allowed by FuelEU Maritime against the reference of 91.16 g/MJ.
FUELEU_CUT = {2025: 0.02, 2030: 0.06, 2035: 0.145, 2040: 0.31}
REFERENCE = 91.16
# Nordic consumption mix: 59 g/kWh as the mean of 2021 to 2023; falling to a third by 2040 is assumed.
GRID = {2025: 0.059, 2030: 0.045, 2035: 0.032, 2040: 0.022}
GRID_CONTINENT = {2025: 0.35, 2030: 0.25, 2035: 0.17, 2040: 0.1}
ELECTROLYSIS = 0.62  # hydrogen (LHV) out of a kWh of power, compression included
# Kvarken ferry, share of the shaft work: LNG, bio-LNG, battery (12.6 MWh since January 2026). More biogas and a second
# battery are choices (fuel_substitutes), so that the mix stays.
FERRY_MIX = dict.fromkeys(YEARS, (0.62, 0.18, 0.2))
BATTERY_OVER_ENGINE = 0.5  # kWh from the quay that replace one kWh of gas: 0.45 engine over 0.9 battery

# Biofuel in diesel by law, share of the energy, from 2025 and from 2030. Sweden: 10 % less emissions than fossil
# diesel, which HVO of 16.745 g/MJ brings with this share. Finland: 16.5 % in 2025, 34 % in 2030, of energy. Norway:
# 17 % of the volume. Germany and the Netherlands: about B7, assumed.
BLEND = {"SE": (0.121, 0.121), "FI": (0.165, 0.34), "NO": (0.164, 0.164), "DE": (0.06, 0.06), "NL": (0.06, 0.06)}
BLEND_SOURCE = {"SE": "sekretariatet_plikt", "FI": "he_36_2023;he_174_2022", "NO": "miljodirektoratet_biofuel"}
# HVO on the world market rises with demand of aircraft and ships; national tax and delivery on top.
HVO_WORLD = {2025: 0.143, 2030: 0.148, 2035: 0.153, 2040: 0.158}
HVO_ON_TOP = {"SE": 0.012, "FI": 0.029, "NO": 0.035, "DE": 0.05, "NL": 0.05}
BIOGAS_PRICE = {"SE": 0.127, "FI": 0.122, "NO": 0.135, "DE": 0.14, "NL": 0.14}
BIOGAS_TTW = 1.6 * MJ  # methane slip of a truck, assumed
DIESEL_PRICE = {"NO": 0.105, "SE": 0.105, "FI": 0.108, "DE": 0.105, "NL": 0.108}
ELECTRICITY_PRICE = {"NO": 0.081, "SE": 0.085, "FI": 0.092, "DE": 0.16, "NL": 0.16}
HYDROGEN_PRICE = {2025: 0.2438, 2030: 0.217, 2035: 0.1901, 2040: 0.1632}
MGO_PRICE, BIO_MARINE_PRICE, LNG_PRICE, BIO_LNG_PRICE = 0.056, 0.14, 0.05, 0.095


def factors() -> list[Row]:
    """The emission factors that are used, each with its licence; only those that may be passed on."""
    return [
        {
            "factor": r["factor"],
            "subject": r["subject"],
            "value": float(r["value"]),
            "unit": r["unit"],
            "boundary": r["boundary"],
            "gwp_set": r["gwp_set"],
            "region": r["region"],
            "year": r["year"],
            "licence": r["licence"],
            "source": refs(r["source"]),
            "note": r["note"],
        }
        for r in raw("factors")
    ]


def energy() -> list[Row]:
    rows: list[Row] = []
    for country in ("NO", "SE", "FI", "DE", "NL"):
        for year in YEARS:
            rows += _land(country, year)
    for year in YEARS:
        rows += [_marine(year), _ferry(year), *_for_ships(year)]
    return rows


def _land(country: str, year: int) -> list[Row]:
    diesel, power = DIESEL_PRICE[country], ELECTRICITY_PRICE[country]
    blend = BLEND[country][int(year >= 2030)]
    grid = (GRID if country in ("NO", "SE", "FI") else GRID_CONTINENT)[year]
    grid_factor = "grid-nordic-ivl-2021-2023" if country in ("NO", "SE", "FI") else ""
    fall = grid / GRID[2025]
    return [
        _row(
            "diesel", country, year, diesel, (1 - blend) * DIESEL_TTW + blend * HVO_TTW,
            (1 - blend) * DIESEL_WTT + blend * HVO_WTT,
            "fuel-diesel-mk3-wtw-mj-energimyndigheten-2016;fuel-hvo-wtt-mj-defra-2025",
            "energimyndigheten_2016;defra_2025;cnr_2021;stram;" + ";".join(filter(None, [BLEND_SOURCE.get(country)]))
            + (";" if country in BLEND_SOURCE else "") + "assumption",
            f"biofuel by law, {blend:.1%} of the energy, taken as HVO: fuel-diesel-mk3-wtw-mj-energimyndigheten-2016 x "
            f"{1 - blend:.4g}, fuel-hvo-wtt-mj-defra-2025 x {blend:.4g}, AR5 and unknown set; of fossil diesel WTT "
            f"is that of mineral diesel, 0.62409 kg/l at {DIESEL_KWH_PER_L:.4g} kWh/l; "
            "price: haulier price ex VAT (SE 1.2451 EUR/l in 2021, others by their taxes) less its carbon part; kept "
            f"level; {BIOGENIC_NOTE}", blend * HVO_BIOGENIC,
        ),
        _row(
            "hvo", country, year, round(HVO_WORLD[year] + HVO_ON_TOP[country], 4), HVO_TTW, HVO_WTT,
            "fuel-hvo-wtt-mj-defra-2025", "defra_2025;ivl_hvo;assumption",
            f"price: world market {HVO_WORLD[year]:g}, tax and delivery {HVO_ON_TOP[country]:g} EUR/kWh, assumed: "
            "1 to 2 SEK/l above diesel with its carbon price, 5 in 2022 (IVL); it does not follow the carbon price; "
            f"TTW: CH4 and N2O only, 0.3 g/MJ assumed; {BIOGENIC_NOTE}", HVO_BIOGENIC,
        ),
        _row(
            "biogas", country, year, BIOGAS_PRICE[country], BIOGAS_TTW, BIO_LNG_WTT, "fuel-bio-lng-wtt-mj-defra-2025",
            "defra_2025;vafabmiljo;assumption",
            "liquefied; price: that of compressed gas in Sweden in 2022 without VAT, 0.127 EUR/kWh, kept level, other "
            "countries assumed; TTW: 1.6 g/MJ of methane slip assumed; biogenic CO2: 2.75 kg per kg at 49.1 MJ/kg",
            2.75 / 0.0491 * MJ,
        ),
        _row(
            "electricity", country, year, power, 0.0, grid, grid_factor,
            "ivl_grid;stram;elpriser24;assumption" if grid_factor else "assumption",
            "price: power and grid fee for large users, no charger (bought in the plan); carbon is in the price; "
            f"factor: Nordic consumption mix (2021-2023), fall by 2040 assumed: {grid_factor} x {fall:.4g}"
            if grid_factor else "continental mix, assumed; hardly used",
        ),
        _row(
            "hydrogen", country, year, HYDROGEN_PRICE[year], 0.0, round(grid / ELECTROLYSIS, 5), grid_factor,
            "stram;ivl_grid;assumption" if grid_factor else "stram;assumption",
            f"price: STraM 2023 and 2050, linear; electrolysis with grid power at {ELECTROLYSIS:g} kWh/kWh"
            + (f": {grid_factor} x {fall:.4g} / {ELECTROLYSIS:g}" if grid_factor else ""),
        ),
    ]  # fmt: skip


def _marine(year: int) -> Row:
    limit = REFERENCE * (1 - FUELEU_CUT[year]) * MJ
    share = max(0.0, (MGO_TTW + MGO_WTT - limit) / (MGO_TTW + MGO_WTT - HVO_WTT))
    mix = f"fuel-mgo-ttw-mj-fueleu x {1 - share:.4f}, fuel-mgo-wtt-mj-fueleu x {1 - share:.4f}"
    mix += f", fuel-hvo-wtt-mj-defra-2025 x {share:.4f}"
    return _row(
        "marine_fuel", "XX", year, round((1 - share) * MGO_PRICE + share * BIO_MARINE_PRICE, 4),
        (1 - share) * MGO_TTW, (1 - share) * MGO_WTT + share * HVO_WTT,
        "fuel-mgo-ttw-mj-fueleu;fuel-mgo-wtt-mj-fueleu;fuel-hvo-wtt-mj-defra-2025",
        "fueleu;defra_2025;assumption",
        f"marine gas oil with {share:.1%} biofuel, as FuelEU Maritime asks ({FUELEU_CUT[year]:.1%} below the "
        f"fuel-fueleu-reference-intensity; after 2025 from general knowledge of the regulation): {mix}, "
        f"AR4 and AR5 mixed; prices 660 EUR/t and 0.14 EUR/kWh assumed; {BIOGENIC_NOTE}",
        share * HVO_BIOGENIC,
    )  # fmt: skip


def _for_ships(year: int) -> list[Row]:
    """What ships and the ferry may take in instead."""
    fall = GRID[year] / GRID[2025]
    return [
        _row(
            "marine_bio", "XX", year, BIO_MARINE_PRICE, HVO_TTW, HVO_WTT, "fuel-hvo-wtt-mj-defra-2025",
            "defra_2025;bettersea;assumption",
            "biodiesel of waste, counted as HVO; price assumed: B30 at 209 EUR/t above oil is 0.06 EUR/kWh of the "
            f"bio part; {BIOGENIC_NOTE}", HVO_BIOGENIC,
        ),
        _row(
            "marine_biogas", "XX", year, BIO_LNG_PRICE, BIO_LNG_TTW, BIO_LNG_WTT,
            "fuel-bio-lng-otto-medium-speed-ttw-mj-fueleu;fuel-bio-lng-wtt-mj-defra-2025",
            "fueleu;defra_2025;bettersea;assumption",
            "AR4 and AR5 mixed; price assumed: some 250 EUR per t CO2e above oil, as a surplus in a FuelEU pool "
            "brings; biogenic CO2: 2.75 kg per kg bio-LNG at 49.1 MJ/kg, less slip", BIO_LNG_BIOGENIC,
        ),
        _row(
            "shore_power", "XX", year, round(ELECTRICITY_PRICE["SE"] + 0.02, 4), 0.0, GRID[year],
            "grid-nordic-ivl-2021-2023", "ivl_grid;elpriser24;assumption",
            "price: as for large users on land and 0.02 EUR/kWh for a connection that stands idle most hours, assumed; "
            f"factor: Nordic consumption mix, fall by 2040 assumed: grid-nordic-ivl-2021-2023 x {fall:.4g}",
        ),
    ]  # fmt: skip


def substitutes() -> list[Row]:
    """What vehicles may take in instead of their own fuel."""
    keys = ("kwh_per_kwh", "max_share")
    return [
        {name: cell for name, cell in r.items() if name != "kwh_per_year"}
        | {key: float(r[key]) for key in keys}
        | {"kwh_per_year": float(r["kwh_per_year"]) if r["kwh_per_year"] else None}
        | {"available_from": int(r["available_from"]), "source": refs(r["source"])}
        for r in raw("fuel_substitutes")
    ]


def _ferry(year: int) -> Row:
    """Per kWh of gas the ferry would burn without a battery."""
    lng, bio, battery = FERRY_MIX[year]
    power = battery * BATTERY_OVER_ENGINE
    mix = f"fuel-lng-otto-medium-speed-ttw-mj-fueleu x {lng:g}, fuel-lng-wtt-mj-fueleu x {lng:g}"
    mix += f", fuel-bio-lng-otto-medium-speed-ttw-mj-fueleu x {bio:g}, fuel-bio-lng-wtt-mj-defra-2025 x {bio:g}"
    mix += f", grid-nordic-ivl-2021-2023 x {power:g} x {GRID[year] / GRID[2025]:.4g}"
    return _row(
        "kvarken_ferry_mix", "XX", year,
        round(lng * LNG_PRICE + bio * BIO_LNG_PRICE + power * ELECTRICITY_PRICE["FI"], 4),
        lng * LNG_TTW + bio * BIO_LNG_TTW, lng * LNG_WTT + bio * BIO_LNG_WTT + power * GRID[year],
        "fuel-lng-otto-medium-speed-ttw-mj-fueleu;fuel-lng-wtt-mj-fueleu;fuel-bio-lng-wtt-mj-defra-2025;"
        "fuel-bio-lng-otto-medium-speed-ttw-mj-fueleu;grid-nordic-ivl-2021-2023",
        "fueleu;defra_2025;ivl_grid;balticpress;assumption",
        f"physical mix assumed: {lng:.0%} LNG, {bio:.0%} bio-LNG, {battery:.0%} battery charged in port: {mix}, AR4 "
        "and AR5 mixed; certificates and pooling are not counted; prices 0.05 and 0.095 EUR/kWh assumed; "
        "biogenic CO2: 2.75 kg per kg bio-LNG at 49.1 MJ/kg, less slip",
        bio * BIO_LNG_BIOGENIC,
    )  # fmt: skip


def _row(
    carrier: str, country: str, year: int, price: float, ttw: float, wtt: float, used: str, source: str, note: str,
    biogenic: float | None = None,
) -> Row:  # fmt: skip
    return {
        "energy_carrier": carrier,
        "country": country,
        "year": year,
        "price_eur_per_kwh": price,
        "ttw_kg_co2e_per_kwh": round(ttw, 5),
        "wtt_kg_co2e_per_kwh": round(wtt, 5),
        "biogenic_kg_co2_per_kwh": None if biogenic is None else round(biogenic, 5),
        "factors": used,
        "source": source,
        "note": note,
    }
