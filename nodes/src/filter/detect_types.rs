//! `detect_types`: columns of text become numbers, dates and yes or no.

use crate::input::texts::TypedColumn;
use crate::prelude::*;

/// Gives columns of text their types.
///
/// The types are part of the workflow: a table keeps its columns when the data changes, and a value that does not fit
/// is an exception, never an empty value.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct DetectTypes {
    /// The columns and their types.
    pub columns: Vec<TypedColumn>,
    /// How dates are written, in the order in which the formats are tried.
    #[serde(default = "formats")]
    pub date_formats: Vec<String>,
    /// What stands before decimals.
    #[serde(default = "dot")]
    pub decimal_mark: String,
    /// What happens when a value does not fit. Its row leaves apart.
    #[serde(default)]
    pub severity: Severity,
}

fn formats() -> Vec<String> {
    ["yyyy-mm-dd", "dd/mm/yyyy", "dd.mm.yyyy", "dd-mm-yyyy", "yyyymmdd"].map(String::from).into()
}

fn dot() -> String {
    ".".into()
}

impl DetectTypes {
    /// The formula that reads a column.
    fn formula(&self, name: &str, to: ColumnType) -> String {
        let text = format!("TRIM({})", reference(name));
        let formats: Vec<String> = std::iter::once(text.clone()).chain(self.date_formats.iter().map(|format| quoted(format))).collect();
        let number = |places: u8| {
            let groups = if self.decimal_mark == "," { "[ .\u{a0}\u{202f}']" } else { "[ ,\u{a0}\u{202f}']" };
            let bare = format!("REGEXREPLACE({text}, {}, \"\")", quoted(groups));
            format!("DECIMAL(NUMBERVALUE({bare}, {}), {places})", quoted(&self.decimal_mark))
        };
        match to {
            ColumnType::Text => reference(name),
            ColumnType::Integer => format!("INTEGER({})", number(0)),
            ColumnType::Decimal(places) => number(places),
            ColumnType::Float => format!("FLOAT({})", number(6)),
            ColumnType::Boolean => {
                let is = |words: [&str; 5]| words.map(quoted).join(", ");
                let (yes, no) = (is(["TRUE", "YES", "OUI", "VRAI", "1"]), is(["FALSE", "NO", "NON", "FAUX", "0"]));
                format!("IF(ISIN(UPPER({text}), {yes}), TRUE, IF(ISIN(UPPER({text}), {no}), FALSE, BOOLEAN({text})))")
            }
            ColumnType::Date => format!("DATEVALUE({})", formats.join(", ")),
            ColumnType::DateTime => format!("DATETIMEVALUE({text})"),
        }
    }
}

impl NodeKind for DetectTypes {
    fn identity() -> Identity {
        Identity {
            id: "detect_types",
            version: 1,
            category: Category::Filter,
            icon: "auto_fix_high",
            title: Words { en: "Detect types", fr: "Détecter les types" },
            summary: Words {
                en: "Turns columns of text into numbers, dates and yes or no; what does not fit leaves apart.",
                fr: "Transforme des colonnes de texte en nombres, dates et oui/non ; ce qui ne convient pas part à part.",
            },
            synonyms: &["auto field", "change type", "data type", "convert", "detect data type", "changer le type", "détecter"],
            order: Words { en: "Rows stay in their order on both ports.", fr: "Les lignes restent dans leur ordre aux deux sorties." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::split([OUT, EXCEPTIONS])
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let (mut made, mut failed) = (Vec::new(), lit(false));
        for (i, typed) in self.columns.iter().enumerate() {
            let field = format!("columns[{i}].name");
            let Some(found) = cx.column_type(&Column(typed.name.clone()), &table, &field) else { continue };
            if ColumnType::of(&found) == Some(typed.column_type) {
                continue;
            }
            if ColumnType::of(&found) != Some(ColumnType::Text) {
                let what = format!("Column \"{}\" is {}, not text.", typed.name, type_name(&found));
                cx.problem(Problem::error(what).on(field).help("Change its type with a \"Select columns\" step."));
                continue;
            }
            let formula = self.formula(&typed.name, typed.column_type);
            let plain = cx.derived(&formula, &table, &typed.name, &field)?;
            let value = cx.derived(&format!("IFERROR({formula}, NULL)"), &table, &typed.name, &field)?;
            let blank = format!("ISBLANK(TRIM({})) ", reference(&typed.name));
            let misfit = format!("IF(OR({blank}, TRIM({}) = \"\"), FALSE, IFERROR(ISBLANK({formula}), TRUE))", reference(&typed.name));
            failed = failed.or(cx.derived(&misfit, &table, &typed.name, &field)?.expr);
            made.push((typed.name.clone(), datafusion::logical_expr::cast(value.expr, plain.data_type)));
        }
        if cx.failed() {
            return None;
        }
        let misfits = hidden(&format!("{}.misfit", cx.node()));
        let names: Vec<String> = table.names().map(str::to_owned).collect();
        let kept = |name: &String| format!("\u{1e}{name}");
        let mut columns: Vec<(String, Expr)> = names.iter().map(|name| (kept(name), column(name))).collect();
        columns.extend(made);
        columns.push((misfits.clone(), failed));
        let read = cx.planned(table.with_columns(columns))?;
        let shown: Vec<(String, Expr)> = names.iter().map(|name| (name.clone(), column(name))).collect();
        let original: Vec<(String, Expr)> = names.iter().map(|name| (name.clone(), column(&kept(name)))).collect();
        let flow = Flow {
            table: read,
            outlets: vec![
                Outlet { port: "out", rows: Rows::Rest, columns: Some(shown), order: None },
                Outlet { port: EXCEPTIONS.name, rows: Rows::Where(column(&misfits)), columns: Some(original), order: None },
            ],
        };
        Some(Planned::flow(flow).check(Check::empty("Every value is of its column's type", self.severity, EXCEPTIONS.name)))
    }

    fn examples() -> Vec<Example> {
        let types = json!([
            { "name": "n", "type": "decimal(2)" }, { "name": "d", "type": "date" }, { "name": "ok", "type": "boolean" }
        ]);
        vec![
            Example::new("Numbers, dates and yes or no; what does not fit leaves apart.", json!({ "columns": types, "decimal_mark": "," }))
                .input("in", "id,n,d,ok\n1,\"1 234,50\",30/09/2026,oui\n2,,,\n3,x,2026-09-30,no")
                .output("out", "id,n:decimal(2),d:date,ok:boolean\n1,1234.50,2026-09-30,true\n2,,,")
                .output("exceptions", "id,n,d,ok\n3,x,2026-09-30,no"),
            Example::new("Columns that are not named stay text.", json!({ "columns": [{ "name": "a", "type": "integer" }] }))
                .input("in", "a,b\n007,007")
                .output("out", "a:integer,b\n7,007"),
            Example::new("A table without rows.", json!({ "columns": [{ "name": "a", "type": "integer" }] }))
                .input("in", "a")
                .output("out", "a:integer"),
            Example::new("A date is no text to read.", json!({ "columns": [{ "name": "d", "type": "integer" }] }))
                .input("in", "d:date\n2026-01-01")
                .refused("is date, not text"),
        ]
    }
}
