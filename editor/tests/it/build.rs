//! The commissions workflow, built from an empty canvas with what a person has: search, wires, forms.

use std::path::Path;
use std::sync::Arc;

use egui::{Key, Modifiers};
use weir_engine::run::Outcome;
use weir_engine::workflow::Workflow;

use crate::person::Person;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the example") {
        let entry = entry.expect("an entry");
        let name = entry.file_name();
        if entry.path().is_dir() {
            if name != ".weir" && name != "out" {
                copy(&entry.path(), &to.join(name));
            }
        } else {
            std::fs::copy(entry.path(), to.join(name)).expect("a copy");
        }
    }
}

fn columns(person: &mut Person, list: &[(&str, &str)]) {
    for (name, formula) in list {
        person.changes_by("Add columns");
        person.fills("Name", name);
        person.fills("Formula", formula);
    }
    person.wait_checked();
}

#[test]
fn a_person_builds_the_commissions_workflow_and_runs_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = tempfile::tempdir().expect("a folder");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/commissions");
    copy(&example, folder.path());
    let shipped = Workflow::load(&example.join("workflows/commissions.json")).expect("the example");
    let file = folder.path().join("workflows/mine.json");
    Workflow::new("").save(&file).expect("an empty workflow");

    let mut me = Person::opens(std::slice::from_ref(&file), config.path());
    let empty = Arc::clone(me.tab().workflow());

    // The workflow's own settings.
    me.fills("Name", "Commissions");
    me.fills("New parameter", "deals");
    me.changes_by("Add the parameter");
    me.chooses("deals", "file");
    me.fills("Default of deals", "data/deals.csv");

    me.adds("csv file", "deals");
    me.fills("File", "{{deals}}");
    me.changes_by("Add columns");
    me.fills("Name", "N° affaire");
    me.chooses("Type", "text");
    me.changes_by("Add columns");
    me.fills("Name", "Date de clôture");
    me.chooses("Type", "text");
    me.wait_checked();
    assert_eq!(me.wait_rows(), 12_140);

    me.adds("formula", "clean");
    columns(
        &mut me,
        &[
            ("Étape", "PROPER(TRIM([Étape]))"),
            ("Clôture", "DATEVALUE([Date de clôture], \"yyyy-mm-dd\", \"dd/mm/yyyy\", \"dd.mm.yyyy\")"),
            ("Mois", "MONTH([Clôture])"),
        ],
    );
    me.fills("Note", "Stages come padded and in any case, dates in three spellings");
    assert_eq!(me.wait_rows(), 12_140);

    me.adds("remove duplicates", "each_deal_once");
    me.ticks("By", &["N° affaire"]);
    me.chooses("Keep", "First");
    assert_eq!(me.wait_rows(), 12_000);

    me.adds("filter", "won");
    me.fills("Condition", "[Étape] = \"Closed Won\"");
    me.wait_checked();
    assert_eq!(me.wait_rows(), 4_803);

    me.adds("mapping", "plan");
    me.ticks("From", &["Produit"]);
    me.changes_by("Add to");
    me.fills("Name", "Plan");
    me.chooses("Type", "text");
    me.changes_by("Add to");
    me.fills("Name", "Poids");
    me.chooses("Type", "decimal(2)");
    me.clicks_like("More settings");
    me.fills("File", "mappings/plans.csv");
    me.chooses("Unmapped", "Send to a port");
    me.wait_checked();
    assert_eq!(me.wait_rows(), 4_701);

    me.adds("reconcile", "source_total");
    me.wires("plan", 1, "source_total", 1);
    me.selects("plan");
    me.adds("excel load", "without_plan");
    // A step follows the main output; this one takes what is unmapped.
    me.key(Modifiers::COMMAND, Key::Z);
    me.key(Modifiers::COMMAND, Key::Z);
    me.key(Modifiers::NONE, Key::Escape);
    me.adds("excel load", "without_plan");
    me.fills("File", "out/sans-plan.xlsx");
    me.wires("plan", 1, "without_plan", 0);

    me.key(Modifiers::NONE, Key::Escape);
    me.adds("csv file", "crm_totals");
    me.fills("File", "data/crm_totals.csv");
    me.wait_checked();
    me.adds("filter", "crm_won");
    me.fills("Condition", "[Étape] = \"Closed Won\"");
    me.wires("crm_won", 0, "source_total", 2);
    me.selects("source_total");
    me.fills("Value", "[Montant ARR]");
    me.fills("Reference value", "[Total ARR]");
    me.fills("Tolerance", "0");
    me.chooses("If it fails", "Block");
    me.wait_checked();
    assert_eq!(me.wait_rows(), 4_701);

    me.adds("formula", "weighted");
    columns(&mut me, &[("ARR pondéré", "ROUND([Montant ARR] * [Poids], 2)")]);
    me.adds("aggregate", "per_month");
    me.ticks("By", &["Vendeur", "Mois"]);
    for (name, function, column) in
        [("Affaires", "Count rows", None), ("ARR", "Sum", Some("Montant ARR")), ("ARR pondéré", "Sum", Some("ARR pondéré"))]
    {
        me.changes_by("Add measures");
        me.fills("New name", name);
        me.chooses("Function", function);
        if let Some(column) = column {
            me.chooses("Column", column);
        }
    }
    me.wait_checked();
    assert_eq!(me.wait_rows(), 162);

    me.key(Modifiers::NONE, Key::Escape);
    me.adds("excel workbook", "quotas_europe");
    me.fills("File", "data/quotas.xlsx");
    me.clicks_like("More settings");
    me.fills("Sheet", "Europe");
    me.wait_checked();
    me.adds("union", "quotas");
    me.chooses("By", "Name");
    me.key(Modifiers::NONE, Key::Escape);
    me.adds("excel workbook", "quotas_africa");
    me.fills("File", "data/quotas.xlsx");
    me.clicks_like("More settings");
    me.fills("Sheet", "Afrique");
    me.wires("quotas_africa", 0, "quotas", 0);

    me.selects("per_month");
    me.adds("look up", "quota");
    me.wires("quotas", 0, "quota", 1);
    me.selects("quota");
    for column in ["Vendeur", "Mois"] {
        me.changes_by("Add on");
        me.chooses("Column", column);
        me.chooses("In the table", column);
    }
    me.changes_by("Add take");
    me.chooses("Column", "Quota   ");
    me.chooses("When missing", "Block");
    me.wait_checked();
    assert_eq!(me.wait_rows(), 162);

    me.adds("tiers", "commission");
    me.fills("Value", "[ARR pondéré]");
    me.changes_by("Add bands");
    me.fills("Rate", "10%");
    me.fills("Up to", "[Quota]");
    me.changes_by("Add bands");
    me.fills("Rate", "15%");
    me.fills("New name", "Commission");
    me.chooses("How", "Marginal");
    me.wait_checked();
    assert_eq!(me.wait_rows(), 162);

    me.adds("ledger", "ledger");
    me.fills("Table", "commissions");
    me.chooses("Mode", "Replace by period");
    me.chooses("Period", "Mois");
    me.selects("commission");
    me.adds("csv load", "statement");
    me.fills("File", "out/commissions.csv");
    me.clicks_like("More settings");
    me.fills("Separator", ";");
    me.fills("Decimal mark", ",");
    me.clicks("Byte order mark");
    me.wait_checked();

    let built = Arc::clone(me.tab().workflow());
    for (id, node) in &shipped.nodes {
        let mine = built.nodes.get(id).unwrap_or_else(|| panic!("{id} is missing"));
        assert_eq!((&mine.kind, &mine.params), (&node.kind, &node.params), "{id}");
    }
    assert_eq!(built.edges, shipped.edges);
    assert_eq!(built.version(), shipped.version(), "the document means what the shipped one means");

    me.key(Modifiers::NONE, Key::F5);
    me.wait("the run", |desk| desk.tab().is_some_and(|tab| tab.run.since.is_none() && tab.run.certificate.is_some()));
    let certificate = me.tab().run.certificate.clone().expect("a certificate");
    assert_eq!(certificate.outcome, Outcome::Published);
    assert!(folder.path().join("out/commissions.csv").is_file());

    // Back to the empty canvas, and forth again.
    me.unfocus();
    let mut steps = 0;
    while me.tab().document.undo_label().is_some() {
        me.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
        me.harness.step();
        steps += 1;
        assert!(steps < 5000);
    }
    assert_eq!(*me.tab().workflow(), empty);
    while me.tab().document.redo_label().is_some() {
        me.harness.key_press_modifiers(Modifiers::COMMAND, Key::Y);
        me.harness.step();
    }
    assert_eq!(*me.tab().workflow(), built);
}
