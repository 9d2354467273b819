//! The data of `examples/commissions`: a CRM export as people really get them, made the same every time.
//!
//! Semicolons, a byte-order mark, decimal commas, accents, stages padded and in any case, three spellings of dates,
//! rows exported twice, products that no plan knows. The control totals are what the CRM's own report says.

use std::fmt::Write;

use rust_decimal::Decimal;
use rust_xlsxwriter::{Workbook, XlsxError};

/// The product families; the last three have no plan.
const PRODUCTS: [&str; 14] = [
    "CRM-Essentiel",
    "CRM-Équipe",
    "CRM-Entreprise",
    "ANA-Tableaux",
    "ANA-Prévision",
    "ANA-Temps réel",
    "INT-Connecteur",
    "INT-API",
    "SRV-Formation",
    "SRV-Conseil",
    "MNT-Annuelle",
    "BETA-Assistant",
    "DIV-Matériel",
    "LEG-Migration",
];

/// The sales people and the sheet their quotas are on.
const OWNERS: [(&str, &str); 18] = [
    ("Aïssatou Diop", "Afrique"),
    ("Mamadou Ndiaye", "Afrique"),
    ("Fatou Sow", "Afrique"),
    ("Ibrahima Fall", "Afrique"),
    ("Khady Ba", "Afrique"),
    ("Ousmane Cissé", "Afrique"),
    ("Awa Traoré", "Afrique"),
    ("Chloé Lefèvre", "Europe"),
    ("Jean Petit", "Europe"),
    ("Zoë Garçon", "Europe"),
    ("François Noël", "Europe"),
    ("Müller Jürgen", "Europe"),
    ("José Álvarez", "Europe"),
    ("Élodie Benoît", "Europe"),
    ("Anaïs Guérin", "Europe"),
    ("Łukasz Nowak", "Europe"),
    ("Søren Kjær", "Europe"),
    ("Inês Gonçalves", "Europe"),
];

const STAGES: [[&str; 5]; 4] = [
    ["Closed Won", " Closed Won ", "CLOSED WON", "closed won", "Closed won  "],
    ["Closed Lost", "closed lost", " Closed Lost", "CLOSED LOST", "Closed lost"],
    ["Negotiation", " negotiation", "NEGOTIATION", "Negotiation ", "negotiation"],
    ["Prospecting", "prospecting ", "PROSPECTING", " Prospecting", "prospecting"],
];

/// How many deals there are, before some are exported twice.
const DEALS: u32 = 12_000;

/// The deal whose amount is altered, by one cent, in the second file.
const ALTERED: u32 = 7_311;

/// A small generator of its own, so that the data never changes with a library.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(sides)) as u32
    }
}

struct Deal {
    id: u32,
    owner: &'static str,
    product: &'static str,
    stage: usize,
    cents: i64,
    month: u32,
    day: u32,
}

fn deals() -> Vec<Deal> {
    let mut dice = Dice(2026);
    (1..=DEALS)
        .map(|id| Deal {
            id,
            owner: OWNERS[dice.roll(18) as usize].0,
            // Unknown products are rare.
            product: if dice.roll(100) < 2 { PRODUCTS[11 + dice.roll(3) as usize] } else { PRODUCTS[dice.roll(11) as usize] },
            stage: if id == ALTERED { 0 } else { [0, 0, 1, 2, 3][dice.roll(5) as usize] },
            cents: i64::from(50_000 + dice.roll(9_950_000)),
            month: 1 + dice.roll(9),
            day: 1 + dice.roll(28),
        })
        .collect()
}

/// The CRM export, as bytes; `altered` changes one amount by one cent.
pub fn deals_csv(altered: bool) -> Vec<u8> {
    let mut dice = Dice(9);
    let mut text = String::from("\u{feff}N° affaire;Vendeur;Client;Produit;Étape;Montant ARR;Devise;Date de clôture\r\n");
    let mut lines: Vec<String> = Vec::new();
    for deal in deals() {
        let Deal { id, owner, product, stage, cents, month, day } = deal;
        let cents = cents + i64::from(altered && id == ALTERED);
        let date = match dice.roll(3) {
            0 => format!("2026-{month:02}-{day:02}"),
            1 => format!("{day:02}/{month:02}/2026"),
            _ => format!("{day:02}.{month:02}.2026"),
        };
        // A name with the separator in it must be quoted, and one has a quote of its own.
        let client = match dice.roll(400) {
            0 => "\"Bâtir; Frères & Cie\"".to_owned(),
            1 => "\"Société \"\"Le Phare\"\"\"".to_owned(),
            n => format!("Client {n:03}"),
        };
        let stage = STAGES[stage][dice.roll(5) as usize];
        let line = format!("{id:05};{owner};{client};{product};{stage};{},{:02};EUR;{date}\r\n", cents / 100, cents % 100);
        if dice.roll(80) == 0 {
            // Exported twice, the second time further down.
            lines.push(line.clone());
            let place = lines.len() - 1 - dice.roll(lines.len().min(500) as u32) as usize;
            lines.insert(place, line);
        } else {
            lines.push(line);
        }
    }
    text.extend(lines);
    text.into_bytes()
}

/// The CRM's own report: number and amount of the deals in each stage, each deal once.
pub fn totals_csv() -> Vec<u8> {
    let mut text = String::from("Étape;Nombre;Total ARR\r\n");
    for (stage, names) in STAGES.iter().enumerate() {
        let of_stage: Vec<Deal> = deals().into_iter().filter(|deal| deal.stage == stage).collect();
        let total = Decimal::new(of_stage.iter().map(|deal| deal.cents).sum(), 2);
        // Writing to a string cannot fail.
        let _ = write!(text, "{};{};{}\r\n", names[0], of_stage.len(), total.to_string().replace('.', ","));
    }
    text.into_bytes()
}

/// The quotas by person and month, one sheet for each region.
pub fn quotas_xlsx() -> Result<Vec<u8>, XlsxError> {
    let mut dice = Dice(77);
    let mut workbook = Workbook::new();
    // The same bytes every time: no date of creation.
    let created = rust_xlsxwriter::ExcelDateTime::from_ymd(2026, 1, 1)?;
    workbook.set_properties(&rust_xlsxwriter::DocProperties::new().set_creation_datetime(&created));
    for region in ["Europe", "Afrique"] {
        let sheet = workbook.add_worksheet();
        sheet.set_name(region)?;
        for (column, title) in ["Vendeur", "Mois", "Quota"].into_iter().enumerate() {
            sheet.write(0, column as u16, title)?;
        }
        let mut row = 1;
        for (owner, _) in OWNERS.iter().filter(|(_, at)| *at == region) {
            for month in 1..=9 {
                let quota = 550_000 + 25_000 * dice.roll(30);
                sheet.write(row, 0, *owner)?;
                sheet.write(row, 1, month)?;
                sheet.write(row, 2, quota)?;
                row += 1;
            }
        }
    }
    workbook.save_to_buffer()
}
