//! `cleanse`: texts without what does not belong in them.

use crate::prelude::*;

/// Cleans texts.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Cleanse {
    /// The columns to clean. None means all columns of text.
    #[serde(default)]
    pub columns: Columns,
    /// Removes spaces at both ends, no-break spaces too.
    #[serde(default = "yes")]
    pub trim: bool,
    /// Makes one space of several inside.
    #[serde(default)]
    pub single_spaces: bool,
    /// What is taken out.
    #[serde(default)]
    pub remove: Vec<Remove>,
    /// How capitals are written.
    #[serde(default)]
    pub case: Case,
    /// What happens to texts without a character, and to empty values.
    #[serde(default)]
    pub empty: Empty,
}

fn yes() -> bool {
    true
}

/// What is taken out of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Remove {
    /// Accents: é becomes e.
    Accents,
    /// Control characters, tabs and line breaks too.
    Control,
    /// Punctuation and symbols.
    Punctuation,
    /// Digits.
    Digits,
    /// Letters.
    Letters,
    /// All spaces.
    Spaces,
    /// All but digits.
    AllButDigits,
    /// All but letters.
    AllButLetters,
}

/// How capitals are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Case {
    /// As they are.
    #[default]
    Keep,
    /// All capitals.
    Upper,
    /// No capitals.
    Lower,
    /// A capital for every word.
    Title,
}

/// What becomes of texts without a character, and of empty values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Empty {
    /// Both stay what they are.
    #[default]
    Keep,
    /// A text without a character becomes an empty value.
    ToNull,
    /// An empty value becomes a text without a character.
    ToText,
}

impl Cleanse {
    /// The formula that cleans a column, from the inside out.
    fn formula(&self, name: &str) -> String {
        let mut text = reference(name);
        let replace = |text: String, pattern: &str, by: &str| format!("REGEXREPLACE({text}, {}, {})", quoted(pattern), quoted(by));
        for remove in &self.remove {
            text = match remove {
                Remove::Accents => format!("REMOVEACCENTS({text})"),
                Remove::Control => replace(text, r"\p{Cc}", ""),
                Remove::Punctuation => replace(text, r"[\p{P}\p{S}]", ""),
                Remove::Digits => replace(text, r"\p{Nd}", ""),
                Remove::Letters => replace(text, r"\p{L}", ""),
                Remove::Spaces => replace(text, r"\s", ""),
                Remove::AllButDigits => format!("DIGITS({text})"),
                Remove::AllButLetters => format!("LETTERS({text})"),
            };
        }
        if self.trim {
            text = replace(text, r"^\s+|\s+$", "");
        }
        if self.single_spaces {
            text = replace(text, r"\s+", " ");
        }
        text = match self.case {
            Case::Keep => text,
            Case::Upper => format!("UPPER({text})"),
            Case::Lower => format!("LOWER({text})"),
            Case::Title => format!("PROPER({text})"),
        };
        match self.empty {
            Empty::Keep => text,
            Empty::ToNull => format!("IF(({text}) = \"\", NULL, {text})"),
            Empty::ToText => format!("IFBLANK({text}, \"\")"),
        }
    }
}

impl NodeKind for Cleanse {
    fn identity() -> Identity {
        Identity {
            id: "cleanse",
            version: 1,
            category: Category::Filter,
            icon: "cleaning_services",
            title: Words { en: "Cleanse", fr: "Nettoyer" },
            summary: Words {
                en: "Cleans texts: spaces, capitals, accents, punctuation, control characters, empty values.",
                fr: "Nettoie les textes : espaces, casse, accents, ponctuation, caractères de contrôle, valeurs vides.",
            },
            synonyms: &[
                "data cleansing",
                "trim",
                "clean",
                "string manipulation",
                "format text",
                "upper",
                "nettoyage",
                "supprespace",
                "majuscules",
            ],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let mut cleaned = Vec::new();
        for name in cx.fitting(&self.columns, &table, "columns", "text", |kind| kind == ColumnType::Text) {
            let typed = cx.derived(&self.formula(&name), &table, &name, "columns")?;
            cleaned.push((name, typed.expr));
        }
        if cx.failed() {
            return None;
        }
        Some(Planned::table(cx.planned(table.with_columns(cleaned))?))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Ends are trimmed in every text, no-break spaces too; numbers stay.", json!({}))
                .input("in", "a,n:integer,b\n\u{a0} Zoë  B ,1,x\n,2,\" \"")
                .output("out", "a,n:integer,b\nZoë  B,1,x\n,2,\"\""),
            Example::new(
                "Single spaces, no accents, words with a capital.",
                json!({ "columns": ["a"], "single_spaces": true, "remove": ["accents"], "case": "title" }),
            )
            .input("in", "a,b\n zoë   de MAY, é \n")
            .output("out", "a,b\nZoe De May, é \n"),
            Example::new("Only digits stay, and what has none is empty.", json!({ "remove": ["all_but_digits"], "empty": "to_null" }))
                .input("in", "phone,n:integer\n+33 (0)6-12,1\nnone,2\n\"\",3")
                .output("out", "phone,n:integer\n330612,1\n,2\n,3"),
            Example::new("All values are empty.", json!({ "case": "upper", "empty": "to_text" }))
                .input("in", "a,b\n,x")
                .output("out", "a,b\n\"\",X"),
            Example::new("A number cannot be cleaned.", json!({ "columns": ["n"] }))
                .input("in", "n:integer\n1")
                .refused("is integer, not text"),
        ]
    }
}
