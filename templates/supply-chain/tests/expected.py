"""Computes the expected results of every test with DuckDB, from the rules of the seed and the input files alone.

    /path/to/python tests/expected.py            writes tests/<name>/expected/*.csv for every tests/<name>.json
    /path/to/python tests/expected.py golden     only some tests

Nothing here reads what Weir wrote, and nothing follows the steps of the workflows: the rules are set down once more,
in SQL, from Seed 002 (the section stands beside each). Sums are exact (DECIMAL, HUGEINT); a quotient is never a float:
`ratio(a, b, places)` divides whole numbers and rounds half away from zero; comparisons are multiplied out.

At the end `HAND` lists the figures worked by hand from the seed's own examples; each must be what DuckDB computes.
"""

import csv
import glob
import json
import os
import sys

import duckdb

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.dirname(HERE)

# What the package documents as defaults, written down again from the seed.
DEFAULTS = {
    "as_of": "2026-09-30", "price_gap_percent": 20, "quantity_factor": 3,  # 9.4
    "average_days": 30, "minimum_days": 7, "exclude_sundays": False,  # RG-STOCK-02
    "month_days": 30, "year_days": 365, "service_days": 30, "average_stock": "daily",
    "default_lead_days": 7, "alert_days": 7, "surplus_days": 60,  # RG-STOCK-01, RG-S-04
    "status_rule": "RG-CL-02", "surplus_rule": "RG-CL-02", "valuation": "fifo", "margin_basis": "revenue",
    "abc_boundary": "within", "trend_periods": 3, "stock_out_rounding": "down", "adjust_for_trend": False, "stock_check": "block",
    "cash": 15000000, "horizon_days": 15, "order_trigger": "horizon", "cover_days": 15, "safety_percent": 20,  # 4.2, 4.4
    "deduct_stock": True, "deduct_on_order": False, "delivery_grace_days": 1, "cash_check": "cumulative",
    "service_target": 95, "service_rule": "days", "group_count": 5, "opportunity_percent": 20, "opportunity_quantity": 0, "top_products": 10,  # 5.2
}
INPUTS = ["products", "suppliers", "sales", "movements", "open_orders"]
FILES = ["mappings/movement_types.csv", "mappings/abc_classes.csv", "mappings/kpis.csv", "mappings/alert_types.csv"]

MACROS = r"""
-- a / b rounded half away from zero to p places, without a float on the way
CREATE MACRO ratio(a, b, p) AS (
  CASE WHEN a IS NULL OR b IS NULL OR b = 0 THEN NULL ELSE
    CASE WHEN (a < 0) <> (b < 0) THEN -1 ELSE 1 END::HUGEINT
    * (((2 * abs((a::DECIMAL(38, 6) * 1000000)::HUGEINT) * (10 ** p)::HUGEINT + abs((b::DECIMAL(38, 6) * 1000000)::HUGEINT)))
       // (2 * abs((b::DECIMAL(38, 6) * 1000000)::HUGEINT)))
    * CASE p WHEN 0 THEN 1::DECIMAL(3, 2) WHEN 1 THEN 0.1::DECIMAL(3, 2) ELSE 0.01::DECIMAL(3, 2) END
  END);
-- a / b in millionths, rounded, for a, b >= 0
CREATE MACRO millionths(a, b) AS ((2 * (a::DECIMAL(38, 6) * 1000000)::HUGEINT * 1000000 + (b::DECIMAL(38, 6) * 1000000)::HUGEINT) // (2 * (b::DECIMAL(38, 6) * 1000000)::HUGEINT));
-- the whole part of a / b, for a, b >= 0
CREATE MACRO whole(a, b) AS (CASE WHEN b IS NULL OR b = 0 THEN NULL ELSE (a::DECIMAL(38, 6) * 1000000)::HUGEINT // (b::DECIMAL(38, 6) * 1000000)::HUGEINT END);
-- the cleaning of 9.4: spaces, capitals, special characters of codes, several date formats, numbers as people write them
CREATE MACRO tidy(x) AS nullif(regexp_replace(regexp_replace(x, '^\s+|\s+$', '', 'g'), '\s+', ' ', 'g'), '');
CREATE MACRO edges(x) AS nullif(regexp_replace(x, '^\s+|\s+$', '', 'g'), '');
CREATE MACRO code(x) AS nullif(regexp_replace(upper(edges(x)), '[^\p{L}\p{Nd}_-]', '', 'g'), '');
CREATE MACRO bare(x) AS regexp_replace(x, '[\s'']', '', 'g');
CREATE MACRO number_text(x) AS (CASE WHEN regexp_full_match(bare(x), '[+-]?\d+(\.\d+)?') THEN bare(x)
                                      WHEN regexp_full_match(bare(x), '[+-]?\d+,\d{1,2}') THEN replace(bare(x), ',', '.') END);
CREATE MACRO num(x) AS TRY_CAST(number_text(x) AS DECIMAL(28, 2));
CREATE MACRO not_num(x) AS (edges(x) IS NOT NULL AND (num(x) IS NULL OR TRY_CAST(number_text(x) AS DECIMAL(28, 6)) <> num(x)));
CREATE MACRO day_of(x) AS try_strptime(edges(x), ['%Y-%m-%d', '%d/%m/%Y', '%d.%m.%Y', '%d-%m-%Y'])::DATE;
CREATE MACRO yes(x) AS lower(edges(x)) IN ('true', 'yes', 'oui', 'vrai', '1');
CREATE MACRO reasons(list) AS array_to_string(list_filter(list, lambda r: r IS NOT NULL), '; ');
-- texts of alerts: decimals with a comma and no zeros behind, thousands with a space
CREATE MACRO fr(x) AS replace(regexp_replace(regexp_replace(x::DECIMAL(28, 2)::VARCHAR, '(\.\d*?)0+$', '\1'), '\.$', ''), '.', ',');
CREATE MACRO francs(x) AS replace(format('{:,}', x::HUGEINT), ',', ' ') || ' FCFA';
"""

# ---------------------------------------------------------------- 9.4: what is accepted, what is rejected, what is doubtful
IMPORT = r"""
CREATE TABLE p0 AS SELECT n, product_code AS raw_code, code(product_code) AS product_code, tidy(product) AS product, coalesce(tidy(category), 'Divers') AS category,
    coalesce(lower(edges(unit)), 'unite') AS unit, code(supplier_code) AS supplier_code, num(purchase_price) AS price0, num(sale_price) AS sale_price,
    num(opening_stock) AS opening_stock, num(current_stock) AS current_stock, num(minimum_stock) AS minimum0, num(maximum_stock) AS maximum_stock,
    coalesce(num(pack_size), 1) AS pack_size, coalesce(num(smallest_order), 0) AS smallest_order, num(alert_days)::BIGINT AS alert_days, coalesce(yes(active), true) AS active,
    sale_price AS raw_sale_price FROM raw_products;
CREATE TABLE p1 AS SELECT *, reasons([
      CASE WHEN product_code IS NULL THEN 'product_code is empty' END,
      CASE WHEN product IS NULL THEN 'product is empty' END,
      CASE WHEN price0 < 0 THEN 'purchase_price is below 0' END,
      CASE WHEN not_num(raw_sale_price) THEN 'sale_price is not decimal(2)' END, CASE WHEN edges(raw_sale_price) IS NULL THEN 'sale_price is empty' END, CASE WHEN sale_price < 0 THEN 'sale_price is below 0' END,
      CASE WHEN opening_stock < 0 THEN 'opening_stock is below 0' END, CASE WHEN current_stock < 0 THEN 'current_stock is below 0' END,
      CASE WHEN product_code IS NOT NULL AND row_number() OVER (PARTITION BY product_code ORDER BY n) > 1 THEN 'product_code is there already' END]) AS bad,
    reasons([CASE WHEN NOT coalesce(price0 > 0, false) THEN 'no purchase price: no margin is computed' END,
      CASE WHEN minimum0 IS NULL THEN 'no minimum stock: 0 is taken' END,
      CASE WHEN supplier_code IS NULL THEN 'no supplier: no purchase proposal' END]) AS doubt FROM p0;
CREATE TABLE products AS SELECT * FROM p1 WHERE bad = '';
CREATE TABLE suppliers AS SELECT n, code(supplier_code) AS supplier_code, tidy(supplier) AS supplier, tidy(phone) AS phone, num(lead_days)::BIGINT AS lead_days,
    coalesce(num(minimum_order), 0) AS minimum_order, tidy(payment_terms) AS payment_terms FROM raw_suppliers;

CREATE TABLE s1 AS SELECT *, reasons([
      CASE WHEN edges(raw_date) IS NOT NULL AND sale_date IS NULL THEN 'sale_date is not date' END, CASE WHEN edges(raw_date) IS NULL THEN 'sale_date is empty' END,
      CASE WHEN product_code IS NULL THEN 'product_code is empty' END,
      CASE WHEN not_num(raw_quantity) THEN 'quantity is not decimal(2)' END, CASE WHEN edges(raw_quantity) IS NULL THEN 'quantity is empty' END,
      CASE WHEN not_num(raw_price) THEN 'unit_price is not decimal(2)' END, CASE WHEN edges(raw_price) IS NULL THEN 'unit_price is empty' END,
      CASE WHEN quantity <= 0 THEN 'quantity is not above 0' END, CASE WHEN unit_price <= 0 THEN 'unit price is not above 0' END]) AS bad,
    CASE WHEN order_no IS NOT NULL AND product_code IS NOT NULL AND quantity IS NOT NULL AND row_number() OVER (PARTITION BY order_no, product_code, quantity ORDER BY n) > 1
         THEN 'order_no, product_code, quantity is there already' ELSE '' END AS doubt
  FROM (SELECT n, sale_date AS raw_date, day_of(sale_date) AS sale_date, upper(edges(order_no)) AS order_no, order_no AS raw_order, code(product_code) AS product_code, product_code AS raw_code,
          num(quantity) AS quantity, quantity AS raw_quantity, num(unit_price) AS unit_price, unit_price AS raw_price, coalesce(upper(edges(status)), 'CONFIRMEE') AS status FROM raw_sales);
-- 9.4: unknown product, future date
CREATE TABLE s2 AS SELECT s.*, p.sale_price AS catalogue, reasons([CASE WHEN p.product_code IS NULL THEN 'product is not known' END, CASE WHEN s.sale_date > $as_of THEN 'date lies after the as-of date' END]) AS bad2
  FROM s1 s LEFT JOIN products p USING (product_code) WHERE s.bad = '';
-- 9.4: price more than 20% off the catalogue, quantity above 3 x the average line of the product
CREATE TABLE s3 AS SELECT s.*, sum(quantity) OVER (PARTITION BY product_code) AS all_quantity, count(*) OVER (PARTITION BY product_code) AS all_lines FROM s2 s WHERE bad2 = '';
CREATE TABLE s4 AS SELECT *, reasons([CASE WHEN abs(unit_price - catalogue) * 100 > catalogue * $price_gap_percent THEN 'price far from the catalogue price: check it' END,
      CASE WHEN quantity * all_lines > all_quantity * $quantity_factor THEN 'quantity far above the usual one: confirm it' END]) AS doubt2 FROM s3;
-- RG-V-01: cancelled sales are in no figure; revenue = quantity x price charged, whole francs
CREATE TABLE sales AS SELECT n, sale_date, order_no, product_code, quantity, unit_price, ratio(quantity * unit_price, 1, 0) AS amount FROM s3 WHERE status NOT IN ('ANNULEE', 'ANNULÉE', 'CANCELLED');

CREATE TABLE m1 AS SELECT *, reasons([
      CASE WHEN edges(raw_date) IS NOT NULL AND movement_date IS NULL THEN 'movement_date is not date' END, CASE WHEN edges(raw_date) IS NULL THEN 'movement_date is empty' END,
      CASE WHEN product_code IS NULL THEN 'product_code is empty' END, CASE WHEN movement_type IS NULL THEN 'movement_type is empty' END,
      CASE WHEN not_num(raw_quantity) THEN 'quantity is not decimal(2)' END, CASE WHEN edges(raw_quantity) IS NULL THEN 'quantity is empty' END,
      CASE WHEN quantity = 0 THEN 'quantity is 0' END]) AS bad
  FROM (SELECT n, movement_date AS raw_date, day_of(movement_date) AS movement_date, code(product_code) AS product_code, product_code AS raw_code, upper(edges(movement_type)) AS movement_type, movement_type AS raw_type,
          num(quantity) AS quantity, quantity AS raw_quantity, num(unit_cost) AS unit_cost, num(stock_before) AS stock_before, num(stock_after) AS stock_after, edges(reference) AS reference FROM raw_movements);
CREATE TABLE m2 AS SELECT m.*, t.kind, p.price0, reasons([CASE WHEN p.product_code IS NULL THEN 'product is not known' END, CASE WHEN t.kind IS NULL THEN 'movement type is not known' END,
      CASE WHEN m.movement_date > $as_of THEN 'date lies after the as-of date' END]) AS bad2
  FROM m1 m LEFT JOIN products p USING (product_code) LEFT JOIN movement_types t ON upper(t.movement_type) = m.movement_type WHERE m.bad = '';
-- 9.2: + for receipts, - for issues; an adjustment brings its sign
CREATE TABLE m3 AS SELECT *, CASE kind WHEN 'ENTREE' THEN abs(quantity) WHEN 'SORTIE' THEN -abs(quantity) ELSE quantity END AS change,
    CASE WHEN unit_cost > 0 THEN unit_cost WHEN price0 > 0 THEN price0 END AS cost FROM m2 WHERE bad2 = '';
-- The opening stock: as given, else worked back from the stock of today, else nothing. A price of 0 is no price.
CREATE TABLE prods AS SELECT p.* EXCLUDE (bad, doubt), coalesce(p.opening_stock, p.current_stock - coalesce(m.moved, 0), 0) AS opening, coalesce(p.minimum0, 0) AS minimum_stock, CASE WHEN p.price0 > 0 THEN p.price0 END AS purchase_price
  FROM products p LEFT JOIN (SELECT product_code, sum(change) AS moved FROM m3 GROUP BY 1) m USING (product_code);
-- RG-S-01 after every movement
CREATE TABLE moves AS SELECT m.*, p.opening + sum(m.change) OVER (PARTITION BY m.product_code ORDER BY m.movement_date, m.n) AS balance FROM m3 m JOIN prods p USING (product_code);
CREATE TABLE o2 AS SELECT o.*, reasons([CASE WHEN p.product_code IS NULL THEN 'product is not known' END, CASE WHEN s.supplier_code IS NULL THEN 'supplier is not known' END]) AS bad2 FROM
  (SELECT n, upper(edges(order_no)) AS order_no, order_no AS raw_order, code(supplier_code) AS supplier_code, supplier_code AS raw_supplier, code(product_code) AS product_code, product_code AS raw_code,
          num(quantity) AS quantity, quantity AS raw_quantity, day_of(expected_on) AS expected_on FROM raw_open_orders) o LEFT JOIN products p ON p.product_code = o.product_code LEFT JOIN suppliers s ON s.supplier_code = o.supplier_code;
CREATE TABLE open_orders AS SELECT * FROM o2 WHERE quantity > 0 AND bad2 = '';

CREATE TABLE reports AS
  -- by the contracts, with the row of the file (the header is row 1) and the key as it came
  SELECT 1 AS part, 2 AS k, n, 'products' AS "table", n + 1 AS "row", coalesce(raw_code, '') AS row_key, CASE WHEN bad <> '' THEN 'reject' ELSE 'warn' END AS severity, CASE WHEN bad <> '' THEN bad ELSE doubt END AS reason FROM p1 WHERE bad <> '' OR doubt <> ''
  UNION ALL SELECT 1, 3, n, 'sales', n + 1, concat_ws(' | ', raw_order, raw_code, raw_quantity), CASE WHEN bad <> '' THEN 'reject' ELSE 'warn' END, CASE WHEN bad <> '' THEN bad ELSE doubt END FROM s1 WHERE bad <> '' OR doubt <> ''
  UNION ALL SELECT 1, 4, n, 'movements', n + 1, concat_ws(' | ', raw_date, raw_code, raw_type, raw_quantity), 'reject', bad FROM m1 WHERE bad <> ''
  UNION ALL SELECT 1, 5, n, 'open_orders', n + 1, concat_ws(' | ', raw_order, raw_supplier, raw_code, raw_quantity), 'reject', 'quantity is not above 0' FROM o2 WHERE quantity <= 0
  -- by the rules across tables
  UNION ALL SELECT 2, 3, n, 'sales', NULL, concat_ws(' | ', sale_date::VARCHAR, order_no, product_code), 'reject', bad2 FROM s2 WHERE bad2 <> ''
  UNION ALL SELECT 2, 4, n, 'movements', NULL, concat_ws(' | ', movement_date::VARCHAR, reference, product_code), 'reject', bad2 FROM m2 WHERE bad2 <> ''
  UNION ALL SELECT 2, 5, n, 'open_orders', NULL, concat_ws(' | ', order_no, product_code), 'reject', bad2 FROM o2 WHERE quantity > 0 AND bad2 <> ''
  UNION ALL SELECT 3, 2, n, 'products', NULL, product_code, 'warn', 'supplier_code is not known' FROM products WHERE supplier_code IS NOT NULL AND supplier_code NOT IN (SELECT supplier_code FROM suppliers)
  UNION ALL SELECT 3, 3, n, 'sales', NULL, concat_ws(' | ', sale_date::VARCHAR, order_no, product_code), 'warn', doubt2 FROM s4 WHERE doubt2 <> ''
  UNION ALL SELECT 3, 4, n, 'movements', NULL, concat_ws(' | ', movement_date::VARCHAR, reference, product_code), 'warn',
      reasons([CASE WHEN balance < 0 THEN 'stock falls below 0: perhaps an error of the count' END, CASE WHEN stock_after <> stock_before + change THEN 'stock after is not stock before + movement' END])
    FROM moves WHERE balance < 0 OR coalesce(stock_after <> stock_before + change, false);
"""

# ---------------------------------------------------------------- 8: the figures of a product
POSITION = r"""
CREATE TABLE bounds AS SELECT least((SELECT min(sale_date) FROM sales), (SELECT min(movement_date) FROM moves)) AS data_start;
CREATE TABLE sold AS SELECT product_code, max(sale_date) AS last_sale,
    coalesce(sum(quantity) FILTER (sale_date > $as_of - $average_days), 0) AS sold, coalesce(sum(quantity) FILTER (sale_date > $as_of - $month_days), 0) AS month_q,
    coalesce(sum(quantity) FILTER (sale_date <= $as_of - $month_days AND sale_date > $as_of - 2 * $month_days), 0) AS before_q, coalesce(sum(quantity) FILTER (sale_date > $as_of - $year_days), 0) AS year_q,
    coalesce(sum(amount) FILTER (sale_date > $as_of - $month_days), 0) AS month_r, coalesce(sum(amount) FILTER (sale_date <= $as_of - $month_days AND sale_date > $as_of - 2 * $month_days), 0) AS before_r,
    coalesce(sum(amount) FILTER (sale_date > $as_of - $year_days), 0) AS year_r FROM sales GROUP BY 1;
-- RG-STOCK-02: 30 days, fewer if the history is shorter, 7 at least; Sundays left out if wanted
CREATE TABLE seen AS SELECT p.*, b.data_start, CASE WHEN p.opening > 0 THEN b.data_start ELSE least((SELECT min(sale_date) FROM sales s WHERE s.product_code = p.product_code), (SELECT min(movement_date) FROM moves m WHERE m.product_code = p.product_code)) END AS first_seen
  FROM prods p, bounds b;
CREATE TABLE hist AS SELECT *, coalesce($as_of - first_seen + 1, 0) AS history_days, greatest($minimum_days, least($average_days, coalesce($as_of - first_seen + 1, 0))) AS window_days FROM seen;
CREATE TABLE h AS SELECT *, CASE WHEN $exclude_sundays THEN greatest(1, (SELECT count(*) FROM range(0, window_days) d(i) WHERE isodow($as_of - i::INT) <> 7)) ELSE window_days END AS sale_days FROM hist;
-- The stock at the end of every day, as far back as the rules look
CREATE TABLE days AS SELECT h.product_code, h.product, h.active, h.first_seen, h.n, i::INT AS back, $as_of - i::INT AS day FROM h, range(0, greatest($year_days, $service_days, $month_days, 14) + 1) r(i);
CREATE TABLE daily AS SELECT d.*, any_value(h.opening) + coalesce(sum(m.change), 0) AS stock FROM days d JOIN h USING (product_code) LEFT JOIN
    (SELECT product_code, movement_date, sum(change) AS change FROM moves GROUP BY ALL) m ON m.product_code = d.product_code AND m.movement_date <= d.day GROUP BY ALL;
CREATE TABLE stocks AS SELECT product_code, sum(stock) FILTER (back = 0) AS stock, sum(stock) FILTER (back < $year_days AND day >= first_seen) AS stock_sum, count(*) FILTER (back < $year_days AND day >= first_seen) AS known_days,
    count(*) FILTER (active AND back < $service_days AND day >= first_seen) AS service_known, count(*) FILTER (active AND back < $service_days AND day >= first_seen AND stock <= 0) AS out_days FROM daily GROUP BY 1;
-- The stock before the year began: (start + end) / 2 of RG-P-02
CREATE TABLE starts AS SELECT d.product_code, d.stock AS start_stock FROM daily d JOIN h USING (product_code) WHERE d.day = greatest($as_of - $year_days + 1, coalesce(h.first_seen, $as_of - $year_days + 1)) - 1;
-- RG-S-05: first in, first out. Every unit that left, left from the oldest lot: what was used up is everything but the stock.
CREATE TABLE lots AS SELECT *, sum(lot) OVER (PARTITION BY product_code ORDER BY place) AS upto FROM (
    SELECT product_code, opening AS lot, purchase_price AS cost, 0 AS place FROM prods
    UNION ALL SELECT product_code, change, cost, row_number() OVER (PARTITION BY product_code ORDER BY movement_date, n) FROM moves WHERE change > 0);
CREATE TABLE fifo AS SELECT l.product_code,
    sum(least(lot, greatest(0, upto - (total - greatest(0, s.stock)))) * cost) AS fifo_value,
    sum(lot) FILTER (cost IS NOT NULL) AS priced, sum(lot * cost) AS lots_value
  FROM lots l JOIN stocks s USING (product_code) JOIN (SELECT product_code, sum(lot) AS total FROM lots GROUP BY 1) USING (product_code) GROUP BY 1;
CREATE TABLE f0 AS SELECT h.*, s.* EXCLUDE (product_code), st.start_stock, f.* EXCLUDE (product_code), v.last_sale,
    coalesce(v.sold, 0) AS sold, coalesce(v.month_q, 0) AS month_q, coalesce(v.before_q, 0) AS before_q, coalesce(v.year_q, 0) AS year_q, coalesce(v.month_r, 0) AS month_r, coalesce(v.before_r, 0) AS before_r, coalesce(v.year_r, 0) AS year_r,
    sup.supplier, coalesce(sup.lead_days, $default_lead_days) AS lead_days
  FROM h JOIN stocks s USING (product_code) LEFT JOIN starts st USING (product_code) LEFT JOIN fifo f USING (product_code) LEFT JOIN sold v USING (product_code) LEFT JOIN suppliers sup USING (supplier_code);
-- RG-CL-01: by falling revenue; A up to 80% of it, B up to 95%, C the rest; the best seller is A
CREATE TABLE abc AS SELECT *, sum(year_r) OVER () AS all_r, sum(year_r) OVER (ORDER BY year_r DESC, n ROWS UNBOUNDED PRECEDING) AS upto_r FROM f0;
CREATE TABLE f1 AS SELECT *, CASE WHEN year_r = 0 THEN 'C' WHEN upto_r = year_r THEN 'A'
      WHEN $abc_boundary = 'crossing' THEN CASE WHEN (upto_r - year_r) * 100 < all_r * 80 THEN 'A' WHEN (upto_r - year_r) * 100 < all_r * 95 THEN 'B' ELSE 'C' END
      WHEN upto_r * 100 <= all_r * 80 THEN 'A' WHEN upto_r * 100 <= all_r * 95 THEN 'B' ELSE 'C' END AS abc_class FROM abc;
CREATE TABLE f2 AS SELECT f1.*, c.risk_coefficient::DECIMAL(6, 2) AS risk, c.class_order::INT AS class_order,
    CASE WHEN before_q > 0 THEN (month_q - before_q) * 100 END AS trend_top, history_days >= $trend_periods * $month_days AS reliable,
    coalesce(last_sale <= $as_of - 30, true) AS no_sale, coalesce(stock > maximum_stock, false) AS above_max,
    stock > 0 AND (sold > 0 OR history_days >= $average_days) AND stock * sale_days > sold * $surplus_days AS above_days,
    active AND stock > 0 AND stock * sale_days < sold * coalesce(alert_days, $alert_days) AS is_low,
    stock * sale_days < sold * lead_days * (1 + risk) AS below_reorder,
    CASE WHEN $average_stock = 'daily' THEN stock_sum ELSE known_days * (start_stock + stock) / 2::DECIMAL(2, 0) END AS stock_days
  FROM f1 JOIN abc_classes c USING (abc_class);
"""


def position(db, p):
    # (start + end) / 2 must stay exact: halves as a decimal.
    text = POSITION.replace("known_days * (start_stock + stock) / 2::DECIMAL(2, 0)", "(known_days * (start_stock + stock) * 0.5::DECIMAL(2, 1))")
    run(db, text, p)
    run(db, r"""
CREATE TABLE pos AS SELECT *,
    -- status: RG-CL-02, or RG-STOCK-01 (section 2.1)
    CASE WHEN NOT active THEN 'INACTIF' WHEN stock <= 0 THEN 'RUPTURE'
         WHEN $status_rule = 'RG-STOCK-01' THEN CASE WHEN stock < minimum_stock THEN 'RUPTURE' WHEN stock * sale_days < sold * coalesce(alert_days, $alert_days) THEN 'ALERTE' WHEN above_max OR (above_days AND no_sale) THEN 'SURSTOCK' ELSE 'NORMAL' END
         ELSE CASE WHEN below_reorder THEN 'ALERTE' WHEN above_max OR above_days THEN 'SURSTOCK' ELSE 'NORMAL' END END AS status,
    active AND stock > 0 AND CASE $surplus_rule WHEN '4.4' THEN (above_days AND coalesce(year_q * 365 < 3 * stock_days, true)) OR (no_sale AND history_days >= 30) WHEN 'RG-STOCK-01' THEN above_max OR (above_days AND no_sale) ELSE above_max OR above_days END AS is_surplus,
    ratio(sold, sale_days, 2) AS average_daily_sales,
    CASE WHEN sold > 0 THEN ratio(greatest(0, stock) * sale_days, sold, 1) END AS coverage_days,
    ratio(sold * lead_days * risk, sale_days, 2) AS safety_stock, ratio(sold * lead_days * (1 + risk), sale_days, 2) AS reorder_point,
    CASE WHEN known_days > 0 THEN ratio(stock_days, known_days, 2) END AS average_stock_q,
    CASE WHEN stock_days > 0 THEN ratio(year_q * 365, stock_days, 2) END AS rotation,
    CASE WHEN stock_days > 0 THEN CASE WHEN year_q * 365 > 12 * stock_days THEN 'EXCELLENT' WHEN year_q * 365 >= 6 * stock_days THEN 'BON' WHEN year_q * 365 >= 3 * stock_days THEN 'MOYEN' ELSE 'MAUVAIS' END END AS rotation_rating,
    CASE WHEN stock_days > 0 AND year_q > 0 THEN ratio(stock_days, year_q, 1) END AS days_to_sell,
    CASE WHEN service_known > 0 THEN ratio((service_known - out_days) * 100, service_known, 1) END AS service_rate,
    ratio(fifo_value, 1, 0) AS value_fifo, CASE WHEN priced > 0 THEN ratio(greatest(0, stock) * lots_value, priced, 0) END AS value_average, ratio(greatest(0, stock) * purchase_price, 1, 0) AS value_price,
    sale_price - purchase_price AS unit_margin,
    CASE WHEN $margin_basis = 'purchase_price' THEN purchase_price ELSE sale_price END AS base,
    ratio(month_r - month_q * purchase_price, 1, 0) AS gross_margin,
    ratio(trend_top, before_q, 1) AS trend_percent,
    CASE WHEN trend_top IS NULL THEN CASE WHEN month_q > 0 THEN 'NOUVEAU' ELSE 'SANS VENTE' END WHEN NOT reliable THEN 'A CONFIRMER' WHEN trend_top > 10 * before_q THEN 'CROISSANCE FORTE' WHEN trend_top > 0 THEN 'CROISSANCE MODEREE' WHEN trend_top >= -5 * before_q THEN 'STABILITE' ELSE 'DECLIN' END AS trend_rating,
    CASE WHEN all_r > 0 THEN ratio(year_r * 100, all_r, 1) END AS share_percent,
    CASE WHEN month_r > 0 THEN rank() OVER (ORDER BY month_r DESC) END AS place, CASE WHEN before_r > 0 THEN rank() OVER (ORDER BY before_r DESC) END AS place_before,
    -- days left = top / bottom; with the trend: average x month / month before (4.4, adjustments)
    CASE WHEN $adjust_for_trend AND reliable AND before_q > 0 THEN greatest(0, stock) * sale_days * before_q ELSE greatest(0, stock) * sale_days END AS left_top,
    CASE WHEN $adjust_for_trend AND reliable AND before_q > 0 THEN sold * month_q ELSE sold END AS left_bottom
  FROM f2;
CREATE TABLE pos1 AS SELECT *, CASE $valuation WHEN 'average' THEN value_average WHEN 'purchase_price' THEN value_price ELSE value_fifo END AS stock_value,
    CASE WHEN base > 0 THEN ratio(unit_margin * 100, base, 1) END AS margin_percent,
    CASE WHEN left_bottom > 0 THEN CASE $stock_out_rounding WHEN 'down' THEN whole(left_top, left_bottom) WHEN 'nearest' THEN ratio(left_top, left_bottom, 0)::HUGEINT ELSE whole(left_top, left_bottom) + CASE WHEN whole(left_top, left_bottom) * left_bottom < left_top THEN 1 ELSE 0 END END END::INT AS days_left,
    CASE WHEN left_bottom > 0 AND active THEN CASE WHEN left_top < 7 * left_bottom THEN 'URGENT' WHEN left_top < 15 * left_bottom THEN 'PREVOIR' WHEN left_top < 30 * left_bottom THEN 'PLANIFIER' END END AS urgency FROM pos;
-- 4.4: the date; without Sundays it is the day on which as many days of sale have passed
CREATE TABLE pos2 AS SELECT *, CASE WHEN days_left IS NULL THEN NULL WHEN NOT $exclude_sundays THEN $as_of + days_left
      WHEN days_left = 0 THEN CASE WHEN isodow($as_of) = 7 THEN $as_of - 1 ELSE $as_of END
      ELSE (SELECT d FROM (SELECT $as_of + i::INT AS d, row_number() OVER (ORDER BY i) AS k FROM range(1, 2 * days_left + 10) r(i) WHERE isodow($as_of + i::INT) <> 7) WHERE k = days_left) END AS stock_out_date FROM pos1;
""", p)


STOCK = {
    "stock.csv": r"""SELECT $as_of AS stock_date, product_code, product, category, unit, supplier_code, abc_class, status, stock, minimum_stock, maximum_stock, average_daily_sales, coverage_days, days_left, stock_out_date, safety_stock, reorder_point,
        month_q AS sold_month, month_r AS revenue_month, share_percent AS revenue_share_percent, gross_margin, purchase_price, sale_price, unit_margin, margin_percent, trend_percent, trend_rating,
        average_stock_q AS average_stock, rotation, rotation_rating, days_to_sell, service_rate, out_days AS stock_out_days, value_fifo, value_average, stock_value
      FROM pos2 ORDER BY category, product_code""",
    "stock_outs.csv": r"""SELECT urgency, product_code, product, unit, supplier_code, supplier, abc_class, status, stock, average_daily_sales, coverage_days, days_left, stock_out_date, lead_days
      FROM pos2 WHERE urgency IS NOT NULL ORDER BY left_top / left_bottom::DOUBLE, class_order, product_code""",
    # 4.4: promotion; purchases stopped without a sale in 30 days; delisting without one in 90
    "surplus.csv": r"""WITH x AS (SELECT *, coalesce($as_of - last_sale, history_days) AS quiet, least(maximum_stock, 9999999999) AS top FROM pos2 WHERE is_surplus),
        y AS (SELECT *, CASE WHEN maximum_stock * sale_days < sold * $surplus_days THEN (stock - maximum_stock) * sale_days ELSE stock * sale_days - sold * $surplus_days END AS excess_top FROM x),
        z AS (SELECT *, CASE WHEN excess_top > 0 THEN ratio(excess_top, sale_days, 2) ELSE 0 END AS excess FROM y)
      SELECT product_code, product, category, unit, abc_class, status, stock, maximum_stock, coverage_days, rotation, last_sale, quiet AS days_without_sale, stock_value, excess AS excess_quantity,
        CASE WHEN excess_top > 0 THEN ratio(stock_value * excess_top, stock * sale_days, 0) ELSE stock_value * 0 END AS excess_value, CASE WHEN quiet >= 90 THEN 'DEREFERENCEMENT' WHEN quiet >= 30 THEN 'ARRET ACHATS' ELSE 'PROMOTION' END AS action,
        CASE WHEN quiet >= 90 THEN 'Aucune vente depuis ' || quiet || ' jours : considérer le déréférencement' WHEN quiet >= 30 THEN 'Aucune vente depuis ' || quiet || ' jours : arrêter temporairement les achats et déstocker'
             ELSE 'Promotion commerciale pour écouler ' || fr(excess) || ' ' || unit END AS advice
      FROM z ORDER BY stock_value DESC NULLS LAST, product_code""",
}

KPIS = r"""
CREATE TABLE t AS SELECT count(*) FILTER (active) AS products, count(*) FILTER (status = 'RUPTURE') AS products_out, count(*) FILTER (status = 'ALERTE') AS products_alert, count(*) FILTER (status = 'NORMAL') AS products_normal,
    count(*) FILTER (status = 'SURSTOCK') AS products_surplus, count(*) FILTER (is_low) AS products_low, count(*) FILTER (stock > 0 AND urgency = 'URGENT') AS in7, count(*) FILTER (stock > 0 AND urgency IN ('URGENT', 'PREVOIR')) AS in15,
    sum(service_known) AS sk, sum(out_days) AS so, sum(stock_value) AS stock_value, sum(stock_value) FILTER (is_surplus) AS surplus_value,
    -- rotation and coverage of the whole, in value at the purchase price (RG-STOCK-03)
    sum(year_q * purchase_price * 365) AS rot_top, sum(stock_days * purchase_price) AS rot_bottom, sum(greatest(0, stock) * purchase_price) AS cov_top,
    sum(millionths(sold * purchase_price, sale_days)) AS day_cost_millionths,  -- what a day's sales cost
    sum(gross_margin) AS gross_margin, sum(month_r) FILTER (purchase_price IS NOT NULL) AS costed FROM pos2;
CREATE TABLE r AS SELECT coalesce(sum(amount) FILTER (sale_date = $as_of), 0) AS d, sum(amount) FILTER (sale_date = $as_of - 1) AS d1, coalesce(sum(amount) FILTER (sale_date > $as_of - 7), 0) AS w, sum(amount) FILTER (sale_date <= $as_of - 7 AND sale_date > $as_of - 14) AS w1,
    coalesce(sum(amount) FILTER (sale_date > $as_of - $month_days), 0) AS m, sum(amount) FILTER (sale_date <= $as_of - $month_days AND sale_date > $as_of - 2 * $month_days) AS m1,
    count(DISTINCT coalesce(order_no, 'row ' || n)) FILTER (sale_date = $as_of) AS od, count(DISTINCT coalesce(order_no, 'row ' || n)) FILTER (sale_date > $as_of - $month_days) AS om FROM sales;
CREATE TABLE q AS SELECT count(*) FILTER (known > 0) AS days, count(*) FILTER (known > 0 AND outs = 0) AS fine FROM (SELECT day, count(*) FILTER (active AND back < $service_days AND day >= first_seen) AS known, count(*) FILTER (active AND back < $service_days AND day >= first_seen AND stock <= 0) AS outs FROM daily GROUP BY 1);
CREATE TABLE k AS SELECT unnest(['service_rate', 'service_rate_days', 'rotation', 'coverage_days', 'stock_out_rate', 'gross_margin', 'margin_rate', 'stock_value', 'stock_to_revenue', 'surplus_value', 'products', 'products_out', 'products_alert', 'products_low', 'products_normal', 'products_surplus',
      'out_in_7_days', 'out_in_15_days', 'revenue_day', 'revenue_day_change', 'revenue_week', 'revenue_week_change', 'revenue_month', 'revenue_month_change', 'orders_day', 'orders_month', 'basket']) AS kpi,
    unnest([ratio((sk - so) * 100, sk, 1), ratio(fine * 100, days, 1), ratio(rot_top, rot_bottom, 2), ratio(cov_top * 1000000, day_cost_millionths, 1), ratio(products_out * 100, products, 1), gross_margin, ratio(gross_margin * 100, costed, 1),
      stock_value, ratio(stock_value * 100, m, 1), surplus_value, products, products_out, products_alert, products_low, products_normal, products_surplus, in7, in15,
      d, ratio((d - d1) * 100, d1, 1), w, ratio((w - w1) * 100, w1, 1), m, ratio((m - m1) * 100, m1, 1), od, om, ratio(m, om, 0)]::DECIMAL(28, 2)[]) AS value FROM t, r, q;
"""
KPI_TABLE = r"""SELECT kpi, title, unit, value, target_min::DECIMAL(10, 1) AS target_min, target_max::DECIMAL(10, 1) AS target_max,
    CASE WHEN value IS NULL OR (target_min IS NULL AND target_max IS NULL) THEN NULL ELSE coalesce(value >= target_min::DECIMAL(10, 1), true) AND coalesce(value <= target_max::DECIMAL(10, 1), true) END AS met
  FROM (SELECT *, row_number() OVER () AS place FROM k) LEFT JOIN kpi_titles USING (kpi) ORDER BY place"""

# ---------------------------------------------------------------- 4.2, 4.4: what to order
BUY = r"""
CREATE TABLE b0 AS SELECT pos2.*, coalesce(o.on_order, 0) AS on_order, o.expected FROM pos2 LEFT JOIN (SELECT product_code, sum(quantity) AS on_order, min(expected_on) AS expected FROM open_orders GROUP BY 1) o USING (product_code);
-- 4.2: (average x cover) + 20% - stock. Everything times 100 x sale days, so that nothing is divided.
CREATE TABLE b1 AS SELECT *, sold * $cover_days * (100 + $safety_percent) - 100 * sale_days * (CASE WHEN $deduct_stock THEN greatest(0, stock) ELSE 0 END + CASE WHEN $deduct_on_order THEN on_order ELSE 0 END) AS need_top, 100 * sale_days AS need_bottom FROM b0;
-- MOQ, then full packs: the smallest multiple that is not below
CREATE TABLE b2 AS SELECT *, greatest(need_top, smallest_order * need_bottom) AS want_top FROM b1;
CREATE TABLE needs AS SELECT *, ratio(greatest(0, need_top), need_bottom, 2) AS need,
    CASE WHEN need_top > 0 THEN pack_size * (whole(want_top, pack_size * need_bottom) + CASE WHEN whole(want_top, pack_size * need_bottom) * pack_size * need_bottom < want_top THEN 1 ELSE 0 END) ELSE 0 END::DECIMAL(28, 2) AS quantity,
    active AND coalesce(CASE $order_trigger WHEN 'reorder_point' THEN below_reorder WHEN 'either' THEN below_reorder OR coalesce(left_bottom > 0 AND left_top < $horizon_days * left_bottom, false) ELSE left_bottom > 0 AND left_top < $horizon_days * left_bottom END, false) AS due,
    $as_of + lead_days::INT AS delivery, greatest($as_of, stock_out_date - lead_days::INT) AS order_by FROM b2;
CREATE TABLE lines AS SELECT *, ratio(quantity * purchase_price, 1, 0) AS amount, delivery <= stock_out_date + $delivery_grace_days AS in_time,
    -- class, urgency, margin (4.4)
    row_number() OVER (ORDER BY class_order, left_top / left_bottom::DOUBLE NULLS LAST, CASE WHEN base > 0 THEN unit_margin / base::DOUBLE END DESC NULLS LAST, n) AS priority FROM needs WHERE due AND quantity > 0 AND supplier IS NOT NULL;
CREATE TABLE orders AS SELECT l.supplier_code, l.supplier, count(*) AS lines, coalesce(sum(amount), 0) AS total, count(*) FILTER (purchase_price IS NULL) AS unpriced, min(priority) AS first_line, max(l.lead_days) AS lead_days, max(delivery) AS delivery,
    min(stock_out_date) AS lasts, count(*) FILTER (NOT in_time) AS late FROM lines l GROUP BY 1, 2;
CREATE TABLE orders1 AS SELECT o.*, s.phone, s.payment_terms, s.minimum_order, coalesce((SELECT count(DISTINCT order_no) FROM open_orders x WHERE x.supplier_code = o.supplier_code), 0) AS open_orders,
    row_number() OVER (ORDER BY first_line) AS place, sum(total) OVER (ORDER BY first_line) AS cumulative FROM orders o JOIN suppliers s USING (supplier_code);
CREATE TABLE orders2 AS SELECT *, ratio($cash, 1, 0) AS cash, CASE WHEN $cash_check = 'each' THEN total ELSE cumulative END <= $cash AS cash_ok, total >= minimum_order AS minimum_ok, late = 0 AS delivery_ok, open_orders = 0 AS none_open FROM orders1;
"""
PURCHASE = {
    "purchase_orders.csv": r"""SELECT l.supplier_code, l.supplier, priority, product_code, product, abc_class, urgency, stock, on_order, expected AS expected_on, average_daily_sales, days_left, stock_out_date, l.delivery AS delivery_date, in_time,
        ratio(sold * $cover_days, sale_days, 2) AS cover_quantity, ratio(sold * $cover_days * $safety_percent, 100 * sale_days, 2) AS safety_quantity, need, pack_size, smallest_order, quantity, unit, purchase_price, amount, margin_percent
      FROM lines l JOIN orders1 o USING (supplier_code) ORDER BY o.place, priority""",
    "purchase_suppliers.csv": r"""SELECT place AS order_priority, supplier_code, supplier, phone, payment_terms, lines, total, minimum_order, ratio(greatest(0, minimum_order - total), 1, 0) AS minimum_missing, minimum_ok, lead_days, delivery AS delivery_date, lasts AS stock_lasts_until,
        late AS late_lines, delivery_ok, open_orders, none_open AS no_open_order, cumulative AS cumulative_total, cash, cash_ok, cash_ok AND delivery_ok AND none_open AND minimum_ok AND unpriced = 0 AS automatic,
        array_to_string(list_filter([CASE WHEN NOT cash_ok THEN 'trésorerie insuffisante' END, CASE WHEN NOT delivery_ok THEN 'livraison après la rupture : ' || late || ' produit(s)' END, CASE WHEN NOT none_open THEN 'commande déjà en cours chez ce fournisseur' END,
          CASE WHEN NOT minimum_ok THEN 'minimum de commande non atteint' END, CASE WHEN unpriced > 0 THEN 'prix d''achat manquant' END], lambda x: x IS NOT NULL), ' ; ') AS to_look_at
      FROM orders2 ORDER BY place""",
    "purchase_without_supplier.csv": r"""SELECT product_code, product, unit, abc_class, stock, average_daily_sales, days_left, stock_out_date, need, quantity FROM needs WHERE due AND quantity > 0 AND supplier IS NULL ORDER BY n""",
}

# ---------------------------------------------------------------- 5.2: the five alerts
ALERTS = r"""
CREATE TABLE monday AS SELECT $as_of - (isodow($as_of) - 1)::INT AS monday;
CREATE TABLE week AS SELECT d.* FROM daily d, monday WHERE active AND day >= first_seen AND day >= monday - 7 AND day < monday;
CREATE TABLE week1 AS SELECT count(DISTINCT day) AS days, count(DISTINCT day) FILTER (stock <= 0) AS days_out, count(*) AS pdays, count(*) FILTER (stock <= 0) AS pout,
    string_agg(DISTINCT product, ', ' ORDER BY product) FILTER (stock <= 0) AS names, count(DISTINCT product_code) FILTER (stock <= 0) AS products FROM week;
CREATE TABLE week2 AS SELECT *, CASE WHEN days > 0 THEN CASE WHEN $service_rule = 'products' THEN (pdays - pout) * 100 ELSE (days - days_out) * 100 END END AS top, CASE WHEN $service_rule = 'products' THEN pdays ELSE days END AS bottom FROM week1;
CREATE TABLE alerts AS
  SELECT 'RUPTURE' AS type, product_code, product, abc_class, 'RUPTURE STOCK : ' || product || '. Stock actuel : ' || fr(stock) || ' ' || unit || '. Ventes perdues par jour (estimation) : ' || fr(average_daily_sales) || ' ' || unit || '. Impact CA : ' || francs(ratio(sold * sale_price, sale_days, 0)) || '. '
      || CASE WHEN quantity > 0 THEN 'Commander ' || fr(quantity) || ' ' || unit || ' immédiatement. ' ELSE '' END || CASE WHEN supplier IS NULL THEN 'Fournisseur non renseigné.' ELSE 'Fournisseur : ' || supplier || ' (délai ' || lead_days || ' j).' END AS text,
      stock, average_daily_sales, ratio(sold * sale_price, sale_days, 0) AS lost_revenue_per_day, NULL::INT AS days_left, NULL::DATE AS stock_out_date, NULL::VARCHAR AS reminder, NULL::DATE AS order_by, quantity, NULL::BIGINT AS products, NULL::DECIMAL(10, 1) AS service_rate, NULL::DECIMAL(10, 1) AS service_target,
      NULL::DECIMAL(28, 1) AS trend_percent, NULL::BIGINT AS revenue_rank, NULL::BIGINT AS revenue_rank_before, NULL::DECIMAL(28, 1) AS margin_percent
    FROM needs WHERE active AND stock <= 0
  UNION ALL SELECT 'STOCK_FAIBLE', product_code, product, abc_class, 'STOCK FAIBLE : ' || product || '. Stock actuel : ' || fr(stock) || ' ' || unit || '. Vente moyenne : ' || fr(average_daily_sales) || ' ' || unit || '/jour. RUPTURE '
      || CASE WHEN days_left = 0 THEN 'AUJOURD''HUI' WHEN days_left = 1 THEN 'DANS 1 JOUR' ELSE 'DANS ' || days_left || ' JOURS' END || ' (' || strftime(stock_out_date, '%d/%m/%Y') || '). '
      || CASE WHEN quantity > 0 THEN 'Commander ' || fr(quantity) || ' ' || unit || ' ' || CASE WHEN order_by <= $as_of THEN 'immédiatement' ELSE 'avant le ' || strftime(order_by, '%d/%m/%Y') END || ' (couverture ' || $cover_days || ' jours).' ELSE '' END,
      stock, average_daily_sales, NULL, days_left, stock_out_date, CASE WHEN days_left <= 1 THEN 'J-1' WHEN days_left <= 3 THEN 'J-3' ELSE 'J-7' END, order_by, quantity, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM needs WHERE is_low AND on_order = 0
  UNION ALL SELECT 'GROUPEE', NULL, NULL, NULL, 'ALERTE STOCK : ' || (a + b + c) || ' PRODUITS EN SITUATION CRITIQUE. Urgences (< 3 jours) : ' || coalesce(la, 'aucune') || '. À prévoir (3-7 jours) : ' || coalesce(lb, 'aucun') || '. À planifier (7-15 jours) : ' || c || ' autre(s) produit(s). Commandes suggérées : ' || coalesce(lo, 'aucune') || '.',
      NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, a + b + c, NULL, NULL, NULL, NULL, NULL, NULL
    FROM (SELECT count(*) FILTER (is_low) AS low, count(*) FILTER (u = 1) AS a, count(*) FILTER (u = 2) AS b, count(*) FILTER (u = 3) AS c,
        string_agg(product || ' : rupture dans ' || days_left || ' j', ' ; ' ORDER BY left_top / left_bottom::DOUBLE, product_code) FILTER (u = 1) AS la, string_agg(product || ' : rupture dans ' || days_left || ' j', ' ; ' ORDER BY left_top / left_bottom::DOUBLE, product_code) FILTER (u = 2) AS lb
      FROM (SELECT *, CASE WHEN active AND stock > 0 AND left_bottom > 0 THEN CASE WHEN left_top < 3 * left_bottom THEN 1 WHEN left_top < 7 * left_bottom THEN 2 WHEN left_top < 15 * left_bottom THEN 3 END END AS u FROM needs)),
      (SELECT string_agg(supplier || ' : ' || francs(total) || ' (' || lines || CASE WHEN lines = 1 THEN ' produit)' ELSE ' produits)' END, ' ; ' ORDER BY place) AS lo FROM orders1) WHERE low >= $group_count
  UNION ALL SELECT 'TAUX_SERVICE', NULL, NULL, NULL, 'BAISSE TAUX DE SERVICE : semaine du ' || strftime(monday - 7, '%d/%m') || ' au ' || strftime(monday - 1, '%d/%m/%Y') || ' : ' || ratio(top, bottom, 0)::INT || ' %. Objectif : ' || fr($service_target) || ' % (' || ratio(top - bottom * $service_target, bottom, 0)::INT
      || ' points). Causes : ' || days_out || ' jour(s) avec ruptures (' || names || '). Actions : augmenter les stocks de sécurité des produits A ; commander plus fréquemment ; activer des alertes anticipées.',
      NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, products, ratio(top, bottom, 1), ratio($service_target, 1, 1), NULL, NULL, NULL, NULL FROM week2, monday WHERE top < bottom * $service_target
  UNION ALL SELECT 'OPPORTUNITE', product_code, product, abc_class, 'OPPORTUNITÉ COMMERCIALE : ' || product || '. Ventes : ' || CASE WHEN trend_top IS NULL THEN 'nouveau produit' ELSE CASE WHEN trend_top >= 0 THEN '+' ELSE '' END || ratio(trend_top, before_q, 0)::INT || ' % vs mois dernier' END || '. Classement CA : n°' || place
      || CASE WHEN place_before IS NULL THEN ' (nouveau)' ELSE ' (était n°' || place_before || ')' END || CASE WHEN margin_percent IS NULL THEN '' ELSE '. Marge : ' || fr(margin_percent) || ' %' END || '. Augmenter le stock de sécurité ; négocier le prix d''achat ; mettre en avant.',
      stock, average_daily_sales, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, trend_percent, place, place_before, margin_percent
    FROM needs WHERE active AND ((reliable AND trend_top >= $opportunity_percent * before_q AND month_q >= $opportunity_quantity) OR ($as_of - data_start + 1 >= 2 * $month_days AND place <= $top_products AND coalesce(place_before > $top_products, true)));
"""
ALERT_TABLE = r"""SELECT type, severity, product_code, product, abc_class, text, stock, average_daily_sales, lost_revenue_per_day, days_left, stock_out_date, reminder, order_by, quantity, products, service_rate, service_target, trend_percent, revenue_rank, revenue_rank_before, margin_percent
  FROM alerts JOIN alert_types USING (type) WHERE "on" = 'true' OR (type = 'RUPTURE' AND abc_class = 'A') ORDER BY severity_order, type, days_left NULLS LAST, product_code"""


def literal(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        try:
            float(value)
            return value
        except ValueError:
            pass
        return f"DATE '{value}'" if len(value) == 10 and value[4] == "-" else "'" + value + "'"
    return str(value)


def run(db, text, p):
    for name in sorted(p, key=len, reverse=True):
        text = text.replace("$" + name, literal(p[name]))
    return db.execute(text)


COLUMNS = {
    "raw_products": ["product_code", "product", "category", "unit", "supplier_code", "purchase_price", "sale_price", "opening_stock", "current_stock", "minimum_stock", "maximum_stock", "pack_size", "smallest_order", "alert_days", "active"],
    "raw_suppliers": ["supplier_code", "supplier", "phone", "lead_days", "minimum_order", "payment_terms"],
    "raw_sales": ["sale_date", "order_no", "product_code", "quantity", "unit_price", "status"],
    "raw_movements": ["movement_date", "product_code", "movement_type", "quantity", "unit_cost", "stock_before", "stock_after", "reference"],
    "raw_open_orders": ["order_no", "supplier_code", "product_code", "quantity", "ordered_on", "expected_on"],
}


def load(db, name, path):
    """A file as texts, its rows numbered from 1."""
    path = os.path.join(PACKAGE, path)
    with open(path, encoding="utf-8", newline="") as file:
        head = next(csv.reader(file))
    columns = COLUMNS.get(name, head)
    there = ", ".join(f'"{c}"' if c in head else f'NULL::VARCHAR AS "{c}"' for c in columns)
    db.execute(f"""CREATE TABLE {name} AS SELECT row_number() OVER () AS n, {there} FROM
        read_csv('{path}', header = true, delim = ',', quote = '"', escape = '"', all_varchar = true, auto_detect = false, columns = {{{", ".join(f"'{c}': 'VARCHAR'" for c in head)}}})""")


def file_of(output):
    """The table behind an output; the ledger keeps the rows of the stock table."""
    return "stock.csv" if output == "ledger:stock_snapshots" else os.path.basename(output)


def cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def compute(test):
    p = dict(DEFAULTS, **test.get("set", {}))
    for name, value in p.items():
        if isinstance(DEFAULTS[name], bool) and isinstance(value, str):
            p[name] = value == "true"
    db = duckdb.connect()
    db.execute(MACROS)
    files = {f: test.get("files", {}).get(f, f) for f in FILES}
    for table, file in zip(["movement_types", "abc_classes", "kpi_titles", "alert_types"], FILES):
        load(db, table, files[file])
        db.execute(f"ALTER TABLE {table} DROP n")
    db.execute("ALTER TABLE abc_classes ALTER class_order TYPE INT; ALTER TABLE alert_types ALTER severity_order TYPE INT")
    for name in INPUTS:
        load(db, "raw_" + name, test.get("inputs", {}).get(name, f"sample/{name}.csv"))
    run(db, IMPORT, p)
    results = {"import_rejected.csv": r"""SELECT "table", "row", row_key, severity, reason FROM reports WHERE severity <> 'warn' ORDER BY part, k, n""",
               "import_warnings.csv": r"""SELECT "table", "row", row_key, severity, reason FROM reports WHERE severity = 'warn' ORDER BY part, k, n"""}
    wanted = {file_of(o) for o in test.get("expect", {})}
    if wanted - set(results):
        position(db, p)
        results.update(STOCK)
        if "kpis.csv" in wanted:
            run(db, KPIS, p)
            results["kpis.csv"] = KPI_TABLE
        if wanted & {"purchase_orders.csv", "purchase_suppliers.csv", "purchase_without_supplier.csv", "alerts.csv"}:
            run(db, BUY, p)
            results.update(PURCHASE)
        if "alerts.csv" in wanted:
            run(db, ALERTS, p)
            results["alerts.csv"] = ALERT_TABLE
    return {name: (lambda c: ([d[0] for d in c.description], c.fetchall()))(run(db, results[name], p)) for name in wanted}


def same(a, b):
    """Whether two figures are the same: numbers by their value."""
    try:
        return float(a) == float(b)
    except ValueError:
        return a == b


# Figures worked by hand: test, output, column and value that find the row, and what must stand in its columns. The
# working stands in the test's "about".
HAND = [
    ("golden_flour", "purchase_orders.csv", "product_code", "F-001", {"need": "216", "cover_quantity": "180", "safety_quantity": "36", "quantity": "240", "amount": "4320000", "average_daily_sales": "12"}),
    ("golden_flour", "alerts.csv", "type", "RUPTURE", {"lost_revenue_per_day": "240000", "quantity": "240"}),
    ("golden_flour_stock", "stock.csv", "product_code", "F-001", {"safety_stock": "54", "reorder_point": "90", "abc_class": "A", "status": "RUPTURE"}),
    ("golden_coverage", "stock.csv", "product_code", "F-001", {"average_daily_sales": "6", "coverage_days": "7.5", "days_left": "7", "stock_out_date": "2026-10-07"}),
    ("golden_coverage", "stock_outs.csv", "product_code", "F-001", {"urgency": "PREVOIR"}),
    ("golden_rotation", "stock.csv", "product_code", "F-001", {"rotation": "8", "days_to_sell": "45.6", "average_stock": "150", "rotation_rating": "BON"}),
    ("golden_margin", "stock.csv", "product_code", "F-001", {"unit_margin": "2000", "margin_percent": "10", "gross_margin": "500000", "revenue_month": "5000000"}),
    ("golden_margin", "kpis.csv", "kpi", "margin_rate", {"value": "10"}),
    ("golden_margin_on_purchase", "stock.csv", "product_code", "F-001", {"margin_percent": "11.1"}),
    ("golden_stock_to_revenue", "kpis.csv", "kpi", "stock_value", {"value": "12500000"}),
    ("golden_stock_to_revenue", "kpis.csv", "kpi", "revenue_month", {"value": "45000000"}),
    ("golden_stock_to_revenue", "kpis.csv", "kpi", "stock_to_revenue", {"value": "27.8"}),
    ("golden_basket", "kpis.csv", "kpi", "orders_month", {"value": "320"}),
    ("golden_basket", "kpis.csv", "kpi", "revenue_month", {"value": "15800000"}),
    ("golden_basket", "kpis.csv", "kpi", "basket", {"value": "49375"}),
    ("golden_week", "alerts.csv", "type", "TAUX_SERVICE", {"service_rate": "57.1", "text": "BAISSE TAUX DE SERVICE : semaine du 28/09 au 04/10/2026 : 57 %. Objectif : 95 % (-38 points). Causes : 3 jour(s) avec ruptures (Farine, Huile, Riz). Actions : augmenter les stocks de sécurité des produits A ; commander plus fréquemment ; activer des alertes anticipées."}),
    ("golden_week_products", "alerts.csv", "type", "TAUX_SERVICE", {"service_rate": "85.7"}),
    ("golden_low", "alerts.csv", "type", "STOCK_FAIBLE", {"stock": "45", "days_left": "4", "stock_out_date": "2024-10-18", "order_by": "2024-10-15", "quantity": "165", "reminder": "J-7", "text": "STOCK FAIBLE : Riz 25kg. Stock actuel : 45 sac. Vente moyenne : 11 sac/jour. RUPTURE DANS 4 JOURS (18/10/2024). Commander 165 sac avant le 15/10/2024 (couverture 15 jours)."}),
    ("rounding_up", "stock_outs.csv", "product_code", "R-001", {"days_left": "5"}),
    ("rounding_up", "stock_outs.csv", "product_code", "S-001", {"days_left": "7"}),
    ("rounding_nearest", "stock_outs.csv", "product_code", "R-001", {"days_left": "4"}),
    ("rounding_nearest", "stock_outs.csv", "product_code", "S-001", {"days_left": "7"}),
    ("golden_order", "purchase_suppliers.csv", "supplier_code", "FR-01", {"total": "2050000", "cash_ok": "true", "delivery_date": "2024-10-17", "stock_lasts_until": "2024-10-16", "delivery_ok": "true", "automatic": "true"}),
    ("golden_order", "purchase_orders.csv", "product_code", "F-001", {"quantity": "80"}),
    ("golden_order", "purchase_orders.csv", "product_code", "F-003", {"quantity": "30"}),
    ("golden_order", "purchase_orders.csv", "product_code", "F-004", {"quantity": "50"}),
    ("order_no_grace", "purchase_suppliers.csv", "supplier_code", "FR-01", {"automatic": "false", "to_look_at": "livraison après la rupture : 1 produit(s)"}),
    ("orders_held", "purchase_orders.csv", "product_code", "C-001", {"quantity": "60"}),
    ("orders_held", "purchase_orders.csv", "product_code", "H-001", {"quantity": "52"}),
    ("orders_held", "purchase_suppliers.csv", "supplier_code", "FR-01", {"minimum_missing": "1060000"}),
    ("orders_held_each", "purchase_suppliers.csv", "supplier_code", "FR-03", {"automatic": "true"}),
    ("orders_held_each", "purchase_suppliers.csv", "supplier_code", "FR-05", {"automatic": "true"}),
    ("orders_held_each", "purchase_suppliers.csv", "supplier_code", "FR-04", {"to_look_at": "prix d'achat manquant"}),
    ("status_cl_02", "stock.csv", "product_code", "A-1", {"status": "RUPTURE"}),
    ("status_stock_01", "stock.csv", "product_code", "A-1", {"status": "RUPTURE"}),
    ("status_cl_02", "stock.csv", "product_code", "A-2", {"status": "NORMAL"}),
    ("status_stock_01", "stock.csv", "product_code", "A-2", {"status": "RUPTURE"}),
    ("status_cl_02", "stock.csv", "product_code", "A-3", {"status": "ALERTE"}),
    ("status_stock_01", "stock.csv", "product_code", "A-3", {"status": "ALERTE"}),
    ("status_cl_02", "stock.csv", "product_code", "A-4", {"status": "ALERTE"}),
    ("status_stock_01", "stock.csv", "product_code", "A-4", {"status": "NORMAL"}),
    ("status_cl_02", "stock.csv", "product_code", "A-5", {"status": "SURSTOCK"}),
    ("status_stock_01", "stock.csv", "product_code", "A-5", {"status": "SURSTOCK"}),
    ("status_cl_02", "stock.csv", "product_code", "A-6", {"status": "SURSTOCK"}),
    ("status_stock_01", "stock.csv", "product_code", "A-6", {"status": "NORMAL"}),
    ("status_cl_02", "stock.csv", "product_code", "A-7", {"status": "SURSTOCK"}),
    ("status_stock_01", "stock.csv", "product_code", "A-7", {"status": "SURSTOCK"}),
    ("status_cl_02", "stock.csv", "product_code", "A-8", {"status": "NORMAL"}),
    ("status_stock_01", "stock.csv", "product_code", "A-8", {"status": "NORMAL"}),
    ("status_cl_02", "stock.csv", "product_code", "A-9", {"status": "INACTIF"}),
    ("status_stock_01", "stock.csv", "product_code", "A-9", {"status": "INACTIF"}),
    ("surplus_cl_02", "surplus.csv", "product_code", "B-1", {"action": "PROMOTION", "excess_quantity": "190"}),
    ("surplus_cl_02", "surplus.csv", "product_code", "B-2", {"excess_quantity": "20"}),
    ("surplus_cl_02", "surplus.csv", "product_code", "B-3", {"excess_quantity": "10"}),
    ("surplus_4_4", "surplus.csv", "product_code", "B-4", {"action": "ARRET ACHATS"}),
    ("surplus_stock_01", "surplus.csv", "product_code", "B-5", {"action": "DEREFERENCEMENT"}),
    ("abc_within", "stock.csv", "product_code", "C-1", {"abc_class": "A"}),
    ("abc_crossing", "stock.csv", "product_code", "C-1", {"abc_class": "A"}),
    ("abc_within", "stock.csv", "product_code", "C-2", {"abc_class": "B"}),
    ("abc_crossing", "stock.csv", "product_code", "C-2", {"abc_class": "A"}),
    ("abc_within", "stock.csv", "product_code", "C-3", {"abc_class": "B"}),
    ("abc_crossing", "stock.csv", "product_code", "C-3", {"abc_class": "B"}),
    ("abc_within", "stock.csv", "product_code", "C-4", {"abc_class": "C"}),
    ("abc_crossing", "stock.csv", "product_code", "C-4", {"abc_class": "C"}),
    ("abc_within", "stock.csv", "product_code", "C-5", {"abc_class": "C"}),
    ("abc_crossing", "stock.csv", "product_code", "C-5", {"abc_class": "C"}),
    ("valuation_fifo", "stock.csv", "product_code", "V-1", {"stock_value": "3000"}),
    ("valuation_average", "stock.csv", "product_code", "V-1", {"stock_value": "2958"}),
    ("valuation_purchase_price", "stock.csv", "product_code", "V-1", {"stock_value": "3250"}),
    ("valuation_fifo", "stock.csv", "product_code", "V-2", {"value_fifo": "5250"}),
    ("valuation_fifo", "stock.csv", "product_code", "V-3", {"value_fifo": "300"}),
    ("sundays", "stock.csv", "product_code", "F-001", {"average_daily_sales": "6", "days_left": "7", "stock_out_date": "2026-10-08"}),
    ("short_history", "stock.csv", "product_code", "N-1", {"average_daily_sales": "2"}),
    ("short_history", "stock.csv", "product_code", "N-2", {"average_daily_sales": "2"}),
    ("short_history", "stock.csv", "product_code", "N-3", {"average_daily_sales": "1"}),
    ("average_stock_daily", "stock.csv", "product_code", "F-001", {"average_stock": "60"}),
    ("average_stock_bounds", "stock.csv", "product_code", "F-001", {"average_stock": "70"}),
    ("trends", "stock.csv", "product_code", "G-1", {"trend_rating": "CROISSANCE FORTE"}),
    ("trends", "stock.csv", "product_code", "G-2", {"trend_rating": "CROISSANCE MODEREE"}),
    ("trends", "stock.csv", "product_code", "G-3", {"trend_rating": "STABILITE"}),
    ("trends", "stock.csv", "product_code", "G-4", {"trend_rating": "DECLIN"}),
    ("trends", "stock.csv", "product_code", "G-5", {"trend_rating": "STABILITE"}),
    ("trends", "stock.csv", "product_code", "G-6", {"trend_rating": "NOUVEAU"}),
    ("trends", "stock.csv", "product_code", "G-7", {"trend_rating": "A CONFIRMER"}),
    ("trend_followed", "stock_outs.csv", "product_code", "G-1", {"days_left": "20"}),
    ("golden_opportunity", "alerts.csv", "type", "OPPORTUNITE", {"text": "OPPORTUNITÉ COMMERCIALE : Lait poudre 500g. Ventes : +35 % vs mois dernier. Classement CA : n°5 (était n°12). Marge : 12,5 %. Augmenter le stock de sécurité ; négocier le prix d'achat ; mettre en avant."}),
    ("grouped_five", "alerts.csv", "type", "GROUPEE", {"products": "6"}),
    ("card_differs_warned", "stock.csv", "product_code", "F-001", {"stock": "90"}),
    ("card_differs_warned", "stock.csv", "product_code", "R-001", {"stock": "60"}),
    ("from_the_card", "stock.csv", "product_code", "F-001", {"stock": "36", "coverage_days": "3"}),
]


def main(only):
    failed = 0
    for path in sorted(glob.glob(os.path.join(HERE, "*.json"))):
        name = os.path.basename(path)[:-5]
        if only and name not in only:
            continue
        with open(path, encoding="utf-8") as file:
            test = json.load(file)
        tables = compute(test) if test.get("expect") else {}
        for output, target in test.get("expect", {}).items():
            head, rows = tables[file_of(output)]
            os.makedirs(os.path.dirname(os.path.join(PACKAGE, target)), exist_ok=True)
            with open(os.path.join(PACKAGE, target), "w", encoding="utf-8", newline="") as file:
                out = csv.writer(file, lineterminator="\n")
                out.writerow(head)
                out.writerows([cell(v) for v in row] for row in rows)
        for output, key, value, figures in [hand[1:] for hand in HAND if hand[0] == name]:
            head, rows = tables[output]
            for column, figure in figures.items():
                found = [r[head.index(column)] for r in rows if cell(r[head.index(key)]) == value]
                if len(found) != 1 or not same(cell(found[0]), figure):
                    print(f"{name}: {output} {value} {column} is {found}, by hand {figure}")
                    failed += 1
        print(f"{name}: " + ", ".join(f"{k} {len(v[1])} rows" for k, v in tables.items()))
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
