//! `input.contract`: an input that says what it asks for, and takes whatever file is bound to it.
//!
//! The contract stands in a file beside the workflow ([`crate::contract`]). Until somebody binds a file, the contract's
//! example is read; a binding is an ordinary workflow beside it, `bindings/NAME.json`, that reads the customer's file
//! and gives its columns the contract's names. Rows are cleaned, typed and judged here either way (seed 002, 9.4:
//! accept, warn, reject, with automatic cleaning).

use std::path::Path;

use datafusion::functions::string::expr_fn::{concat, concat_ws};
use datafusion::functions::unicode::expr_fn::strpos;
use datafusion::logical_expr::{cast, when};
use datafusion::scalar::ScalarValue;

use super::accept::{accepted, misfit};
use super::csv::CsvInput;
use crate::contract::{Contract, ContractColumn, Inputs, Otherwise};
use crate::control::expect::reasons;
use crate::filter::retype::{possible, retype};
use crate::kind::{Copies, Host, Nested, Structure, Total};
use crate::param::FilePath;
use crate::prelude::*;
use crate::window::{place, with};

/// Reads an input that a contract describes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ContractInput {
    /// The file of contracts.
    pub contract: FilePath,
    /// The input's name in it.
    #[schemars(extend("x-weir-main" = true))]
    pub input: String,
    /// Set by the engine once the steps of the binding stand before this one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(skip)]
    pub expanded: bool,
}

/// The output of a binding, and the port its rows arrive by.
pub const BOUND: &str = "rows";

/// Accepted rows that deserve a look.
const WARNINGS: OutPort = OutPort { name: "warnings", title: Words { en: "with warnings", fr: "avec alertes" } };
/// Rows that do not go on.
const REJECTED: OutPort = OutPort { name: "rejected", title: Words { en: "rejected", fr: "rejetées" } };

/// Every row that breaks a rule, in one shape for all inputs.
const REPORT: OutPort = OutPort { name: "report", title: Words { en: "report", fr: "rapport" } };

/// The workflow that binds a file to an input: beside its contract.
pub fn binding(contract: &str, input: &str) -> String {
    beside(contract, &format!("bindings/{input}.json"))
}

/// A path beside another one.
fn beside(file: &str, path: &str) -> String {
    match Path::new(file).parent().map(|folder| folder.to_string_lossy().replace('\\', "/")) {
        Some(folder) if !folder.is_empty() => format!("{folder}/{path}"),
        _ => path.to_owned(),
    }
}

/// A rule as it is judged.
struct Judged {
    /// Whether it holds for a row.
    holds: Expr,
    /// What to say where it does not.
    reason: String,
    /// What is said of the whole input.
    title: String,
    otherwise: Otherwise,
}

impl ContractInput {
    fn read(&self, cx: &mut Planning<'_>) -> Option<Contract> {
        let path = cx.source_file(&self.contract.0, "contract")?;
        let found = std::fs::read_to_string(&path)
            .map_err(|error| Problem::error(format!("The contracts cannot be read: {error}.")).in_file(&self.contract.0, None))
            .and_then(|text| Inputs::parse(&text, &self.contract.0))
            .and_then(|inputs| inputs.find(&self.input, &self.contract.0).cloned());
        match found {
            Ok(contract) => Some(contract),
            Err(problem) => {
                let field = if problem.line.is_some() { "contract" } else { "input" };
                cx.problem(problem.on(field));
                None
            }
        }
    }

    /// The rows as they arrive: of the binding, or of the example.
    fn rows(&self, contract: &Contract, cx: &mut Planning<'_>) -> Option<Table> {
        if self.expanded {
            cx.source_file(&binding(&self.contract.0, &self.input), "input")?;
            return cx.input(BOUND);
        }
        cx.problem(
            Problem::info(format!("\"{}\" reads its example: no file is bound to it.", self.input))
                .on("input")
                .help(format!("Bind yours: weir template bind {}=FILE.", self.input)),
        );
        let example = CsvInput::of(&beside(&self.contract.0, &contract.example));
        Some(example.plan(cx)?.flows.into_iter().next()?.table)
    }
}

impl ContractColumn {
    fn type_rule(&self) -> String {
        format!("{} is {}", self.name, self.column_type)
    }
}

impl NodeKind for ContractInput {
    fn identity() -> Identity {
        Identity {
            id: "input.contract",
            version: 1,
            category: Category::Input,
            icon: "verified",
            title: Words { en: "Input with a contract", fr: "Entrée sous contrat" },
            summary: Words {
                en: "Reads the file that was bound to an input, cleans and types it as the contract says, and judges every row.",
                fr: "Lit le fichier rattaché à une entrée, le nettoie et le type selon le contrat, et juge chaque ligne.",
            },
            synonyms: &[
                "template input",
                "data contract",
                "bind",
                "import validation",
                "contrat de données",
                "rattacher",
                "contrôle d'import",
            ],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        let rows = InPort { name: BOUND, arity: Arity::Any, title: Words { en: "bound rows", fr: "lignes rattachées" } };
        Ports { inputs: if self.expanded { vec![rows] } else { vec![] }, outputs: vec![OUT, WARNINGS, REJECTED, EXCEPTIONS, REPORT] }
    }

    fn structure(&self, host: &dyn Host) -> Result<Structure, Problem> {
        let path = binding(&self.contract.0, &self.input);
        if self.expanded || self.input.is_empty() || host.refused(&path).is_some() || !host.path(&path).is_file() {
            return Ok(Structure::Plain);
        }
        let params = serde_json::to_value(Self { expanded: true, ..self.clone() }).unwrap_or_default();
        let copies = Copies { sets: vec![vec![]], inputs: vec![], outputs: vec![BOUND.to_owned()], params };
        Ok(Structure::Nested(Nested { path, copies }))
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let contract = self.read(cx)?;
        let rows = self.rows(&contract, cx)?;
        let raw = |name: &str| hidden(&format!("{}.raw {name}", cx.node()));
        let misfit = |name: &str| hidden(&format!("{}.misfit {name}", cx.node()));
        let (raw, misfit) = (
            contract.columns.iter().map(|c| raw(&c.name)).collect::<Vec<_>>(),
            contract.columns.iter().map(|c| misfit(&c.name)).collect::<Vec<_>>(),
        );

        // What is there, as it came and as the contract wants it.
        let (mut there, mut made) = (Vec::new(), Vec::new());
        for ((asked, raw), misfit) in contract.columns.iter().zip(&raw).zip(&misfit) {
            let (name, to) = (&asked.name, asked.column_type);
            let Some(from) = rows.type_of(name) else {
                if !asked.optional {
                    cx.problem(self.lacking(asked, &rows));
                }
                // An empty column takes the default too.
                made.push((raw.clone(), lit(ScalarValue::Utf8View(None))));
                made.push((name.clone(), accepted(lit(ScalarValue::Utf8View(None)), asked)));
                made.push((misfit.clone(), lit(false)));
                continue;
            };
            if !possible(from, to) {
                let what = format!("Column \"{name}\" is {}; the contract asks for {to}.", type_name(from));
                cx.problem(Problem::error(what).on("input").help("Bind another column, or change its type in the binding."));
                continue;
            }
            there.push((name.clone(), column(name)));
            made.push((raw.clone(), retype(&rows, name, ColumnType::Text)));
            made.push((misfit.clone(), self::misfit(column(name), asked)));
            made.push((name.clone(), accepted(column(name), asked)));
        }
        if cx.failed() {
            return None;
        }
        let kept = cx.planned(rows.project(there))?;
        let mut table = cx.planned(kept.with_columns(made))?;
        let mut judged = Vec::new();

        // The rules.
        for (asked, misfit) in contract.columns.iter().zip(&misfit) {
            let name = &asked.name;
            let mut rule =
                |holds: Expr, title: String, reason: String| judged.push(Judged { holds, reason, title, otherwise: asked.otherwise });
            rule(column(misfit).is_not_true(), asked.type_rule(), format!("{name} is not {}", asked.column_type));
            let x = reference(name);
            let mut formulas = Vec::new();
            if asked.filled {
                let filled = format!("NOT(ISBLANK({x}))");
                formulas.push((filled, format!("{name} is filled"), format!("{name} is empty")));
            }
            if !asked.one_of.is_empty() {
                let values = asked.one_of.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(", ");
                let list = asked.one_of.join(", ");
                formulas.push((
                    format!("OR(ISBLANK({x}), ISIN(TEXT({x}), {values}))"),
                    format!("{name} is one of {list}"),
                    format!("{name} is not one of {list}"),
                ));
            }
            for (end, sign, word, not) in [(&asked.min, ">=", "at least", "below"), (&asked.max, "<=", "at most", "above")] {
                if let Some(end) = end {
                    formulas.push((
                        format!("IFBLANK({x} {sign} ({}), TRUE)", end.0),
                        format!("{name} is {word} {}", end.0),
                        format!("{name} is {not} {}", end.0),
                    ));
                }
            }
            if let Some(pattern) = &asked.pattern {
                formulas.push((
                    format!("IFBLANK(REGEXMATCH(TEXT({x}), {}), TRUE)", quoted(pattern)),
                    format!("{name} matches {pattern}"),
                    format!("{name} does not match {pattern}"),
                ));
            }
            for (formula, title, reason) in formulas {
                let holds = cx.condition(&Formula(formula), &table, name, "contract");
                // A value that is no value of its type is one mistake, not two.
                let Some(holds) = holds else { continue };
                judged.push(Judged { holds: column(misfit).or(holds), reason, title, otherwise: asked.otherwise });
            }
        }
        let keys = contract.columns.iter().filter(|column| column.unique).map(|column| (vec![column.name.clone()], column.otherwise));
        let keys = keys.chain(contract.keys.iter().map(|key| (key.columns.0.iter().map(|c| c.0.clone()).collect(), key.otherwise)));
        for (names, otherwise) in keys.collect::<Vec<_>>() {
            if let Some(unknown) = names.iter().find(|name| contract.column(name).is_none()) {
                cx.problem(
                    Problem::error(format!("The key names a column \"{unknown}\" that the contract does not have."))
                        .on("contract")
                        .in_file(&self.contract.0, None),
                );
                continue;
            }
            let number = hidden(&format!("{}.place {}", cx.node(), names.join(", ")));
            let nth = cx.planned(place(&names, &table.order))?;
            table = cx.planned(with(&table, vec![(number.clone(), nth)]))?;
            let blank = names.iter().map(|name| column(name).is_null()).reduce(Expr::or).unwrap_or_else(|| lit(false));
            let holds = blank.or(column(&number).eq(lit(1_u64)));
            let listed = names.join(", ");
            judged.push(Judged {
                holds,
                reason: format!("{listed} is there already"),
                title: format!("{listed} is there once"),
                otherwise,
            });
        }
        for rule in &contract.rules {
            let said = if rule.message.en.is_empty() { format!("{} is not true", rule.formula.0) } else { rule.message.en.clone() };
            if let Some(holds) = cx.condition(&rule.formula, &table, &said, "contract") {
                judged.push(Judged { holds, title: rule.formula.0.clone(), reason: said, otherwise: rule.otherwise });
            }
        }
        if cx.failed() {
            return None;
        }
        self.judge(cx, &contract, table, &raw, judged)
    }

    fn examples() -> Vec<Example> {
        let contract = json!({ "weir_inputs": 1, "inputs": { "products": {
            "title": { "en": "Products", "fr": "Produits" },
            "example": "products.csv",
            "columns": [
                { "name": "code", "type": "text", "clean": ["upper", "code"], "filled": true, "unique": true, "otherwise": "reject" },
                { "name": "price", "type": "decimal(2)", "min": "0", "otherwise": "reject" },
                { "name": "minimum", "type": "integer", "optional": true, "default": "0" },
                { "name": "since", "type": "date", "optional": true }
            ],
            "rules": [{ "formula": "[price] <> 0", "message": { "en": "no price: no margin", "fr": "sans prix : sans marge" }, "otherwise": "warn" }]
        } } })
        .to_string();
        let params = json!({ "contract": "inputs.json", "input": "products" });
        vec![
            Example::new("Cleaned, typed and judged: accepted, with a warning, rejected.", params.clone())
                .file("inputs.json", contract.clone())
                .file("products.csv", "price,code,more,since\n\"1 234,50\",a-1 ,x,30/09/2026\n0,b_2*,,2026-09-30\n-1,C3,,\n5,A-1,,\nfree,D4,,soon\n2.505,E5,,\n")
                .output("out", "code,price:decimal(2),minimum:integer,since:date\nA-1,1234.50,0,2026-09-30\nB_2,0.00,0,2026-09-30")
                .output("warnings", "code,price:decimal(2),minimum:integer,since:date,reason\nB_2,0.00,0,2026-09-30,no price: no margin")
                .output(
                    "rejected",
                    "code,price,minimum,since,reason\nC3,-1,,,price is below 0\nA-1,5,,,code is there already\nE5,2.505,,,price is not decimal(2)",
                )
                .output("exceptions", "code,price,minimum,since,reason\nD4,free,,soon,price is not decimal(2); since is not date")
                .output(
                    "report",
                    "input,row:integer,key,severity,reason\nproducts,3,b_2*,warn,no price: no margin\nproducts,4,C3,reject,price is below 0\nproducts,5,A-1,reject,code is there already\nproducts,6,D4,block,price is not decimal(2); since is not date\nproducts,7,E5,reject,price is not decimal(2)",
                ),
            Example::new("A table without rows breaks no rule.", params.clone())
                .file("inputs.json", contract.clone())
                .file("products.csv", "code,price\n")
                .output("out", "code,price:decimal(2),minimum:integer,since:date")
                .output("rejected", "code,price,minimum,since,reason"),
            Example::new("Every row is good.", params.clone())
                .file("inputs.json", contract.clone())
                .file("products.csv", "code,price,minimum\nA,\"0,5\",7\nB,3,\n")
                .output("out", "code,price:decimal(2),minimum:integer,since:date\nA,0.50,7,\nB,3.00,0,")
                .output("warnings", "code,price:decimal(2),minimum:integer,since:date,reason"),
            Example::new("A column that the contract asks for is missing.", params)
                .file("inputs.json", contract.clone())
                .file("products.csv", "Code\nA\n")
                .refused("has no column \"code\""),
            Example::new("An input that the contract does not know.", json!({ "contract": "inputs.json", "input": "product" }))
                .file("inputs.json", contract)
                .refused("no contract for an input \"product\""),
        ]
    }
}

impl ContractInput {
    fn lacking(&self, column: &ContractColumn, rows: &Table) -> Problem {
        let what = format!("The input \"{}\" has no column \"{}\" ({}).", self.input, column.name, column.column_type);
        let near = crate::problem::did_you_mean(&column.name, rows.names());
        let help = near.unwrap_or_else(|| format!("There is: {}.", rows.names().collect::<Vec<_>>().join(", ")));
        Problem::error(what).on("input").help(format!("{help} Bind it: weir template bind {}=FILE.", self.input))
    }

    /// What is said of a row that breaks a rule: the input, the row's place in its source, its key as it came, how bad it
    /// is, and why.
    fn report(
        &self,
        contract: &Contract,
        table: &Table,
        raw: &[String],
        [blocked, rejected, warned]: [&str; 3],
    ) -> datafusion::common::Result<Vec<(String, Expr)>> {
        let unique = contract.columns.iter().filter(|column| column.unique).map(|column| column.name.as_str()).collect::<Vec<_>>();
        let keys = || contract.keys.first().map(|key| key.columns.0.iter().map(|column| column.0.as_str()).collect::<Vec<_>>());
        let filled = || contract.columns.iter().filter(|column| column.filled).map(|column| column.name.as_str()).collect::<Vec<_>>();
        let key = if unique.is_empty() { keys().unwrap_or_else(filled) } else { unique };
        let parts = contract.columns.iter().zip(raw).filter(|(column, _)| key.contains(&column.name.as_str())).map(|(_, raw)| column(raw));
        let joined = |mark: &str, parts: Vec<Expr>| cast(concat_ws(lit(mark), parts), DataType::Utf8View);
        let place = table.order.first().filter(|key| table.type_of(&key.column).is_some_and(DataType::is_integer));
        let row = place.map_or(lit(ScalarValue::Int64(None)), |key| column(&key.column));
        let some = |name: &str| column(name).not_eq(lit(""));
        let text = |word: &str| lit(ScalarValue::Utf8View(Some(word.to_owned())));
        let severity = when(some(blocked), text("block")).when(some(rejected), text("reject")).otherwise(text("warn"))?;
        // What a row that does not go on would have been warned of does not matter.
        let said = when(some(rejected), column(rejected)).otherwise(column(warned))?;
        Ok(vec![
            ("input".into(), text(&self.input)),
            ("row".into(), cast(row, DataType::Int64)),
            ("key".into(), joined(" | ", parts.collect())),
            ("severity".into(), severity),
            (REASON.into(), cast(said, DataType::Utf8View)),
        ])
    }

    /// The rows by what the rules say of them, with a control for each rule.
    fn judge(&self, cx: &mut Planning<'_>, contract: &Contract, table: Table, raw: &[String], judged: Vec<Judged>) -> Option<Planned> {
        let broken = |counts: &dyn Fn(Otherwise) -> bool| {
            let rules = judged.iter().filter(|rule| counts(rule.otherwise));
            reasons(rules.map(|rule| (rule.holds.clone(), rule.reason.clone())).collect())
        };
        let name = |what: &str| hidden(&format!("{}.{what}", cx.node()));
        let (blocked, rejected, warned) = (name("blocked"), name("rejected"), name("warned"));
        let made = [
            (&blocked, broken(&|otherwise| otherwise == Otherwise::Block)),
            // A row that blocks says all that is wrong with it.
            (&rejected, broken(&|otherwise| otherwise != Otherwise::Warn)),
            (&warned, broken(&|otherwise| otherwise == Otherwise::Warn)),
        ];
        let made = made.into_iter().map(|(name, reason)| Ok((name.clone(), reason?))).collect::<Result<_, _>>();
        let made = cx.planned(made)?;
        let flagged = cx.planned(table.with_columns(made))?;
        let none = |name: &str| column(name).eq(lit(""));
        let some = |name: &str| column(name).not_eq(lit(""));
        let typed: Vec<(String, Expr)> = contract.columns.iter().map(|c| (c.name.clone(), column(&c.name))).collect();
        let arrived: Vec<(String, Expr)> = contract.columns.iter().zip(raw).map(|(c, raw)| (c.name.clone(), column(raw))).collect();
        let with =
            |columns: &[(String, Expr)], reason: &str| Some(columns.iter().cloned().chain([(REASON.to_owned(), column(reason))]).collect());
        let good = none(&blocked).and(none(&rejected));
        let report = cx.planned(self.report(contract, &flagged, raw, [&blocked, &rejected, &warned]))?;
        let outlet = |port: OutPort, rows: Expr, columns| Outlet { port: port.name, rows: Rows::Where(rows), columns, order: None };
        let flow = Flow {
            table: flagged,
            outlets: vec![
                outlet(OUT, good.clone(), Some(typed.clone())),
                outlet(WARNINGS, good.and(some(&warned)), with(&typed, &warned)),
                outlet(REJECTED, none(&blocked).and(some(&rejected)), with(&arrived, &rejected)),
                outlet(EXCEPTIONS, some(&blocked), with(&arrived, &rejected)),
                outlet(REPORT, some(&rejected).or(some(&warned)), Some(report)),
            ],
        };
        let mut planned = Planned { is_example: !self.expanded, ..Planned::flow(flow) };
        for rule in judged {
            let (port, severity) = match rule.otherwise {
                Otherwise::Block => (EXCEPTIONS.name, Severity::Block),
                Otherwise::Reject => (REJECTED.name, Severity::Warn),
                Otherwise::Warn => (WARNINGS.name, Severity::Warn),
            };
            let around = |text: Expr| concat(vec![lit("; "), text, lit("; ")]);
            let says = strpos(around(column(REASON)), around(lit(rule.reason.clone()))).gt(lit(0));
            let count = when(says, lit(1_i64)).otherwise(lit(0_i64));
            let counted = Some(Total { port, wire: 0, value: cx.planned(count)? });
            planned = planned.check(Check { title: rule.title, severity, totals: None, exceptions: Some(port), counted, allowed: 0 });
        }
        Some(planned)
    }
}
