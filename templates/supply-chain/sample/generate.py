"""Makes the sample files of the supply-chain package: a food wholesaler in Dakar, 93 days up to 30 September 2026.

Standard library only, seeded: running it again gives the same bytes. The files are as messy as exports are: codes in
small letters or with stray characters, spaces, two or three date formats in one column, decimal commas, spaces between
thousands, a product twice, prices that cannot be, sales of products that nobody knows.

    python3 sample/generate.py
"""

import csv
import os
import random
from datetime import date, timedelta

HERE = os.path.dirname(os.path.abspath(__file__))
AS_OF = date(2026, 9, 30)
START = date(2026, 6, 30)
DAYS = (AS_OF - START).days + 1



def dice(*what):
    """Chance that depends on what it is for alone: to change one product's figures leaves those of the others."""
    return random.Random("-".join(str(part) for part in what))


SUPPLIERS = [
    # code, name, phone, lead days, minimum order (FCFA), terms
    ("FR-01", "Moulin Dakar", "+221 33 839 10 10", 3, 1000000, "30 jours"),
    ("FR-02", "Import Riz Sahel", "+221 33 849 22 00", 10, 1500000, "Comptant"),
    ("FR-03", "Huilerie du Cap-Vert", "+221 33 834 51 51", 5, 600000, "30 jours"),
    ("FR-04", "Sucrerie du Fleuve", "+221 33 963 40 40", 7, 500000, "15 jours"),
    ("FR-05", "Sahel Distribution", "+221 33 855 77 30", 4, 250000, "30 jours"),
    ("FR-06", "Comptoir Lait et Thé", "+221 33 821 66 90", 14, 400000, "60 jours"),
]

# code, name, category, unit, supplier, purchase, sale, demand per open day, chance of a sale on an open day, minimum,
# maximum, pack, smallest order, cover bought (open days), last day on which the buyer reorders, change of demand per 30 days
P = [
    ("F-001", "Farine 50kg", "Farine", "sac", "FR-01", 18000, 20000, 12, .98, 10, 400, 80, 0, 13, date(2026, 9, 17), 1.00),
    ("F-002", "Farine 25kg", "Farine", "sac", "FR-01", 9200, 10300, 6, .85, 10, 250, 40, 0, 16, date(2026, 9, 20), 1.02),
    ("F-003", "Semoule 25kg", "Farine", "sac", "FR-01", 12000, 13500, 3, .7, 5, 120, 10, 20, 16, date(2026, 9, 20), 1.00),
    ("F-004", "Couscous 5kg", "Farine", "paquet", "FR-01", 5000, 5700, 5, .75, 10, 200, 10, 0, 16, date(2026, 9, 30), 1.03),
    ("R-001", "Riz brisé 25kg", "Riz", "sac", "FR-02", 11500, 12600, 22, .98, 40, 900, 50, 100, 22, date(2026, 9, 6), 1.00),
    ("R-002", "Riz parfumé 25kg", "Riz", "sac", "FR-02", 16800, 18700, 11, .95, 20, 500, 50, 0, 22, date(2026, 9, 30), 1.01),
    ("R-003", "Riz parfumé 5kg", "Riz", "sac", "FR-02", 3600, 4100, 9, .85, 20, 400, 20, 0, 22, date(2026, 9, 8), 1.00),
    ("R-004", "Riz étuvé 50kg", "Riz", "sac", "FR-02", 24500, 26900, 4, .75, 10, 160, 20, 0, 22, date(2026, 9, 30), .97),
    ("H-001", "Huile 20L", "Huile", "bidon", "FR-03", 21500, 23800, 9, .95, 15, 300, 24, 0, 14, date(2026, 9, 14), 1.00),
    ("H-002", "Huile 5L", "Huile", "bidon", "FR-03", 5900, 6600, 8, .9, 20, 300, 12, 0, 14, date(2026, 9, 30), 1.00),
    ("H-003", "Huile 1L carton de 12", "Huile", "carton", "FR-03", 14200, 15900, 3, .7, 6, 100, 6, 0, 16, date(2026, 9, 30), 1.00),
    ("H-004", "Huile de palme 20L", "Huile", "bidon", "FR-03", 19000, 21400, 2, .6, 4, 60, 6, 0, 16, date(2026, 8, 30), .93),
    ("S-001", "Sucre 50kg", "Sucre", "sac", "FR-04", 29500, 32000, 7, .95, 12, 260, 20, 0, 16, date(2026, 9, 17), 1.00),
    ("S-002", "Sucre en morceaux 1kg x 20", "Sucre", "carton", "FR-04", 14800, 16500, 4, .75, 8, 150, 10, 0, 16, date(2026, 9, 30), 1.01),
    ("S-003", "Sucre roux 25kg", "Sucre", "sac", "FR-04", 15200, 16900, 1.4, .45, 3, 60, 5, 0, 20, date(2026, 9, 30), 1.00),
    ("L-001", "Lait poudre 500g", "Lait", "carton", "FR-06", 20800, 23800, 3, .8, 8, 160, 12, 0, 26, date(2026, 9, 30), 1.16),
    ("L-002", "Lait poudre 25kg", "Lait", "sac", "FR-06", 62000, 68500, 1.6, .6, 3, 60, 5, 0, 26, date(2026, 9, 30), 1.00),
    ("L-003", "Lait concentré x 48", "Lait", "carton", "FR-06", 21600, 24000, 2.4, .7, 5, 90, 10, 0, 26, date(2026, 9, 3), 1.00),
    ("L-004", "Lait caillé 1L x 6", "Lait", "carton", "FR-06", 4200, 4800, .5, .25, 2, None, 6, 0, 60, date(2026, 8, 1), .8),
    ("T-001", "Thé vert 100g x 50", "Thé et café", "carton", "FR-06", 27500, 31000, .35, .25, 2, None, 10, 0, 120, date(2026, 8, 1), .95),
    ("T-002", "Café soluble 200g x 12", "Thé et café", "carton", "FR-06", 25000, 28600, .5, .3, 2, 60, 6, 0, 90, date(2026, 8, 1), 1.00),
    ("T-003", "Café moulu 250g x 20", "Thé et café", "carton", "FR-06", 18400, 21200, .8, .4, 2, 40, 5, 0, 30, date(2026, 9, 30), 1.00),
    ("C-001", "Concentré de tomate 400g x 24", "Conserves", "carton", "FR-05", 13200, 14900, 6, .9, 12, 220, 20, 0, 14, date(2026, 9, 20), 1.04),
    ("C-002", "Concentré de tomate 70g x 50", "Conserves", "carton", "FR-05", 5600, 6400, 5, .8, 10, 180, 20, 0, 14, date(2026, 9, 30), 1.00),
    ("C-003", "Sardines à l'huile x 50", "Conserves", "carton", "FR-05", 16500, 18600, 2, .6, 5, 80, 10, 0, 18, date(2026, 9, 16), 1.00),
    ("C-004", "Thon 185g x 48", "Conserves", "carton", "FR-05", 31500, 35200, .9, .4, 3, 40, 5, 0, 24, date(2026, 9, 30), 1.00),
    ("C-005", "Petits pois 400g x 24", "Conserves", "carton", "FR-05", 10800, 12300, .4, .2, 2, None, 5, 0, 110, date(2026, 7, 10), .9),
    ("P-001", "Pâtes spaghetti 500g x 20", "Pâtes", "carton", "FR-05", 6200, 7100, 7, .9, 15, 240, 25, 0, 14, date(2026, 9, 30), 1.05),
    ("P-002", "Pâtes coquillettes 500g x 20", "Pâtes", "carton", "FR-05", 6200, 7100, 3, .65, 8, 120, 25, 0, 18, date(2026, 9, 30), 1.00),
    ("P-003", "Vermicelle 500g x 20", "Pâtes", "carton", "FR-05", 5900, 6800, 4, .7, 8, 140, 25, 0, 18, date(2026, 9, 18), 1.00),
    ("B-001", "Bouillon cube x 60", "Epicerie", "carton", "FR-05", 24500, 27800, 4, .85, 8, 140, 12, 0, 14, date(2026, 9, 30), 1.02),
    ("B-002", "Mayonnaise 5L", "Epicerie", "seau", "FR-05", 7800, 8900, 2, .55, 4, 70, 4, 0, 18, date(2026, 9, 30), 1.00),
    ("B-003", "Moutarde 5kg", "Epicerie", "seau", "FR-05", 6400, 7400, .9, .4, 2, 40, 4, 0, 24, date(2026, 8, 25), .95),
    ("B-004", "Sel fin 25kg", "Epicerie", "sac", "FR-05", 2600, 3200, 3, .6, 10, 160, 20, 0, 18, date(2026, 9, 30), 1.00),
    ("B-005", "Oignons secs (vrac)", "Epicerie", "kg", "FR-05", 850, 1050, 14, .6, 25, 800, 25, 50, 18, date(2026, 9, 30), 1.00),
    ("N-001", "Savon de Marseille x 48", "Hygiène", "carton", "FR-05", 11800, 13400, 2.4, .65, 5, 90, 10, 0, 18, date(2026, 9, 30), 1.00),
    ("N-002", "Lessive poudre 10kg", "Hygiène", "sac", "FR-05", 8900, 10200, 2, .6, 5, 80, 10, 0, 18, date(2026, 9, 13), 1.00),
    ("N-003", "Eau de javel 1L x 12", "Hygiène", "carton", "", 4300, 5000, 1.5, .5, 4, 60, 6, 0, 18, date(2026, 9, 15), 1.00),
    ("N-004", "Insecticide 300ml x 24", "Hygiène", "carton", "FR-05", None, 28000, .3, .2, 1, None, 6, 0, 60, date(2026, 8, 1), 1.00),
    ("E-001", "Eau minérale 1,5L x 6", "Boissons", "pack", "FR-05", 1500, 1850, 26, .9, 40, 900, 60, 0, 10, date(2026, 9, 30), 1.10),
    ("E-002", "Jus de bissap 1L x 6", "Boissons", "pack", "FR-05", 4100, 4800, 6, .85, 10, 200, 12, 0, 14, date(2026, 9, 30), 1.00),
    ("X-001", "Biscuits secs (arrêté)", "Epicerie", "carton", "FR-05", 3900, 4500, 1, .4, 2, None, 10, 0, 30, date(2026, 4, 10), .8),
]
NEW = {"E-002": date(2026, 9, 7)}  # listed three weeks ago
DORMANT = {"L-004": date(2026, 8, 26), "C-005": date(2026, 7, 2), "B-003": date(2026, 8, 24)}  # no sale after this day
INACTIVE = {"X-001"}
SPECIAL = {  # orders far above the usual: day, product -> quantity, price
    (date(2026, 7, 20), "R-003"): (90, 3950),
    (date(2026, 8, 11), "C-002"): (38, 6200),
    (date(2026, 9, 12), "H-002"): (45, 4500),
}
NEW_SOFTWARE = date(2026, 9, 26)  # it writes the stock before and after every movement
LEAD = {s[0]: s[3] for s in SUPPLIERS}


def french(amount):
    """18000 -> "18 000"."""
    return f"{amount:,}".replace(",", " ")


def simulate():
    sales, moves, opening, closing = [], [], {}, {}
    stock, due, book, late_entries = {}, {}, {}, []
    for (code, _, _, unit, supplier, buy, sell, demand, _, _, _, pack, _, cover, _, _) in P:
        first = NEW.get(code, START)
        stock[code] = 0 if code in NEW else int(demand * cover * dice(code).uniform(.6, 1.1)) + 2
        if code in ("T-001", "C-005", "T-002"):
            stock[code] = int(demand * 150) + 40
        stock[code] = {"B-003": 110, "L-004": 46, "X-001": 140}.get(code, stock[code])
        opening[code] = book[code] = stock[code]
        due[code] = [(first, int(demand * cover // pack + 2) * pack)] if code in NEW else []
    number, forgotten = 1200, False

    def enter(day, code, kind, quantity, price, reference):
        moves.append([day, code, kind, quantity, price, book[code], book[code] + quantity, reference])
        book[code] += quantity

    for offset in range(DAYS):
        day = START + timedelta(offset)
        for row in P:
            code, buy, demand = row[0], row[5] or 0, row[7]
            # Receipts come in the morning, at a price that drifts.
            for when, quantity in [d for d in due[code] if d[0] == day]:
                price = round(buy * (0.94 + 0.06 * offset / DAYS) * dice(code, day, "price").uniform(.985, 1.01) / 25) * 25 if buy else None
                if not forgotten and stock[code] < demand and day > date(2026, 7, 5) and (day + timedelta(1)).weekday() != 6 and day != date(2026, 8, 14) and day.weekday() != 6:
                    # Somebody entered this receipt a day late: the goods were sold before the books had them.
                    forgotten = True
                    late_entries.append([day + timedelta(1), code, "ENTREE", quantity, price, f"BR{offset:03d}{code[:1]}"])
                else:
                    enter(day, code, "ENTREE", quantity, price, f"BR{offset:03d}{code[:1]}")
                stock[code] += quantity
            due[code] = [d for d in due[code] if d[0] != day]
        if day.weekday() == 6 or day == date(2026, 8, 15):
            continue
        lines = []
        for row in P:
            code, unit, sell, demand, chance, trend = row[0], row[3], row[6], row[7], row[8], row[15]
            if day < NEW.get(code, START) or day > DORMANT.get(code, AS_OF) or (code in INACTIVE and day > date(2026, 7, 10)):
                continue
            special = SPECIAL.get((day, code))
            chances = dice(code, day)
            if chances.random() > chance and not special:
                continue
            wanted = demand / chance * trend ** (offset / 30 - 2) * chances.uniform(.7, 1.3)
            wanted = special[0] if special else wanted
            wanted = round(wanted * 2) / 2 if unit == "kg" else max(1, round(wanted))
            done = min(wanted, stock[code])
            if done <= 0:
                continue
            split = [done] if special or done < 6 or chances.random() < .99 or unit == "kg" else [done - done // 2, done // 2]
            for part in split:
                price = sell if chances.random() < .86 else round(sell * chances.choice([.95, .97, .98, 1.02]) / 25) * 25
                price = special[1] if special else price
                lines.append([day, code, part, price])
            enter(day, code, "SORTIE", -done, None, f"BL{offset:03d}")
            stock[code] -= done
        chances = dice(day)
        chances.shuffle(lines)
        while lines:
            number += 1
            take = min(len(lines), chances.choice([1, 2, 2, 3, 3, 4, 5]))
            order = []
            for line in list(lines):
                if len(order) < take and line[1] not in [other[1] for other in order]:
                    order.append(line)
                    lines.remove(line)
            sales.extend([line[0], f"C{number}", line[1], line[2], line[3], ""] for line in order)
        for row in P:
            code, supplier, demand, pack, smallest, cover, last = row[0], row[4], row[7], row[11], row[12], row[13], row[14]
            lead = LEAD.get(supplier, 5)
            on_order = sum(q for _, q in due[code])
            if day <= last and stock[code] + on_order < demand * (lead + 4) and code not in DORMANT and code not in INACTIVE:
                quantity = -(-max(smallest, int(demand * cover)) // pack) * pack
                late = dice(code, day, "late").choice([0, 0, 0, 0, 1, 2])
                due[code].append((day + timedelta(lead + late), quantity))
        for entry in [e for e in late_entries if e[0] == day]:
            enter(*entry)
    return sales, moves, opening, stock, due


def adjust(moves, stock):
    """Breakage, counts and customers' returns, at the end of some days; later stocks move with them."""
    for day, code, kind, quantity, price, reference in [
        (date(2026, 7, 3), "H-002", "AJUSTEMENT", -2, None, "CASSE"),
        (date(2026, 7, 31), "F-002", "INVENTAIRE", -3, None, "INV0726"),
        (date(2026, 7, 31), "R-002", "INVENTAIRE", 4, None, "INV0726"),
        (date(2026, 8, 5), "C-002", "ENTREE", 2, None, "RETOUR"),
        (date(2026, 8, 19), "E-001", "AJUSTEMENT", -12, None, "CASSE"),
        (date(2026, 9, 21), "B-005", "AJUSTEMENT", 3.5, None, "PESEE"),
    ]:
        at = max(i for i, m in enumerate(moves) if m[0] <= day and m[1] == code)
        before = moves[at][6]
        moves.insert(max(i for i, m in enumerate(moves) if m[0] <= day) + 1, [day, code, kind, quantity, price, before, before + quantity, reference])
        seen = False
        for m in moves:
            if m[7] == reference and m[1] == code and m[0] == day:
                seen = True
            elif seen and m[1] == code:
                m[5] += quantity
                m[6] += quantity
        stock[code] += quantity
    return moves


def plain(n):
    return "" if n is None else (str(int(n)) if n == int(n) else str(n))


def write(name, header, rows):
    with open(os.path.join(HERE, name), "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


sales, moves, opening, stock, due = simulate()
moves = adjust(moves, stock)

# Products.
rows = []
for (code, name, category, unit, supplier, buy, sell, _, _, low, high, pack, smallest, _, _, _) in P:
    rows.append([code, name, category, unit, supplier, plain(buy), plain(sell), plain(opening[code]), plain(stock[code]), plain(low),
                 plain(high), plain(pack), plain(smallest) if smallest else "", "10" if code in ("S-001", "P-001", "C-001") else "", "non" if code in INACTIVE else ""])
by = {r[0]: r for r in rows}
by["F-002"][0], by["F-002"][1] = " f-002 ", "Farine  25kg"
by["R-003"][0], by["R-003"][4] = "R-003*", "fr-02"
by["C-003"][2] = " Conserves"
by["R-001"][5], by["R-001"][6] = "11 500", "12 600"
by["L-002"][5], by["L-002"][6] = "62 000,00", "68 500,00"
by["B-004"][9] = ""
by["P-002"][9], by["P-002"][10] = "", ""
rows.insert(9, ["F-001", "Farine 50 kg (double)", "Farine", "sac", "FR-01", "18000", "20000", "0", "0", "10", "", "80", "", "", ""])
rows.append(["Z-900", "Riz cassé (erreur de prix)", "Riz", "sac", "FR-02", "-9800", "10500", "0", "0", "5", "", "", "", "", ""])
rows.append(["Z-901", "Sucre vanillé x 100", "Sucre", "carton", "FR-04", "2100", "2600", "-4", "-4", "", "", "", "", "", ""])
rows.append(["", "Produit sans code", "Epicerie", "carton", "FR-05", "1000", "1200", "0", "0", "", "", "", "", "", ""])
rows.append(["Z-902", "Farine de mil 25kg", "Farine", "sac", "FR-09", "9000", "10400", "", "", "", "", "", "", "", ""])
write("products.csv", ["product_code", "product", "category", "unit", "supplier_code", "purchase_price", "sale_price", "opening_stock",
                       "current_stock", "minimum_stock", "maximum_stock", "pack_size", "smallest_order", "alert_days", "active"], rows)

# Suppliers.
rows = [[c, n, p, d, french(m), t] for c, n, p, d, m, t in SUPPLIERS]
rows[2][0] = " fr-03"
rows[4][1] = "Sahel  Distribution "
write("suppliers.csv", ["supplier_code", "supplier", "phone", "lead_days", "minimum_order", "payment_terms"], rows)

# Sales: dates as the old till wrote them until July, as the new one writes them since.
rows = []
for i, (day, order, code, quantity, price, status) in enumerate(sales):
    when = day.strftime("%d/%m/%Y") if day < date(2026, 8, 1) else day.isoformat()
    if i % 97 == 5:
        when = day.strftime("%d.%m.%Y")
    rows.append([when, order, code, plain(quantity).replace(".", ",") if day < date(2026, 8, 1) else plain(quantity), plain(price), status])
for i in range(11, len(rows), 151):
    rows[i][2] = rows[i][2].lower()
for i in range(40, len(rows), 333):
    rows[i][2] = f" {rows[i][2]} "
for i in range(70, len(rows), 410):
    rows[i][4] = french(int(rows[i][4]))
# Orders that were called off, and what does not pass.
rows.insert(500, ["11/07/2026", "C9001", "F-001", "40", "20000", "ANNULEE"])
rows.insert(1450, ["2026-08-20", "C9002", "R-001", "60", "12600", "Annulée"])
rows.insert(1700, ["2026-09-02", "C9003", "Q-777", "5", "9900", ""])
rows.insert(1760, ["2026-09-04", "C9004", "Z-900", "2", "10500", ""])
rows.insert(1830, ["2026-09-09", "C9005", "F-001", "0", "20000", ""])
rows.insert(1850, ["2026-09-10", "C9006", "H-001", "-2", "23800", ""])
rows.insert(1890, ["2026-09-11", "C9007", "S-001", "3", "0", ""])
rows.insert(1910, ["31/09/2026", "C9008", "S-001", "3", "32000", ""])
rows.insert(1960, ["2026-10-15", "C9009", "R-002", "4", "18700", ""])
rows.insert(2010, ["2026-09-15", "C9010", "E-001", "dix", "1850", ""])
rows.insert(2050, ["2026-09-16", "C9011", "", "4", "1850", ""])
double = next(i for i, r in enumerate(rows) if r[0] == "2026-09-17")
rows.insert(double + 1, list(rows[double]))
write("sales.csv", ["sale_date", "order_no", "product_code", "quantity", "unit_price", "status"], rows)

# Movements: day by day the issues of all products, and the receipts.
rows = []
for day, code, kind, quantity, price, before, after, reference in moves:
    when = day.strftime("%d/%m/%Y") if day < date(2026, 7, 15) else day.isoformat()
    amount = plain(quantity).replace(".", ",") if day < date(2026, 7, 15) else plain(quantity)
    rows.append([when, code, kind.lower() if len(rows) % 301 == 7 else kind, amount, plain(price), plain(before) if day >= NEW_SOFTWARE else "", plain(after) if day >= NEW_SOFTWARE else "", reference])
for i in range(30, len(rows), 271):
    rows[i][1] = f" {rows[i][1].lower()}"
# Some issues came without a sign.
for i in range(120, len(rows), 190):
    if rows[i][2] == "SORTIE":
        rows[i][3] = rows[i][3].lstrip("-")
rows.insert(560, ["2026-07-08", "Q-777", "SORTIE", "-5", "", "", "", "BL095"])
rows.insert(590, ["2026-07-09", "F-001", "DEMANDE", "30", "", "", "", "DA-12"])
rows.insert(620, ["2026-07-10", "F-001", "SORTIE", "0", "", "", "", "BL097"])
rows.insert(650, ["2026-13-07", "S-001", "ENTREE", "10", "29000", "", "", "BR-?"])
rows.append(["2026-10-02", "R-001", "ENTREE", "100", "11400", "", "", "BR-AVISE"])
write("movements.csv", ["movement_date", "product_code", "movement_type", "quantity", "unit_cost", "stock_before", "stock_after", "reference"], rows)

# Orders that are still open.
rows = []
for code in sorted(due):
    supplier = next(r[4] for r in P if r[0] == code)
    for when, quantity in due[code]:
        if when > AS_OF and supplier:
            rows.append([supplier, code, quantity, when])
rows = [[f"BC-{410 + i}", s, c, plain(q), (w - timedelta(LEAD[s] + 1)).isoformat(), w.isoformat()] for i, (s, c, q, w) in enumerate(rows)]
rows.append(["BC-500", "FR-05", "Q-777", "20", "2026-09-25", "2026-10-03"])
rows.append(["BC-501", "FR-03", "H-001", "-24", "2026-09-26", "2026-10-02"])
write("open_orders.csv", ["order_no", "supplier_code", "product_code", "quantity", "ordered_on", "expected_on"], rows)

if __name__ == "__main__":
    print(len(sales), "sales,", len(moves), "movements")
    for name in sorted(os.listdir(HERE)):
        print(f"{os.path.getsize(os.path.join(HERE, name)):>9} {name}")
