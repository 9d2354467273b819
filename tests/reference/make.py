"""Makes the reference cases beside this file: small data, workflows, and what another engine says they give.

    pip install duckdb reportlab && python make.py

The data comes from a fixed seed; the expected tables come from DuckDB (or, where SQL cannot say it, from the few lines
of Python beside the case, in exact decimals). Nothing here is computed by Weir.
"""

import csv
import datetime as dt
import json
import pathlib
import random
from decimal import ROUND_HALF_UP, Decimal

import duckdb

HERE = pathlib.Path(__file__).parent
DATA = HERE / "data"
random.seed(20261121)


def write(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(["" if v is None else v for v in row] for row in rows)


def make_data():
    regions, products = ["North", "South", "East", "West"], [f"P{i:02}" for i in range(1, 21)]
    customers = [f"C{i:03}" for i in range(1, 61)]
    day = lambda n: dt.date(2026, 1, 1) + dt.timedelta(days=n)
    sales = []
    for i in range(1, 801):
        discount = None if random.random() < 0.3 else Decimal(random.randrange(0, 31)) / 100
        sales.append([i, day(random.randrange(0, 270)), random.choice(customers), random.choice(products),
                      random.randrange(1, 40), Decimal(random.randrange(100, 99999)) / 100, discount, random.choice(regions)])
    write(DATA / "sales.csv", ["id", "day", "customer", "product", "quantity", "price", "discount", "region"], sales)
    write(DATA / "customers.csv", ["customer", "name", "segment", "since"],
          [[c, f"Customer {c[1:]}", random.choice(["Key", "Mid", "Small", None]), day(-random.randrange(1, 2000))] for c in customers[:55] + ["C900", "C901"]])
    write(DATA / "products.csv", ["product", "family", "cost", "unit"],
          [[p, random.choice(["Flour", "Sugar", "Oil"]), Decimal(random.randrange(50, 9000)) / 100, random.choice(["kg", "g", "lb"])] for p in products])
    rates = []
    for n in range(0, 270, 3):
        for code, base in [("USD", 1.1), ("GBP", 0.85), ("JPY", 160.0)]:
            rates.append([code, day(n), Decimal(str(round(base * (1 + random.uniform(-0.05, 0.05)), 4)))])
    random.shuffle(rates)
    write(DATA / "rates.csv", ["currency", "day", "rate"], rates)
    write(DATA / "invoices.csv", ["invoice", "day", "currency", "amount"],
          [[f"I{i:03}", day(random.randrange(1, 269)), random.choice(["EUR", "USD", "GBP", "JPY"]), Decimal(random.randrange(100, 999999)) / 100] for i in range(1, 151)])
    write(DATA / "accounts.csv", ["account", "parent", "amount"],
          [[a, p, m] for a, p, m in [("A", None, 0), ("B", "A", "10.50"), ("C", "A", "20.25"), ("D", "B", "5.00"), ("E", "B", "-2.25"), ("F", "C", "0.01"), ("G", None, "7.00"), ("H", "F", "100.00")]])
    write(DATA / "shares.csv", ["pool", "cost", "site", "heads"],
          [[pool, cost, f"S{i}", random.randrange(0, 30)] for pool, cost in [("IT", "1000.00"), ("Rent", "99.99"), ("HR", "-0.07"), ("Fleet", "12345.67")] for i in range(1, 8)])
    write(DATA / "bands.csv", ["from", "to", "grade"], [[None, 10, "tiny"], [10, 100, "small"], [100, 500, "medium"], [500, None, "large"]])
    old = [[f"K{i:02}", f"Name {i}", Decimal(random.randrange(0, 9999)) / 100] for i in range(1, 41)]
    new = [[k, (n + " bis") if random.random() < 0.1 else n, (a + 1) if random.random() < 0.2 else a] for k, n, a in old if random.random() < 0.9]
    new += [[f"K{i:02}", f"Name {i}", Decimal(1)] for i in range(60, 64)]
    write(DATA / "old.csv", ["key", "name", "amount"], old)
    write(DATA / "new.csv", ["key", "name", "amount"], new)
    write(DATA / "tags.csv", ["id", "tags"], [[i, ";".join(random.sample(["red", "blue", "new", "old", "hot"], random.randrange(1, 4)))] for i in range(1, 31)])
    write(DATA / "months.csv", ["site", "jan", "feb", "mar"], [[f"S{i}", random.randrange(100), None if i % 3 == 0 else random.randrange(100), random.randrange(100)] for i in range(1, 10)])
    write(DATA / "readings.csv", ["meter", "day", "value"],
          [[m, day(n), Decimal(random.randrange(0, 1000)) / 10] for m in ["M1", "M2", "M3"] for n in sorted(random.sample(range(0, 40), 25))])
    entries = []
    for i in range(1, 61):
        amount = Decimal(random.randrange(100, 99999)) / 100
        off = Decimal("0.01") if i % 17 == 0 else 0
        entries += [[f"E{i:02}", "411", amount + off, 0], [f"E{i:02}", "707", 0, amount]]
    write(DATA / "entries.csv", ["entry", "account", "debit", "credit"], entries)


TYPES = {
    "sales": [("discount", "decimal(2)")],
    "bands": [("from", "integer"), ("to", "integer")],
    "accounts": [("amount", "decimal(2)")],
    "months": [("feb", "integer")],
}


def source(name):
    params = {"path": f"data/{name}.csv"}
    if name in TYPES:
        params["columns"] = [{"name": n, "type": t} for n, t in TYPES[name]]
    return {"kind": "input.csv", "params": params}


def step(kind, **params):
    return {"kind": kind, "params": {("as" if k == "as_" else "from" if k == "from_" else k): v for k, v in params.items()}}


def case(name, nodes, edges, sql=None, rows=None):
    """Writes a case: `nodes` without inputs and output; `edges` as text pairs; what it gives by SQL or as rows."""
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    used = {part.split(".")[0] for pair in edges for part in pair}
    nodes = {**{t: source(t) for t in sorted(used) if t not in nodes and t != "out"}, **nodes, "out": step("load.csv", path="out.csv")}
    document = {"weir": 1, "name": name, "nodes": nodes, "edges": [{"from": a, "to": b} for a, b in edges]}
    (folder / "workflow.json").write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if sql:
        result = DB.execute(sql)
        rows = ([d[0] for d in result.description], result.fetchall())
    header, body = rows
    shown = lambda v: "true" if v is True else "false" if v is False else v
    write(folder / "expected.csv", header, [[shown(v) for v in row] for row in body])


def load_database():
    global DB
    DB = duckdb.connect()
    for path in sorted(DATA.glob("*.csv")):
        DB.execute(f"CREATE TABLE {path.stem} AS SELECT *, row_number() OVER () AS rn FROM read_csv('{path}', header=true, all_varchar=true, nullstr='', parallel=false)")
    casts = {
        "sales": "id::BIGINT id, day::DATE \"day\", customer, product, quantity::BIGINT quantity, price::DECIMAL(28,2) price, discount::DECIMAL(28,2) discount, region",
        "customers": "customer, name, segment, since::DATE since",
        "products": "product, family, cost::DECIMAL(28,2) \"cost\", unit",
        "rates": "currency, day::DATE \"day\", rate::DECIMAL(28,4) rate",
        "invoices": "invoice, day::DATE \"day\", currency, amount::DECIMAL(28,2) amount",
        "accounts": "account, parent, amount::DECIMAL(28,2) amount",
        "shares": "pool, cost::DECIMAL(28,2) \"cost\", site, heads::BIGINT heads",
        "bands": "\"from\"::BIGINT lo, \"to\"::BIGINT hi, grade",
        "old": "key, name, amount::DECIMAL(28,2) amount", "new": "key, name, amount::DECIMAL(28,2) amount",
        "tags": "id::BIGINT id, tags", "months": "site, jan::BIGINT jan, feb::BIGINT feb, mar::BIGINT mar",
        "readings": "meter, day::DATE \"day\", value::DECIMAL(28,1) \"value\"",
        "entries": "entry, account, debit::DECIMAL(28,2) debit, credit::DECIMAL(28,2) credit",
    }
    for table, columns in casts.items():
        DB.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT {columns}, rn FROM {table}")


def sort(*keys):
    return step("sort", by=[{"column": k.lstrip("-"), **({"descending": True} if k.startswith("-") else {})} for k in keys])


def chain(*names):
    return list(zip(names, names[1:]))


def make_cases():
    net = "ROUND([quantity] * [price] * (1 - IFBLANK([discount], 0)), 2)"
    sql_net = "round(quantity * price * (1 - coalesce(discount, 0.00::DECIMAL(28,2))), 2)"
    add_net = step("formula", columns=[{"name": "net", "formula": net}])

    case("net-by-region", {"net": add_net, "sum": step("aggregate", by=["region"], measures=[
            {"as": "net", "function": "sum", "column": "net"}, {"as": "sales", "function": "count_rows"},
            {"as": "customers", "function": "count_distinct", "column": "customer"}, {"as": "best", "function": "max", "column": "net"}])},
         chain("sales", "net", "sum", "out"),
         f"SELECT region, sum({sql_net}) net, count(*) sales, count(DISTINCT customer) customers, max({sql_net}) best FROM sales GROUP BY region ORDER BY region")

    case("top-three-per-region", {"net": add_net, "rank": step("rank", by=[{"column": "net", "descending": True}], per=["region"], ties="arrival", top=3),
         "sort": sort("region", "rank"), "pick": step("select", columns=[{"column": c} for c in ["region", "rank", "id", "net"]])},
         chain("sales", "net", "rank", "sort", "pick", "out"),
         f"SELECT * FROM (SELECT region, row_number() OVER (PARTITION BY region ORDER BY {sql_net} DESC, rn) AS rank, id, {sql_net} net FROM sales) WHERE rank <= 3 ORDER BY region, rank")

    case("running-total-by-customer", {"sort": sort("day", "id"), "run": step("running", per=["customer"], figures=[{"as": "so_far", "column": "quantity"}, {"as": "nth", "function": "count", "column": "id"}]),
         "pick": step("select", columns=[{"column": c} for c in ["customer", "day", "id", "so_far", "nth"]])},
         chain("sales", "sort", "run", "pick", "out"),
         "SELECT customer, day, id, sum(quantity) OVER w so_far, count(id) OVER w nth FROM sales WINDOW w AS (PARTITION BY customer ORDER BY day, id ROWS UNBOUNDED PRECEDING) ORDER BY day, id")

    case("moving-average", {"sort": sort("meter", "day"), "move": step("moving", per=["meter"], figures=[{"as": "average", "function": "average", "column": "value"}, {"as": "most", "function": "max", "column": "value"}], rows=3),
         "round": step("formula", columns=[{"name": "average", "formula": "ROUND([average], 4)"}])},
         chain("readings", "sort", "move", "round", "out"),
         "SELECT meter, day, value, round((sum(value) OVER w)::DECIMAL(28,12) / count(value) OVER w, 4)::DECIMAL(28,4) average, max(value) OVER w most FROM readings WINDOW w AS (PARTITION BY meter ORDER BY day ROWS 2 PRECEDING) ORDER BY meter, day")

    case("join-and-left-overs", {"join": step("join", how="left", on=[{"left": "customer", "right": "customer"}]), "sum": step("aggregate", by=["segment"], measures=[{"as": "rows", "function": "count_rows"}, {"as": "named", "function": "count", "column": "name"}])},
         [("sales", "join.left"), ("customers", "join.right"), ("join", "sum"), ("sum", "out")],
         "SELECT c.segment, count(*) AS rows, count(c.name) named FROM sales s LEFT JOIN customers c USING (customer) GROUP BY c.segment ORDER BY c.segment NULLS LAST")

    case("customers-who-never-bought", {"join": step("join", how="anti", on=[{"left": "customer", "right": "customer"}]), "sort": sort("customer")},
         [("customers", "join.left"), ("sales", "join.right"), ("join", "sort"), ("sort", "out")],
         "SELECT customer, name, segment, since FROM customers WHERE customer NOT IN (SELECT customer FROM sales) ORDER BY customer")

    case("customers-who-bought", {"join": step("join", how="semi", on=[{"left": "customer", "right": "customer"}]), "count": step("aggregate", by=["segment"], measures=[{"as": "n", "function": "count_rows"}])},
         [("customers", "join.left"), ("sales", "join.right"), ("join", "count"), ("count", "out")],
         "SELECT segment, count(*) n FROM customers WHERE customer IN (SELECT customer FROM sales) GROUP BY segment ORDER BY segment NULLS LAST")

    case("full-join-of-states", {"join": step("join", how="full", on=[{"left": "key", "right": "key"}], collisions="_new"), "sort": sort("key")},
         [("old", "join.left"), ("new", "join.right"), ("join", "sort"), ("sort", "out")],
         "SELECT coalesce(o.key, n.key) AS key, o.name, o.amount, n.name AS name_new, n.amount AS amount_new FROM old o FULL JOIN new n ON o.key = n.key ORDER BY 1")

    case("compare-two-states", {"cmp": step("compare", on=["key"]), "sort": sort("key", "column")},
         [("old", "cmp.old"), ("new", "cmp.new"), ("cmp", "sort"), ("sort", "out")],
         """SELECT * FROM (
              SELECT coalesce(o.key, n.key) AS key, CASE WHEN o.key IS NULL THEN 'added' WHEN n.key IS NULL THEN 'removed' ELSE 'changed' END AS change,
                     c.column, CASE c.column WHEN 'name' THEN o.name ELSE o.amount::VARCHAR END AS before, CASE c.column WHEN 'name' THEN n.name ELSE n.amount::VARCHAR END AS after
              FROM old o FULL JOIN new n ON o.key = n.key CROSS JOIN (VALUES ('name'), ('amount')) c("column"))
            WHERE before IS DISTINCT FROM after ORDER BY key, "column" """)

    case("rate-of-the-day", {"asof": step("as_of", at={"column": "day", "in": "day"}, on=[{"column": "currency", "in": "currency"}], take=[{"column": "rate"}, {"column": "day", "as": "rate_day"}], missing="keep")},
         [("invoices", "asof"), ("rates", "asof.table"), ("asof", "out")],
         "SELECT i.invoice, i.day, i.currency, i.amount, r.rate, r.day AS rate_day FROM invoices i ASOF LEFT JOIN rates r ON i.currency = r.currency AND i.day >= r.day ORDER BY i.rn")

    case("invoices-in-euros", {"convert": step("currency", amount="amount", **{"from_": "currency"}, to={"is": "fixed", "currency": "EUR"}, date="day", rates={"currency": "currency", "date": "day", "rate": "rate"}, as_="eur")},
         [("invoices", "convert"), ("rates", "convert.rates"), ("convert", "out")], rows=euros())

    case("quantity-grades", {"range": step("range", value="quantity", **{"from_": "from"}, to="to", includes_end=False, take=[{"column": "grade"}]), "sum": step("aggregate", by=["grade"], measures=[{"as": "n", "function": "count_rows"}, {"as": "q", "function": "sum", "column": "quantity"}])},
         [("sales", "range"), ("bands", "range.table"), ("range", "sum"), ("sum", "out")],
         "SELECT grade, count(*) n, sum(quantity) q FROM sales JOIN bands ON (lo IS NULL OR quantity >= lo) AND (hi IS NULL OR quantity < hi) GROUP BY grade ORDER BY grade")

    case("pivot-regions", {"pivot": step("pivot", by=["product"], column="region", values=["North", "South", "East", "West"], figure="quantity")},
         chain("sales", "pivot", "out"),
         "SELECT product, " + ", ".join(f"sum(quantity) FILTER (WHERE region = '{r}') AS \"{r}\"" for r in ["North", "South", "East", "West"]) + " FROM sales GROUP BY product ORDER BY product")

    case("unpivot-months", {"turn": step("unpivot", keep=["site"], name_as="month", value_as="n", skip_empty=True)},
         chain("months", "turn", "out"),
         "SELECT site, month, n FROM (SELECT rn, site, unnest(['jan','feb','mar']) AS month, unnest([jan, feb, mar]) AS n, unnest([1,2,3]) AS i FROM months) WHERE n IS NOT NULL ORDER BY rn, i")

    case("split-tags", {"split": step("split", column="tags", separator=";"), "count": step("aggregate", by=["tags"], measures=[{"as": "n", "function": "count_rows"}, {"as": "ids", "function": "concatenate", "column": "id", "separator": " "}])},
         chain("tags", "split", "count", "out"),
         "SELECT tag AS tags, count(*) n, string_agg(id::VARCHAR, ' ' ORDER BY rn) ids FROM (SELECT rn, id, unnest(string_split(tags, ';')) tag FROM tags) GROUP BY tag ORDER BY tag")

    case("abc-products", {"net": add_net, "sum": step("aggregate", by=["product"], measures=[{"as": "net", "function": "sum", "column": "net"}]),
         "abc": step("share", column="net", cumulative="cumulative", **{"class": "class"}), "pick": step("formula", columns=[{"name": "share", "formula": "ROUND([share], 6)"}, {"name": "cumulative", "formula": "ROUND([cumulative], 6)"}])},
         chain("sales", "net", "sum", "abc", "pick", "out"), rows=abc())

    case("shares-of-costs", {"split": step("allocate", amount="cost", weight="heads", per=["pool"], as_="part")},
         chain("shares", "split", "out"), rows=allocation())

    case("duplicates-of-a-day", {"best": step("unique", by=["customer", "region"], prefer=[{"column": "day", "descending": True}, {"column": "id"}]), "sort": sort("customer", "region"), "pick": step("select", columns=[{"column": c} for c in ["customer", "region", "day", "id"]])},
         chain("sales", "best", "sort", "pick", "out"),
         "SELECT customer, region, day, id FROM (SELECT *, row_number() OVER (PARTITION BY customer, region ORDER BY day DESC, id) k FROM sales) WHERE k = 1 ORDER BY customer, region")

    case("percentiles", {"sum": step("aggregate", by=["region"], measures=[
            {"as": "median", "function": "median", "column": "price"}, {"as": "p90", "function": "percentile", "column": "price", "percent": "90"},
            {"as": "average", "function": "weighted_average", "column": "price", "weight": "quantity"}]),
         "round": step("formula", columns=[{"name": c, "formula": f"ROUND([{c}], 4)"} for c in ["median", "p90", "average"]])},
         chain("sales", "sum", "round", "out"), rows=percentiles())

    case("subtotals", {"sum": step("aggregate", by=["region", "product"], measures=[{"as": "q", "function": "sum", "column": "quantity"}], totals="subtotals")},
         chain("sales", "sum", "out"),
         "SELECT region, product, sum(quantity) q, 2 - grouping(region) - grouping(product) AS level FROM sales GROUP BY ROLLUP (region, product) ORDER BY grouping(region), region, grouping(product), product")

    case("month-over-month", {"parts": step("date_parts", column="day", parts=["year_month"]), "sum": step("aggregate", by=["day_year_month"], measures=[{"as": "q", "function": "sum", "column": "quantity"}]),
         "diff": step("difference", column="q", as_="change")},
         chain("sales", "parts", "sum", "diff", "out"),
         "SELECT m AS day_year_month, q, q - lag(q) OVER (ORDER BY m) AS change FROM (SELECT strftime(day, '%Y-%m') m, sum(quantity) q FROM sales GROUP BY 1) ORDER BY 1")

    case("fiscal-quarters", {"fiscal": step("fiscal", column="day", first_month=4), "sum": step("aggregate", by=["fiscal_year", "fiscal_quarter", "fiscal_period"], measures=[{"as": "n", "function": "count_rows"}])},
         chain("sales", "fiscal", "sum", "out"),
         "SELECT year(day + INTERVAL 9 MONTH) fiscal_year, (month(day - INTERVAL 3 MONTH) + 2) // 3 AS fiscal_quarter, month(day - INTERVAL 3 MONTH) AS fiscal_period, count(*) n FROM (SELECT date_trunc('month', day) AS day FROM sales) GROUP BY ALL ORDER BY ALL")

    case("missing-days", {"gaps": step("gaps", column="day", per=["meter"], step="day"), "fill": step("fill", columns=["value"], how="down", per=["meter"])},
         chain("readings", "gaps", "fill", "out"),
         """SELECT g.meter, g.day, last_value(r.value IGNORE NULLS) OVER (PARTITION BY g.meter ORDER BY g.day) AS value
            FROM (SELECT meter, unnest(generate_series(min(day), max(day), INTERVAL 1 DAY))::DATE AS day FROM readings GROUP BY meter) g
            LEFT JOIN readings r USING (meter, day) ORDER BY g.meter, g.day""")

    case("consolidated-accounts", {"tree": step("hierarchy", member="account", parent="parent", levels=3, figure="amount"), "pick": step("select", columns=[{"column": c} for c in ["account", "path", "rolled_up"]])},
         chain("accounts", "tree", "pick", "out"),
         """WITH RECURSIVE t AS (SELECT account AS top, account, amount FROM accounts UNION ALL SELECT t.top, a.account, a.amount FROM t JOIN accounts a ON a.parent = t.account),
              p AS (SELECT account, account AS path FROM accounts WHERE parent IS NULL UNION ALL SELECT a.account, p.path || ' / ' || a.account FROM accounts a JOIN p ON a.parent = p.account)
            SELECT a.account, p.path, sum(t.amount) AS rolled_up FROM accounts a JOIN p USING (account) JOIN t ON t.top = a.account GROUP BY a.rn, a.account, p.path ORDER BY a.rn""")

    case("decision-table", {"rules": step("rules", to=["band", "bonus"], otherwise=["\"none\"", "0.00"], rules=[
            {"when": "[quantity] >= 30", "gives": ["\"bulk\"", "ROUND([price] * 0.1, 2)"]},
            {"when": "AND([region] = \"North\", [discount] > 0.2)", "gives": ["\"north\"", "1.50"]}]),
         "sum": step("aggregate", by=["band"], measures=[{"as": "n", "function": "count_rows"}, {"as": "bonus", "function": "sum", "column": "bonus"}])},
         chain("sales", "rules", "sum", "out"),
         """SELECT band, count(*) n, sum(bonus) bonus FROM (SELECT CASE WHEN quantity >= 30 THEN 'bulk' WHEN region = 'North' AND discount > 0.2 THEN 'north' ELSE 'none' END band,
              CASE WHEN quantity >= 30 THEN round(price * 0.1, 2)::DECIMAL(28,2) WHEN region = 'North' AND discount > 0.2 THEN 1.50 ELSE 0.00 END bonus FROM sales) GROUP BY band ORDER BY band""")

    case("unbalanced-entries", {"balance": step("control.balance", debit="debit", credit="credit", by=["entry"], severity="warn"), "pick": step("select", columns=[{"column": c} for c in ["entry", "debit", "credit", "difference"]])},
         [("entries", "balance"), ("balance.exceptions", "pick"), ("pick", "out")],
         "SELECT entry, sum(debit) debit, sum(credit) credit, sum(debit) - sum(credit) difference FROM entries GROUP BY entry HAVING sum(debit) <> sum(credit) ORDER BY entry")

    case("masses-in-kilograms", {"join": step("lookup", on=[{"column": "product", "in": "product"}], take=[{"column": "unit"}]), "units": step("units", column="quantity", unit="unit", to="kg", as_="kg", places=6),
         "sum": step("aggregate", by=["unit"], measures=[{"as": "kg", "function": "sum", "column": "kg"}])},
         [("sales", "join"), ("products", "join.table"), ("join", "units"), ("units", "sum"), ("sum", "out")],
         "SELECT unit, sum(round(CASE unit WHEN 'kg' THEN quantity::DECIMAL(28,9) WHEN 'g' THEN quantity * 0.001::DECIMAL(28,9) ELSE quantity * 0.45359237::DECIMAL(28,9) END, 6))::DECIMAL(28,6) kg FROM sales JOIN products USING (product) GROUP BY unit ORDER BY unit")

    case("query-in-sql", {"sql": step("sql", query="SELECT p.family, SUM(s.quantity) AS q, COUNT(*) AS n FROM t1 s JOIN t2 p ON s.product = p.product GROUP BY p.family ORDER BY q DESC")},
         [("sales", "sql"), ("products", "sql"), ("sql", "out")],
         "SELECT p.family, sum(s.quantity) q, count(*) n FROM sales s JOIN products p USING (product) GROUP BY p.family ORDER BY q DESC")

    case("every-site-every-month", {"check": step("control.completeness", columns=["customer", "region"], severity="warn"), "sum": step("aggregate", by=["region"], measures=[{"as": "missing", "function": "count_rows"}])},
         [("sales", "check"), ("check.exceptions", "sum"), ("sum", "out")],
         "SELECT region, count(*) missing FROM (SELECT c.customer, r.region FROM (SELECT DISTINCT customer FROM sales) c CROSS JOIN (SELECT DISTINCT region FROM sales) r EXCEPT SELECT customer, region FROM sales) GROUP BY region ORDER BY region")

    case("far-prices", {"far": step("control.outliers", column="value", per=["meter"], times="0.2"), "pick": step("select", columns=[{"column": c} for c in ["meter", "day", "value"]])},
         [("readings", "far"), ("far.exceptions", "pick"), ("pick", "out")],
         "SELECT meter, day, value FROM (SELECT *, quantile_cont(value::DOUBLE, 0.25) OVER (PARTITION BY meter) a, quantile_cont(value::DOUBLE, 0.75) OVER (PARTITION BY meter) b FROM readings) WHERE value < a - 0.2 * (b - a) OR value > b + 0.2 * (b - a) ORDER BY rn")


def q(value, places):
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def euros():
    rates = DB.execute("SELECT currency, day, rate FROM rates").fetchall()
    rows = []
    for invoice, day, currency, amount in DB.execute("SELECT invoice, day, currency, amount FROM invoices ORDER BY rn").fetchall():
        rate = Decimal(1) if currency == "EUR" else max((d, r) for c, d, r in rates if c == currency and d <= day)[1]
        rows.append([invoice, day, currency, amount, q(amount / rate, 2)])
    return ["invoice", "day", "currency", "amount", "eur"], rows


def abc():
    sums = DB.execute("SELECT product, sum(round(quantity * price * (1 - coalesce(discount, 0.00::DECIMAL(28,2))), 2)) FROM sales GROUP BY product ORDER BY product").fetchall()
    sums = [(p, Decimal(n)) for p, n in sums]
    total, so_far, found = sum(n for _, n in sums), Decimal(0), {}
    for product, n in sorted(sums, key=lambda row: -row[1]):
        so_far += n
        part = so_far / total
        found[product] = (part, "A" if part <= Decimal("0.8") else "B" if part <= Decimal("0.95") else "C")
    return ["product", "net", "share", "cumulative", "class"], [[p, n, q(n / total, 6), q(found[p][0], 6), found[p][1]] for p, n in sums]


def allocation():
    rows = DB.execute("SELECT pool, cost, site, heads FROM shares ORDER BY rn").fetchall()
    result = {}
    for pool in {row[0] for row in rows}:
        members = [(i, row) for i, row in enumerate(rows) if row[0] == pool]
        cents, total = int(members[0][1][1] * 100), sum(row[3] for _, row in members)
        parts = {i: divmod(cents * row[3], total) for i, row in members}
        left = cents - sum(whole for whole, _ in parts.values())
        for i in sorted(parts, key=lambda i: (-parts[i][1], i)):
            result[i] = Decimal(parts[i][0] + (1 if left > 0 else 0)) / 100
            left -= 1
    return ["pool", "cost", "site", "heads", "part"], [[*row, result[i]] for i, row in enumerate(rows)]


def percentiles():
    rows = DB.execute("SELECT region, price, quantity FROM sales").fetchall()
    result = []
    for region in sorted({row[0] for row in rows}):
        prices = sorted(row[1] for row in rows if row[0] == region)
        def at(part):
            place = part * (len(prices) - 1)
            low = int(place)
            high = min(low + 1, len(prices) - 1)
            return prices[low] + (prices[high] - prices[low]) * (place - low)
        weight = sum(row[2] for row in rows if row[0] == region)
        average = sum(row[1] * row[2] for row in rows if row[0] == region) / Decimal(weight)
        result.append([region, q(at(Decimal("0.5")), 4), q(at(Decimal("0.9")), 4), q(average, 4)])
    return ["region", "median", "p90", "average"], result


def statement():
    """A bank statement of three pages as another program draws it; its totals must reconcile with its lines."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle
    draw = random.Random(7)
    french = lambda v: "" if v is None else f"{v:,.2f}".replace(",", " ").replace(".", ",")
    lines, balance = [], Decimal("10000.00")
    for i in range(90):
        amount = Decimal(draw.randrange(100, 250000)) / 100
        out = i % 3 != 0
        balance += -amount if out else amount
        text = f"Prélèvement n° {i} – {draw.choice(['Lyon', 'Villeneuve-sur-Lot', 'Nîmes'])}" if out else f"Virement client {i}"
        lines.append([dt.date(2026, 9, 1 + i % 28).isoformat(), text, amount if out else None, None if out else amount, balance])
    total = lambda place: sum(line[place] for line in lines if line[place] is not None)
    header = ["Date", "Libellé", "Débit", "Crédit", "Solde"]
    shown = [[*line[:2], *map(french, line[2:])] for line in lines]
    table = Table([header, *shown, ["Total", "", french(total(2)), french(total(3)), ""]], repeatRows=1)
    table.setStyle(TableStyle([("ALIGN", (2, 0), (-1, -1), "RIGHT"), ("GRID", (0, 0), (-1, -1), 0.5, (0, 0, 0))]))
    page = SimpleDocTemplate(str(DATA / "statement.pdf"), pagesize=A4, invariant=1)
    page.build([Paragraph("Relevé de compte au 30/09/2026 – Mme Zoé Dupont", getSampleStyleSheet()["Title"]), table])
    case("bank-statement-pdf",
         {"read": step("input.pdf", path="data/statement.pdf"), "tie": step("control.reconcile", value="[Débit]")},
         [("read", "tie"), ("read.totals", "tie.reference"), ("tie", "out")], rows=(header, lines))


make_data()
load_database()
make_cases()
statement()
print(len([path for path in HERE.iterdir() if path.is_dir() and path.name != "data"]), "cases")
