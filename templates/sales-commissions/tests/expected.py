"""Computes the expected results of the tests with DuckDB, from the rules as the seed and the README state them.

    python tests/expected.py            compares what it computes with the files that the tests expect
    python tests/expected.py --write    writes these files

Nothing here is read from Weir: the inputs are read as text, parsed and computed in SQL with exact decimals, by other
means than the workflow's steps (one query for a rule, window functions, integers in place of divisions). Small cases are
also worked by hand in HAND below; a computed figure that differs from the hand's stops the script.
"""

import csv
import io
import json
import sys
from pathlib import Path

import duckdb

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent
INPUTS = json.loads((PACKAGE / "inputs.json").read_text(encoding="utf-8"))["inputs"]
DEFAULTS = {name: p["default"] for name, p in json.loads((PACKAGE / "workflows/commissions.json").read_text(encoding="utf-8"))["parameters"].items()}

MACROS = """
-- a text as a number: 1234.50, 1 234,50 or 1,234.50; NULL where it is none
CREATE MACRO num(t) AS TRY_CAST(
    CASE WHEN t LIKE '%,%' AND t LIKE '%.%' THEN replace(replace(t, ',', ''), ' ', '') ELSE replace(replace(t, ' ', ''), ',', '.') END AS DECIMAL(24, 6));
CREATE MACRO day(t) AS CAST(try_strptime(trim(t), ['%Y-%m-%d', '%d/%m/%Y', '%d.%m.%Y', '%d-%m-%Y']) AS DATE);
CREATE MACRO filled(t) AS nullif(trim(t), '');
CREATE MACRO yes(t) AS CASE lower(filled(t)) WHEN 'yes' THEN true WHEN 'true' THEN true WHEN 'no' THEN false WHEN 'false' THEN false END;
-- a whole number divided by another, rounded half away from zero (n of any sign, d above zero)
CREATE MACRO part(n, d) AS CASE WHEN n >= 0 THEN (2 * n + d) // (2 * d) ELSE -((2 * -n + d) // (2 * d)) END;
CREATE MACRO cents(n) AS CAST(n AS DECIMAL(34, 0)) * CAST(0.01 AS DECIMAL(3, 2));             -- never `/`: that is a float
CREATE MACRO money(x) AS CAST(round(x, 2) AS DECIMAL(18, 2));                 -- half away from zero: DuckDB's ROUND of a DECIMAL
CREATE MACRO said(x) AS CASE WHEN x < 0 THEN '-' ELSE '' END || format('{:,.2f}', abs(x)::DOUBLE);
CREATE MACRO percent(x) AS regexp_replace(regexp_replace(CAST(CAST(x * 100 AS DECIMAL(18, 2)) AS VARCHAR), '0+$', ''), '[.]$', '');
CREATE MACRO period_of(d) AS CAST(date_trunc(getvariable('quota_period'), d) AS DATE);
CREATE MACRO last_of(d) AS CAST(last_day(d) AS DATE);
"""

# The queries, one after the other. $-names are the parameters.
RULES = """
-- What the contract reads -------------------------------------------------------------------------------------------
CREATE TABLE parsed AS SELECT
    line, filled(deal_id) AS deal_id, filled(customer) AS customer, filled(product) AS product,
    coalesce(lower(filled(deal_type)), 'new business') AS deal_type, lower(regexp_replace(filled(stage), '\\s+', ' ', 'g')) AS stage,
    day(close_date) AS close_date, coalesce(upper(filled(currency)), 'EUR') AS currency, CAST(num(trim(arr)) AS DECIMAL(18, 2)) AS arr,
    coalesce(yes(recurring), true) AS recurring, upper(filled(owner_id)) AS owner_id, upper(filled(sourced_by)) AS sourced_by,
    day(cancelled_on) AS cancelled_on, day(modified_on) AS modified_on, close_date AS close_text, arr AS arr_text
FROM deals_text;
CREATE TABLE readable AS SELECT * EXCLUDE (close_text, arr_text) FROM parsed WHERE close_date IS NOT NULL AND arr IS NOT NULL;

-- Every deal once: exact copies count once; of several versions the one modified last stands for the deal ----------------
CREATE TABLE different AS SELECT min(line) AS line, * EXCLUDE (line) FROM readable GROUP BY ALL;
CREATE TABLE copies AS SELECT CAST(date_trunc('month', close_date) AS DATE) AS month, count(*) AS copies
    FROM (SELECT line, close_date FROM readable WHERE line NOT IN (SELECT line FROM different)) GROUP BY 1;
CREATE TABLE versions AS SELECT deal_id, count(*) AS versions, min(arr) AS lowest, max(arr) AS highest, count(DISTINCT currency) AS currencies FROM different GROUP BY 1;
CREATE TABLE once AS
    SELECT d.*, v.* EXCLUDE (deal_id), s.outcome, CAST(date_trunc('month', close_date) AS DATE) AS month, period_of(close_date) AS quota_start
    FROM (SELECT *, row_number() OVER (PARTITION BY deal_id ORDER BY modified_on DESC NULLS LAST, line DESC) AS newest FROM different) d
    JOIN versions v USING (deal_id) LEFT JOIN stages s ON d.stage = s.stage WHERE newest = 1;

-- In EUR by the rate of the month of signature: the average of what is given for the month, at 12 decimals; the amount
-- is divided by it and rounded once to the cent. In whole numbers, so that nothing is cut.
CREATE TABLE monthly AS SELECT upper(filled(currency)) AS currency, CAST(date_trunc('month', day(date)) AS DATE) AS month,
    part(CAST(sum(CAST(num(rate) * 1000000 AS HUGEINT)) AS HUGEINT) * 1000000, count(*)) AS trillionths FROM rates_text GROUP BY ALL;
CREATE TABLE in_eur AS SELECT o.*, CASE WHEN o.currency = 'EUR' THEN arr
      ELSE cents(part(CAST(arr * 100 AS HUGEINT) * 1000000000000, trillionths)) END::DECIMAL(18, 2) AS arr_eur
    FROM once o LEFT JOIN monthly m ON o.currency = m.currency AND o.month = m.month
    WHERE quota_start = period_of($first) AND close_date <= last_of($first) AND (outcome IN ('won', 'cancelled') OR outcome IS NULL);

-- What must be settled first (seed 000, A.1: duplicated deals, amounts that differ) -----------------------------------------
CREATE TABLE splits AS SELECT filled(deal_id) AS deal_id, upper(filled(person_id)) AS person_id, CAST(num(share) AS DECIMAL(9, 4)) AS share, row_number() OVER () AS nr FROM splits_text;
CREATE TABLE judged AS
    SELECT e.*, t.shares, CASE
        WHEN outcome IS NULL THEN ['hold', 'stage_unknown', arr::VARCHAR, 'The stage "' || stage || '" is not in mappings/stages.csv']
        WHEN lowest <> highest OR currencies > 1 THEN ['hold', 'amounts_differ', (highest - lowest)::VARCHAR, 'Exported ' || versions || ' times with amounts from ' || said(lowest) || ' to ' || said(highest) || ' ' || currency]
        WHEN arr <= 0 THEN ['hold', 'amount_not_positive', arr::VARCHAR, 'The ARR is ' || said(arr) || ' ' || currency]
        WHEN arr_eur IS NULL THEN ['hold', 'no_rate', arr::VARCHAR, 'No rate for ' || currency || ' in ' || strftime(close_date, '%Y-%m')]
        WHEN arr_eur > CAST($implausible_arr AS DECIMAL(18, 2)) THEN ['hold', 'amount_implausible', arr_eur::VARCHAR, 'An ARR of ' || said(arr_eur) || ' EUR is above ' || said(CAST($implausible_arr AS DECIMAL(18, 2))) || ': is it real?']
        WHEN outcome = 'cancelled' AND cancelled_on IS NULL THEN ['hold', 'cancelled_when', arr_eur::VARCHAR, 'Cancelled, but no date says when']
        WHEN cancelled_on < close_date THEN ['hold', 'cancelled_before', arr_eur::VARCHAR, 'Cancelled on ' || cancelled_on::VARCHAR || ', before it was signed']
        WHEN coalesce(shares, 100) <> 100 THEN ['hold', 'shares', arr_eur::VARCHAR, 'The owners'' shares add up to ' || percent(shares * 0.01) || '%, not 100%']
        WHEN versions > 1 THEN ['warning', 'versions', arr_eur::VARCHAR, 'Exported ' || versions || ' times with the same amount but other details; the version modified last counts']
    END AS remark
    FROM in_eur e LEFT JOIN (SELECT deal_id, sum(share) AS shares FROM splits GROUP BY 1) t USING (deal_id);

-- Who is eligible (seed 000, 5.2: "deals > 10k€ uniquement", "ARR recurring only") --------------------------------------
CREATE TABLE sound AS SELECT *, CASE
        WHEN cancelled_on <= last_of(close_date) THEN ['E1 cancelled in its month', 'Signed and cancelled in the same month, on ' || cancelled_on::VARCHAR]
        WHEN CAST($recurring_only AS BOOLEAN) AND NOT recurring THEN ['E2 recurring only', 'The revenue is not recurring']
        WHEN arr_eur <= CAST($min_arr AS DECIMAL(18, 2)) THEN ['E3 smallest ARR', 'The ARR of ' || said(arr_eur) || ' EUR is not over ' || said(CAST($min_arr AS DECIMAL(18, 2)))]
    END AS refused FROM judged WHERE remark IS NULL OR remark[1] <> 'hold';
CREATE TABLE eligible AS SELECT * FROM sound WHERE refused IS NULL;

-- Who is credited: owners by their shares, their managers, who found the deal --------------------------------------------
-- The cents of the shares by largest remainder; of equal remainders the first row's first.
CREATE TABLE owned AS SELECT e.deal_id, coalesce(s.person_id, e.owner_id) AS person_id, coalesce(s.share, 100)::DECIMAL(9, 4) AS share, coalesce(nr, 0) AS nr, CAST(arr_eur * 100 AS HUGEINT) AS cents
    FROM eligible e LEFT JOIN splits s USING (deal_id);
CREATE TABLE floors AS SELECT *, cents * CAST(share * 10000 AS HUGEINT) // 1000000 AS low, cents * CAST(share * 10000 AS HUGEINT) % 1000000 AS rest FROM owned;
CREATE TABLE direct AS SELECT deal_id, person_id, 'direct' AS credit, share,
        cents(low + CASE WHEN row_number() OVER (PARTITION BY deal_id ORDER BY rest DESC, nr) <= cents - sum(low) OVER (PARTITION BY deal_id) THEN 1 ELSE 0 END) AS credited FROM floors;
CREATE TABLE people AS SELECT upper(filled(person_id)) AS person_id, filled(name) AS person, filled(role) AS role, filled(region) AS region, upper(filled(manager_id)) AS manager_id, day(leave_date) AS leave_date FROM people_text;
CREATE TABLE credits AS
    SELECT deal_id, person_id, credit, share, credited::DECIMAL(18, 2) AS credited FROM direct
    UNION ALL SELECT deal_id, manager_id, 'team', sum(share), sum(credited)::DECIMAL(18, 2) FROM direct JOIN people USING (person_id) WHERE manager_id IS NOT NULL GROUP BY 1, 2
    UNION ALL SELECT deal_id, sourced_by, 'sourced', 100, arr_eur FROM eligible WHERE sourced_by IS NOT NULL;

-- The plan: the line of mappings/plans.csv with the smallest priority of those that fit; `*` stands for anything ------------
CREATE TABLE quotas AS SELECT upper(filled(person_id)) AS person_id, period_of(day(period_start)) AS quota_start, sum(CAST(num(quota) AS DECIMAL(18, 2))) AS quota FROM quotas_text GROUP BY 1, 2;
CREATE TABLE placed AS
    SELECT c.*, e.* EXCLUDE (deal_id, remark, refused), p.* EXCLUDE (person_id), q.quota,
        (SELECT arg_min({'plan': l.plan, 'low': CAST(l.rate_to_quota AS DECIMAL(9, 4)), 'high': CAST(l.rate_above_quota AS DECIMAL(9, 4)), 'start': CAST(filled(l.accelerator_from) AS DECIMAL(9, 4)),
                         'fast': CAST(filled(l.rate_accelerated) AS DECIMAL(9, 4)), 'bonus': CAST(l.bonus_per_deal AS DECIMAL(18, 2)), 'needs': CAST(l.needs_quota AS BOOLEAN)}, CAST(l.priority AS INTEGER))
         FROM plans l WHERE lower(c.credit) LIKE lower(replace(l.credit, '*', '%')) AND lower(p.role) LIKE lower(replace(l.role, '*', '%'))
            AND lower(p.region) LIKE lower(replace(l.region, '*', '%')) AND lower(e.product) LIKE lower(replace(l.product, '*', '%'))) AS terms
    FROM credits c JOIN eligible e USING (deal_id) LEFT JOIN people p ON c.person_id = p.person_id LEFT JOIN quotas q ON c.person_id = q.person_id AND e.quota_start = q.quota_start;
CREATE TABLE checked AS SELECT *, CASE
        WHEN person IS NULL THEN ['person_unknown', 'Nobody has the number "' || coalesce(person_id, '') || '" (' || credit || ' credit)']
        WHEN leave_date < close_date THEN ['person_left', person || ' left on ' || leave_date::VARCHAR || ', before the deal was signed']
        WHEN terms IS NULL THEN ['no_plan', 'No plan for ' || credit || ' credit, role ' || coalesce(role, '') || ', region ' || coalesce(region, '') || ', product ' || coalesce(product, '')]
        WHEN terms.low NOT BETWEEN 0 AND 1 OR terms.high NOT BETWEEN 0 AND 1 OR terms.fast > 1 OR terms.start < 1 THEN ['plan_implausible', 'The rates of plan ' || terms.plan || ' are not between 0 and 1, or its accelerator begins below the quota']
        WHEN terms.needs AND quota IS NULL THEN ['no_quota', person || ' has no quota for the period from ' || quota_start::VARCHAR]
    END AS stopped FROM placed;

-- Attainment: signed deals add up over the quota period, by day and deal number; cancelled ones leave on the day they are
-- cancelled (before what is signed that day). What somebody only found for the owner counts for no quota.
CREATE TABLE events AS
    SELECT person_id, quota_start, close_date AS happened, 1 AS signed, deal_id, credit, CASE credit WHEN 'sourced' THEN 0 ELSE credited END AS counts FROM checked WHERE stopped IS NULL
    UNION ALL SELECT person_id, quota_start, cancelled_on, 0, deal_id, credit, CASE credit WHEN 'sourced' THEN 0 ELSE -credited END FROM checked WHERE stopped IS NULL AND cancelled_on <= last_of($first);
CREATE TABLE reached AS SELECT *, coalesce(sum(counts) OVER (PARTITION BY person_id, quota_start ORDER BY happened, signed, deal_id, credit ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::DECIMAL(18, 2) AS before FROM events;

-- The commission: each part of the deal at the rate of its band, the sum rounded once per line (seed 000, A.5: 12% of the ARR, 15% above the quota)
CREATE TABLE banded AS
    SELECT c.*, r.before, r.before + credited AS after, least(r.before + credited, quota) - least(r.before, quota) AS under, CASE WHEN terms.start IS NULL THEN NULL ELSE money(quota * terms.start) END AS speed
    FROM checked c JOIN reached r USING (person_id, deal_id, credit) WHERE stopped IS NULL AND r.signed = 1;
CREATE TABLE parted AS SELECT *, CASE WHEN terms.needs THEN under ELSE credited END AS a,
        CASE WHEN NOT terms.needs OR speed IS NULL THEN 0 ELSE greatest(after, speed) - greatest(before, speed) END AS c FROM banded;
CREATE TABLE earned AS SELECT *, credited - a - c AS b, money(terms.bonus * share * 0.01) AS bonus,
        money(a * terms.low + (credited - a - c) * terms.high + c * coalesce(terms.fast, 0)) + money(terms.bonus * share * 0.01) AS commission FROM parted;
CREATE TABLE sales AS SELECT month, person_id, 'commission' AS line, credit, deal_id, customer, product, deal_type, close_date, currency, arr, arr_eur, share, credited AS credited_arr,
        terms.plan AS plan, quota, before AS attained_before, a AS arr_to_quota, b AS arr_above_quota, c AS arr_accelerated, bonus, commission, cancelled_on,
        concat_ws(' + ', CASE WHEN a <> 0 AND terms.low <> 0 THEN percent(terms.low) || '% of ' || said(a) || CASE WHEN terms.needs THEN ' up to quota' ELSE '' END END,
            CASE WHEN b <> 0 THEN percent(terms.high) || '% of ' || said(b) || ' above quota' END,
            CASE WHEN c <> 0 THEN percent(terms.fast) || '% of ' || said(c) || ' above ' || percent(terms.start) || '% of quota' END,
            CASE WHEN bonus <> 0 THEN 'bonus of ' || said(bonus) END) AS rule FROM earned;

-- Against what was paid before: cancelled deals give it back, for others a difference is said ---------------------------------
CREATE TABLE paid AS SELECT filled(deal_id) AS deal_id, upper(filled(person_id)) AS person_id, coalesce(lower(filled(credit)), 'direct') AS credit, last(filled(plan) ORDER BY line) AS plan,
        sum(coalesce(CAST(num(credited_arr) AS DECIMAL(18, 2)), 0)) AS paid_arr, sum(CAST(num(commission) AS DECIMAL(18, 2))) AS paid
    FROM paid_text WHERE day(month) < $first GROUP BY 1, 2, 3;
CREATE TABLE back AS SELECT $first AS month, p.person_id, 'claw-back' AS line, credit, p.deal_id, customer, product, deal_type, close_date, currency, arr, -paid_arr AS credited_arr,
        coalesce(plan, 'as paid') AS plan, -paid AS commission, 'Cancelled on ' || cancelled_on::VARCHAR || ': takes back the ' || said(paid) || ' paid for it' AS rule
    FROM paid p JOIN once o USING (deal_id) WHERE cancelled_on <= last_of($first) AND paid <> 0;
CREATE TABLE differences AS
    SELECT coalesce(s.deal_id, p.deal_id) AS deal_id, coalesce(s.person_id, p.person_id) AS person_id, coalesce(s.credit, p.credit) AS credit, coalesce(s.plan, p.plan, 'as paid') AS plan,
        coalesce(s.commission, 0) AS due, coalesce(p.paid, 0) AS paid
    FROM (SELECT * FROM sales WHERE month < $first AND NOT coalesce(cancelled_on <= last_of($first), false)) s
    FULL JOIN (SELECT p.* FROM paid p JOIN once o USING (deal_id) WHERE o.quota_start = period_of($first) AND NOT coalesce(cancelled_on <= last_of($first), false)) p
        ON s.deal_id = p.deal_id AND s.person_id = p.person_id AND s.credit = p.credit;
CREATE TABLE corrections AS SELECT f.*, f.due - f.paid AS difference, 'Due today ' || said(due) || ', paid ' || said(paid) AS rule, o.customer, o.product, o.deal_type, o.close_date, o.currency, o.arr, o.month
    FROM differences f JOIN once o USING (deal_id) WHERE due <> paid;

CREATE TABLE all_lines AS
    SELECT * EXCLUDE (cancelled_on) FROM sales WHERE month = $first
    UNION ALL BY NAME SELECT * FROM back
    UNION ALL BY NAME SELECT $first AS month, person_id, 'correction' AS line, credit, deal_id, customer, product, deal_type, close_date, currency, arr, plan, difference AS commission, rule FROM corrections WHERE CAST($pay_corrections AS BOOLEAN);
"""

STATEMENT_LINES = """
SELECT l.month, l.person_id, person, role, region, line, credit, deal_id, customer, product, deal_type, close_date, currency, arr, arr_eur, share, credited_arr, plan, quota,
    attained_before, arr_to_quota, arr_above_quota, arr_accelerated, bonus, commission, rule
FROM all_lines l LEFT JOIN people p USING (person_id) ORDER BY l.person_id, line DESC, close_date, deal_id, credit"""

OUTPUTS = {
    "file:out/statement_lines.csv": STATEMENT_LINES,
    "ledger:commissions": STATEMENT_LINES,
    "file:out/statement.csv": """
WITH stands AS (SELECT e.person_id, any_value(q.quota) AS quota, sum(counts) AS attained FROM events e LEFT JOIN quotas q ON e.person_id = q.person_id AND q.quota_start = period_of($first) GROUP BY 1)
SELECT l.month, l.person_id, person, role, region, s.quota, CASE WHEN s.quota IS NULL THEN NULL ELSE s.attained END AS attained,
    cents(part(CAST(s.attained * 100 AS HUGEINT) * 10000, CAST(s.quota * 100 AS HUGEINT))) AS attainment,
    count(DISTINCT deal_id) FILTER (line = 'commission') AS deals, coalesce(sum(credited_arr) FILTER (line = 'commission'), 0) AS credited_arr,
    coalesce(sum(commission) FILTER (line = 'commission'), 0) AS commission, coalesce(sum(commission) FILTER (line = 'claw-back'), 0) AS claw_back,
    coalesce(sum(commission) FILTER (line = 'correction'), 0) AS correction, sum(commission) AS total
FROM all_lines l LEFT JOIN people p USING (person_id) LEFT JOIN stands s USING (person_id)
GROUP BY ALL ORDER BY person_id""",
    "file:out/not_eligible.csv": """
SELECT month, deal_id, customer, product, deal_type, owner_id, close_date, currency, arr, arr_eur, refused[1] AS rule, refused[2] AS reason
FROM sound WHERE refused IS NOT NULL AND month = $first ORDER BY rule, deal_id""",
    "file:out/anomalies.csv": """
SELECT severity, code, month, deal_id, person_id, amount, message FROM (
    SELECT remark[1] AS severity, remark[2] AS code, month, deal_id, owner_id AS person_id, remark[3]::DECIMAL(18, 2) AS amount, remark[4] AS message FROM judged WHERE remark IS NOT NULL
    UNION ALL SELECT 'hold', 'unreadable', NULL, deal_id, NULL, NULL, 'Line ' || line || ' of the export: ' ||
        concat_ws('; ', CASE WHEN close_date IS NULL THEN 'close_date is not date' END, CASE WHEN arr IS NULL THEN 'arr is not decimal(2)' END) FROM parsed WHERE close_date IS NULL OR arr IS NULL
    UNION ALL SELECT 'note', 'copies', month, NULL, NULL, NULL, 'Exact copies of rows that were dropped: ' || copies FROM copies
    UNION ALL SELECT 'hold', stopped[1], month, deal_id, person_id, credited, stopped[2] FROM checked WHERE stopped IS NOT NULL
    UNION ALL SELECT 'warning', 'paid_differs', month, deal_id, person_id, difference, rule || ' (' || credit || ' credit)' || CASE WHEN CAST($pay_corrections AS BOOLEAN) THEN ': the difference is on this statement' ELSE '' END FROM corrections
    UNION ALL SELECT 'warning', 'never_paid', month, deal_id, person_id, commission, 'Cancelled on ' || cancelled_on::VARCHAR || ', but the ' || said(commission) || ' due for it was never paid (' || credit || ' credit): nothing is taken back'
        FROM sales WHERE month < $first AND cancelled_on <= last_of($first) AND NOT EXISTS (SELECT 1 FROM paid WHERE paid.deal_id = sales.deal_id AND paid.person_id = sales.person_id AND paid.credit = sales.credit))
ORDER BY severity, code, month NULLS LAST, deal_id NULLS LAST, person_id NULLS LAST, message""",
    "file:out/year_over_year.csv": """
WITH this AS (SELECT deal_type, coalesce(sum(credited_arr) FILTER (credit = 'direct' AND line = 'commission'), 0) AS arr, coalesce(sum(commission) FILTER (line = 'commission'), 0) AS commission FROM all_lines GROUP BY 1),
former AS (SELECT lower(filled(deal_type)) AS deal_type, sum(CAST(num(arr) AS DECIMAL(18, 2))) AS arr, sum(CAST(num(commission) AS DECIMAL(18, 2))) AS commission FROM last_year_text
    WHERE date_trunc('month', day(month)) = CAST($first AS DATE) - INTERVAL 12 MONTH GROUP BY 1),
compared AS (SELECT deal_type, this.deal_type IS NULL AS gone, coalesce(this.arr, 0) AS arr, coalesce(this.commission, 0) AS commission, coalesce(former.arr, 0) AS last_arr, coalesce(former.commission, 0) AS last_commission FROM this FULL JOIN former USING (deal_type)),
rated AS (SELECT *, CASE WHEN arr <> 0 THEN cents(part(CAST(commission * 100 AS HUGEINT) * 10000, CAST(arr * 100 AS HUGEINT))) END AS rate,
    CASE WHEN last_arr <> 0 THEN cents(part(CAST(last_commission * 100 AS HUGEINT) * 10000, CAST(last_arr * 100 AS HUGEINT))) END AS last_rate FROM compared)
SELECT CAST($first AS DATE) AS month, deal_type, arr, commission, rate, last_arr AS last_year_arr, last_commission AS last_year_commission, last_rate AS last_year_rate,
    CASE WHEN last_commission <> 0 THEN cents(part(CAST((commission - last_commission) * 100 AS HUGEINT) * 10000, CAST(last_commission * 100 AS HUGEINT))) END AS commission_gap,
    CASE WHEN last_rate <> 0 THEN cents(part(CAST((rate - last_rate) * 100 AS HUGEINT) * 10000, CAST(last_rate * 100 AS HUGEINT))) END AS rate_gap
FROM rated ORDER BY gone, deal_type""",
}

# By hand, as worked in the "about" of each test: test -> (output, column, the column's values in the order of the rows).
LINES, STATEMENT, YEARS = "file:out/statement_lines.csv", "file:out/statement.csv", "file:out/year_over_year.csv"
HAND = {
    "quota": [(LINES, "commission", ["13800.00"]), (LINES, "arr_to_quota", ["40000.00"]), (LINES, "arr_above_quota", ["60000.00"]), (STATEMENT, "attainment", ["160.00"])],
    "plans": [(LINES, "commission", ["15000.00", "1200.00", "19800.00", "2000.00", "3800.00", "800.00", "500.00"]), (STATEMENT, "total", ["16200.00", "19800.00", "6600.00", "500.00"])],
    "splits": [(LINES, "credited_arr", ["33333.30", "10000.00", "33333.30", "10000.01", "33333.41"]), (LINES, "commission", ["4000.00", "1200.00", "4000.00", "1200.00", "4000.01"])],
    "claw_back": [(LINES, "commission", ["3000.00", "7500.00", "-2400.00", "-10800.00"]), (STATEMENT, "total", ["-2700.00"]), (STATEMENT, "attainment", ["110.00"]), ("file:out/anomalies.csv", "amount", ["1800.00"])],
    "eligibility": [(LINES, "deal_id", ["D2", "D6"]), (LINES, "commission", ["1200.00", "1200.00"]), ("file:out/not_eligible.csv", "deal_id", ["D4", "D3", "D1", "D5"])],
    "eligibility_parameters": [(STATEMENT, "total", ["7300.00"]), (LINES, "commission", ["1200.00", "1200.00", "2500.00", "1200.00", "1200.00"])],
    "currency": [(LINES, "arr_eur", ["100000.00", "15000.01", "20000.00"]), (LINES, "commission", ["12000.00", "1800.00", "2400.00"])],
    "budget_blocked": [(STATEMENT, "total", ["450000.00"])],
    "budget_warning": [(STATEMENT, "total", ["450000.00"])],
    "duplicates": [(LINES, "deal_id", ["D1", "D3"]), (STATEMENT, "total", ["6000.00"])],
    "last_year": [(YEARS, "deal_type", ["expansion", "new business"]), (YEARS, "commission_gap", ["5.10", "5.00"])],
    "last_year_rate": [(YEARS, "rate_gap", ["0.00", "0.00"])],
    "differences": [(STATEMENT, "total", ["2400.00"]), ("file:out/anomalies.csv", "amount", ["600.00", "-1500.00"])],
    "corrections": [(STATEMENT, "correction", ["-900.00"]), (STATEMENT, "total", ["1500.00"])],
    "quota_of_the_year": [(LINES, "commission", ["13500.00"]), (STATEMENT, "quota", ["200000.00"])],
    "plan_mistyped": [(LINES, "commission", []), ("file:out/anomalies.csv", "code", ["no_plan", "plan_implausible"])],
}


def compute(case):
    """The outputs of a test: name -> list of rows, the header first."""
    db = duckdb.connect()
    db.execute("SET threads TO 1")
    values = DEFAULTS | case.get("set", {})
    db.execute(f"SET VARIABLE quota_period = '{values['quota_period']}'")
    db.execute(MACROS)
    for name, contract in INPUTS.items():
        path = PACKAGE / case.get("inputs", {}).get(name, contract["example"])
        columns = next(csv.reader(open(path, encoding="utf-8-sig", newline="")))
        listed = ", ".join(f'"{c["name"]}"' if c["name"] in columns else f"NULL::VARCHAR AS \"{c['name']}\"" for c in contract["columns"])
        db.execute(f"CREATE TABLE {name}_text AS SELECT row_number() OVER () + 1 AS line, {listed} FROM read_csv('{path}', header = true, all_varchar = true, delim = ',', quote = '\"', null_padding = false)")
    for table in ("stages", "plans"):
        file = case.get("files", {}).get(f"mappings/{table}.csv", f"mappings/{table}.csv")
        db.execute(f"CREATE TABLE {table} AS SELECT * FROM read_csv('{PACKAGE / file}', header = true, all_varchar = true)")

    def filled_in(sql):
        text = sql.replace("$first", f"DATE '{values['month']}-01'")
        for name in sorted(values, key=len, reverse=True):
            text = text.replace(f"${name}", f"'{str(values[name]).lower()}'")
        return text

    db.execute(filled_in(RULES))
    outputs = {}
    for target, query in OUTPUTS.items():
        found = db.execute(filled_in(query))
        names = [column[0] for column in found.description]
        outputs[target] = [names] + [["" if v is None else str(v).lower() if isinstance(v, bool) else str(v) for v in row] for row in found.fetchall()]
    return outputs


def main(write):
    wrong = 0
    for path in sorted(HERE.glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        if "bindings/deals.json" in case.get("files", {}):
            continue  # the same figures as the sample, whose file it expects
        outputs = compute(case)
        for output, column, hand in HAND.get(path.stem, []):
            rows = outputs[output]
            at = rows[0].index(column)
            found = [row[at] for row in rows[1:]]
            if found != hand:
                wrong += 1
                print(f"{path.stem}: {output} {column}: by hand {hand}, computed {found}")
        for target, file in case.get("expect", {}).items():
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(outputs[target])
            expected = PACKAGE / file
            if write:
                expected.parent.mkdir(parents=True, exist_ok=True)
                expected.write_text(text.getvalue(), encoding="utf-8")
            elif not expected.is_file() or expected.read_text(encoding="utf-8") != text.getvalue():
                wrong += 1
                print(f"{path.stem}: {target} is not what {file} says")
    print("every figure agrees" if not wrong else f"{wrong} differences")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main("--write" in sys.argv)
