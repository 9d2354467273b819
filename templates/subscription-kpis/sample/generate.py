"""Makes the sample files of this folder: the star schema of a group of three companies that sell subscriptions.

Standard library only, one seed, no clock: the same files on every machine.

    python3 sample/generate.py

Snapshots are month-ends rather than days, to keep the package small (a daily table works as well: the workflows take
the last photo of each month). Invoices cover the last six months, PSP settlements the last two.
"""

import csv
import datetime as dt
import pathlib
import random

HERE = pathlib.Path(__file__).parent
R = random.Random(20260930)
CLOSING = dt.date(2026, 9, 30)
OPENING = dt.date(2025, 9, 30)


def chance(p):
    return R.random() < p


def one(items):
    return items[int(R.random() * len(items))]


def between(low, high):
    return low + int(R.random() * (high - low + 1))


def day_in(low, high):
    return low + dt.timedelta(days=between(0, (high - low).days))


def did(day):
    return "" if day is None else day.strftime("%Y%m%d")


def month_ends(first, last):
    days = []
    day = first
    while day <= last:
        days.append(day)
        day = (day.replace(day=1) + dt.timedelta(days=62)).replace(day=1) - dt.timedelta(days=1)
    return days


def cents(value):
    """Halves away from zero, in whole cents."""
    return int(value * 100 + (0.5 if value >= 0 else -0.5)) / 100


def write(name, header, rows):
    with open(HERE / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header.split(","))
        out.writerows(rows)


# --- Dimensions -----------------------------------------------------------------------------------------------------

COMPANIES = {1: "FT", 2: "MTV", 3: "AP"}
write("dim_company", "company_sk,company_bk,name,brand_code,active_flag", [
    [1, "911 000 017", "FT Télécom & Énergie", "FT", "true"],
    [2, "911000025", "MTV  Médias", " mtv", "oui"],
    [3, "911000033", "AP Assurances", "AP", "1"],
])

# product: company, family, subcategory, offer, recurring, price HT, tax, weight
PRODUCTS = {
    1: (1, "télécom", "fibre", "FIB-500", True, 24.99, 20),
    2: (1, "télécom", "fibre", "FIB-1G", True, 33.32, 20),
    3: (1, "télécom", "mobile", "MOB-50", True, 12.49, 20),
    4: (1, "télécom", "mobile", "MOB-200", True, 16.66, 20),
    5: (1, "énergie", "électricité", "ELE-BASE", True, 71.40, 20),
    6: (1, "énergie", "électricité", "ELE-VERT", True, 78.25, 20),
    7: (1, "énergie", "gaz", "GAZ-BASE", True, 64.10, 20),
    8: (3, "assurance", "mutuelle", "MUT-SOLO", True, 42.90, 9),
    9: (3, "assurance", "mutuelle", "MUT-FAM", True, 98.50, 9),
    10: (3, "assurance", "habitation", "HAB-1", True, 18.20, 9),
    11: (3, "assurance", "prévoyance", "OBS-1", True, 31.75, 9),
    12: (2, "média", "bouquet TV", "TV-START", True, 8.32, 20),
    13: (2, "média", "bouquet TV", "TV-MAX", True, 16.65, 20),
    14: (2, "conciergerie", "abonnement", "CON-MENS", True, 49.00, 20),
    15: (2, "conciergerie", "à l'acte", "CON-PASS", False, 120.00, 20),
}
FAMILY_AS_TYPED = {3: "Télécom", 6: " énergie", 9: "ASSURANCE", 13: "Média"}
rows = []
for sk, (company, family, sub, offer, recurring, price, tax) in PRODUCTS.items():
    typed = f"{price:.2f}".replace(".", ",") if sk in (5, 9) else f"{price:.2f}"
    rows.append([sk, f"P{sk:03d}", FAMILY_AS_TYPED.get(sk, family), sub, offer.lower() if sk == 4 else offer,
                 "true" if recurring else "false", typed, "eur" if sk == 7 else "EUR"])
write("dim_product", "product_sk,product_bk,family,subcategory,offer_code,mrr_flag,unit_price_ht,currency", rows)

CHANNELS = {1: ("PAP", "Porte-à-porte"), 2: ("TELE", "Télévente"), 3: ("INB", "Inbound"), 4: ("PART", "Partenaire"), 5: ("WEB", "Web")}
write("dim_channel", "channel_sk,code,label,source_partner",
      [[sk, code, label, "Plénitude" if code == "PART" else ""] for sk, (code, label) in CHANNELS.items()])

AGENCIES = {1: (1, "Paris Nord", "interne"), 2: (1, "Lyon Part-Dieu", "interne"), 3: (1, "Sud Contact", "partenaire"),
            4: (3, "Lille Centre", "interne"), 5: (3, "Nantes Conseil", "partenaire"), 6: (2, "Marseille Vieux-Port", "interne")}
write("dim_agency", "agency_sk,agency_bk,company_sk,name,type,geo_sk",
      [[sk, f"AG-{sk:02d}", company, name.replace(" ", "  ") if sk == 3 else name, kind.title() if sk == 5 else kind, 100 + sk]
       for sk, (company, name, kind) in AGENCIES.items()])

NAMES = ["Nadia Belkacem", "Julien Moreau", "Fatou Diop", "Pierre Lemoine", "Sofia Marques", "Karim Haddad",
         "Élodie Garnier", "Thomas Petit", "Inès Robert", "Marc Fontaine", "Claire Dubois", "Yanis Cohen",
         "Hélène Roux", "David N'Guyen", "Laura Benoît", "Hugo Carpentier", "Amina Traoré", "Paul Girard",
         "Chloé Masson", "Nicolas Faure", "Samira Benali", "Antoine Leroy", "Julie Chevalier", "Bruno Vidal", "Anne Delmas"]
ROLES = ["COMMERCIAL"] * 9 + ["MANAGER"] * 2 + ["COMMERCIAL"] * 6 + ["MANAGER"] + ["COMMERCIAL"] * 4 + ["MANAGER", "ADV", "DIRECTION"]
USER_COMPANY = [1] * 11 + [3] * 7 + [2] * 5 + [1, 1]
USER_AGENCY = {1: 1, 2: 1, 3: 1, 4: 2, 5: 2, 6: 2, 7: 3, 8: 3, 9: 3, 12: 4, 13: 4, 14: 4, 15: 5, 16: 5, 17: 5, 19: 6, 20: 6, 21: 6, 22: 6}
LEFT = {8: dt.date(2026, 3, 31), 17: dt.date(2026, 7, 15)}
rows = []
for n, name in enumerate(NAMES, 1):
    hired = day_in(dt.date(2019, 1, 7), dt.date(2023, 6, 30))
    shown = f" {name}" if n in (4, 15) else name.replace(" ", "  ") if n == 9 else name
    role = ROLES[n - 1].title() if n in (3, 18) else ROLES[n - 1]
    rows.append([n, f"{n:04x}a6e2-5d1b-4c{n:02d}-9f30-{n * 7919:012d}", USER_COMPANY[n - 1], shown, role,
                 hired.strftime("%d/%m/%Y") if n % 4 == 0 else hired.isoformat(), LEFT[n].isoformat() if n in LEFT else ""])
write("dim_user", "user_sk,user_bk,company_sk,full_name,role,hiring_date,leaving_date", rows)

STATUS = {"PROSPECT": 1, "EN_CQ": 2, "EN_ATTENTE_VALIDATION": 3, "ACTIF": 4, "SUSPENDU": 5, "RESILIE": 6}
write("dim_contract_status", "status_sk,code,rank,is_active_flag",
      [[sk, code, sk * 10, "true" if code == "ACTIF" else "false"] for code, sk in STATUS.items()])

METHODS = {1: ("SEPA", "Slimpay"), 2: ("CB", "MultiSafepay"), 3: ("CB", "Emerchantpay"), 4: ("PAYPAL", "MultiSafepay")}
write("dim_payment_method", "pm_sk,code,processor,ics_code,fees_bps", [
    [1, "SEPA", "Slimpay", "FR00ZZZ900017", 25], [2, "CB", "MultiSafepay ", "", 110],
    [3, "cb", "EMERCHANTPAY", "", 140], [4, "PayPal", "MultiSafepay", "", 290]])

QC = {"VALIDE": 1, "EN_ATTENTE": 2, "RIB": 3, "IDENTITE": 4, "ACCORD": 5, "DOUBLON": 6}
write("dim_quality_status", "qc_sk,code,reason_code,reason_label", [
    [1, "VALIDE", "", ""], [2, "EN_ATTENTE", "", ""], [3, "REJETE", "RIB", "Bank details do not match"],
    [4, "REJETE", "IDENTITE", "Identity document missing or expired"], [5, "Rejete", "ACCORD", "Consent not recorded on the call"],
    [6, "REJETE", "DOUBLON", "Client already under contract"]])

REASONS = {"IMPAYE": 1, "INSATISFACTION": 2, "MIGRATION": 3, "AUTRE": 4}
write("dim_resiliation_reason", "reason_sk,code,label", [
    [1, "IMPAYE", "Unpaid"], [2, "INSATISFACTION", "Dissatisfaction"], [3, "MIGRATION", "Migration to another offer"], [4, "AUTRE", "Other"]])

# --- Contracts ------------------------------------------------------------------------------------------------------

CHURN = {1: 0.007, 2: 0.013, 3: 0.005}          # per month
ENDS = month_ends(OPENING, CLOSING)


class Contract:
    pass


contracts = []
for n in range(300):
    c = Contract()
    c.company = one([1] * 11 + [3] * 5 + [2] * 4)
    c.product = one([sk for sk, p in PRODUCTS.items() if p[0] == c.company and (p[4] or chance(0.4))])
    _, c.family, _, c.offer, c.recurring, price, c.tax = PRODUCTS[c.product]
    sellers = [u for u, a in USER_AGENCY.items() if USER_COMPANY[u - 1] == c.company]
    c.user = one(sellers)
    c.agency = USER_AGENCY[c.user]
    c.channel = one([1, 1, 2, 2, 2, 3, 4, 5, 5])
    c.pipeline = n >= 286
    if c.pipeline:
        c.signed = day_in(dt.date(2026, 9, 2), dt.date(2026, 9, 28))
        c.start = day_in(dt.date(2026, 10, 5), dt.date(2026, 12, 10))
    elif n < 200:
        c.start = day_in(dt.date(2023, 7, 1), dt.date(2025, 9, 25) if n < 90 else dt.date(2025, 2, 10))
        c.signed = c.start - dt.timedelta(days=between(4, 25))
    else:
        c.start = day_in(dt.date(2025, 10, 2), dt.date(2026, 9, 28))
        c.signed = c.start - dt.timedelta(days=between(4, 32))
    if c.user in LEFT and c.signed > LEFT[c.user]:
        c.user = one([u for u in sellers if u not in LEFT and USER_AGENCY[u] == c.agency])
    c.price = cents(price * one([1, 1, 1, 0.95, 0.90]))
    c.pm = one([1, 1, 1, 1, 1, 2, 2, 3, 3, 4])
    c.end, c.reason, c.forced = None, None, False
    if 90 <= n < 200:                                          # ended before the window: known by its sale and resiliation only
        c.end = day_in(c.start + dt.timedelta(days=60), dt.date(2025, 7, 20))
        c.reason = one(["IMPAYE", "INSATISFACTION", "MIGRATION", "AUTRE"])
        c.forced = c.reason == "IMPAYE"
    elif not c.pipeline:
        month = max(c.start, OPENING + dt.timedelta(days=1)).replace(day=1)
        while month <= CLOSING and c.end is None:
            hazard = CHURN[c.company]
            if c.company == 2 and month == dt.date(2026, 9, 1):
                hazard = 0.13                                  # the abnormal month that the alert must find
            last = (month + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
            if chance(hazard) and last > c.start + dt.timedelta(days=20):
                c.end = day_in(max(month + dt.timedelta(days=8), c.start + dt.timedelta(days=10)), last)
                c.reason = one(["IMPAYE", "INSATISFACTION", "INSATISFACTION", "MIGRATION", "AUTRE"])
                c.forced = c.reason == "IMPAYE"
            month = last + dt.timedelta(days=1)
    contracts.append(c)
contracts.sort(key=lambda c: (c.signed, c.company, c.product, c.user, c.price))
counts = {}
for c in contracts:
    counts[c.company] = counts.get(c.company, 0) + 1
    c.bk = f"{COMPANIES[c.company]}-{c.signed.year % 100}-{counts[c.company]:04d}"


def mrr(c, day):
    """The monthly price HT at a day: contracts of FT older than 1 January 2026 were indexed by 2% on that day."""
    if not c.recurring:
        return 0.0
    indexed = c.company == 1 and c.start < dt.date(2026, 1, 1) <= day
    return cents(c.price * 1.02) if indexed else c.price


# --- Quality control ------------------------------------------------------------------------------------------------

events = []
for c in contracts:
    c.validated = None
    if c.signed < OPENING:
        continue
    day = c.signed + dt.timedelta(days=1)
    if c.pipeline and chance(0.55):
        events.append((day, c, "EN_ATTENTE"))
        if chance(0.3):
            events.append((min(day + dt.timedelta(days=2), CLOSING), c, one(["RIB", "IDENTITE"])))
        continue
    if chance(0.25):
        events.append((day, c, "EN_ATTENTE"))
    day += dt.timedelta(days=between(0, 2))
    if chance(0.14):
        events.append((day, c, one(["RIB", "RIB", "IDENTITE", "ACCORD", "DOUBLON"])))
        day += dt.timedelta(days=between(1, 3))
    c.validated = min(day, c.start)
    events.append((c.validated, c, "VALIDE"))
lost = 0
for n in range(9):                                         # contracts that quality control turned down for good
    c = Contract()
    c.company = one([1, 1, 1, 2, 3])
    c.user = one([u for u in USER_AGENCY if USER_COMPANY[u - 1] == c.company and u not in LEFT])
    c.channel = one([1, 2, 2, 4])
    c.bk = f"{COMPANIES[c.company]}-R-{n + 1:04d}"
    events.append((day_in(dt.date(2025, 10, 1), CLOSING), c, one(["RIB", "IDENTITE", "ACCORD", "DOUBLON"])))
events.sort(key=lambda e: (e[0], e[1].bk, e[2]))
rows = []
for n, (day, c, code) in enumerate(events, 1):
    source = {4: "Plénitude", 3: "OHM"}.get(c.channel, "Interne")
    rows.append([n, c.company, c.bk, QC[code], c.user, did(day), source, "call 2 to be checked" if n % 37 == 0 else ""])
rows.insert(40, rows[39])                                   # one event exported twice
write("f_quality_control", "cq_id,company_sk,contract_bk,qc_sk,user_sk,date_id,partner_source,notes", rows)

# --- Sales ----------------------------------------------------------------------------------------------------------

rows = []
for n, c in enumerate(contracts, 1):
    premium = cents(c.price * 12) if c.recurring else c.price
    taxed = cents(premium * (100 + c.tax) / 100)
    c.first_commission = cents(premium * 0.18)
    amounts = [f"{taxed:.2f}", f"{premium:.2f}", f"{5 if c.company == 3 else 0:.2f}", f"{c.first_commission:.2f}", f"{mrr(c, c.start):.2f}"]
    if n % 29 == 0:
        amounts = [f"{a.replace('.', ',')}" for a in amounts]
    rows.append([n, c.bk.lower() if n % 31 == 0 else c.bk, c.company, c.product, c.channel, c.agency, c.user, did(c.start), *amounts,
                 "eur" if n % 40 == 0 else "EUR"])
rows.append(rows[120])                                      # one sale exported twice
write("f_new_sales", "sale_id,contract_bk,company_sk,product_sk,channel_sk,agency_sk,user_sk,date_id,prime_ttc,prime_ht,"
      "fees_management_ht,commission_initiale_ht,expected_mrr_ht,currency", rows)

# --- Snapshots ------------------------------------------------------------------------------------------------------

rows = []
for day in ENDS:
    for c in contracts:
        if c.signed > day or (c.end and (c.end.year, c.end.month) < ((day - dt.timedelta(days=31)).year, (day - dt.timedelta(days=31)).month)):
            continue
        if c.end and c.end < OPENING:
            continue
        amount, ended = mrr(c, day), None
        if c.end and c.end <= day:
            status, amount, ended = "RESILIE", 0.0, c.end
        elif c.start > day:
            status, amount = ("EN_ATTENTE_VALIDATION" if c.validated and c.validated <= day else "EN_CQ"), 0.0
        else:
            status = "SUSPENDU" if chance(0.008) else "ACTIF"
        active = status == "ACTIF"
        age = (min(day, ended or day) - c.start).days if c.start <= day else 0
        shown = f"{amount:.2f}" if amount else "0"
        yearly = cents(amount * 12) + (0.12 if len(rows) == 700 and amount else 0)       # one ARR that is not twelve times its MRR
        rows.append([c.bk, did(day), c.company, c.product, c.user, c.agency, STATUS[status], c.pm, "true" if active else "false",
                     shown, f"{yearly:.2f}" if amount else "0", age, did(c.start), did(ended)])
write("f_contract_snapshot", "contract_bk,date_id,company_sk,product_sk,user_sk,agency_sk,status_sk,pm_sk,is_active_flag,"
      "mrr_ht,arr_ht,age_days,start_date_id,end_date_id", rows)

# --- Churn ----------------------------------------------------------------------------------------------------------

rows = []
for n, c in enumerate(sorted((c for c in contracts if c.end), key=lambda c: (c.end, c.bk)), 1):
    rows.append([n, c.company, c.bk, c.product, c.user, did(c.end), REASONS[c.reason], "oui" if c.forced else "non", (c.end - c.start).days,
                 f"{mrr(c, c.end):.2f}"])
write("f_churn", "churn_id,company_sk,contract_bk,product_sk,user_sk,date_id,reason_sk,is_forced_flag,lifetime_days,last_mrr_ht", rows)

# --- Billing and payments -------------------------------------------------------------------------------------------

UNPAID = {1: 0.030, 2: 0.062, 3: 0.018}
SEPA_REASONS = ["AM04", "AM04", "AM04", "AC04", "MD06", "AC01"]
CARD_REASONS = ["05_DECLINED", "51_FUNDS", "51_FUNDS", "54_EXPIRED"]
PREFIX = {1: "SL", 2: "MS", 3: "EM", 4: "MS"}
bills, pays, settled = [], [], []
reference = 4100
unrecorded = next(c.bk for c in contracts if c.company == 1 and not c.end and 12 < c.price < 13 and c.start < CLOSING.replace(day=1))
month = dt.date(2025, 10, 1)
while month <= CLOSING:
    last = (month + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    for c in contracts:
        due = month.replace(day=3)
        amount = mrr(c, due)
        first = (c.start.year, c.start.month) == (month.year, month.month)
        if not c.recurring:
            if not (first and c.start <= last):
                continue
            amount, due = c.price, c.start
        elif c.start > due or (c.end and c.end <= due):
            continue
        taxed = cents(amount * (100 + c.tax) / 100)
        credit = 0.0
        if month >= dt.date(2026, 4, 1):
            bills.append([due, c, "FACTURE", amount, taxed])
            if chance(0.012):
                credit = cents(taxed * 0.25)
                bills.append([due + dt.timedelta(days=1), c, "AVOIR", cents(amount * 0.25), credit])
        if chance(0.0025) or (month == dt.date(2026, 9, 1) and c.bk == unrecorded):
            continue                                         # an invoice without a recorded payment
        day = min(due + dt.timedelta(days=between(2, 6)), last)
        attempt, reject = 0, chance(UNPAID[c.company])
        while True:
            reference += between(3, 17)
            ref = f"{PREFIX[c.pm]}{reference:06X}"
            reason = one(SEPA_REASONS if c.pm == 1 else CARD_REASONS) if reject else ""
            settle = day + dt.timedelta(days=between(1, 3))
            pays.append([day, c, ref, cents(taxed - credit), "REJET" if reject else "SUCCES", reason, attempt, None if reject else settle])
            if month >= dt.date(2026, 8, 1):
                settled.append([day, METHODS[c.pm][1], ref, cents(taxed - credit), settle])
            if not reject or attempt == 2 or not chance(0.7):
                break
            day = min(day + dt.timedelta(days=9), last)
            attempt, reject = attempt + 1, chance(0.4)
    month = last + dt.timedelta(days=1)

bills.sort(key=lambda b: (b[0], b[1].bk, b[2]))
rows = []
for n, (day, c, kind, net, gross) in enumerate(bills, 1):
    shown = [f"{net:.2f}", f"{gross:.2f}"]
    if n % 97 == 0:
        shown = [s.replace(".", ",") for s in shown]
    rows.append([n, c.company, c.product, c.user, c.bk, did(day), f"F{n:05d}" if kind == "FACTURE" else f"A{n:05d}",
                 kind.lower() if n % 53 == 0 else kind, *shown, 10 if n == 400 else c.tax, "EUR"])          # one invoice with a wrong tax rate
write("f_billing", "billing_id,company_sk,product_sk,user_sk,contract_bk,date_id,invoice_number,type,amount_ht,amount_ttc,tax_rate,currency", rows)

pays.sort(key=lambda p: (p[0], p[2]))
rows = []
for n, (day, c, ref, amount, status, reason, attempt, settle) in enumerate(pays, 1):
    silent = status == "REJET" and not any(r[7].strip() in ("REJET", "rejet") for r in rows)         # the first rejection came without a reason
    typed = " rejet" if status == "REJET" and n % 5 == 0 else "succes" if status == "SUCCES" and n % 83 == 0 else status
    rows.append([n, c.company, c.bk, c.pm, did(day), ref.lower() if n % 101 == 0 else ref,
                 f"{amount:.2f}".replace(".", ",") if n % 61 == 0 else f"{amount:.2f}", typed, "" if silent else reason, attempt, did(settle)])
rows[300:300] = [rows[298], rows[299]]                      # two transactions exported twice
rows.append([len(pays) + 1, 1, contracts[0].bk, 1, "20260915", "SLTEST01", "1.00", "PENDING", "", 0, ""])    # a status nobody agreed on
write("f_payment", "payment_id,company_sk,contract_bk,pm_sk,date_id,processor_ref,amount_ttc,status,reject_reason_code,retry_count,settlement_date_id", rows)

settled.sort(key=lambda s: (s[0], s[2]))
gone = {12}                                                 # the processor's file lacks one payment of August
rows = [[p.upper() if n % 19 == 0 else p, ref, f"{amount:.2f}", s.strftime("%d/%m/%Y") if p == "Slimpay" else s.isoformat()]
        for n, (_, p, ref, amount, s) in enumerate(settled) if n not in gone]
rows.append(["Slimpay", "SL0FFFFF", "17.90", "08/09/2026"])  # settled, and not in the CRM
write("psp_settlements", "processor,processor_ref,amount_ttc,settlement_date", rows)

# --- Commissions ----------------------------------------------------------------------------------------------------

rows = []
for c in contracts:
    if c.pipeline:
        continue
    risk = {1: 0.12, 2: 0.22, 3: 0.08}[c.company] + one([-0.03, 0, 0, 0.03])
    year = 0
    while True:
        day = dt.date(c.start.year + year, c.start.month, min(c.start.day, 28))
        if day > CLOSING or (c.end and c.end <= day) or (year and not c.recurring):
            break
        if day >= dt.date(2025, 7, 1) or (year == 0 and day >= dt.date(2025, 1, 1)):
            first = c.first_commission if year == 0 else 0
            later = 0 if year == 0 else cents(mrr(c, day) * 12 * 0.04)
            rows.append([day, c, first, later, "G2026" if day.year == 2026 else "G2025", risk])
        year += 1
rows.sort(key=lambda r: (r[0], r[1].bk))
rows = [[n, c.company, c.bk, c.user, did(day), f"{first:.2f}", f"{later:.2f}", grid, f"{risk:.2f}".replace(".", ",") if n % 45 == 0 else f"{risk:.2f}"]
        for n, (day, c, first, later, grid, risk) in enumerate(rows, 1)]
write("f_commission_projection", "comm_proj_id,company_sk,contract_bk,user_sk,date_id,year_n_commission_ht,recurring_commission_ht,grid_version,assumed_churn_prob", rows)

# --- Prospects and clients ------------------------------------------------------------------------------------------

rows = []
for n in range(1, 641):
    company = one([1] * 11 + [3] * 5 + [2] * 4)
    user = one([u for u in USER_AGENCY if USER_COMPANY[u - 1] == company and u not in LEFT])
    rows.append([f"L{n:05d}", company, one([1, 1, 2, 2, 2, 3, 4, 5, 5]), USER_AGENCY[user], user, did(day_in(dt.date(2025, 10, 1), CLOSING))])
rows.sort(key=lambda r: (r[5], r[0]))
rows.insert(200, rows[180])                                 # one prospect exported twice
write("prospects", "prospect_bk,company_sk,channel_sk,agency_sk,user_sk,date_id", rows)

FIRST = ["Camille", "Léa", "Lucas", "Manon", "Louis", "Zoé", "Adam", "Rose", "Gabriel", "Jade", "Noah", "Alice", "Éric", "Sonia", "Rachid", "Nora"]
LAST = ["Martin", "Bernard", "Durand", "Lefèvre", "Moulin", "Garcia", "Roussel", "Blanc", "Perrin", "Noël", "Barbier", "Aubert", "Caron", "Diallo", "Meyer", "Rey"]
rows, plain = [], str.maketrans("éèêëÉÈàâîïôöùûüç", "eeeeEEaaiioouuuc")
for n in range(1, 241):
    first, last = one(FIRST), one(LAST)
    company = one([1] * 11 + [3] * 5 + [2] * 4)
    mail = f"{first}.{last}{n}@example.fr".lower().translate(plain)
    rows.append([f"K{n:04d}", company, f"{first} {last}", mail if chance(0.93) else "", f"06{between(10000000, 99999999)}", did(day_in(dt.date(2023, 1, 2), CLOSING)), ""])
for n in range(241, 251):                                   # the same people once more, as they come back
    old = rows[between(0, 239)]
    kind = n % 3
    name = old[2].upper().translate(plain) if kind else old[2]
    phone = " ".join([old[4][i:i + 2] for i in range(0, 10, 2)]) if kind == 1 else old[4]
    mail = old[3].upper() if kind == 2 and old[3] else ""
    flagged = old[0] if kind == 0 else ""
    rows.append([f"K{n:04d}", old[1], name, mail, phone if kind else f"07{between(10000000, 99999999)}", did(day_in(dt.date(2026, 2, 1), CLOSING)), flagged])
write("clients", "client_bk,company_sk,full_name,email,phone,date_id,duplicate_of", rows)
