//! `load.journal`: accounting entries as the French tax file wants them (FEC, article A47 A-1 of the Livre des procédures
//! fiscales): 18 columns in a fixed order, tabs, dates as digits, decimal commas.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::util::display::array_value_to_string;
use datafusion::common::{DataFusionError, Result};

use crate::control::balance::Balance;
use crate::kind::{FileFormat, Sink, Writing};
use crate::param::FilePath;
use crate::prelude::*;

/// Writes accounting entries; entries that do not balance are exceptions.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct JournalLoad {
    /// The file; the tax office expects the company's number, `FEC` and the closing date: `123456789FEC20261231.txt`.
    pub path: FilePath,
    /// The columns of the entries.
    pub columns: JournalColumns,
    /// What happens when an entry's debit differs from its credit.
    #[serde(default)]
    pub severity: Severity,
}

/// Which column fills which field.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct JournalColumns {
    /// `JournalCode`: the journal.
    pub journal: Column,
    /// `JournalLib`: its label.
    pub journal_label: Column,
    /// `EcritureNum`: the number of the entry.
    pub entry: Column,
    /// `EcritureDate`: its date.
    pub date: Column,
    /// `CompteNum`: the account.
    pub account: Column,
    /// `CompteLib`: its label.
    pub account_label: Column,
    /// `CompAuxNum`: the auxiliary account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auxiliary: Option<Column>,
    /// `CompAuxLib`: its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auxiliary_label: Option<Column>,
    /// `PieceRef`: the supporting document.
    pub document: Column,
    /// `PieceDate`: its date.
    pub document_date: Column,
    /// `EcritureLib`: what the entry is for.
    pub label: Column,
    /// `Debit`.
    pub debit: Column,
    /// `Credit`.
    pub credit: Column,
    /// `EcritureLet`: the letters that match entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matching: Option<Column>,
    /// `DateLet`: when they were matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matching_date: Option<Column>,
    /// `ValidDate`: when the entry was validated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validated: Option<Column>,
    /// `Montantdevise`: the amount in its currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign_amount: Option<Column>,
    /// `Idevise`: that currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign_currency: Option<Column>,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    Date,
    Amount,
}

/// A field: its name in the file, the column, what it holds, the parameter.
type Field<'a> = (&'static str, Option<&'a Column>, Holds, &'static str);

impl JournalColumns {
    fn fields(&self) -> [Field<'_>; 18] {
        use Holds::{Amount, Date, Text};
        [
            ("JournalCode", Some(&self.journal), Text, "journal"),
            ("JournalLib", Some(&self.journal_label), Text, "journal_label"),
            ("EcritureNum", Some(&self.entry), Text, "entry"),
            ("EcritureDate", Some(&self.date), Date, "date"),
            ("CompteNum", Some(&self.account), Text, "account"),
            ("CompteLib", Some(&self.account_label), Text, "account_label"),
            ("CompAuxNum", self.auxiliary.as_ref(), Text, "auxiliary"),
            ("CompAuxLib", self.auxiliary_label.as_ref(), Text, "auxiliary_label"),
            ("PieceRef", Some(&self.document), Text, "document"),
            ("PieceDate", Some(&self.document_date), Date, "document_date"),
            ("EcritureLib", Some(&self.label), Text, "label"),
            ("Debit", Some(&self.debit), Amount, "debit"),
            ("Credit", Some(&self.credit), Amount, "credit"),
            ("EcritureLet", self.matching.as_ref(), Text, "matching"),
            ("DateLet", self.matching_date.as_ref(), Date, "matching_date"),
            ("ValidDate", self.validated.as_ref(), Date, "validated"),
            ("Montantdevise", self.foreign_amount.as_ref(), Amount, "foreign_amount"),
            ("Idevise", self.foreign_currency.as_ref(), Text, "foreign_currency"),
        ]
    }
}

impl NodeKind for JournalLoad {
    fn identity() -> Identity {
        Identity {
            id: "load.journal",
            version: 1,
            category: Category::Load,
            icon: "menu_book",
            title: Words { en: "Accounting entries (FEC)", fr: "Écritures comptables (FEC)" },
            summary: Words {
                en: "Writes balanced accounting entries in the layout of the French tax file.",
                fr: "Écrit des écritures comptables équilibrées au format du fichier des écritures comptables.",
            },
            synonyms: &["fec", "journal entries", "accounting export", "fichier des écritures", "comptabilité", "écritures"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::control()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        if self.path.0.is_empty() {
            let help = "Name it, for example out/123456789FEC20261231.txt.";
            cx.problem(Problem::error("The file has no name.").on("path").help(help));
        }
        for (_, column, holds, field) in self.columns.fields() {
            let Some(column) = column else { continue };
            let (what, fits): (_, fn(ColumnType) -> bool) = match holds {
                Holds::Text => ("a column", |_| true),
                Holds::Date => ("a date", |kind| matches!(kind, ColumnType::Date | ColumnType::DateTime)),
                Holds::Amount => ("an exact number", |kind| matches!(kind, ColumnType::Integer | ColumnType::Decimal(_))),
            };
            cx.fitting(&Columns(vec![column.clone()]), &table, &format!("columns.{field}"), what, fits);
        }
        if cx.failed() {
            return None;
        }
        let balance = Balance {
            debit: self.columns.debit.clone(),
            credit: self.columns.credit.clone(),
            by: Columns(vec![self.columns.journal.clone(), self.columns.entry.clone()]),
            tolerance: String::new(),
            severity: self.severity,
        };
        let mut planned = balance.plan(cx)?;
        let fields = self.columns.fields().map(|(name, column, holds, _)| (name, column.map(|column| column.0.clone()), holds));
        let format = Arc::new(Format { fields: fields.into() });
        planned.sinks.push(Sink::file(&self.path, format));
        Some(planned)
    }

    fn examples() -> Vec<Example> {
        let columns = json!({
            "journal": "j", "journal_label": "jl", "entry": "n", "date": "d", "account": "a", "account_label": "al",
            "document": "p", "document_date": "d", "label": "l", "debit": "dr", "credit": "cr"
        });
        let rows = "j,jl,n,d:date,a,al,p,l,dr:decimal(2),cr:decimal(2)\nVE,Ventes,1,2026-09-30,411,Clients,F1,Facture,120.00,0.00\nVE,Ventes,1,2026-09-30,707,Ventes,F1,Facture\tA,0.00,120.00";
        let header = "JournalCode\tJournalLib\tEcritureNum\tEcritureDate\tCompteNum\tCompteLib\tCompAuxNum\tCompAuxLib\tPieceRef\tPieceDate\tEcritureLib\tDebit\tCredit\tEcritureLet\tDateLet\tValidDate\tMontantdevise\tIdevise\r\n";
        vec![
            Example::new("Eighteen columns, tabs, dates as digits, decimal commas.", json!({ "path": "fec.txt", "columns": columns }))
                .input("in", rows)
                .output("exceptions", "j,n,debit:decimal(2),credit:decimal(2),difference:decimal(2),reason")
                .written(
                    "fec.txt",
                    "JournalCode\tJournalLib\tEcritureNum\tEcritureDate\tCompteNum\tCompteLib\tCompAuxNum\tCompAuxLib\tPieceRef\tPieceDate\tEcritureLib\tDebit\tCredit\tEcritureLet\tDateLet\tValidDate\tMontantdevise\tIdevise\r\nVE\tVentes\t1\t20260930\t411\tClients\t\t\tF1\t20260930\tFacture\t120,00\t0,00\t\t\t\t\t\r\nVE\tVentes\t1\t20260930\t707\tVentes\t\t\tF1\t20260930\tFacture A\t0,00\t120,00\t\t\t\t\t\r\n",
                ),
            Example::new("A table without rows.", json!({ "path": "fec.txt", "columns": columns }))
                .input("in", "j,jl,n,d:date,a,al,p,l,dr:decimal(2),cr:decimal(2)")
                .written("fec.txt", header),
            Example::new("An entry that does not balance is an exception.", json!({ "path": "fec.txt", "columns": columns }))
                .input("in", "j,jl,n,d:date,a,al,p,l,dr:decimal(2),cr:decimal(2)\nVE,Ventes,1,2026-09-30,411,C,F1,F,120.00,0.00"),
            Example::new("A debit is an amount.", json!({ "path": "fec.txt", "columns": {
                "journal": "j", "journal_label": "jl", "entry": "n", "date": "d", "account": "a", "account_label": "al",
                "document": "p", "document_date": "d", "label": "l", "debit": "l", "credit": "cr"
            } }))
            .input("in", rows)
            .refused("is text, not an exact number"),
        ]
    }
}

#[derive(Debug)]
struct Format {
    fields: Vec<(&'static str, Option<String>, Holds)>,
}

impl FileFormat for Format {
    fn open(&self, file: File, schema: SchemaRef) -> Result<Box<dyn Writing>> {
        let mut out = BufWriter::with_capacity(256 * 1024, file);
        let names: Vec<&str> = self.fields.iter().map(|(name, ..)| *name).collect();
        write!(out, "{}\r\n", names.join("\t"))?;
        let place = |name: &String| schema.fields().iter().position(|field| field.name() == name);
        let places = self.fields.iter().map(|(_, column, holds)| (column.as_ref().and_then(place), *holds)).collect();
        Ok(Box::new(JournalWriting { out, places }))
    }
}

struct JournalWriting {
    out: BufWriter<File>,
    places: Vec<(Option<usize>, Holds)>,
}

impl Writing for JournalWriting {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            let cells = self.places.iter().map(|(place, holds)| match place.map(|place| batch.column(place)) {
                Some(array) if array.is_valid(row) => written(array, row, *holds),
                _ => Ok(String::new()),
            });
            write!(self.out, "{}\r\n", cells.collect::<Result<Vec<_>>>()?.join("\t"))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<File> {
        self.out.into_inner().map_err(|error| DataFusionError::IoError(error.into_error()))
    }
}

/// A value as the tax file writes it.
fn written(array: &ArrayRef, row: usize, holds: Holds) -> Result<String> {
    let text = array_value_to_string(array, row)?;
    Ok(match holds {
        // A tab or a line break would be read as the end of the field.
        Holds::Text => text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
        Holds::Date => text.chars().take(10).filter(char::is_ascii_digit).collect(),
        Holds::Amount => text.replace('.', ","),
    })
}
