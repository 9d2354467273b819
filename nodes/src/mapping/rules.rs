//! `rules`: an ordered decision table.

use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{cast, when};

use crate::join::keys::unify;
use crate::prelude::*;
use crate::spread::spread;

/// Decides by rules: each has a condition and the values it gives.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Rules {
    /// The columns that are made.
    pub to: Vec<NewColumn>,
    /// The rules, in order.
    pub rules: Vec<Rule>,
    /// Which of the rules that fit count.
    #[serde(default)]
    pub hit: Hit,
    /// The values of rows that no rule fits, a formula for each column made. Without them such rows leave apart.
    #[serde(default)]
    pub otherwise: Vec<Formula>,
    /// What happens when no rule fits a row and nothing else is given.
    #[serde(default)]
    pub severity: Severity,
}

/// A rule.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// When it fits.
    #[serde(rename = "when")]
    pub condition: Formula,
    /// What it gives: a formula for each column made.
    pub gives: Vec<Formula>,
}

/// Which rules count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hit {
    /// The first that fits.
    #[default]
    First,
    /// All that fit: a row for each.
    All,
}

impl NodeKind for Rules {
    fn identity() -> Identity {
        Identity {
            id: "rules",
            version: 1,
            category: Category::Mapping,
            icon: "rule_folder",
            title: Words { en: "Decision table", fr: "Table de décision" },
            summary: Words {
                en: "Gives values by ordered rules: the first that fits counts, or all of them.",
                fr: "Donne des valeurs selon des règles ordonnées : la première qui convient, ou toutes.",
            },
            synonyms: &["rule engine", "case when", "if else", "switch", "decision table", "règles de gestion", "si conditions"],
            order: Words {
                en: "Rows as they arrive; of one row, its rules in order.",
                fr: "Les lignes dans l'ordre d'arrivée ; pour une ligne, ses règles dans l'ordre.",
            },
        }
    }

    fn ports(&self) -> Ports {
        Ports::split([OUT, OutPort { name: "unmapped", title: Words { en: "no rule fits", fr: "sans règle" } }])
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        if self.to.is_empty() {
            cx.problem(Problem::error("No column is made.").on("to").help("Name a column to make."));
        }
        if self.rules.is_empty() {
            cx.problem(Problem::error("There are no rules.").on("rules").help("Add one."));
        }
        for (i, name) in self.to.iter().enumerate() {
            cx.new_name(name, table.has(&name.0) || self.to[..i].contains(name), &format!("to[{i}]"));
        }
        let mut conditions = Vec::new();
        let mut values: Vec<Vec<crate::formula::Typed>> = vec![vec![]; self.to.len()];
        for (i, rule) in self.rules.iter().enumerate() {
            conditions.extend(cx.condition(&rule.condition, &table, &format!("rule {}", i + 1), &format!("rules[{i}].when")));
            self.gives(cx, &table, &rule.gives, &format!("rules[{i}].gives"), &mut values);
        }
        if !self.otherwise.is_empty() {
            self.gives(cx, &table, &self.otherwise, "otherwise", &mut values);
        }
        let mut types = Vec::new();
        for (name, values) in self.to.iter().zip(&values) {
            let common = values.iter().try_fold(DataType::Null, |common, value| unify(&common, &value.data_type));
            if common.is_none() {
                let found: Vec<String> = values.iter().map(|value| type_name(&value.data_type)).collect();
                let what = format!("The rules give \"{}\" values of several types: {}.", name.0, found.join(", "));
                cx.problem(Problem::error(what).on("rules").help("Make them one type, for example with TEXT or DECIMAL."));
            }
            types.push(common.unwrap_or(DataType::Null));
        }
        if cx.failed() {
            return None;
        }
        let fits = hidden(&format!("{}.fits", cx.node()));
        let any = conditions.iter().cloned().reduce(Expr::or)?;
        let mut outcome = self.decided(cx, &table, &conditions, &values, &types, &fits, &any)?;
        if self.otherwise.is_empty() {
            let original = table.columns();
            outcome.outlets.push(Outlet { port: "unmapped", rows: Rows::Rest, columns: Some(original), order: None });
            return Some(Planned::flow(outcome).check(Check::empty("A rule fits every row", self.severity, "unmapped")));
        }
        let none = Outlet { port: "unmapped", rows: Rows::Where(column(&fits).is_not_true()), columns: None, order: None };
        outcome.outlets[0].rows = Rows::All;
        let original = table.columns();
        outcome.outlets.push(Outlet { columns: Some(original), ..none });
        Some(Planned::flow(outcome))
    }

    fn examples() -> Vec<Example> {
        let rows = "id:integer,arr:decimal(2),kind\n1,15000.00,new\n2,9000.00,new\n3,9000.00,old\n4,,odd";
        vec![
            Example::new(
                "The first rule that fits; what no rule fits leaves apart.",
                json!({ "to": ["plan", "rate"], "rules": [
                    { "when": "[arr] >= 10000", "gives": ["\"Key\"", "0.15"] },
                    { "when": "[kind] = \"new\"", "gives": ["\"New\"", "0.1"] },
                    { "when": "[kind] = \"old\"", "gives": ["\"Base\"", "[arr] / [arr] * 0.02"] }
                ] }),
            )
            .input("in", rows)
            .output(
                "out",
                "id:integer,arr:decimal(2),kind,plan,rate:decimal(14)\n1,15000.00,new,Key,0.15000000000000\n2,9000.00,new,New,0.10000000000000\n3,9000.00,old,Base,0.02000000000000",
            )
            .output("unmapped", "id:integer,arr:decimal(2),kind\n4,,odd"),
            Example::new(
                "All rules that fit; the others get a value too.",
                json!({ "to": ["alert"], "hit": "all", "otherwise": ["NULL"], "rules": [
                    { "when": "[arr] < 10000", "gives": ["\"small\""] },
                    { "when": "[kind] = \"old\"", "gives": ["\"old\""] }
                ] }),
            )
            .input("in", rows)
            .output(
                "out",
                "id:integer,arr:decimal(2),kind,alert\n1,15000.00,new,\n2,9000.00,new,small\n3,9000.00,old,small\n3,9000.00,old,old\n4,,odd,",
            )
            .output("unmapped", "id:integer,arr:decimal(2),kind\n1,15000.00,new\n4,,odd"),
            Example::new("A table without rows.", json!({ "to": ["a"], "rules": [{ "when": "TRUE", "gives": ["1"] }] }))
                .input("in", "b")
                .output("out", "b,a:integer"),
            Example::new("A rule gives a value for each column.", json!({ "to": ["a", "b"], "rules": [{ "when": "TRUE", "gives": ["1"] }] }))
                .input("in", "c\nx")
                .refused("gives 1 values for 2 columns"),
        ]
    }
}

impl Rules {
    fn gives(&self, cx: &mut Planning<'_>, table: &Table, formulas: &[Formula], field: &str, values: &mut [Vec<crate::formula::Typed>]) {
        if formulas.len() != self.to.len() {
            let what = format!("This gives {} values for {} columns.", formulas.len(), self.to.len());
            cx.problem(Problem::error(what).on(field).help("Give a formula for each column made."));
            return;
        }
        for (i, formula) in formulas.iter().enumerate() {
            values[i].extend(cx.formula(formula, table, &self.to[i].0, &format!("{field}[{i}]")));
        }
    }

    /// The rows with what was decided; one outlet.
    #[expect(clippy::too_many_arguments, reason = "the parts of one decision")]
    fn decided(
        &self,
        cx: &mut Planning<'_>,
        table: &Table,
        conditions: &[Expr],
        values: &[Vec<crate::formula::Typed>],
        types: &[DataType],
        fits: &str,
        any: &Expr,
    ) -> Option<Flow> {
        let typed = |value: &crate::formula::Typed, to: &DataType| {
            if value.data_type == *to { value.expr.clone() } else { cast(value.expr.clone(), to.clone()) }
        };
        let mut columns = vec![(fits.to_owned(), any.clone())];
        let out = Outlet { port: "out", rows: Rows::Where(column(fits)), columns: None, order: None };
        if self.hit == Hit::First {
            for ((name, values), data_type) in self.to.iter().zip(values).zip(types) {
                let mut cases = conditions.iter().zip(values);
                let (first, value) = cases.next()?;
                let mut case = when(first.clone(), typed(value, data_type));
                for (condition, value) in cases {
                    case = case.when(condition.clone(), typed(value, data_type));
                }
                let case = match values.get(conditions.len()) {
                    Some(otherwise) => case.otherwise(typed(otherwise, data_type)),
                    None => case.end(),
                };
                columns.push((name.0.clone(), cx.planned(case)?));
            }
            return Some(Flow { table: cx.planned(table.with_columns(columns))?, outlets: vec![out] });
        }
        let which = hidden(&format!("{}.rule", cx.node()));
        let hits = conditions.iter().map(|condition| when(condition.clone(), lit(true)).end()).collect::<Result<Vec<_>, _>>();
        let mut hits = cx.planned(hits)?;
        // A row that no rule fits is there once.
        let none = when(any.clone().is_not_true(), lit(false)).end();
        hits.push(cx.planned(none)?);
        let mut lists = vec![(which.clone(), make_array(hits))];
        for ((name, values), data_type) in self.to.iter().zip(values).zip(types) {
            let mut items: Vec<Expr> = values.iter().map(|value| typed(value, data_type)).collect();
            if items.len() == conditions.len() {
                items.push(cast(lit(datafusion::scalar::ScalarValue::Null), data_type.clone()));
            }
            lists.push((name.0.clone(), make_array(items)));
        }
        let noted = cx.planned(table.with_columns(columns))?;
        let rows = spread(cx.node(), &noted, lists, false);
        let rows = cx.planned(rows)?;
        Some(Flow { table: cx.planned(rows.filter(column(&which).is_not_null()))?, outlets: vec![out] })
    }
}
