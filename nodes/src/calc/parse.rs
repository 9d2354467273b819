//! `parse`: what a text stands for: dates, numbers, parts by a pattern, fields of JSON.

use crate::prelude::*;

/// Reads texts.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Parse {
    /// The column with the texts.
    pub column: Column,
    /// What they stand for.
    pub what: What,
}

/// What texts stand for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A date.
    Date {
        /// The name of the column with the date.
        #[serde(rename = "as")]
        name: NewColumn,
        /// The formats to try, in order, such as `dd/mm/yyyy`.
        formats: Vec<String>,
    },
    /// A number.
    Number {
        /// The name of the column with the number.
        #[serde(rename = "as")]
        name: NewColumn,
        /// The most decimals it may have.
        #[serde(default = "two")]
        places: u8,
        /// What stands before the decimals.
        #[serde(default = "dot")]
        decimal_mark: String,
        /// What stands between thousands, if anything.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        group_mark: String,
    },
    /// Parts found by a regular expression.
    Pattern {
        /// The regular expression, with a group for each part.
        pattern: String,
        /// The names of the columns with the parts, in the order of the groups.
        names: Vec<NewColumn>,
    },
    /// Fields of a JSON text.
    Json {
        /// The fields.
        fields: Vec<Field>,
    },
}

impl Default for What {
    fn default() -> Self {
        Self::Date { name: NewColumn::default(), formats: vec!["yyyy-mm-dd".into()] }
    }
}

/// A field of a JSON text.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    /// The name of the column with its value, as text.
    #[serde(rename = "as")]
    pub name: NewColumn,
    /// Where it is, such as `customer.address[0].city`.
    pub path: String,
}

fn two() -> u8 {
    2
}

fn dot() -> String {
    ".".into()
}

impl Parse {
    /// The columns to make: name, formula, field.
    fn columns(&self) -> Vec<(NewColumn, String, String)> {
        let x = reference(&self.column.0);
        match &self.what {
            What::Date { name, formats } => {
                let arguments: Vec<String> =
                    std::iter::once(format!("TRIM({x})")).chain(formats.iter().map(|format| quoted(format))).collect();
                vec![(name.clone(), format!("DATEVALUE({})", arguments.join(", ")), "what.as".into())]
            }
            What::Number { name, places, decimal_mark, group_mark } => {
                let group = if group_mark.is_empty() { String::new() } else { format!(", {}", quoted(group_mark)) };
                let formula = format!("DECIMAL(NUMBERVALUE(TRIM({x}), {}{group}), {places})", quoted(decimal_mark));
                vec![(name.clone(), formula, "what.as".into())]
            }
            What::Pattern { pattern, names } => {
                let part = |i: usize| format!("REGEXEXTRACT({x}, {}, {})", quoted(pattern), i + 1);
                names.iter().enumerate().map(|(i, name)| (name.clone(), part(i), format!("what.names[{i}]"))).collect()
            }
            What::Json { fields } => {
                let value = |field: &Field| format!("JSONVALUE({x}, {})", quoted(&field.path));
                fields.iter().enumerate().map(|(i, field)| (field.name.clone(), value(field), format!("what.fields[{i}].as"))).collect()
            }
        }
    }
}

impl NodeKind for Parse {
    fn identity() -> Identity {
        Identity {
            id: "parse",
            version: 1,
            category: Category::Calc,
            icon: "data_object",
            title: Words { en: "Parse", fr: "Analyser" },
            summary: Words {
                en: "Reads dates, numbers, patterns or JSON out of texts; rows that cannot be read leave apart.",
                fr: "Lit dates, nombres, motifs ou JSON dans des textes ; les lignes illisibles partent à part.",
            },
            synonyms: &[
                "datetime",
                "regex",
                "parse json",
                "json path",
                "string to date",
                "string to number",
                "extraire",
                "convertir en date",
            ],
            order: Words { en: "Rows stay in their order on both ports.", fr: "Les lignes restent dans leur ordre aux deux sorties." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::split([OUT, OutPort { name: "unread", title: Words { en: "not readable", fr: "illisibles" } }])
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        cx.fitting(&Columns(vec![self.column.clone()]), &table, "column", "text", |kind| kind == ColumnType::Text);
        let columns = self.columns();
        if columns.is_empty() {
            cx.problem(Problem::error("Nothing is read.").on("what").help("Name at least one column to make."));
        }
        if matches!(&self.what, What::Date { formats, .. } if formats.is_empty()) {
            cx.problem(Problem::error("No format is given.").on("what.formats").help("Add one such as dd/mm/yyyy."));
        }
        if let What::Pattern { pattern, names } = &self.what {
            match regex::Regex::new(pattern) {
                Err(error) => cx.problem(
                    Problem::error(format!("\"{pattern}\" is not a regular expression: {error}."))
                        .on("what.pattern")
                        .help("Put a \\ before a character that should stand for itself."),
                ),
                Ok(regex) if regex.captures_len() <= names.len() => cx.problem(
                    Problem::error(format!("The pattern has {} groups for {} columns.", regex.captures_len() - 1, names.len()))
                        .on("what.pattern")
                        .help("Put a pair of parentheses around each part."),
                ),
                Ok(_) => {}
            }
        }
        for (i, (name, _, field)) in columns.iter().enumerate() {
            let taken = table.has(&name.0) || columns[..i].iter().any(|(other, ..)| other == name);
            cx.new_name(name, taken, field);
        }
        if cx.failed() {
            return None;
        }
        let x = reference(&self.column.0);
        let (mut made, mut failed) = (Vec::new(), lit(false));
        for (name, formula, field) in &columns {
            // Read once to see mistakes in what was typed, once so that a failure is an empty value.
            let plain = cx.derived(formula, &table, &name.0, field)?;
            let typed = cx.derived(&format!("IFERROR({formula}, NULL)"), &table, &name.0, field)?;
            // A field may be missing from a JSON text that can be read: the text as a whole is what must be there.
            let read = if matches!(self.what, What::Json { .. }) { format!("JSONVALUE({x}, \"\")") } else { formula.clone() };
            let missing = cx.derived(&format!("IFERROR(ISBLANK({read}), TRUE)"), &table, &name.0, field)?;
            failed = failed.or(missing.expr);
            made.push((name.0.clone(), datafusion::logical_expr::cast(typed.expr, plain.data_type)));
        }
        let tag = hidden(&format!("{}.read", cx.node()));
        let blank = cx.derived(&format!("ISBLANK({})", reference(&self.column.0)), &table, "read", "column")?;
        made.push((tag.clone(), blank.expr.or(failed.is_not_true())));
        let names: Vec<String> = table.names().map(str::to_owned).collect();
        let parsed = cx.planned(table.with_columns(made))?;
        let mut flow = Flow::split(parsed, column(&tag), "out", "unread");
        flow.outlets[1].columns = Some(names.into_iter().map(|name| (name.clone(), column(&name))).collect());
        Some(Planned::flow(flow))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "Dates in two spellings; what is no date leaves apart.",
                json!({ "column": "d", "what": { "kind": "date", "as": "day", "formats": ["dd/mm/yyyy", "yyyy-mm-dd"] } }),
            )
            .input("in", "id:integer,d\n1,03/09/2026\n2,2026-09-04 \n3,soon\n4,")
            .output("out", "id:integer,d,day:date\n1,03/09/2026,2026-09-03\n2,2026-09-04 ,2026-09-04\n4,,")
            .output("unread", "id:integer,d\n3,soon"),
            Example::new(
                "Numbers written the French way.",
                json!({ "column": "n", "what": { "kind": "number", "as": "amount", "decimal_mark": ",", "group_mark": " " } }),
            )
            .input("in", "id:integer,n\n1,\"1 234,5\"\n2,x")
            .output("out", "id:integer,n,amount:decimal(2)\n1,\"1 234,5\",1234.50")
            .output("unread", "id:integer,n\n2,x"),
            Example::new(
                "Parts by a pattern.",
                json!({ "column": "ref", "what": { "kind": "pattern", "pattern": "([A-Z]+)-(\\d+)", "names": ["family", "number"] } }),
            )
            .input("in", "ref,b\nINV-0042,x\n17,y")
            .output("out", "ref,b,family,number\nINV-0042,x,INV,0042")
            .output("unread", "ref,b\n17,y"),
            Example::new(
                "Fields of JSON; one that is not there is empty.",
                json!({ "column": "j", "what": { "kind": "json", "fields": [{ "as": "city", "path": "to.city" }, { "as": "first", "path": "items[0]" }] } }),
            )
            .input("in", "id:integer,j\n1,\"{\"\"to\"\":{\"\"city\"\":\"\"Lyon\"\"},\"\"items\"\":[7,8]}\"\n2,{}\n3,nope")
            .output("out", "id:integer,j,city,first\n1,\"{\"\"to\"\":{\"\"city\"\":\"\"Lyon\"\"},\"\"items\"\":[7,8]}\",Lyon,7\n2,{},,")
            .output("unread", "id:integer,j\n3,nope"),
            Example::new("A broken pattern.", json!({ "column": "t", "what": { "kind": "pattern", "pattern": "(", "names": ["a"] } }))
                .input("in", "t\nx")
                .refused("regular expression"),
        ]
    }
}
