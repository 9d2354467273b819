"""The expected results of the tests, computed with DuckDB from the input files.

    python tests/expected.py            (needs duckdb; run it from anywhere)

Every KPI is one SELECT for one period and one level, as annex B of seed 001 states it; nothing here knows the steps of
the workflows. Files are read as text, amounts are DECIMAL, and quotients are rounded from whole numbers (halves away
from zero), never from floats. The inputs of the small cases are written here too, with their figures worked by hand.
"""

import csv
import datetime as dt
import decimal
import functools
import pathlib

import duckdb

PACKAGE = pathlib.Path(__file__).parent.parent
TESTS = PACKAGE / "tests"
D = decimal.Decimal


def half_up(numerator, denominator, places=2):
    """A quotient rounded half away from zero, exactly."""
    scaled = D(numerator) * (10 ** places)
    whole = (abs(scaled) * 2 + abs(D(denominator))) // (abs(D(denominator)) * 2)
    sign = -1 if (scaled < 0) != (D(denominator) < 0) and whole else 1
    return (sign * whole).scaleb(-places)


class Case:
    """A set of input files, and the outputs that follow from them."""

    def __init__(self, closing="2026-09-30", inputs=None, thresholds=None):
        self.closing = dt.date.fromisoformat(closing)
        self.thresholds = list(csv.DictReader(open(thresholds or PACKAGE / "mappings/thresholds.csv", encoding="utf-8")))
        self.db = duckdb.connect(config={"threads": 1})
        self.inputs = inputs or {}
        self.read()
        self.make_periods()

    # --- reading: all text, cleaned and typed as inputs.json says ------------------------------------------------------

    def raw(self, name):
        path = self.inputs.get(name, PACKAGE / "sample" / f"{name}.csv")
        return f"(SELECT row_number() OVER () AS nth, * FROM read_csv('{path}', all_varchar = true, header = true, delim = ',', quote = '\"'))"

    def read(self):
        q = self.db.execute
        q("CREATE MACRO amount(t) AS CAST(CASE WHEN contains(t, ',') AND NOT contains(t, '.') THEN replace(replace(t, ' ', ''), ',', '.') ELSE replace(t, ' ', '') END AS DECIMAL(18, 4))")
        q("CREATE MACRO yes(t) AS lower(trim(t)) IN ('true', 'yes', 'oui', '1')")
        q("CREATE MACRO day_of(t) AS CAST(strptime(trim(t), '%Y%m%d') AS DATE)")
        q("CREATE MACRO spaced(t) AS regexp_replace(trim(t), '\\s+', ' ', 'g')")
        q("CREATE MACRO word(t) AS nullif(upper(trim(t)), '')")
        q(f"CREATE TABLE company AS SELECT CAST(company_sk AS INT) company_sk, word(brand_code) company FROM {self.raw('dim_company')}")
        q(f"""CREATE TABLE product AS SELECT CAST(product_sk AS INT) product_sk, trim(product_bk) product_bk, lower(trim(family)) family, spaced(subcategory) subcategory,
              word(offer_code) product, yes(mrr_flag) mrr_flag, amount(unit_price_ht) unit_price_ht, word(currency) currency FROM {self.raw('dim_product')}""")
        q(f"CREATE TABLE channel AS SELECT CAST(channel_sk AS INT) channel_sk, word(code) channel FROM {self.raw('dim_channel')}")
        q(f"CREATE TABLE agency AS SELECT CAST(agency_sk AS INT) agency_sk, word(agency_bk) agency_bk, CAST(company_sk AS INT) company_sk, spaced(name) agency, lower(trim(type)) type, geo_sk FROM {self.raw('dim_agency')}")
        q(f"""CREATE TABLE users AS SELECT CAST(user_sk AS INT) user_sk, lower(trim(user_bk)) user_bk, CAST(company_sk AS INT) company_sk, spaced(full_name) full_name, word(role) AS role,
              spaced(full_name) || ' #' || user_sk AS seller,
              COALESCE(try_strptime(hiring_date, '%Y-%m-%d'), try_strptime(hiring_date, '%d/%m/%Y'))::DATE hiring_date,
              COALESCE(try_strptime(leaving_date, '%Y-%m-%d'), try_strptime(leaving_date, '%d/%m/%Y'))::DATE leaving_date FROM {self.raw('dim_user')}""")
        q(f"CREATE TABLE status AS SELECT CAST(status_sk AS INT) status_sk, word(code) status, yes(is_active_flag) status_is_active FROM {self.raw('dim_contract_status')}")
        q(f"CREATE TABLE method AS SELECT CAST(pm_sk AS INT) pm_sk, word(processor) processor FROM {self.raw('dim_payment_method')}")
        q(f"CREATE TABLE outcome AS SELECT CAST(qc_sk AS INT) qc_sk, word(code) code, COALESCE(word(reason_code), 'UNKNOWN') reason, trim(reason_label) reason_label FROM {self.raw('dim_quality_status')}")
        q(f"CREATE TABLE why AS SELECT CAST(reason_sk AS INT) reason_sk, word(code) reason, trim(label) reason_label FROM {self.raw('dim_resiliation_reason')}")
        # facts: the first of a repeated number stays (the others are rejected)
        q(f"""CREATE TABLE sale AS SELECT CAST(sale_id AS INT) sale_id, word(contract_bk) contract_bk, CAST(company_sk AS INT) company_sk, CAST(product_sk AS INT) product_sk, CAST(channel_sk AS INT) channel_sk,
              CAST(agency_sk AS INT) agency_sk, CAST(user_sk AS INT) user_sk, day_of(date_id) AS day, amount(prime_ht) prime_ht, amount(expected_mrr_ht) expected_mrr_ht, word(currency) currency
              FROM {self.raw('f_new_sales')} QUALIFY row_number() OVER (PARTITION BY CAST(sale_id AS INT) ORDER BY nth) = 1""")
        q(f"""CREATE TABLE snap AS SELECT word(contract_bk) contract_bk, day_of(date_id) AS day, CAST(company_sk AS INT) company_sk, CAST(product_sk AS INT) product_sk, CAST(user_sk AS INT) user_sk, CAST(agency_sk AS INT) agency_sk,
              CAST(status_sk AS INT) status_sk, yes(is_active_flag) active, COALESCE(amount(mrr_ht), 0) mrr_ht, COALESCE(amount(arr_ht), 0) arr_ht, day_of(start_date_id) AS started, nth FROM {self.raw('f_contract_snapshot')}""")
        q(f"""CREATE TABLE bill AS SELECT CAST(billing_id AS INT) billing_id, CAST(company_sk AS INT) company_sk, day_of(date_id) AS day, trim(invoice_number) invoice_number, word(currency) currency,
              CASE word(type) WHEN 'AVOIR' THEN -abs(amount(amount_ht)) ELSE amount(amount_ht) END net, CASE word(type) WHEN 'AVOIR' THEN -abs(amount(amount_ttc)) ELSE amount(amount_ttc) END gross
              FROM {self.raw('f_billing')} QUALIFY row_number() OVER (PARTITION BY CAST(billing_id AS INT) ORDER BY nth) = 1""")
        q(f"""CREATE TABLE payment AS SELECT * FROM (SELECT CAST(payment_id AS INT) payment_id, CAST(company_sk AS INT) company_sk, word(contract_bk) contract_bk, CAST(pm_sk AS INT) pm_sk, day_of(date_id) AS day, word(processor_ref) processor_ref,
              amount(amount_ttc) amount_ttc, word(status) status, COALESCE(word(reject_reason_code), 'UNKNOWN') reason, CAST(COALESCE(retry_count, '0') AS INT) retry_count, nth FROM {self.raw('f_payment')})
              WHERE status IN ('SUCCES', 'REJET') QUALIFY row_number() OVER (PARTITION BY payment_id ORDER BY nth) = 1""")
        q(f"""CREATE TABLE churn AS SELECT CAST(churn_id AS INT) churn_id, CAST(company_sk AS INT) company_sk, CAST(product_sk AS INT) product_sk, day_of(date_id) AS day, CAST(reason_sk AS INT) reason_sk, yes(is_forced_flag) forced,
              CAST(lifetime_days AS INT) lifetime_days, amount(last_mrr_ht) last_mrr_ht FROM {self.raw('f_churn')} QUALIFY row_number() OVER (PARTITION BY CAST(churn_id AS INT) ORDER BY nth) = 1""")
        q(f"""CREATE TABLE qc AS SELECT CAST(cq_id AS INT) cq_id, CAST(company_sk AS INT) company_sk, word(contract_bk) contract_bk, CAST(qc_sk AS INT) qc_sk, day_of(date_id) AS day
              FROM {self.raw('f_quality_control')} QUALIFY row_number() OVER (PARTITION BY CAST(cq_id AS INT) ORDER BY nth) = 1""")
        q(f"""CREATE TABLE projection AS SELECT CAST(company_sk AS INT) company_sk, word(contract_bk) contract_bk, CAST(user_sk AS INT) user_sk, day_of(date_id) AS day, COALESCE(amount(year_n_commission_ht), 0) first_year,
              COALESCE(amount(recurring_commission_ht), 0) recurring, amount(assumed_churn_prob) churn_prob FROM {self.raw('f_commission_projection')} QUALIFY row_number() OVER (PARTITION BY CAST(comm_proj_id AS INT) ORDER BY nth) = 1""")
        q(f"""CREATE TABLE prospect AS SELECT CAST(company_sk AS INT) company_sk, CAST(channel_sk AS INT) channel_sk, CAST(user_sk AS INT) user_sk, day_of(date_id) AS day
              FROM {self.raw('prospects')} QUALIFY row_number() OVER (PARTITION BY word(prospect_bk) ORDER BY nth) = 1""")
        q(f"""CREATE TABLE client AS SELECT word(client_bk) client_bk, CAST(company_sk AS INT) company_sk, upper(strip_accents(spaced(full_name))) person, nullif(lower(trim(email)), '') email, nullif(regexp_replace(phone, '[^0-9]', '', 'g'), '') phone,
              day_of(date_id) AS day, word(duplicate_of) duplicate_of FROM {self.raw('clients')} QUALIFY row_number() OVER (PARTITION BY word(client_bk) ORDER BY nth) = 1""")
        q(f"""CREATE TABLE settled AS SELECT word(processor) processor, word(processor_ref) processor_ref, amount(amount_ttc) amount_ttc
              FROM {self.raw('psp_settlements')} QUALIFY row_number() OVER (PARTITION BY word(processor), word(processor_ref) ORDER BY nth) = 1""")
        # with the names that the KPIs show
        q("""CREATE TABLE snaps AS SELECT s.*, company, family, product, channel, agency, seller, status FROM snap s JOIN company USING (company_sk) JOIN product USING (product_sk) JOIN agency USING (agency_sk)
             JOIN users USING (user_sk) JOIN status USING (status_sk) LEFT JOIN (SELECT contract_bk, min_by(channel_sk, sale_id) channel_sk FROM sale GROUP BY contract_bk) USING (contract_bk) LEFT JOIN channel USING (channel_sk)""")
        q("CREATE TABLE sales AS SELECT s.*, company, family, product, channel, agency, seller FROM sale s JOIN company USING (company_sk) JOIN product USING (product_sk) JOIN channel USING (channel_sk) JOIN agency USING (agency_sk) JOIN users USING (user_sk)")
        for table, more in {"payment": "", "qc": "JOIN outcome USING (qc_sk)", "churn": "JOIN product USING (product_sk)", "bill": "", "client": ""}.items():
            q(f"CREATE TABLE {table}s AS SELECT * FROM {table} JOIN company USING (company_sk) {more}")
        q("CREATE TABLE prospects AS SELECT p.day, company, channel, seller FROM prospect p JOIN company USING (company_sk) JOIN channel USING (channel_sk) JOIN users USING (user_sk)")
        q("CREATE TABLE projections AS SELECT p.*, company, seller FROM projection p JOIN company USING (company_sk) JOIN users USING (user_sk)")

    # --- periods: 12 months, their calendar quarters, and all 12 months ----------------------------------------------------

    def make_periods(self):
        first = self.closing.replace(day=1)
        months = [first]
        while len(months) < 12:
            months.insert(0, (months[0] - dt.timedelta(days=1)).replace(day=1))
        end = lambda m: (m + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
        self.periods = [("MONTH", m.strftime("%Y-%m"), m, end(m), m == first) for m in months]
        quarters = {}
        for m in months:
            quarters.setdefault((m.year, (m.month + 2) // 3), []).append(m)
        for (year, quarter), of in quarters.items():
            if of[0].month % 3 == 1:                                # a quarter whose first month is older is left out
                self.periods.append(("QUARTER", f"{year}-Q{quarter}", of[0], end(of[-1]), of[-1] == first))
        self.periods.append(("YEAR", f"{months[0]:%Y-%m}..{first:%Y-%m}", months[0], end(first), True))
        photos = self.rows(f"SELECT max(day) FROM snap GROUP BY date_trunc('month', day) ORDER BY 1")
        self.photos = [p[0] for p in photos]                        # the last photo of each month

    def rows(self, sql):
        return self.db.execute(sql).fetchall()

    # --- the KPIs of annex B -------------------------------------------------------------------------------------------------

    LEVELS = {"GROUP": [], "COMPANY": ["company"], "FAMILY": ["family"], "PRODUCT": ["company", "family", "product"], "CHANNEL": ["channel"], "AGENCY": ["company", "agency"], "SELLER": ["company", "seller"]}
    KEYS = ["company", "family", "product", "channel", "agency", "seller"]

    def kpi_sql(self, kpi, start, end, close, ends, opening_and_ends):
        """A FROM with the columns n and d (numerator and denominator) of the rows that count."""
        within = f"day BETWEEN DATE '{start}' AND DATE '{end}'"
        at_close = f"day = DATE '{close}'"
        days = lambda ds: "day IN (" + ", ".join(f"DATE '{d}'" for d in ds) + ")"
        keys = ", ".join(self.KEYS)
        fill = lambda table: ", ".join(k if k in self.columns(table) else f"NULL::VARCHAR {k}" for k in self.KEYS)
        flow = lambda table, n, d: f"SELECT {fill(table)}, {n} n, {d} d FROM {table} WHERE {within}"
        stock = lambda n: f"SELECT {keys}, {n} n, NULL d FROM snaps WHERE {at_close}"
        return {
            "1.1": stock("CASE WHEN active THEN 1 ELSE 0 END"),
            "1.2": flow("sales", "1", "NULL") + f" UNION ALL SELECT {keys}, 0, NULL FROM snaps WHERE {days(ends)}",
            "1.3": flow("churns", "1", "0") + f" UNION ALL SELECT {keys}, 0, CASE WHEN active THEN 1 ELSE 0 END FROM snaps WHERE {days(opening_and_ends)}",
            "1.4": flow("payments", "CASE WHEN status = 'REJET' THEN 1 ELSE 0 END", "1"),
            "1.5": flow("payments", "CASE WHEN status = 'REJET' THEN amount_ttc ELSE 0 END", "NULL"),
            "1.6-MRR": stock("CASE WHEN active THEN mrr_ht ELSE 0 END"),
            "1.6-ARR": stock("CASE WHEN active THEN arr_ht ELSE 0 END"),
            "2.1": flow("sales", "1", "NULL"),
            "2.2": flow("sales", "1", "0") + " UNION ALL " + flow("prospects", "0", "1"),
            "2.3": flow("sales", "prime_ht", "1") + " AND prime_ht IS NOT NULL",
            "3.3": flow("qcs", "CASE WHEN code = 'REJETE' THEN 1 ELSE 0 END", "CASE WHEN code IN ('REJETE', 'VALIDE') THEN 1 ELSE 0 END"),
            "3.3-N": flow("qcs", "CASE WHEN code = 'REJETE' THEN 1 ELSE 0 END", "NULL"),
            "3.4": f"""SELECT {fill('clients')}, CASE WHEN duplicate_of IS NOT NULL
                       OR EXISTS (FROM client e WHERE e.company_sk = clients.company_sk AND e.email = clients.email AND (e.day, e.client_bk) < (clients.day, clients.client_bk))
                       OR EXISTS (FROM client e WHERE e.company_sk = clients.company_sk AND e.person = clients.person AND e.phone = clients.phone AND (e.day, e.client_bk) < (clients.day, clients.client_bk)) THEN 1 ELSE 0 END n, 1 d
                       FROM clients WHERE day <= DATE '{end}'""",
            # a contract activated in a month is active in that month's photo and started in that month
            "4.1": f"""SELECT {keys}, CAST(started - (SELECT max(qc.day) FROM qc JOIN outcome USING (qc_sk) WHERE code = 'VALIDE' AND qc.contract_bk = snaps.contract_bk AND qc.day <= started) AS INT) n, 1 d FROM snaps
                       WHERE active AND {days(ends)} AND date_trunc('month', started) = date_trunc('month', day)
                       AND EXISTS (FROM qc JOIN outcome USING (qc_sk) WHERE code = 'VALIDE' AND qc.contract_bk = snaps.contract_bk AND qc.day <= started)""",
            "4.2": flow("churns", "lifetime_days", "1"),
            "4.3": stock("CASE WHEN status IN ('EN_CQ', 'EN_ATTENTE_VALIDATION') THEN 1 ELSE 0 END"),
            "5.1": flow("projections", "first_year", "NULL"),
            "5.2": flow("projections", "recurring", "NULL"),
        }[kpi]

    def columns(self, table):
        return {r[0] for r in self.rows(f"DESCRIBE {table}")}

    def threshold(self, kpi, period_type, scope):
        """The line of mappings/thresholds.csv that fits, with the smallest priority."""
        fits = [t for t in self.thresholds if t["threshold_kpi"] == kpi and t["period_type"] in ("*", period_type) and t["scope"] in ("*", scope)]
        best = min(fits, key=lambda t: int(t["priority"]), default=None)
        return (best["alert_when"], D(best["threshold"])) if best else None

    @functools.cache
    def kpis(self):
        """out/kpis.csv, and out/alerts.csv."""
        catalogue = {r["kpi"]: r for r in csv.DictReader(open(PACKAGE / "mappings/kpis.csv", encoding="utf-8"))}
        found, alerts = [], []

        def publish(kpi, period, level, keys, numerator, denominator, value, threshold=None, status=None, measured=None, alerting=False):
            row = {"kpi": kpi, "name": catalogue[kpi]["name"], "unit": catalogue[kpi]["unit"], "period_type": period[0], "period": period[1], "perimeter": level, **{k: keys.get(k) for k in self.KEYS},
                   "numerator": numerator, "denominator": denominator, "value": value, "threshold": threshold, "status": status, "latest": period[4]}
            found.append(row)
            if status == "ALERT" and alerting and period[4]:
                who = next((keys[k] for k in ("seller", "agency", "channel", "product", "family", "company") if keys.get(k)), "the group")
                alerts.append({**row, "measured": measured, "message": f"{row['name']} of {who}: {measured} against a threshold of {threshold:.2f}"})

        def measured(kpi, period, level, keys, n, d, points):
            about = catalogue[kpi]
            factor, n = int(about["factor"]), D(n)
            if about["base"] == "sum":
                top, below, base = n * factor, D(1), None if d is None else D(d)
            elif about["base"] == "average":                        # resiliations / mean of the month-ends * 100
                top, below, base = n * factor * points, D(d), half_up(d, points)
            else:
                top, below, base = n * factor, D(d), D(d)
            exact = None if below == 0 else (top, below)
            value = None if exact is None else half_up(*exact)
            limit = self.threshold(about["alert_kpi"] or kpi, period[0], keys.get("company") or "GROUP")
            status = None
            if limit and exact:
                over = top < limit[1] * below if limit[0] == "below" else top > limit[1] * below      # compared before rounding
                status = "ALERT" if over else "OK"
            numbers = (half_up(n, 1), None if base is None else half_up(base, 1))
            publish(kpi, period, level, keys, *numbers, value, limit and limit[1], status, value, not about["alert_kpi"])
            if about["alert_kpi"] and status:
                publish(about["alert_kpi"], period, level, keys, *numbers, D(status == "ALERT"), limit[1], status, value, True)

        for kpi, about in catalogue.items():
            if kpi in ("3.1", "3.2", "2.1") or kpi.startswith("1.7"):
                continue
            for period in self.periods:
                kind, label, start, end, latest = period
                if kind not in about["periods"]:
                    continue
                ends = [p for p in self.photos if start <= p <= end]
                opening = [p for p in self.photos if p < start][-1:]
                for level in about["levels"].split() + (about["latest_levels"].split() if latest and kind != "QUARTER" else []):
                    if kpi == "3.4" and not latest:                 # the base of today says nothing about earlier months
                        continue
                    keys = self.LEVELS[level]
                    group = f"GROUP BY {', '.join(keys)}" if keys else ""
                    sql = f"SELECT {''.join(k + ', ' for k in keys)} sum(n), sum(d) FROM ({self.kpi_sql(kpi, start, end, ends[-1], ends, opening + ends)}) {group} HAVING count(*) > 0"
                    for row in self.rows(sql):
                        measured(kpi, period, level, dict(zip(keys, row)), row[-2], row[-1], len(opening + ends))
        for horizon in (3, 6, 12):
            for row in self.forecast():
                if row["months_ahead"] == horizon:
                    measured(f"1.7-{horizon:02d}M", self.periods[11], row["perimeter"], {"company": row["company"]} if row["company"] else {}, row["forecast_mrr"], None, None)
        for row in self.ranking():
            period = ("MONTH", row["period"], None, None, True) if row["period_type"] == "MONTH" else ("YEAR", row["period"], None, None, True)
            publish("2.1", period, row["perimeter"], row, D(row["sales"]), None, D(row["rank_group"]))
        last = "\U0010ffff"
        order = lambda r: (r["kpi"], r["period_type"], r["period"], r["perimeter"], *(r[k] or last for k in self.KEYS))
        return sorted(found, key=order), sorted(alerts, key=order)

    def source_totals(self):
        """What the sources bring to each KPI: flows once, stocks at every month-end, averages at the opening and every month-end."""
        year, out = self.periods[-1], []
        ends = [p for p in self.photos if year[2] <= p <= year[3]]
        opening = [p for p in self.photos if p < year[2]][-1:]
        for about in csv.DictReader(open(PACKAGE / "mappings/kpis.csv", encoding="utf-8")):
            kpi = about["kpi"]
            if kpi in ("3.1", "3.2") or kpi.startswith("1.7"):
                continue
            closes = ends if kpi in ("1.1", "1.6-MRR", "1.6-ARR", "4.3") else ends[-1:]
            parts = [self.rows(f"SELECT count(*), sum(n), sum(d) FROM ({self.kpi_sql(kpi, year[2], year[3], close, ends, opening + ends)})")[0] for close in closes]
            if sum(p[0] for p in parts):
                out.append({"kpi": kpi, "rows": sum(p[0] for p in parts), "numerator": half_up(sum(p[1] for p in parts), 1), "denominator": None if parts[0][2] is None else half_up(parts[0][2], 1)})
        return sorted(out, key=lambda r: r["kpi"])

    def dashboard(self):
        rows, _ = self.kpis()
        group = [r for r in rows if r["perimeter"] == "GROUP"]
        before = self.periods[10][1]
        out = []
        for about in csv.DictReader(open(PACKAGE / "mappings/kpis.csv", encoding="utf-8")):
            pick = lambda test: next((r for r in group if r["kpi"] == about["kpi"] and test(r)), {})
            now = pick(lambda r: r["period_type"] == "MONTH" and r["latest"])
            previous = pick(lambda r: r["period"] == before)
            both = now.get("value") is not None and previous.get("value") is not None
            month = pick(lambda r: r["period_type"] == "MONTH")
            out.append({**{k: about[k] for k in ("kpi", "name", "name_fr", "unit")}, "value": now.get("value"), "previous_month": previous.get("value"), "change": now["value"] - previous["value"] if both else None,
                        "quarter": pick(lambda r: r["period_type"] == "QUARTER" and r["latest"]).get("value"), "year": pick(lambda r: r["period_type"] == "YEAR").get("value"),
                        "threshold": month.get("threshold"), "status": now.get("status"), **{k: about[k] for k in ("definition", "formula", "owner", "sources", "audience", "frequency")}})
        return out

    # --- 1.7 forecast ------------------------------------------------------------------------------------------------------------

    @functools.cache
    def forecast(self, default_churn="0.15"):
        year = self.periods[-1]
        status = csv.DictReader(open(PACKAGE / "mappings/pipeline_probability.csv", encoding="utf-8"))
        chances = ", ".join(f"('{r['status']}', CAST('{r['probability']}' AS DECIMAL(6, 4)))" for r in status)
        # mrr * p * k / 12 in cents: whole ten-thousandths of mrr and of p, then one rounding
        sql = f"""
            WITH photo AS (FROM snaps WHERE day = (SELECT max(day) FROM snap WHERE day <= DATE '{self.closing}')),
            newest AS (SELECT contract_bk, arg_max_null(churn_prob, day) p FROM projection WHERE day <= DATE '{self.closing}' GROUP BY contract_bk),
            chance(status, probability) AS (VALUES {chances}),
            -- the newest projection of the contract speaks, even when it gives no probability: then the default does
            base AS (SELECT ph.company, ph.contract_bk, ph.active, ph.mrr_ht, COALESCE(p, CAST('{default_churn}' AS DECIMAL(6, 4))) p, s.expected_mrr_ht, s.day effect, c.probability
                     FROM photo ph LEFT JOIN newest USING (contract_bk) LEFT JOIN chance c USING (status) LEFT JOIN (SELECT contract_bk, min_by(expected_mrr_ht, sale_id) expected_mrr_ht, min_by(day, sale_id) AS day FROM sale GROUP BY contract_bk) s USING (contract_bk)
                     WHERE ph.active OR c.probability IS NOT NULL),
            lines AS (SELECT company, k, CASE WHEN active THEN mrr_ht ELSE 0 END mrr,
                      CASE WHEN active THEN (CAST(mrr_ht * 10000 AS HUGEINT) * CAST(p * 10000 AS HUGEINT) * k * 2 + 12 * 1000000) // (2 * 12 * 1000000) ELSE 0 END lost_cents,
                      CASE WHEN NOT active AND effect <= last_day(CAST(DATE '{self.closing}' + INTERVAL (k) MONTH AS DATE)) THEN (CAST(expected_mrr_ht * 10000 AS HUGEINT) * CAST(probability * 10000 AS HUGEINT) * 2 + 1000000) // 2000000 ELSE 0 END pipeline_cents
                      FROM base, range(1, 13) t(k))
            SELECT company, k, sum(mrr), CAST(sum(lost_cents) AS BIGINT), CAST(sum(pipeline_cents) AS BIGINT) FROM lines GROUP BY company, k ORDER BY min((SELECT company_sk FROM company c WHERE c.company = lines.company)), k"""
        window = f"day BETWEEN DATE '{year[2]}' AND DATE '{year[3]}'"
        tax = {c: (n, g) for c, n, g in self.rows(f"SELECT company, sum(net), sum(gross) FROM bills WHERE {window} GROUP BY company")}
        cash = {c: (p, s) for c, p, s in self.rows(f"SELECT company, sum(amount_ttc) FILTER (retry_count = 0), sum(amount_ttc) FILTER (status = 'SUCCES') FROM payments WHERE {window} GROUP BY company")}
        out, billed = [], {}
        for company, k, mrr, lost, pipeline in self.rows(sql):
            lost, pipeline = D(lost).scaleb(-2), D(pipeline).scaleb(-2)
            forecast = mrr - lost + pipeline
            billed[company] = billed.get(company, D(0)) + forecast
            net, gross = tax.get(company, (None, None))
            presented, collected = cash.get(company, (None, None))
            factor = half_up(gross, net, 6) if net else None
            rate = half_up(collected or 0, presented, 6) if presented else None
            ttc = None if factor is None else half_up(billed[company] * factor, 1)
            out.append({"perimeter": "COMPANY", "company": company, "months_ahead": k, "current_mrr": mrr, "lost_mrr": lost, "pipeline_mrr": pipeline, "forecast_mrr": forecast, "billing_ht": billed[company],
                        "gross_factor": factor, "billing_ttc": ttc, "collection_rate": rate, "cash_ttc": None if ttc is None or rate is None else half_up(ttc * rate, 1)})
        add = lambda rows, c: None if all(r[c] is None for r in rows) else sum(r[c] for r in rows if r[c] is not None)
        for k in range(1, 13):
            rows = [r for r in out if r["months_ahead"] == k and r["company"]]
            if rows:
                out.append({"perimeter": "GROUP", "company": None, "months_ahead": k, "gross_factor": None, "collection_rate": None,
                            **{c: add(rows, c) for c in ("current_mrr", "lost_mrr", "pipeline_mrr", "forecast_mrr", "billing_ht", "billing_ttc", "cash_ttc")}})
        for r in out:
            month = self.closing.year * 12 + self.closing.month - 1 + r["months_ahead"]
            r["month"] = f"{month // 12}-{month % 12 + 1:02d}"
            r["horizon"] = f"{r['months_ahead']} months" if r["months_ahead"] in (3, 6, 12) else None
        names = ["perimeter", "company", "months_ahead", "month", "horizon", "current_mrr", "lost_mrr", "pipeline_mrr", "forecast_mrr", "billing_ht", "gross_factor", "billing_ttc", "collection_rate", "cash_ttc"]
        return [{n: r[n] for n in names} for r in out]

    # --- 2.1 ranking -------------------------------------------------------------------------------------------------------------

    @functools.cache
    def ranking(self):
        out = []
        for perimeter, key in (("AGENCY", "agency"), ("SELLER", "seller")):
            for kind, label, start, end, _ in (self.periods[11], self.periods[-1]):
                out += self.dicts(f"""
                    SELECT '{perimeter}' perimeter, '{kind}' period_type, '{label}' period, RANK() OVER (ORDER BY count(*) DESC) rank_group, RANK() OVER (PARTITION BY company ORDER BY count(*) DESC) rank_company,
                    company, {'agency' if key == 'agency' else 'NULL'} agency, {'seller' if key == 'seller' else 'NULL'} seller, count(*) sales, COALESCE(sum(prime_ht), 0) prime_ht, sum(prime_ht) total, count(prime_ht) filled
                    FROM sales WHERE day BETWEEN DATE '{start}' AND DATE '{end}' GROUP BY company, {key} ORDER BY rank_group, company, {key}""")
        for r in out:
            total, filled = r.pop("total"), r.pop("filled")
            r["average_prime_ht"] = half_up(total, filled) if filled else None
        return out

    def dicts(self, sql):
        result = self.db.execute(sql)
        names = [d[0] for d in result.description]
        return [dict(zip(names, row)) for row in result.fetchall()]

    # --- details -----------------------------------------------------------------------------------------------------------------

    def mrr(self):
        close, before = self.photos_of(11), self.photos_of(10)
        rows = self.dicts(f"""
            SELECT '{self.periods[11][1]}' "month", company, family, product, count(*) FILTER (day = DATE '{close}') contracts, COALESCE(sum(mrr_ht) FILTER (day = DATE '{close}'), 0) mrr,
            COALESCE(sum(arr_ht) FILTER (day = DATE '{close}'), 0) arr, COALESCE(sum(mrr_ht) FILTER (day = DATE '{before}'), 0) previous_mrr
            FROM snaps WHERE active AND day IN (DATE '{close}', DATE '{before}') GROUP BY company, family, product ORDER BY company, family, product""")
        total = sum(half_up(r["mrr"], 1) for r in rows)
        return [{**r, "mrr": half_up(r["mrr"], 1), "arr": half_up(r["arr"], 1), "previous_mrr": half_up(r["previous_mrr"], 1), "change": half_up(r["mrr"], 1) - half_up(r["previous_mrr"], 1),
                 "share_pct": half_up(half_up(r["mrr"], 1) * 100, total) if total else None} for r in rows]

    def photos_of(self, month):
        start, end = self.periods[month][2:4]
        return [p for p in self.photos if start <= p <= end][-1]

    def movements(self):
        out = []
        for i in range(12):
            start = self.periods[i][2]
            now, before = self.photos_of(i), [p for p in self.photos if p < start][-1]
            out += self.dicts(f"""
                WITH a AS (SELECT contract_bk, company, mrr_ht AS amount FROM snaps WHERE active AND day = DATE '{before}'), b AS (SELECT contract_bk, company, mrr_ht AS amount FROM snaps WHERE active AND day = DATE '{now}'),
                m AS (SELECT COALESCE(a.company, b.company) company, COALESCE(a.amount, 0) x, COALESCE(b.amount, 0) y FROM a FULL JOIN b ON a.contract_bk = b.contract_bk)
                SELECT '{self.periods[i][1]}' "month", company, sum(x) opening_mrr, sum(CASE WHEN x = 0 THEN y ELSE 0 END) new_mrr, sum(CASE WHEN x > 0 AND y > x THEN y - x ELSE 0 END) expansion_mrr,
                sum(CASE WHEN y > 0 AND y < x THEN x - y ELSE 0 END) contraction_mrr, sum(CASE WHEN y = 0 THEN x ELSE 0 END) lost_mrr, sum(y) closing_mrr FROM m GROUP BY company ORDER BY company""")
        return out

    def unpaid(self):
        year = self.periods[-1]
        labels = {r["reason"]: r["reason_label"] for r in csv.DictReader(open(PACKAGE / "mappings/reject_reasons.csv", encoding="utf-8"))}
        rows = self.dicts(f"""
            WITH p AS (SELECT strftime(day, '%Y-%m') "month", company, processor, payments.status, reason, retry_count, amount_ttc FROM payments JOIN method USING (pm_sk) WHERE day BETWEEN DATE '{year[2]}' AND DATE '{year[3]}')
            SELECT "month", company, processor, reason, NULL reason_label, count(*) rejects, count(*) FILTER (retry_count > 0) retries,
            (SELECT count(*) FROM p q WHERE (q."month", q.company, q.processor) = (p."month", p.company, p.processor)) transactions, NULL rate_pct, sum(amount_ttc) unpaid_ttc
            FROM p WHERE status = 'REJET' GROUP BY "month", company, processor, reason ORDER BY "month", company, processor, reason""")
        for r in rows:
            r["reason_label"] = labels.get(r["reason"], labels["*"])
            r["rate_pct"] = half_up(r["rejects"] * 100, r["transactions"])
        return rows

    def rejections(self):
        year = self.periods[-1]
        rows = self.dicts(f"""
            WITH c AS (SELECT strftime(day, '%Y-%m') "month", company, code, reason, reason_label, contract_bk FROM qcs WHERE code IN ('REJETE', 'VALIDE') AND day BETWEEN DATE '{year[2]}' AND DATE '{year[3]}')
            SELECT "month", company, reason, reason_label, count(*) rejections, count(DISTINCT contract_bk) contracts, (SELECT count(*) FROM c d WHERE (d."month", d.company) = (c."month", c.company)) decisions
            FROM c WHERE code = 'REJETE' GROUP BY "month", company, reason, reason_label ORDER BY "month", company, reason, reason_label""")
        return [{**r, "rate_pct": half_up(r["rejections"] * 100, r["decisions"])} for r in rows]

    def resiliations(self):
        year = self.periods[-1]
        rows = self.dicts(f"""
            SELECT strftime(day, '%Y-%m') "month", company, reason, reason_label, count(*) resiliations, count(*) FILTER (forced) forced, sum(last_mrr_ht) lost_mrr, sum(lifetime_days) total_days
            FROM churns JOIN why USING (reason_sk) WHERE day BETWEEN DATE '{year[2]}' AND DATE '{year[3]}' GROUP BY ALL ORDER BY "month", company, reason, reason_label""")
        return [{**{k: v for k, v in r.items() if k != "total_days"}, "average_lifetime_days": half_up(r["total_days"], r["resiliations"])} for r in rows]

    # --- data quality: annex A 8 and annex F 3 --------------------------------------------------------------------------------------

    def quality(self, currency="EUR"):
        month = f"day BETWEEN DATE '{self.periods[11][2]}' AND DATE '{self.periods[11][3]}'"
        money = "(SELECT 'dim_product ' || product_bk item, currency FROM product UNION ALL SELECT 'f_new_sales ' || sale_id, currency FROM sale UNION ALL SELECT 'f_billing ' || invoice_number, currency FROM bill)"
        resiliated = "(SELECT min(r.day) FROM snaps r WHERE r.status = 'RESILIE' AND r.contract_bk = s.contract_bk)"
        tests = {
            "A8.1": f"SELECT CASE WHEN EXISTS (FROM snap e WHERE e.contract_bk = s.contract_bk AND e.day = s.day AND e.nth < s.nth) THEN 1 ELSE 0 END FROM snaps s",
            "A8.2": f"SELECT CASE WHEN status = 'ACTIF' AND day > {resiliated} THEN 1 ELSE 0 END FROM snaps s",
            "A8.3": f"SELECT CASE WHEN currency IS NULL THEN 1 ELSE 0 END FROM {money}",
            "A8.3b": f"SELECT CASE WHEN currency <> '{currency}' THEN 1 ELSE 0 END FROM {money}",
            "A8.4": f"SELECT CASE WHEN EXISTS (FROM settled z WHERE z.processor = m.processor AND z.processor_ref = p.processor_ref AND z.amount_ttc = p.amount_ttc) THEN 0 ELSE 1 END FROM payment p JOIN method m USING (pm_sk) WHERE {month}",
            "S1": "SELECT CASE WHEN active = status_is_active THEN 0 ELSE 1 END FROM snap JOIN status USING (status_sk)",
            "S2": "SELECT CASE WHEN abs(arr_ht - 12 * mrr_ht) < 0.01 THEN 0 ELSE 1 END FROM snap",
        }
        sums = [(t, "GROUP", *self.rows(f"SELECT count(*), COALESCE(sum(b), 0) FROM ({sql}) q(b)")[0]) for t, sql in tests.items()]
        sums += [("F3", *r) for r in self.rows(f"""
            SELECT company, COALESCE(billed, 0), abs(COALESCE(billed, 0) - COALESCE(paid, 0)) FROM company LEFT JOIN (SELECT company_sk, sum(gross) billed FROM bill WHERE {month} GROUP BY 1) USING (company_sk)
            LEFT JOIN (SELECT company_sk, sum(amount_ttc) paid FROM payment WHERE {month} AND retry_count = 0 GROUP BY 1) USING (company_sk)
            WHERE EXISTS (FROM bill b WHERE b.company_sk = company.company_sk) OR EXISTS (FROM payment b WHERE b.company_sk = company.company_sk)""")]
        catalogue = {r["test"]: r for r in csv.DictReader(open(PACKAGE / "mappings/quality_tests.csv", encoding="utf-8"))}
        out = []
        for test, scope, checked, breaches in sorted(sums):
            if not checked and test != "F3":
                continue
            about = catalogue[test]
            part = D(checked) - D(breaches) if about["alert_when"] == "below" else D(breaches)
            top, below = (part * 100, D(checked)) if checked else (D(100 if breaches else 0), D(1))
            limit = D(about["threshold"])
            alert = top < limit * below if about["alert_when"] == "below" else top > limit * below
            out.append({"test": test, "name": about["name"], "scope": scope, "checked": D(checked), "breaches": D(breaches), "value": half_up(top, below), "unit": about["unit"], "alert_when": about["alert_when"], "threshold": limit,
                        "severity": about["severity"], "status": "ALERT" if alert else "OK", "rule": about["rule"], "table": about["table"], "owner": about["owner"]})
        return out

    # --- rows that leave or are remarked upon: out/rejected.csv ------------------------------------------------------------------

    def rejected(self):
        """Numbers that come twice, a status nobody agreed on, a tax that does not fit, a rejection without a reason. Line 1 of a file is its header."""
        twice = lambda name, key: f"""SELECT '{name}' input, nth + 1 "row", {key} "key", 'reject' severity, '{key} is there already' reason FROM {self.raw(name)} QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY nth) > 1"""
        found = []
        for sql in (twice("f_new_sales", "sale_id"),
                    f"""SELECT 'f_billing' input, nth + 1 "row", billing_id "key", 'warn' severity, 'Net, tax rate and gross do not agree' reason FROM {self.raw('f_billing')}
                        WHERE abs(amount(amount_ttc) - amount(amount_ht) * (100 + CAST(tax_rate AS DECIMAL(4, 1))) / 100) > 0.05""",
                    twice("f_payment", "payment_id") + f""" UNION ALL SELECT 'f_payment', nth + 1, payment_id, 'reject', 'status is not one of SUCCES, REJET' FROM {self.raw('f_payment')} WHERE word(status) NOT IN ('SUCCES', 'REJET')
                        UNION ALL SELECT 'f_payment', nth + 1, payment_id, 'warn', 'A rejected payment has no reason' FROM {self.raw('f_payment')} WHERE word(status) = 'REJET' AND reject_reason_code IS NULL ORDER BY 2""",
                    twice("f_quality_control", "cq_id"), twice("prospects", "prospect_bk")):
            found += self.dicts(sql)
        return found

    # --- dimensions with history ---------------------------------------------------------------------------------------------------

    def history(self):
        return {
            "history_user": self.dicts("SELECT user_bk, user_sk, company, full_name, role, hiring_date, leaving_date FROM users JOIN company USING (company_sk) ORDER BY user_sk"),
            "history_agency": self.dicts("SELECT agency_bk, agency_sk, company, agency AS name, type, geo_sk FROM agency JOIN company USING (company_sk) ORDER BY agency_sk"),
            "history_product": self.dicts("SELECT product_bk, product_sk, family, subcategory, product offer_code, mrr_flag, unit_price_ht, currency FROM product ORDER BY product_sk"),
        }


def text(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, D):
        return format(value, "f")
    return str(value)


def write(path, rows, columns=None):
    columns = columns or list(rows[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(columns)
        out.writerows([text(r[c]) for c in columns] for r in rows)


KPI_COLUMNS = ["kpi", "name", "unit", "period_type", "period", "perimeter", "company", "family", "product", "channel", "agency", "seller", "numerator", "denominator", "value", "threshold", "status"]
ALERT_COLUMNS = ["kpi", "name", "period_type", "period", "perimeter", "company", "family", "product", "channel", "agency", "seller", "measured", "threshold", "message"]


SNAP = "contract_bk,date_id,company_sk,product_sk,user_sk,agency_sk,status_sk,pm_sk,is_active_flag,mrr_ht,arr_ht,age_days,start_date_id,end_date_id"
SALE = "sale_id,contract_bk,company_sk,product_sk,channel_sk,agency_sk,user_sk,date_id,prime_ttc,prime_ht,fees_management_ht,commission_initiale_ht,expected_mrr_ht,currency"
BILL = "billing_id,company_sk,product_sk,user_sk,contract_bk,date_id,invoice_number,type,amount_ht,amount_ttc,tax_rate,currency"
PAY = "payment_id,company_sk,contract_bk,pm_sk,date_id,processor_ref,amount_ttc,status,reject_reason_code,retry_count,settlement_date_id"
PSP = "processor,processor_ref,amount_ttc,settlement_date"
CHURN = "churn_id,company_sk,contract_bk,product_sk,user_sk,date_id,reason_sk,is_forced_flag,lifetime_days,last_mrr_ht"
QC = "cq_id,company_sk,contract_bk,qc_sk,user_sk,date_id,partner_source,notes"
PROJ = "comm_proj_id,company_sk,contract_bk,user_sk,date_id,year_n_commission_ht,recurring_commission_ht,grid_version,assumed_churn_prob"
PROSPECT = "prospect_bk,company_sk,channel_sk,agency_sk,user_sk,date_id"
CLIENT = "client_bk,company_sk,full_name,email,phone,date_id,duplicate_of"


def put(path, header, lines):
    """An input of a small case: lines as they are."""
    path = TESTS / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def in_folder(folder):
    """The inputs that a test's file names: every CSV of the folder that is called like an input."""
    known = {f.stem for f in (PACKAGE / "sample").glob("*.csv")}
    return {f.stem: f for f in (TESTS / folder).glob("*.csv") if f.stem in known}


def alerts():
    """FT has 10 active contracts at every month-end, AP 10 and then 9.

    Unpaid in September: FT 1 of 20 = exactly 5% (no alert), AP 1 of 19 = 5.26% (alert), group 2 of 39 = 5.13% (alert).
    Churn in September: FT 1 / ((10 + 10) / 2) = exactly 10% (no alert), AP 1 / ((10 + 9) / 2) = 10.53% (alert), group
    2 / 19.5 = 10.26% (alert). Quarter: FT 1 / 10 = 10%; AP 1 / (39 / 4) = 10.26%; group 2 / 19.75 = 10.13%. Year: FT 10%;
    AP 1 / (129 / 13) = 10.08%; group 2 / (259 / 13) = 10.04%.
    """
    ends = [dt.date(2025 + (9 + n) // 12, (9 + n) % 12 + 1, 1) - dt.timedelta(days=1) for n in range(13)]                 # 2025-09-30 to 2026-09-30
    ft, ap = [f"FT-{n:02d}" for n in range(1, 11)], [f"AP-{n:02d}" for n in range(1, 11)]
    lines = []
    for end in ends:
        for bk in ft + ap:
            gone = end == ends[-1] and bk.endswith("10")
            keys, price = ("1,1,1,1", 20) if bk.startswith("FT") else ("3,8,12,4", 30)
            state = "6,1,false,0,0" if gone else f"4,1,true,{price}.00,{price * 12}.00"
            lines.append(f"{bk},{end:%Y%m%d},{keys},{state},,20240101,{'20260915' if gone else ''}")
    lines.append("FT-11,20260930,1,1,1,1,4,1,true,20.00,240.00,25,20260905,")
    put("alerts/f_contract_snapshot.csv", SNAP, lines)
    put("alerts/f_new_sales.csv", SALE, [f"{n},{bk},{'1,1,5,1,1' if bk.startswith('FT') else '3,8,2,4,12'},{'20260905' if bk == 'FT-11' else '20240101'},,{'240.00' if bk.startswith('FT') else '360.00'},,,{'20.00' if bk.startswith('FT') else '30.00'},EUR"
                                           for n, bk in enumerate(ft + ["FT-11"] + ap, 1)])
    put("alerts/f_churn.csv", CHURN, ["1,1,FT-10,1,1,20260915,2,false,988,20.00", "2,3,AP-10,8,12,20260915,1,true,988,30.00"])
    put("alerts/f_quality_control.csv", QC, ["1,1,FT-11,3,1,20260828,Interne,", "2,1,FT-11,1,1,20260830,Interne,"])
    put("alerts/f_commission_projection.csv", PROJ, ["1,1,FT-11,1,20260905,43.20,0.00,G2026,0.12"])
    put("alerts/prospects.csv", PROSPECT, [f"L{n},1,5,1,1,2026090{n}" for n in range(1, 5)])
    put("alerts/clients.csv", CLIENT, ["K1,1,Léa Noël,lea@example.fr,0601020304,20240101,", "K2,1,LEA NOEL,,06 01 02 03 04,20260301,", "K3,1,Adam Rey,adam@example.fr,,20240101,", "K4,3,Adam Rey,adam@example.fr,,20240101,"])
    pays = [("1", bk, "24.00") for bk in ft * 2] + [("3", bk, "32.70") for bk in (ap * 2)[:19]]
    put("alerts/f_payment.csv", PAY, [f"{n},{company},{bk},1,20260907,SL{n:04d},{amount},{'REJET,AM04' if n in (20, 39) else 'SUCCES,'},0," for n, (company, bk, amount) in enumerate(pays, 1)])
    put("alerts/psp_settlements.csv", PSP, [f"Slimpay,SL{n:04d},{amount},2026-09-09" for n, (_, _, amount) in enumerate(pays, 1)])
    put("alerts/f_billing.csv", BILL, [f"{n},{company},{'1,1' if company == '1' else '8,12'},{bk},20260903,F{n:04d},FACTURE,{'20.00' if company == '1' else '30.00'},{amount},{'20' if company == '1' else '9'},EUR" for n, (company, bk, amount) in enumerate(pays, 1)])
    case = Case(inputs=in_folder("alerts"))
    _, found = case.kpis()
    write(TESTS / "alerts/expected_alerts.csv", found, ALERT_COLUMNS)
    write(TESTS / "alerts/expected_dashboard.csv", case.dashboard())
    write(TESTS / "alerts/expected_mrr_movements.csv", case.movements())
    # thresholds of the customer's own: AP may have 6% unpaid; FT's monthly churn is watched from 9.99%
    put("thresholds/thresholds.csv", "threshold_kpi,period_type,scope,alert_when,threshold,priority", ["3.1,*,*,above,5,9", "3.1,*,AP,above,6,1", "3.2,*,*,above,11,9", "3.2,MONTH,FT,above,9.99,1", "2.2,MONTH,FT,below,30,9"])
    _, found = Case(inputs=in_folder("alerts"), thresholds=TESTS / "thresholds/thresholds.csv").kpis()
    write(TESTS / "thresholds/expected_alerts.csv", found, ALERT_COLUMNS)
    # the same contract twice on one day: nothing is published
    put("kpis_blocked/f_contract_snapshot.csv", SNAP, lines + [lines[-1]])


def quality():
    """Small cases of the tests of annex A 8 and annex F 3, around one contract of 100.00."""
    base = ["FT-01,20260831,1,1,1,1,4,1,true,20.00,240.00,,20240101,", "FT-02,20260831,1,1,1,1,4,1,true,20.00,240.00,,20240101,",
            "FT-01,20260930,1,1,1,1,4,1,true,20.00,240.00,,20240101,", "FT-02,20260930,1,1,1,1,4,1,true,20.00,240.00,,20240101,"]
    gone = "FT-02,20260831,1,1,1,1,6,1,false,0,0,,20240101,20260815"
    put("quality/f_contract_snapshot.csv", SNAP, base)
    put("quality/f_new_sales.csv", SALE, ["1,FT-01,1,1,5,1,1,20240101,,240.00,,,20.00,EUR", "2,FT-02,1,1,5,1,1,20240101,,240.00,,,20.00,EUR"])
    put("quality/f_billing.csv", BILL, ["1,1,1,1,FT-01,20260903,F1,FACTURE,83.33,100.00,20,EUR"])
    put("quality/f_payment.csv", PAY, ["1,1,FT-01,1,20260907,SL1,100.00,SUCCES,,0,"])
    put("quality/psp_settlements.csv", PSP, ["Slimpay,SL1,100.00,2026-09-09"])
    put("unique_contract/f_contract_snapshot.csv", SNAP, base + [base[-1]])
    put("active_after_resiliation/f_contract_snapshot.csv", SNAP, [base[0], gone, base[2], base[3]])
    put("currency_missing/f_billing.csv", BILL, ["1,1,1,1,FT-01,20260903,F1,FACTURE,83.33,100.00,20,"])
    # matching: 200 payments of 50.00 against one bill of 10,000.00
    big = ["1,1,1,1,FT-01,20260903,F1,FACTURE,8333.33,10000.00,20,EUR"]
    pays = [f"{n},1,FT-01,1,20260907,SL{n:04d},50.00,SUCCES,,0," for n in range(1, 201)]
    psp = [f"Slimpay,SL{n:04d},50.00,2026-09-09" for n in range(1, 201)]
    put("psp_at_limit/f_billing.csv", BILL, big)
    put("psp_at_limit/f_payment.csv", PAY, pays)
    put("psp_at_limit/psp_settlements.csv", PSP, psp[:-1])                                     # 199 of 200 = 99.50%
    put("psp_below/psp_settlements.csv", PSP, psp[:-2] + [psp[-2].replace("50.00", "49.99")])  # 198 of 200 = 99.00%; the rest as at the limit
    # gap: FT 100.00 of 10,000.00 = 1.00%; AP 100.01 of 10,000.00 = 1.0001%
    put("gap/f_billing.csv", BILL, ["1,1,1,1,FT-01,20260903,F1,FACTURE,8500.00,10200.00,20,EUR", "2,1,1,1,FT-01,20260904,A1,AVOIR,166.67,200.00,20,EUR", "3,3,8,12,AP-01,20260903,F2,FACTURE,9174.31,10000.00,9,EUR"])
    put("gap/f_payment.csv", PAY, ["1,1,FT-01,1,20260907,SL1,9900.00,REJET,AM04,0,", "2,1,FT-01,1,20260917,SL2,9900.00,SUCCES,,1,", "3,3,AP-01,1,20260907,SL3,9899.99,SUCCES,,0,"])
    put("gap/psp_settlements.csv", PSP, ["Slimpay,SL1,9900.00,2026-09-09", "Slimpay,SL2,9900.00,2026-09-19", "Slimpay,SL3,9899.99,2026-09-09"])
    # everything at once, as a report (severity = warn)
    put("quality_report/f_contract_snapshot.csv", SNAP, [base[0], gone, base[2], base[3], base[3], "FT-03,20260930,1,1,1,1,5,1,true,20.00,241.00,,20240101,"])
    put("quality_report/f_billing.csv", BILL, ["1,1,1,1,FT-01,20260903,F1,FACTURE,83.33,100.00,20,", "2,1,1,1,FT-01,20260903,F2,FACTURE,83.33,100.00,20,USD"])
    put("quality_report/f_payment.csv", PAY, ["1,1,FT-01,1,20260907,SL1,100.00,SUCCES,,0,", "2,1,FT-01,1,20260907,SL2,97.00,SUCCES,,0,"])
    put("quality_report/psp_settlements.csv", PSP, ["Slimpay,SL1,100.00,2026-09-09"])
    put("quality_report/expected_breaches.csv", "test,item,detail", [                          # by hand
        "A8.2,FT-02 on 2026-09-30,resiliated on 2026-08-31", "A8.1,FT-02 on 2026-09-30,photo 2 of the day", "A8.2,FT-02 on 2026-09-30,resiliated on 2026-08-31",
        'S1,FT-03 on 2026-09-30,"status SUSPENDU, flag TRUE"', 'S2,FT-03 on 2026-09-30,"mrr 20.00, arr 241.00"',
        "A8.3,f_billing F1,no currency", "A8.3b,f_billing F2,currency USD", "A8.4,SLIMPAY SL2,unknown to the processor"])
    for folder in ("psp_at_limit", "gap", "quality_report"):
        write(TESTS / folder / "expected_quality.csv", Case(inputs=in_folder("quality") | in_folder(folder)).quality())


def forecast():
    """One active contract of 100.00 with a churn probability of 12% a year; one in quality control, 50.00 at 70% from 15 November.

    Month 1: 100 - 1 = 99.00. Month 2: 98 + 35 = 133.00. Month 3: 97 + 35 = 132.00; billing to then 364.00, with tax (120 / 100) 436.80,
    cash (120 of 240 collected) 218.40. Month 12: 88 + 35 = 123.00.
    """
    put("forecast/f_contract_snapshot.csv", SNAP, ["FT-01,20260930,1,1,1,1,4,1,true,100.00,1200.00,,20240101,", "FT-02,20260930,1,1,1,1,2,1,false,0,0,,20261115,", "FT-03,20260930,1,1,1,1,6,1,false,0,0,,20240101,20260902"])
    put("forecast/f_new_sales.csv", SALE, ["1,FT-01,1,1,5,1,1,20240101,,1200.00,,,100.00,EUR", "2,FT-02,1,1,5,1,1,20261115,,600.00,,,50.00,EUR"])
    put("forecast/f_commission_projection.csv", PROJ, ["1,1,FT-01,1,20240101,216.00,0.00,G2024,0.50", "2,1,FT-01,1,20260101,0.00,48.00,G2026,0.12", "3,1,FT-01,1,20270101,0.00,48.00,G2026,0.90"])
    put("forecast/f_billing.csv", BILL, ["1,1,1,1,FT-01,20260903,F1,FACTURE,100.00,120.00,20,EUR"])
    put("forecast/f_payment.csv", PAY, ["1,1,FT-01,1,20260807,SL1,120.00,SUCCES,,0,", "2,1,FT-01,1,20260907,SL2,120.00,REJET,AM04,0,"])
    write(TESTS / "forecast/expected_forecast.csv", Case(inputs=in_folder("forecast")).forecast())


def sample():
    case, to = Case(), TESTS / "sample"
    kpis, alerts = case.kpis()
    write(to / "kpis.csv", kpis, KPI_COLUMNS)
    write(to / "alerts.csv", alerts, ALERT_COLUMNS)
    write(to / "dashboard.csv", case.dashboard())
    write(to / "forecast.csv", case.forecast())
    write(to / "ranking.csv", case.ranking())
    write(to / "mrr.csv", case.mrr())
    write(to / "mrr_movements.csv", case.movements())
    write(to / "unpaid.csv", case.unpaid())
    write(to / "quality_rejections.csv", case.rejections())
    write(to / "resiliations.csv", case.resiliations())
    write(to / "quality.csv", case.quality())
    write(to / "source_totals.csv", case.source_totals())
    write(to / "rejected.csv", case.rejected())
    odd = case.rows("SELECT contract_bk || ' on ' || day, mrr_ht, arr_ht FROM snap WHERE abs(arr_ht - 12 * mrr_ht) >= 0.01")      # the only breach of the sample
    write(to / "quality_breaches.csv", [{"test": "S2", "item": item, "detail": f"mrr {m:.2f}, arr {a:.2f}"} for item, m, a in odd])
    for name, rows in case.history().items():
        write(TESTS / "dimensions" / f"{name}.csv", rows)


if __name__ == "__main__":
    alerts()
    quality()
    forecast()
    sample()
