# ruff: noqa: E501
"""The figures of the haulier: places, roads, orders, trucks, prices, each with where it comes from. `build.py` writes them out."""

GK, OWN, ASM = "general_knowledge", "invented_company", "assumption"

SOURCES = [  # source, title, url, licence, year
    ("cnr2021", "CNR: The Sweden road freight transport sector 2021", "https://www.cnr.fr/index.php/en/detail-pays/28", "", "2021"),
    ("stram", "STraM cost calculator (S. J. Bakker, NTNU)", "https://github.com/ntnuiotenergy/STraM", "MIT", "2023"),
    ("gronland", "Gronland: cost models for transport and logistics, as transcribed in STraM", "https://github.com/ntnuiotenergy/STraM", "MIT", "2022"),
    ("scania74", "Scania: 74-tonne electric truck at the mine", "https://www.scania.com/group/en/home/newsroom/news/2022/this_74-tonne_scania_electric_truck_runs_19_hours_a_day_at_the_mine.html", "", "2022"),
    ("enova", "electrive: Norway redesigns subsidy programme for electric commercial vehicles", "https://www.electrive.com/2024/04/22/norway-redesigns-subsidy-programme-for-electric-commercial-vehicles/", "", "2024"),
    ("autopass", "AutoPASS: nullutslippskjøretøy", "https://www.autopass.no/Betaling/nullutslippskjoretoy", "", "2024"),
    ("traficom", "Traficom: hankintatuki sähkö-, vety- ja kaasukäyttöiselle kuorma-autolle", "https://www.traficom.fi/fi/asioi-kanssamme/hae-hankintatukea-sahko-vety-ja-kaasukayttoiselle-kuorma-autolle", "", "2024"),
    ("hvo100", "Fossilfritt Sverige: FAQ HVO100 (Energimyndigheten)", "https://fossilfrittsverige.se/faq-hvo-100", "", "2024"),
    ("ets2", "YRproject: ETS2 explainer", "https://yrproject.nl/en/ets2-carbon-pricing-road-transport.html", "", "2025"),
    ("weights_se", "transportnyhederne.dk: 74 ton", "http://www.transportnyhederne.dk/?Id=65718", "", "2018"),
    ("kvarken", "Dagens miljoteknik: Aurora Botnia between Vaasa and Umea", "https://www.dagensmiljoteknik.se/20210825/1661/nya-farjan-aurora-botnia-kor-pa-el-och-flytande-naturgas-mellan-vasa-och-umea", "", "2021"),
    ("eu_561_2006", "Regulation (EC) 561/2006, article 7", "https://eur-lex.europa.eu/legal-content/EN/TXT/?uri=CELEX:32006R0561", "EU law", "2006"),
    ("eu_2023_1804", "Regulation (EU) 2023/1804 on alternative fuels infrastructure (CELEX 32023R1804), Article 4", "http://data.europa.eu/eli/reg/2023/1804/oj", "EU law", "2023"),
    ("milence", "Freight Carbon Zero: Milence adds Sweden to its network (0.40 EUR/kWh at Varberg)", "https://freightcarbonzero.com/infrastructure/milence-adds-sweden-to-its-line-up-as-plans-for-europe-wide-truck-charging-network-take-shape/22832.article", "", "2024"),
    ("bilia_klimatpremie", "Bilia: climate premium for electric lorries", "https://www.bilia.se/tips-och-rad/kopa-latt-ellastbil-sa-far-du-klimatpremie/", "", "2024"),
    ("sundsvall_elnat", "Sundsvall Elnät: power tariff at high voltage 2024", "https://sundsvallelnat.se/priser-och-fakturor/effektabonnemang-hogspanning/", "", "2024"),
    (GK, "General knowledge: coordinates, road-atlas distances rounded to whole km", "", "", "2026"),
    (OWN, "An invented company: depots, fleet and orders describe no real firm", "", "CC0-1.0", "2026"),
    (ASM, "Our own reasoning, given in the note of the row", "", "CC0-1.0", "2026"),
]  # fmt: skip

NODES = [  # node, name, country, lat, lon, kind, is_zone, depot, charging area
    ("UME", "Umeå", "SE", 63.826, 20.263, "depot", True, "UMEA", "C_UME"),
    ("HOL", "Holmsund port", "SE", 63.680, 20.340, "port", True, "UMEA", ""),
    ("VNS", "Vännäs", "SE", 63.908, 19.754, "town", True, "UMEA", ""),
    ("NML", "Nordmaling", "SE", 63.568, 19.502, "town", True, "UMEA", ""),
    ("ORN", "Örnsköldsvik", "SE", 63.290, 18.716, "town", True, "UMEA", ""),
    ("LYC", "Lycksele", "SE", 64.596, 18.673, "town", True, "UMEA", "C_LYC"),
    ("ASE", "Åsele", "SE", 64.160, 17.353, "town", True, "STOR", ""),
    ("VIL", "Vilhelmina", "SE", 64.625, 16.655, "town", True, "STOR", ""),
    ("STM", "Storuman", "SE", 65.096, 17.111, "depot", True, "STOR", "C_STM"),
    ("SOR", "Sorsele", "SE", 65.533, 17.533, "town", True, "STOR", ""),
    ("TAB", "Tärnaby", "SE", 65.716, 15.266, "town", True, "STOR", "C_TAB"),
    ("UMB", "Umbukta border", "SE", 66.125, 14.870, "border", False, "", ""),
    ("MOI", "Mo i Rana", "NO", 66.313, 14.142, "gateway", True, "STOR", ""),
    ("ARV", "Arvidsjaur", "SE", 65.590, 19.168, "town", True, "SKEL", "C_ARV"),
    ("SKE", "Skellefteå", "SE", 64.750, 20.953, "depot", True, "SKEL", "C_SKE"),
    ("SKH", "Skelleftehamn", "SE", 64.680, 21.240, "plant", True, "SKEL", ""),
    ("BOL", "Boliden", "SE", 64.867, 20.383, "plant", True, "SKEL", ""),
    ("REN", "Renström", "SE", 64.920, 20.080, "mine", True, "SKEL", ""),
    ("NSJ", "Norsjö", "SE", 64.912, 19.483, "town", True, "SKEL", ""),
    ("KRI", "Kristineberg", "SE", 65.062, 18.564, "mine", True, "SKEL", ""),
    ("PIT", "Piteå", "SE", 65.317, 21.480, "port", True, "SKEL", ""),
    ("VSK", "Vaasa port", "FI", 63.090, 21.560, "port", False, "VAAS", ""),
    ("VAA", "Vaasa", "FI", 63.096, 21.616, "town", True, "VAAS", ""),
]

# from, to, country, km, mean km/h of a truck, weight limit t, road, source
# km of E4 and E12 between the larger towns are those of a road atlas; where a town lies between them the sum is kept.
ROADS = [
    ("MOI", "UMB", "NO", 40, 60, 60, "E12"), ("UMB", "TAB", "SE", 66, 65, 74, "E12"), ("TAB", "STM", "SE", 127, 65, 74, "E12"),
    ("STM", "LYC", "SE", 103, 70, 74, "E12"), ("LYC", "VNS", "SE", 98, 70, 74, "E12"), ("VNS", "UME", "SE", 31, 65, 74, "E12"),
    ("UME", "HOL", "SE", 18, 55, 74, "E12"), ("UME", "SKE", "SE", 134, 75, 74, "E4"), ("SKE", "PIT", "SE", 81, 75, 74, "E4"),
    ("UME", "NML", "SE", 54, 75, 74, "E4"), ("NML", "ORN", "SE", 56, 75, 74, "E4"), ("SKE", "SKH", "SE", 17, 55, 74, "rv 372"),
    ("SKE", "BOL", "SE", 35, 70, 74, "rv 95"), ("BOL", "ARV", "SE", 98, 70, 74, "rv 95"), ("ARV", "SOR", "SE", 84, 70, 74, "E45"),
    ("SOR", "STM", "SE", 71, 70, 74, "E45"), ("STM", "VIL", "SE", 68, 70, 74, "E45"), ("VIL", "ASE", "SE", 69, 65, 64, "rv 90"),
    ("ASE", "LYC", "SE", 83, 60, 64, "rv 365"), ("ASE", "VNS", "SE", 138, 65, 64, "rv 92"), ("REN", "BOL", "SE", 15, 60, 74, "mine road"),
    ("BOL", "NSJ", "SE", 58, 60, 74, "rv 370"), ("NSJ", "KRI", "SE", 46, 60, 74, "mine road"), ("KRI", "LYC", "SE", 58, 60, 64, "county road"), ("VSK", "VAA", "FI", 4, 40, 74, "E12"),
]  # fmt: skip

# origin, destination, kilotonnes in 2026, in 2030
ORDERS = {
    "ORE": [("KRI", "BOL", 195, 195), ("REN", "BOL", 234, 195)],
    "CONC": [("BOL", "SKH", 117, 109)],
    "TIMBER": [
        ("LYC", "UME", 31, 31), ("LYC", "HOL", 43, 47), ("STM", "LYC", 20, 20), ("STM", "UME", 12, 12), ("ASE", "ORN", 23, 23),
        ("ASE", "UME", 17, 17), ("VIL", "STM", 16, 16), ("VIL", "LYC", 11, 11), ("NML", "HOL", 27, 27), ("NML", "ORN", 31, 31),
        ("VNS", "HOL", 31, 31), ("NSJ", "SKE", 23, 23), ("ARV", "SKE", 22, 22), ("ARV", "PIT", 16, 17), ("SOR", "SKE", 9, 9),
        ("SOR", "LYC", 11, 11), ("NSJ", "PIT", 14, 16), ("BOL", "PIT", 9, 11), ("TAB", "STM", 7, 7),
    ],
    "SAWN": [
        ("LYC", "HOL", 14, 16), ("LYC", "SKE", 5, 5), ("STM", "HOL", 7, 8), ("SKE", "HOL", 9, 11), ("ARV", "SKH", 8, 8),
        ("NML", "HOL", 11, 11), ("LYC", "MOI", 4, 5), ("STM", "MOI", 5, 5), ("UME", "MOI", 3, 4), ("HOL", "VAA", 5, 6),
        ("LYC", "VAA", 3, 4),
    ],
    "GENERAL": [
        ("UME", "SKE", 12, 14), ("SKE", "UME", 10, 12), ("UME", "LYC", 8, 8), ("LYC", "UME", 5, 5), ("UME", "STM", 6, 7),
        ("STM", "UME", 3, 4), ("UME", "ORN", 9, 9), ("ORN", "UME", 11, 11), ("UME", "MOI", 4, 5), ("MOI", "UME", 3, 5),
        ("MOI", "STM", 2, 2), ("STM", "TAB", 3, 3), ("STM", "VIL", 3, 3), ("VIL", "UME", 2, 2), ("UME", "VIL", 4, 4),
        ("SKE", "ARV", 5, 5), ("ARV", "SKE", 2, 2), ("SKE", "PIT", 7, 8), ("PIT", "SKE", 7, 8), ("UME", "PIT", 5, 6),
        ("PIT", "UME", 5, 5), ("UME", "ASE", 2, 2), ("SKE", "STM", 2, 2), ("UME", "VAA", 6, 8), ("VAA", "UME", 5, 7),
        ("VAA", "SKE", 4, 6), ("SKE", "VAA", 4, 6),
    ],
}  # fmt: skip

COMMODITIES = [  # commodity, name, cargo_type, value of time EUR/(t h), modes, source, note
    ("ORE", "Ore", "dry_bulk", 0.1391, "road", "stram", "value of time of dry bulk"),
    ("CONC", "Concentrate", "dry_bulk", 0.1391, "road", "stram", "value of time of dry bulk"),
    ("TIMBER", "Round timber", "timber", 0.1391, "road", ASM, "as dry bulk in STraM: no value for timber found"),
    ("SAWN", "Sawn timber and paper", "neo_bulk", 1.2423, "road;ferry", "stram", "value of time of neo bulk"),
    (
        "GENERAL",
        "General cargo in trailers",
        "container",
        0.7031,
        "road;ferry",
        "stram",
        "value of time of slow containers",
    ),
]

# vehicle, name, technology, carrier, kerb t, winter factor, range km, reserve, charge kW, resale share, from, note
# 74 t combinations carry about 50 t with diesel (kerb 24 t); a battery adds about 6 kg per kWh installed.
TRUCKS = [
    ("DIESEL", "Diesel truck 74 t", "diesel", "diesel", 24.0, 1.05, "", 0, "", 0.5, 2010, "kerb 24 t so that 50 t are carried"),
    ("HVO", "HVO truck 74 t", "hvo", "hvo", 24.0, 1.05, "", 0, "", 0.5, 2018, "a diesel truck that fills HVO100 only"),
    ("BAT400", "Battery truck 74 t, 400 kWh", "battery", "electricity", 26.4, 1.18, 195, 0.1, 350, 0.4, 2026, "360 kWh usable at 1.85 kWh/km, the mean of full (2.4) and empty (1.3), new; winter factor 1.18"),
    ("BAT600", "Battery truck 74 t, 600 kWh", "battery", "electricity", 27.6, 1.18, 290, 0.1, 500, 0.4, 2026, "540 kWh usable at 1.87 kWh/km, the mean of full and empty, new; winter factor 1.18"),
    ("HYDROGEN", "Fuel cell truck 74 t", "hydrogen", "hydrogen", 25.5, 1.10, 700, 0.1, "", 0.3, 2030, "tank for 700 km; none on sale at 74 t today"),
]  # fmt: skip

# cargo type: load factor, empty share within a depot's area, hours to load and unload; source, note
LOADS = {
    "timber": (0.98, 0.48, 1.0, ASM, "loaded out, empty back; a crane loads in about half an hour"),
    "dry_bulk": (0.98, 0.5, 0.5, ASM, "shuttle: loaded out, empty back; loader and tipping"),
    "neo_bulk": (0.85, 0.3, 1.0, ASM, "full loads by weight; some return loads"),
    "container": (0.6133, 0.25, 1.5, "stram", "load factor and empty share of STraM; hours assumed"),
}

# vehicle: (capex 2026, 2030), fixed EUR/year, running EUR/vkm, empty kWh/vkm, full kWh/vkm, source, note
COSTS = {
    "DIESEL": ((200000, 202000), 15300, 0.15, 2.8, 4.9, "cnr2021;stram;assumption", "tractor 105 kEUR plus 95 kEUR for the 74 t combination (assumed); fixed = insurance, tax, vignette of CNR x 1.2; running = tyres and maintenance of CNR x 1.2; 28 l/100 km empty, 49 full (assumed)"),
    "HVO": ((202000, 204000), 15300, 0.155, 2.8, 4.9, "cnr2021;assumption", "as diesel, slightly dearer filters"),
    "BAT400": ((400000, 345000), 15300, 0.12, 1.3, 2.4, "stram;scania74;assumption", "extra price between STraM's 246 kEUR (2026) and 181 kEUR (2030) for a tractor, by battery size; energy scaled from 1.52 kWh/km at 40 t, charging losses included"),
    "BAT600": ((490000, 415000), 15300, 0.125, 1.32, 2.45, "stram;assumption", "as BAT400 with 200 kWh more"),
    "HYDROGEN": ((450000, 404000), 15300, 0.16, 2.2, 4.0, "stram;assumption", "extra price of STraM; energy = battery truck x 2.53/1.52"),
}  # fmt: skip

# carrier: country -> (price 2026, price 2030, TTW, WTT 2026, WTT 2030); source, note
ENERGY = {
    "diesel": ({"SE": (0.146, 0.150, 0.255, 0.065, 0.065), "NO": (0.150, 0.154, 0.262, 0.060, 0.060), "FI": (0.152, 0.156, 0.245, 0.070, 0.070)}, "cnr2021;assumption", "2021 haulier price 1.245 EUR/l / 9.8 kWh x 1.15, tax included; 6 % biofuel in SE"),
    "hvo": ({"SE": (0.182, 0.187, 0.001, 0.057, 0.057), "NO": (0.188, 0.192, 0.001, 0.057, 0.057), "FI": (0.190, 0.195, 0.001, 0.057, 0.057)}, "hvo100;assumption", "diesel price + 25 % (no quoted price found); 82 % less than diesel well to wheel"),
    "electricity": ({"SE": (0.12, 0.12, 0.0, 0.030, 0.020), "NO": (0.12, 0.12, 0.0, 0.020, 0.015), "FI": (0.13, 0.13, 0.0, 0.060, 0.040)}, "stram;assumption", "STraM depot price 0.134 in 2023, less where spot prices are those of SE1 and SE2; mix factors assumed"),
    "hydrogen": ({"SE": (0.238, 0.217, 0.0, 0.050, 0.035), "NO": (0.238, 0.217, 0.0, 0.035, 0.025), "FI": (0.238, 0.217, 0.0, 0.100, 0.065)}, "stram;assumption", "0.2545 in 2023 to 0.1095 in 2050 on a line; electrolysis at 60 %"),
    "marine_fuel": ({"XX": (0.06, 0.06, 0.21, 0.05, 0.05)}, ASM, "gas and biogas mix of a modern ferry; methane slip not known"),
}  # fmt: skip

AREAS = [  # area, name, grid MW, note
    ("C_UME", "Umeå depot", 1.2, "invented depot: what a 10 kV connection usually leaves"),
    ("C_SKE", "Skellefteå depot", 1.5, "invented depot"),
    ("C_STM", "Storuman depot", 0.5, "invented depot at the end of a weak line"),
    ("C_LYC", "Lycksele, public", 1.0, "public place on E12"),
    ("C_TAB", "Tärnaby, public", 0.5, "public place on E12 near the border"),
    ("C_ARV", "Arvidsjaur, public", 0.8, "public place where rv 95 meets E45"),
]

DEPOTS = [  # depot, name, country, hub, charging area
    ("UMEA", "Umeå depot", "SE", "UME", "C_UME"),
    ("SKEL", "Skellefteå depot", "SE", "SKE", "C_SKE"),
    ("STOR", "Storuman depot", "SE", "STM", "C_STM"),
    ("VAAS", "Yard in Vaasa", "FI", "VAA", ""),
]

FLEET = {  # depot: {vehicle: {vintage: trucks}}
    "UMEA": {"DIESEL": {2019: 2, 2020: 2, 2021: 3, 2022: 3, 2023: 2, 2024: 1}, "HVO": {2024: 2}},
    "SKEL": {"DIESEL": {2019: 2, 2020: 3, 2021: 3, 2022: 2, 2023: 2, 2024: 3, 2025: 1}},
    "STOR": {"DIESEL": {2019: 1, 2020: 1, 2021: 2, 2022: 1, 2023: 1, 2024: 1, 2025: 1}},
    "VAAS": {"DIESEL": {2022: 1}},
}

CHARGERS = [  # charger, name, kW, capex, fixed/year, life, utilisation, note
    (
        "NIGHT75",
        "Night charger 75 kW",
        75,
        35000,
        1200,
        12,
        0.30,
        "price per point of a published German planning model; 7 h a night",
    ),
    (
        "CCS400",
        "Fast charger 400 kW",
        400,
        110000,
        4000,
        12,
        0.15,
        "price per point of a published German planning model; 3.6 h a day",
    ),
    (
        "MCS1000",
        "Megawatt charger 1000 kW",
        1000,
        375000,
        12000,
        12,
        0.15,
        "price per point of a published German planning model; 3.6 h a day",
    ),
]

GRID_PROJECTS = [  # project, area, node, MW, capex, fixed/year, earliest, note
    ("GRID_UME", "C_UME", "UME", 1.0, 400000, 4000, 2030, "about 400 EUR/kW in town; two to three years to wait"),
    ("GRID_SKE", "C_SKE", "SKE", 1.0, 400000, 4000, 2030, "about 400 EUR/kW in town; two to three years to wait"),
    ("GRID_STM", "C_STM", "STM", 1.0, 800000, 6000, 2030, "new line; twice the price in town"),
    ("GRID_LYC", "C_LYC", "LYC", 1.0, 500000, 5000, 2030, "between town and country"),
    ("GRID_TAB", "C_TAB", "TAB", 1.0, 800000, 6000, 2030, "new line up the valley; as in Storuman"),
    ("GRID_ARV", "C_ARV", "ARV", 1.0, 600000, 5000, 2030, "between town and country, longer line"),
]

BREAKS = (
    "SE",
    "NO",
    "FI",
)  # 45 minutes after four and a half hours at the wheel, everywhere in the union and in Norway

# area, points of 400 kW that are left for this company in 2026 and in 2030, note. A point sells 12 % of the year's hours without a queue.
PUBLIC = [
    ("C_LYC", 0.1, 0.1, "one point on the E12, nearly all of it for others, assumed"),
    ("C_TAB", 0, 0.5, "one point on the E12 at the border by 2030, half of it for others, assumed"),
    ("C_ARV", 0, 0.5, "one point where rv 95 meets E45 by 2030, half of it for others, assumed"),
]  # fmt: skip
POINT_KW, POINT_SHARE = 400, 0.12
PUBLIC_EUR = {2026: 0.40, 2030: 0.32}  # per kWh, all in

SUBSIDIES = [  # subsidy, kind, country, technology, first year, last year, value, source, note
    ("KLIMATPREMIE", "purchase_grant_share", "SE", "battery", 2024, 2026, 0.2, "bilia_klimatpremie;assumption", "30 to 60 % of the extra cost, at most a quarter of the price: about 0.22 for a firm of middle size; given in full in the period that starts in 2026"),
    ("ENOVA", "purchase_grant_eur_per_vehicle", "NO", "battery", 2024, 2026, 109000, "enova;assumption", "mean grant of 1.264 MNOK in 2024; auctions, at most 60 % of the extra cost; no end is decided, 2026 assumed"),
    ("BOMPENGER", "toll_exemption_share", "NO", "battery", 2024, 2030, 0.5, "autopass;assumption", "the national exemption is lifted, local bodies decide: at most half of the ordinary rate is the rule, heavy ones may be free; to 2030 assumed"),
    ("HANKINTATUKI", "purchase_grant_eur_per_vehicle", "FI", "battery", 2022, 2024, 50000, "traficom", "6 000 to 50 000 EUR by size, the heaviest class here; ended on 31 December 2024, no successor found"),
]  # fmt: skip

WEAR = [("BAT400", 0.12), ("BAT600", 0.12)]  # share of the range lost by the end of its life

GRADIENTS = [  # link, energy over that on the level, note
    ("MOI_UMB", 1.12, "from the sea over 500 m of mountain in 40 km"),
    ("UMB_TAB", 1.05, "fell country"),
    ("TAB_STM", 1.02, "down the valley of the Ume river"),
]

OPENING = [  # place, hours a week, note
    ("SKH", 80, "receives from 5 to 21 on five days"),
    ("HOL", 80, "gate of the port from 5 to 21 on five days; ships are served outside these hours"),
]

REST_H = 11  # of a driver in 24 hours: Regulation (EC) 561/2006, articles 4 and 8

# shift: share of the trucks, hours over which they follow one another, drivers, days a year, note
SHIFTS = {
    "day": (0.5, 2.0, 1, 250, "five days a week in 50 weeks; one driver, at the wheel and loading for nine hours"),
    "two": (
        0.5,
        2.0,
        2,
        250,
        "two drivers one after the other, as a 74 t battery truck at a mine that runs 19 hours a day",
    ),
}
STAYS = {  # hours at which the first truck of a shift is in, until it leaves; 400 kWh last about two and a half hours
    "day": [(17.0, 5.0), (7.0, 7.75), (9.5, 10.25), (12.0, 12.75), (14.5, 15.25)],
    "two": [(22.0, 4.0), (6.0, 6.75), (8.75, 9.5), (11.5, 12.25), (14.25, 15.0), (17.0, 17.75), (19.75, 20.5)],
}
POWER_EUR_PER_KW_MONTH = 4.3  # 582 SEK a year per kW
POWER_IN_PRICE_EUR = 0.03  # of the year's price, which includes it: 4.3 x 12 / 1 750 h at full power
# EUR/kWh above the mean of the day by hour; first hour of each, until the next
PRICE_OF_THE_DAY = {0: -0.010, 6: 0.0, 7: 0.010, 10: 0.0, 17: 0.012, 20: 0.0, 22: -0.010}

CAP_2030_T = 4200

RANGES = [  # table, row, column, low, high, reason; `*` is every row that rests on an assumption
    ("countries", "*", "winter_share", 0.7, 1.3, "winters differ"),
    ("charge_areas", "*", "grid_mw", 0.5, 2.0, "only the grid company knows"),
    ("country_years", "*", "driver_cost_eur_per_h", 0.85, 1.2, "index since 2021 and shift pay"),
    ("vehicle_years", "*", "capex_eur", 0.8, 1.2, "offers for 74 t battery trucks differ widely"),
    ("vehicle_years", "*", "full_kwh_per_vkm", 0.85, 1.2, "load, hills, snow"),
    ("vehicle_years", "*", "empty_kwh_per_vkm", 0.85, 1.2, "hills, snow"),
    ("vehicle_loads", "*", "empty_share", 0.8, 1.05, "return loads"),
    ("vehicle_loads", "*", "turnaround_h", 0.7, 1.5, "queues at the mill"),
    ("vehicles", "*", "range_km", 0.85, 1.15, "usable share of the battery"),
    ("energy", "*", "price_eur_per_kwh", 0.75, 1.35, "fuel and power prices since 2020"),
    ("links", "HOL_VSK", "charge_eur_per_t", 0.6, 1.6, "no freight tariff found"),
    ("handling_costs", "*", "cost_eur_per_t", 0.7, 1.4, "Norwegian figures of 2021"),
    ("chargers", "*", "capex_eur", 0.7, 2.0, "a German figure; EU grants point to more for megawatt chargers"),
    ("chargers", "*", "utilisation_share", 0.6, 1.4, "depends on shifts and queues"),
    ("public_charging", "*", "price_add_eur_per_kwh", 0.5, 1.3, "0.22 to 0.40 EUR/kWh; one price of 2024"),
    ("public_charging", "*", "kwh_per_year", 0, 3, "operators decide where they build"),
    ("subsidies", "KLIMATPREMIE", "value", 0.6, 1.25, "by size of firm"),
    ("subsidies", "ENOVA", "value", 0.5, 1.4, "auctions"),
    ("subsidies", "BOMPENGER", "value", 0, 2, "local decisions: nothing to all of it"),
    ("battery_wear", "*", "range_loss_share", 0.6, 1.7, "no measured value of heavy trucks over eight years"),
    ("gradients", "*", "energy_factor", 0.95, 1.08, "by height, not by measured profile"),
    ("opening_hours", "*", "hours_per_week", 0.8, 1.5, "gates were not asked"),
    (
        "charge_areas",
        "*",
        "power_eur_per_kw_month",
        0.5,
        1.3,
        "3.4 in Finland, 2.5 to 4.7 in Norway; half where the peak is at night",
    ),
    (
        "charging_hours",
        "*",
        "price_add_eur_per_kwh",
        0.3,
        3.0,
        "spot prices of the north vary little in some years and much in others",
    ),
    ("projects", "*", "capex_eur", 0.5, 2.5, "each connection is its own case"),
    ("commodities", "TIMBER", "value_of_time_eur_per_t_h", 0.5, 2.0, "borrowed from dry bulk"),
    ("factors", "diesel_ttw", "value", 0.95, 1.06, "share of biofuel"),
    ("policies", "CUSTOMERS_2030", "value", 0.7, 1.2, "what customers will ask for"),
]
