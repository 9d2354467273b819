//! `mask`: personal data that others need not see (seed 000, 11: security and confidentiality).

use datafusion::functions::crypto::expr_fn::sha256;
use datafusion::functions::encoding::expr_fn::encode;
use datafusion::functions::string::expr_fn::concat;
use datafusion::logical_expr::cast;

use crate::prelude::*;

/// Hides personal data.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Mask {
    /// The columns to hide, and how.
    pub columns: Vec<Masked>,
    /// What is mixed into every digest, so that nobody can guess the values by trying: give a workflow parameter.
    #[serde(default)]
    pub salt: String,
}

/// A column and how it is hidden.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Masked {
    /// The column.
    pub column: Column,
    /// How it is hidden.
    #[serde(default)]
    pub how: How,
    /// For `partial`: how many characters stay readable at the end. For `bucket`: the width of a band.
    #[serde(default = "four")]
    #[schemars(range(min = 1))]
    pub keep: u32,
}

fn four() -> u32 {
    4
}

/// How a column is hidden.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// A digest (SHA-256 of salt and value): equal values stay equal, so it still joins.
    #[default]
    Hash,
    /// Stars in place of all but the last characters.
    Partial,
    /// A number becomes the lower edge of its band.
    Bucket,
    /// The column goes.
    Drop,
}

/// What a column probably holds, by its name; `None` for most.
fn personal(name: &str) -> Option<&'static str> {
    let plain = crate::formula::without_accents(name).to_lowercase();
    let words: Vec<&str> = plain.split(|c: char| !c.is_alphanumeric()).collect();
    let any = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    if any(&["mail", "email", "courriel"]) {
        Some("mail addresses")
    } else if any(&["iban", "rib", "bic"]) {
        Some("bank accounts")
    } else if any(&["phone", "tel", "telephone", "mobile", "portable"]) {
        Some("phone numbers")
    } else if any(&["firstname", "lastname", "surname", "prenom", "nom"]) {
        Some("names")
    } else if any(&["nir", "ssn", "birth", "naissance"]) {
        Some("civil status")
    } else {
        None
    }
}

impl NodeKind for Mask {
    fn identity() -> Identity {
        Identity {
            id: "mask",
            version: 1,
            category: Category::Filter,
            icon: "visibility_off",
            title: Words { en: "Mask", fr: "Masquer" },
            summary: Words {
                en: "Hides personal data: digests that still join, last characters only, bands, or no column at all.",
                fr: "Masque les données personnelles : empreintes qui se joignent encore, derniers caractères, tranches, ou colonne retirée.",
            },
            synonyms: &["anonymize", "pseudonymize", "gdpr", "rgpd", "hash", "privacy", "anonymiser", "confidentialité"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let mut columns: Vec<(String, Option<Expr>)> = table.names().map(|name| (name.to_owned(), Some(column(name)))).collect();
        for (i, masked) in self.columns.iter().enumerate() {
            let field = format!("columns[{i}].column");
            let Some(data_type) = cx.column_type(&masked.column, &table, &field) else { continue };
            let name = &masked.column.0;
            let number = ColumnType::of(&data_type).is_some_and(ColumnType::is_number);
            let hidden = match masked.how {
                How::Hash => {
                    if self.salt.is_empty() {
                        cx.problem(
                            Problem::warning("Without a salt, digests of names or numbers can be guessed by trying them all.")
                                .on("salt")
                                .help("Give any long text, best as a parameter of the workflow."),
                        );
                    }
                    let salted = concat(vec![lit(self.salt.as_str()), cast(column(name), DataType::Utf8)]);
                    let digest = cast(encode(sha256(salted), lit("hex")), DataType::Utf8View);
                    let made = datafusion::logical_expr::when(column(name).is_not_null(), digest).end();
                    Some(cx.planned(made)?)
                }
                How::Partial => {
                    let text = format!("TEXT({})", reference(name));
                    let text = if ColumnType::of(&data_type) == Some(ColumnType::Text) { reference(name) } else { text };
                    let keep = masked.keep;
                    // A short value would show whole: it is hidden whole.
                    let formula = format!(
                        "IF(LEN({text}) <= {keep}, REPT(\"*\", LEN({text})), REPT(\"*\", LEN({text}) - {keep}) & RIGHT({text}, {keep}))"
                    );
                    Some(cx.derived(&formula, &table, name, &field)?.expr)
                }
                How::Bucket if number => {
                    Some(cx.derived(&format!("FLOOR({}, {})", reference(name), masked.keep), &table, name, &field)?.expr)
                }
                How::Bucket => {
                    let what = format!("Column \"{name}\" is {}, and only numbers have bands.", type_name(&data_type));
                    cx.problem(Problem::error(what).on(field).help("Hide it another way."));
                    None
                }
                How::Drop => None,
            };
            if let Some((_, expr)) = columns.iter_mut().find(|(known, _)| known == name) {
                *expr = hidden;
            }
        }
        for name in table.names() {
            if let Some(what) = personal(name)
                && !self.columns.iter().any(|masked| masked.column.0 == name)
            {
                let note = Problem::info(format!("Column \"{name}\" looks like {what} and is not hidden.")).on("columns");
                cx.problem(note.help("Add it if others need not see it."));
            }
        }
        if cx.failed() {
            return None;
        }
        let shown = columns.into_iter().filter_map(|(name, expr)| Some((name, expr?))).collect();
        Some(Planned::table(cx.planned(table.project(shown))?))
    }

    fn examples() -> Vec<Example> {
        let people = "name,iban,age:integer,city\nZoë,FR7612345,37,Lyon\n,FR1,40,\n";
        vec![
            Example::new(
                "The end of an account, the band of an age, no name.",
                json!({ "columns": [{ "column": "iban", "how": "partial" }, { "column": "age", "how": "bucket", "keep": 10 }, { "column": "name", "how": "drop" }] }),
            )
            .input("in", people)
            .output("out", "iban,age:integer,city\n*****2345,30,Lyon\n***,40,\n"),
            Example::new("A digest: the same for the same value and salt.", json!({ "columns": [{ "column": "id" }], "salt": "s" }))
                .input("in", "id\n1\n\n1")
                .output(
                    "out",
                    "id\ne8bc163c82eee18733288c7d4ac636db3a6deb013ef2d37b68322be20edc45cc\n\ne8bc163c82eee18733288c7d4ac636db3a6deb013ef2d37b68322be20edc45cc",
                ),
            Example::new("A table without rows.", json!({ "columns": [{ "column": "id", "how": "partial", "keep": 2 }] })).input("in", "id").output("out", "id"),
            Example::new("A text has no bands.", json!({ "columns": [{ "column": "city", "how": "bucket" }] }))
                .input("in", people)
                .refused("only numbers have bands"),
        ]
    }
}
