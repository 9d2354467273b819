"""Makes the sample data of the package `sales-commissions`, and the same deals as another CRM would export them.

    python3 sample/generate.py          (Python standard library only; the same files every time)

Writes   sample/*.csv           a made-up software company: May to September 2026, twenty-two people, five months of deals
         tests/export/deals.csv the same deals, as a CRM set up in French exports them: other names, another order,
                                semicolons, decimal commas, dd/mm/yyyy, a column nobody needs

What stands in tests/export/deals.csv is this (left: there, right: the package's name)
    Opportunity ID deal_id · Étape stage · Date de clôture close_date · Compte customer · Produit product ·
    Type deal_type · Vendeur owner_id · Sourced By sourced_by · Devise currency · ARR annuel arr · Récurrent recurring ·
    Date d'annulation cancelled_on · Dernière modification modified_on · Prochaine étape (needed by nobody)

Put into the data on purpose, so that every rule has something to say:
    deals exported twice, twice with another amount, once with another stage; stages and dates in several spellings; amounts
    with points and commas; a day and an amount that cannot be read; a stage nobody knows; a product without a plan; an owner
    without a quota, one nobody knows, one who has left, one whose role has no plan; shares that add up to 90 %; a currency
    without a rate; a negative and an absurd amount; a cancellation without a date; an amount corrected after it was paid.

The commissions of May to August (`paid.csv`) are computed here month by month, as they would have been at the time.
"""

import csv
import json
import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXPORT = HERE.parent / "tests" / "export"
R = random.Random(20260905)
CENT = Decimal("0.01")


def cents(x):
    return Decimal(x).quantize(CENT, ROUND_HALF_UP)


# ------------------------------------------------------------------------------------------------ people and quotas
PEOPLE = [  # id, name, role, region, manager, left
    ("E1001", "Claire Fontaine", "Manager", "France", "", ""),
    ("E1002", "Jürgen Müller", "Manager", "DACH", "", ""),
    ("E1003", "Aminata Diallo", "Manager", "Africa", "", ""),
    ("E1004", "Mei Tanaka", "Manager", "APAC", "", ""),
    ("E1011", "Jean Petit", "AE", "France", "E1001", ""),
    ("E1012", "Zoé Lambert", "AE", "France", "E1001", ""),
    ("E1013", "Karim Benali", "AE", "France", "E1001", ""),
    ("E1014", "Sophie Marchand", "AE", "France", "E1001", ""),
    ("E1015", "Hugo Leroy", "AE", "France", "E1001", ""),
    ("E1016", "Paul Girard", "AE", "France", "E1001", "2026-08-15"),
    ("E1021", "Lukas Weber", "AE", "DACH", "E1002", ""),
    ("E1022", "Anna Schneider", "AE", "DACH", "E1002", ""),
    ("E1023", "Søren Kjær", "AE", "Nordics", "E1002", ""),
    ("E1024", "Elsa Lindqvist", "AE", "Nordics", "E1002", ""),
    ("E1031", "Ibrahima Fall", "AE", "Africa", "E1003", ""),
    ("E1032", "Fatou Ndiaye", "AE", "Africa", "E1003", ""),
    ("E1041", "Kenji Sato", "AE", "APAC", "E1004", ""),
    ("E1042", "Priya Sharma", "AE", "APAC", "E1004", ""),
    ("E1051", "Léa Moreau", "SDR", "France", "E1001", ""),
    ("E1052", "Tom Becker", "SDR", "DACH", "E1002", ""),
    ("E1053", "Awa Traoré", "SDR", "Africa", "E1003", ""),
    ("E1061", "Nadia Haddad", "CSM", "France", "E1001", ""),
]
Q2, Q3 = date(2026, 4, 1), date(2026, 7, 1)
QUOTAS = {  # of a quarter
    "E1001": 1400000, "E1002": 1300000, "E1003": 650000, "E1004": 700000,
    "E1011": 350000, "E1012": 320000, "E1013": 300000, "E1014": 380000, "E1016": 300000,
    "E1021": 360000, "E1022": 330000, "E1023": 310000, "E1024": 340000,
    "E1031": 280000, "E1032": 300000, "E1041": 350000, "E1042": 330000,
}  # E1015 came in August and has none yet; SDRs are paid by deal
BY_MONTH = "E1024"  # her quotas are given by month; they add up to that of the quarter


def quota_rows():
    for person, quota in QUOTAS.items():
        for start in (Q2, Q3):
            if person == BY_MONTH:
                for i, part in enumerate((100000, 110000, quota - 210000)):
                    yield person, date(2026, start.month + i, 1), part
            else:
                yield person, start, quota


# --------------------------------------------------------------------------------------------------------- exchange
RATES = {  # units of the currency for one euro, by month from April
    "USD": ("1.0812", "1.0846", "1.0901", "1.0954", "1.1012", "1.0987"),
    "GBP": ("0.8571", "0.8563", "0.8490", "0.8522", "0.8548", "0.8533"),
    "CHF": ("0.9744", "0.9701", "0.9655", "0.9620", "0.9588", "0.9602"),
    "SEK": ("11.2430", "11.3105", "11.1920", "11.2055", "11.3410", "11.2875"),
    "XOF": ("655.957",) * 6,
    "JPY": ("162.41", "161.87", "163.05", "164.22", "163.90", "165.13"),
    "SGD": ("1.4502", "1.4533", "1.4478", "1.4421", "1.4390"),  # September has not been published
}


def rate(currency, month):
    if currency == "EUR":
        return Decimal(1)
    of = RATES.get(currency, ())
    return Decimal(of[month - 4]) if month - 4 < len(of) else None


# ------------------------------------------------------------------------------------------------------------ deals
PRODUCTS = ["CRM-Starter", "CRM-Pro", "CRM-Enterprise", "ANA-Boards", "ANA-Realtime", "INT-API", "INT-Connect", "SUP-Gold", "SRV-Training"]
WEIGHTS = [18, 22, 14, 12, 9, 8, 6, 6, 5]
FIRST = ["Atelier", "Banque", "Groupe", "Maison", "Comptoir", "Nord", "Alpes", "Baltic", "Kilimani", "Sakura", "Rhein", "Loire", "Teranga", "Orchid", "Polaris", "Vega"]
SECOND = ["Logistics", "Santé", "Energie", "Retail", "Foods", "Mobility", "Pharma", "Textile", "Finance", "Media", "Steel", "Travel", "Telecom", "Assurances"]
SDRS = ["E1051", "E1052", "E1053"]
OWNERS = [p for p in PEOPLE if p[2] == "AE" and p[0] not in ("E1015", "E1016")]
deals, splits = [], []


def deal(owner, close, stage, arr=None, **more):
    region = next((p[3] for p in PEOPLE if p[0] == owner), "France")
    currency = R.choices(
        {"France": ["EUR", "GBP"], "DACH": ["EUR", "CHF"], "Nordics": ["SEK", "EUR"], "Africa": ["EUR", "XOF"], "APAC": ["USD", "JPY"]}[region],
        weights=[85, 15] if region in ("France", "DACH") else [60, 40],
    )[0]
    currency = more.pop("currency", currency)
    product = more.pop("product", None) or R.choices(PRODUCTS, WEIGHTS)[0]
    kind = R.choices(["New business", "Expansion", "Renewal"], [55, 27, 18])[0]
    euros = R.lognormvariate(10.2, 0.62) + 2500
    factor = rate(currency, min(close.month, 8)) or Decimal("1.0")
    if arr is None:
        amount = Decimal(euros) * factor
        step = Decimal(1000) if currency in ("JPY", "XOF") else CENT
        arr = (amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step
        if R.random() < 0.45 and step == CENT:
            arr = (arr / 100).quantize(Decimal(1), ROUND_HALF_UP) * 100  # many prices are round
    row = {
        "deal_id": f"D-{26000 + len(deals) + 1}",
        "customer": f"{R.choice(FIRST)} {R.choice(SECOND)}",
        "product": product,
        "deal_type": kind,
        "stage": stage,
        "close_date": close,
        "currency": currency,
        "arr": cents(arr),
        "recurring": not product.startswith("SRV"),
        "owner_id": owner,
        "sourced_by": R.choice(SDRS) if kind == "New business" and R.random() < 0.4 else "",
        "cancelled_on": None,
        "modified_on": close + timedelta(days=R.randint(0, 3)),
        "arr_then": None,
    }
    row.update(more)
    deals.append(row)
    return row


def day(month):
    return date(2026, month, R.randint(1, 30))


for month in range(5, 10):
    for person in OWNERS:
        for _ in range(R.choices([2, 3, 4, 5], [20, 40, 30, 10])[0]):
            deal(person[0], day(month), "Closed Won")
        for _ in range(R.choices([1, 2], [50, 50])[0]):
            deal(person[0], day(month), R.choices(["Closed Lost", "Negotiation", "Proposal", "Prospecting", "Qualification"], [45, 15, 15, 15, 10])[0])
for person in ("E1011", "E1023", "E1032", "E1042"):
    deal(person, date(2026, 10, R.randint(1, 8)), "Closed Won")  # after the month: not yet

# A deal in which a person crosses the quota, and one that goes past 120 % of it on the plan with an accelerator
deal("E1012", date(2026, 9, 29), "Closed Won", Decimal("210000"), currency="EUR", product="CRM-Enterprise", deal_type="New business")
deal("E1042", date(2026, 9, 30), "Closed Won", Decimal("315000.50"), currency="USD", product="ANA-Realtime", deal_type="Expansion")
# Splits: two owners, or three; thirds whose cents must add up
won = [d for d in deals if d["stage"] == "Closed Won" and d["close_date"] <= date(2026, 9, 30)]
for d in R.sample(won, 34):
    region = next(p[3] for p in PEOPLE if p[0] == d["owner_id"])
    others = [p[0] for p in OWNERS if p[0] != d["owner_id"]]
    near = [p[0] for p in OWNERS if p[0] != d["owner_id"] and p[3] == region]
    other = R.choice(near or others)
    shares = R.choice([(50, 50), (60, 40), (70, 30), (75, 25), ("33.3333", "33.3333", "33.3334")])
    with_whom = [d["owner_id"], other] + [o for o in others if o != other][:1]
    for person, share in zip(with_whom, shares):
        splits.append((d["deal_id"], person, Decimal(share)))
in_split = {s[0] for s in splits}
free = lambda month, **f: [d for d in won if d["close_date"].month == month and d["deal_id"] not in in_split and d["cancelled_on"] is None and d["arr"] > 15000 and d["recurring"] and all(d[k] == v for k, v in f.items())]

# Cancelled: in September, of July (one of them split), August and the quarter before; in August already; in the month of the sale
split_july = next(d for d in won if d["deal_id"] in in_split and d["close_date"].month == 7 and d["arr"] > 15000 and d["recurring"])
split_july["cancelled_on"] = date(2026, 9, 14)
for month, when in ((7, date(2026, 9, 3)), (8, date(2026, 9, 22)), (5, date(2026, 9, 9)), (6, date(2026, 9, 17)), (7, date(2026, 8, 20)), (8, date(2026, 8, 31)), (9, date(2026, 9, 30)), (8, date(2026, 10, 6))):
    d = R.choice(free(month))
    d["cancelled_on"] = max(when, d["close_date"])
d = R.choice(free(6))
d["cancelled_on"], d["stage"] = date(2026, 9, 25), "Cancelled"
# An amount that was corrected after August was paid
d = R.choice(free(8, currency="EUR"))
d["arr_then"], d["arr"] = d["arr"], d["arr"] + Decimal("4250.00")
d["modified_on"] = date(2026, 9, 11)

# What goes wrong in every export
deal("E1015", date(2026, 9, 11), "Closed Won", Decimal("38400"), currency="EUR", product="CRM-Pro", deal_type="New business")  # no quota yet
deal("E1016", date(2026, 8, 28), "Closed Won", Decimal("27500"), currency="EUR", product="CRM-Pro", deal_type="Renewal")  # left before
deal("E1061", date(2026, 9, 8), "Closed Won", Decimal("22600"), currency="EUR", product="CRM-Pro", deal_type="Expansion")  # role without a plan
deal("E1099", date(2026, 9, 16), "Closed Won", Decimal("31250.75"), currency="EUR", product="INT-API", deal_type="New business")  # nobody knows him
deal("E1013", date(2026, 9, 10), "Closed Won", Decimal("18900"), currency="EUR", product="HW-Terminal", deal_type="Expansion")  # product without a plan
deal("E1021", date(2026, 9, 4), "Closed Won", Decimal("24600"), currency="EUR", product="HW-Terminal", deal_type="New business")
deal("E1041", date(2026, 9, 18), "Closed Won", Decimal("54300"), currency="SGD", product="CRM-Pro", deal_type="New business")  # no rate yet
deal("E1022", date(2026, 9, 21), "Closed Won", Decimal("-12000"), currency="EUR", product="CRM-Pro", deal_type="Renewal")
deal("E1014", date(2026, 9, 24), "Closed Won", Decimal("4150000"), currency="EUR", product="CRM-Pro", deal_type="New business")  # meant 41,500.00
deal("E1031", date(2026, 9, 15), "Cancelled", Decimal("29800"), currency="EUR", product="ANA-Boards", deal_type="Expansion")  # when?
deal("E1011", date(2026, 9, 12), "Verbal OK", Decimal("45000"), currency="EUR", product="CRM-Pro", deal_type="New business")
ninety = deal("E1012", date(2026, 9, 17), "Closed Won", Decimal("48000"), currency="EUR", product="CRM-Pro", deal_type="New business")
splits += [(ninety["deal_id"], "E1012", Decimal(60)), (ninety["deal_id"], "E1011", Decimal(30))]
deal("E1001", date(2026, 9, 19), "Closed Won", Decimal("61200"), currency="EUR", product="CRM-Enterprise", deal_type="Expansion")  # a manager sells
deal("E1024", date(2026, 9, 23), "Closed Won", Decimal("10000.00"), currency="EUR", product="CRM-Starter", deal_type="Renewal")  # not over 10,000
deal("E1024", date(2026, 9, 25), "Closed Won", Decimal("10000.01"), currency="EUR", product="CRM-Starter", deal_type="Renewal")  # just over
unread = [deal("E1023", date(2026, 9, 26), "Prospecting", Decimal("17000")), deal("E1032", date(2026, 9, 27), "Proposal", Decimal("26000"))]

# Other versions of a deal: of two amounts nobody knows which is right; another stage is only an older state
versions = {}
for month, delta in ((9, Decimal("2000")), (8, Decimal("-1500.50"))):
    d = R.choice([d for d in free(month, currency="EUR") if d["arr_then"] is None])
    d["modified_on"] = d["close_date"] + timedelta(days=5)
    versions[d["deal_id"]] = dict(d, arr=d["arr"] - delta, modified_on=d["close_date"] + timedelta(days=1))
    d["doubtful"] = True
d = R.choice([d for d in free(9) if d["deal_id"] not in versions])
d["modified_on"] = d["close_date"] + timedelta(days=5)
versions[d["deal_id"]] = dict(d, stage="Negotiation", modified_on=d["close_date"] - timedelta(days=6))

# ------------------------------------------------------------------- what was paid, month by month, as it was then
PLANS = list(csv.DictReader(open(HERE.parent / "mappings" / "plans.csv", encoding="utf-8", newline="")))
ROLE = {p[0]: p for p in PEOPLE}
SHARES = defaultdict(list)
for deal_id, person, share in splits:
    SHARES[deal_id].append((person, share))


def plan_of(credit, role, region, product):
    fits = lambda key, value: key in ("*", value) or (key.endswith("*") and value.startswith(key[:-1]))
    rows = [p for p in PLANS if p["credit"] == credit and fits(p["role"], role) and fits(p["region"], region) and fits(p["product"], product)]
    return min(rows, key=lambda p: int(p["priority"])) if rows else None


def shared_out(amount, shares):
    """Cents by largest remainder; of equal remainders the first row's first."""
    total = sum(shares)
    exact = [amount * s / total for s in shares]
    parts = [e.quantize(CENT, rounding="ROUND_FLOOR") for e in exact]
    left = int((amount - sum(parts)) / CENT)
    for i in sorted(range(len(shares)), key=lambda i: (parts[i] - exact[i], i))[:left]:
        parts[i] += CENT
    return parts


def quarter(d):
    return date(d.year, (d.month - 1) // 3 * 3 + 1, 1)


def end(month):
    return date(2026, month + 1, 1) - timedelta(days=1)


def run(month, paid):
    """The lines of a month: (deal, person, credit, plan, credited ARR, commission), and what they were earned on."""
    last, start, events = end(month), quarter(date(2026, month, 1)), []
    for d in deals:
        arr = d["arr_then"] if d["arr_then"] is not None and month < 9 else d["arr"]
        of_rate = rate(d["currency"], d["close_date"].month) if d["close_date"].month <= 9 else None
        if d["stage"] not in ("Closed Won", "Cancelled") or d["close_date"] > last or quarter(d["close_date"]) != start or of_rate is None:
            continue
        cancelled = d["cancelled_on"] if d["cancelled_on"] and d["cancelled_on"] <= last else None
        euros = cents(arr / of_rate)
        if d.get("doubtful") or arr <= 0 or euros > 1000000 or (d["stage"] == "Cancelled" and not d["cancelled_on"]):
            continue
        if cancelled and cancelled <= end(d["close_date"].month) or not d["recurring"] or euros <= 10000:
            continue
        owners = SHARES.get(d["deal_id"], [(d["owner_id"], Decimal(100))])
        if sum(s for _, s in owners) != 100:
            continue
        credits, teams = [], defaultdict(Decimal)
        for (person, share), part in zip(owners, shared_out(euros, [s for _, s in owners])):
            credits.append((person, "direct", part, share))
            if person in ROLE and ROLE[person][4]:
                teams[ROLE[person][4]] += part
        credits += [(manager, "team", part, 100) for manager, part in teams.items()]
        if d["sourced_by"]:
            credits.append((d["sourced_by"], "sourced", euros, 100))
        for person, credit, part, share in credits:
            if person not in ROLE or ROLE[person][5] and date.fromisoformat(ROLE[person][5]) < d["close_date"]:
                continue
            plan = plan_of(credit, ROLE[person][2], ROLE[person][3], d["product"])
            if plan is None or plan["needs_quota"] == "true" and person not in QUOTAS:
                continue
            line = (d, person, credit, plan, part, share)
            events.append((person, d["close_date"], 1, d["deal_id"], credit, line))
            if cancelled:
                events.append((person, cancelled, 0, d["deal_id"], credit, line))
    lines, reached = [], defaultdict(Decimal)
    for person, _, signed, deal_id, credit, (d, _, _, plan, part, share) in sorted(events, key=lambda e: e[:5]):
        counts = Decimal(0) if credit == "sourced" else part
        before = reached[person]
        reached[person] += counts if signed else -counts
        if not signed:
            continue
        quota = QUOTAS.get(person, 0)
        low, high = Decimal(plan["rate_to_quota"]), Decimal(plan["rate_above_quota"])
        if plan["needs_quota"] == "false":
            amount = part * low
        else:
            after, speed = before + part, quota * Decimal(plan["accelerator_from"]) if plan["accelerator_from"] else None
            band1 = max(Decimal(0), min(after, quota) - before)
            band3 = max(Decimal(0), after - max(before, speed)) if speed else Decimal(0)
            amount = band1 * low + (part - band1 - band3) * high + (band3 * Decimal(plan["rate_accelerated"]) if speed else 0)
        amount = cents(amount) + cents(Decimal(plan["bonus_per_deal"]) * Decimal(share) / 100)
        if d["close_date"].month == month:
            lines.append((d, person, credit, plan["plan"], part, amount))
    net = defaultdict(lambda: [Decimal(0), Decimal(0), ""])
    for _, deal_id, person, credit, plan, part, amount in paid:
        key = net[(deal_id, person, credit)]
        key[0], key[1], key[2] = key[0] + part, key[1] + amount, plan
    known = {d["deal_id"]: d for d in deals}
    back = [
        (known[deal_id], person, credit, plan, -part, -amount)
        for (deal_id, person, credit), (part, amount, plan) in net.items()
        if amount and known[deal_id]["cancelled_on"] and known[deal_id]["cancelled_on"] <= last
    ]
    return lines, back


paid = []
for month in range(5, 9):
    lines, back = run(month, paid)
    for d, person, credit, plan, part, amount in sorted(lines + back, key=lambda l: (l[1], l[0]["deal_id"], l[2])):
        paid.append((date(2026, month, 1), d["deal_id"], person, credit, plan, part, amount))

# ------------------------------------------------------------------------------------------- last year, and the CRM
september, _ = run(9, paid)
types = defaultdict(lambda: [Decimal(0), Decimal(0)])
for d, _, credit, _, part, amount in september:
    types[d["deal_type"].lower()][0] += part if credit == "direct" else 0
    types[d["deal_type"].lower()][1] += amount
last_year = []
for month in range(7, 10):
    for kind, (arr, commission) in sorted(types.items()):
        gap = {"new business": "0.9720", "expansion": "1.0310", "renewal": "0.9080"}[kind]
        season = {7: "0.91", 8: "0.64", 9: "1"}[month]
        last_year.append((date(2025, month, 1), kind.capitalize(), cents(arr * Decimal("0.94") * Decimal(season)), cents(commission * Decimal(gap) * Decimal(season))))
totals = defaultdict(lambda: [0, Decimal(0)])
for d in deals:
    if d["stage"] in ("Closed Won", "Cancelled"):
        totals[(date(2026, d["close_date"].month, 1), d["currency"])][0] += 1
        totals[(date(2026, d["close_date"].month, 1), d["currency"])][1] += d["arr"]


# ----------------------------------------------------------------------------------------------------------- writing
def write(path, header, rows, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding=how.pop("encoding", "utf-8"), newline="") as file:
        writer = csv.writer(file, lineterminator="\n", **how)
        writer.writerow(header)
        writer.writerows(rows)


exported = [dict(d) for d in deals] + [dict(d) for d in versions.values()]
for d in R.sample([d for d in deals if d["deal_id"] not in versions], 14):
    exported.append(dict(d))  # exported twice
R.shuffle(exported)
for d in exported:
    d["unread"] = {unread[0]["deal_id"]: "close_date", unread[1]["deal_id"]: "arr"}.get(d["deal_id"])


def spelled(d):
    text = f"{d:%Y-%m-%d}"
    return R.choices([text, f"{d:%d/%m/%Y}", f"{d:%d.%m.%Y}"], [70, 18, 12])[0]


def amount(x):
    plain, grouped = f"{x:.2f}", f"{x:,.2f}"
    return R.choices([plain, grouped, grouped.replace(",", " ").replace(".", ",")], [80, 10, 10])[0]


def staged(text):
    return R.choices([text, text.upper(), f" {text} ", text.lower()], [82, 7, 6, 5])[0]


NAMES = ["deal_id", "customer", "product", "deal_type", "stage", "close_date", "currency", "arr", "recurring", "owner_id", "sourced_by", "cancelled_on", "modified_on"]
rows = []
for d in exported:
    rows.append([
        d["deal_id"], d["customer"], d["product"], d["deal_type"], staged(d["stage"]),
        "tbd" if d["unread"] == "close_date" else spelled(d["close_date"]),
        d["currency"], "n/a" if d["unread"] == "arr" else amount(d["arr"]), "yes" if d["recurring"] else "no",
        R.choice([d["owner_id"]] * 12 + [d["owner_id"].lower()]), d["sourced_by"],
        spelled(d["cancelled_on"]) if d["cancelled_on"] else "", f"{d['modified_on']:%Y-%m-%d}",
    ])
write(HERE / "deals.csv", NAMES, rows)

FRENCH = {"closed won": "Fermée gagnée", "closed lost": "Fermée perdue", "negotiation": "Négociation", "proposal": "Proposition", "prospecting": "Prospection", "qualification": "Qualification", "cancelled": "Annulée", "verbal ok": "Verbal OK"}
french = lambda d: f"{d:%d/%m/%Y}" if d else ""
rows = []
for d in exported:
    rows.append([
        d["deal_id"], FRENCH[d["stage"].lower()], "tbd" if d["unread"] == "close_date" else french(d["close_date"]), d["customer"], d["product"], d["deal_type"],
        d["owner_id"], d["sourced_by"], d["currency"], "n/a" if d["unread"] == "arr" else f"{d['arr']:.2f}".replace(".", ","),
        "oui" if d["recurring"] else "non", french(d["cancelled_on"]), french(d["modified_on"]), R.choice(["", "", "Relancer", "Envoyer le devis", "Kick-off"]),
    ])
HEADERS = {  # the package's name: the CRM's
    "deal_id": "Opportunity ID", "customer": "Compte", "product": "Produit", "deal_type": "Type", "stage": "Étape", "close_date": "Date de clôture", "currency": "Devise", "arr": "ARR annuel",
    "recurring": "Récurrent", "owner_id": "Vendeur", "sourced_by": "Sourced By", "cancelled_on": "Date d'annulation", "modified_on": "Dernière modification",
}
texts = ["deal_id", "customer", "product", "deal_type", "stage", "currency", "owner_id", "sourced_by"]
binding = {  # what `weir template bind deals=...` writes for this file, without being told anything
    "weir": 1, "name": "Binding of deals",
    "nodes": {
        "read": {"kind": "input.csv", "params": {"path": "tests/export/deals.csv", "columns": [{"name": HEADERS[name], "type": "text"} for name in texts]}},
        "columns": {"kind": "select", "params": {"columns": [{"column": there, "as": here} for here, there in HEADERS.items()]}},
        "rows": {"kind": "port.out", "params": {"name": "rows"}},
    },
    "edges": [{"from": "read", "to": "columns"}, {"from": "columns", "to": "rows"}],
    "layout": {"nodes": {"read": [0, 0], "columns": [240, 0], "rows": [480, 0]}},
}
EXPORT.mkdir(parents=True, exist_ok=True)
(EXPORT / "binding.json").write_text(json.dumps(binding, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
write(
    EXPORT / "deals.csv",
    ["Opportunity ID", "Étape", "Date de clôture", "Compte", "Produit", "Type", "Vendeur", "Sourced By", "Devise", "ARR annuel", "Récurrent", "Date d'annulation", "Dernière modification", "Prochaine étape"],
    rows, delimiter=";", encoding="utf-8-sig",
)
write(HERE / "people.csv", ["person_id", "name", "role", "region", "manager_id", "leave_date"], PEOPLE)
write(HERE / "quotas.csv", ["person_id", "period_start", "quota"], [(p, f"{s:%Y-%m-%d}", f"{q}.00") for p, s, q in quota_rows()])
write(HERE / "splits.csv", ["deal_id", "person_id", "share"], [(d, p, f"{s.normalize():f}") for d, p, s in splits])
write(HERE / "rates.csv", ["currency", "date", "rate"], [(c, f"2026-{4 + i:02}-01", r) for c, of in RATES.items() for i, r in enumerate(of)])
write(HERE / "paid.csv", ["month", "deal_id", "person_id", "credit", "plan", "credited_arr", "commission"], [(f"{m:%Y-%m-%d}", *rest) for m, *rest in paid])
write(HERE / "last_year.csv", ["month", "deal_type", "arr", "commission"], [(f"{m:%Y-%m-%d}", *rest) for m, *rest in last_year])
write(HERE / "crm_totals.csv", ["month", "currency", "deals", "arr"], [(f"{m:%Y-%m-%d}", c, n, a) for (m, c), (n, a) in sorted(totals.items())])
