//! Templates, as a person meets them: found, tried, installed, bound to their own export, and run.

use std::path::{Path, PathBuf};

use weir_editor::desk::Overlay;
use weir_engine::run::Outcome;

use crate::person::Person;

fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates/sales-commissions")
}

fn finds(me: &mut Person) {
    me.clicks("Templates");
    me.wait("the packages are listed", |desk| matches!(&desk.overlay, Overlay::Gallery(gallery) if gallery.found.len() >= 3));
    me.fills_alone("Search templates", "quota");
    me.wait("one fits", |desk| matches!(&desk.overlay, Overlay::Gallery(gallery) if gallery.found.len() == 1));
    me.clicks("Sales commissions");
    me.wait("it is fetched", |desk| matches!(&desk.overlay, Overlay::Gallery(gallery) if matches!(&gallery.detail, Some(Ok(_)))));
}

fn published(me: &mut Person) {
    me.wait("the run ends", |desk| desk.tab().is_some_and(|tab| tab.run.certificate.is_some() || tab.run.error.is_some()));
    let run = &me.tab().run;
    assert!(run.error.is_none(), "{:?}", run.error);
    assert_eq!(run.certificate.as_ref().unwrap().outcome, Outcome::Published);
}

#[test]
fn a_template_runs_on_its_sample_with_one_click() {
    let folder = tempfile::tempdir().unwrap();
    let mut me = Person::opens(&[], &folder.path().join("config"));
    finds(&mut me);
    me.clicks("Run on sample data");
    published(&mut me);
    let certificate = me.tab().run.certificate.as_ref().unwrap();
    assert!(!certificate.examples.is_empty() && certificate.outputs.iter().all(|output| output.target.starts_with("file:")));
    assert!(certificate.held_back.contains(&"ledger:commissions".to_owned()), "samples stay out of the ledger");
}

#[test]
fn a_template_is_installed_bound_to_an_export_with_other_columns_and_run() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("close");
    std::fs::create_dir_all(&home).unwrap();
    let export = home.join("crm export.csv");
    std::fs::copy(package().join("tests/export/deals.csv"), &export).unwrap();
    let mut me = Person::opens(&[], &folder.path().join("config"));
    finds(&mut me);
    me.fills_alone("Project folder", &home.display().to_string());
    me.clicks("Install");
    me.wait("its workflow is open", |desk| desk.tab().is_some());
    me.wait_checked();
    assert!(me.tab().facts.as_ref().unwrap().unbound.contains(&"deals".to_owned()), "the banner says what reads samples");
    me.clicks("Bind your files");
    me.wait("the page is there", |desk| matches!(desk.overlay, Overlay::Bind(_)));
    me.clicks("Deals");
    me.fills_alone("Your file", &export.display().to_string());
    me.wait(
        "the columns are suggested",
        |desk| matches!(&desk.overlay, Overlay::Bind(page) if !page.busy && matches!(&page.answer, Some(Ok(answer)) if answer.1.is_ok())),
    );
    if let Overlay::Bind(page) = &me.desk().overlay
        && let Some(Ok(answer)) = &page.answer
    {
        let missing: Vec<&str> = answer.0.lacking().map(|found| found.column.as_str()).collect();
        assert!(missing.is_empty(), "every column is found by its name: {missing:?}");
    }
    me.clicks("Bind");
    me.wait("it is bound", |desk| matches!(&desk.overlay, Overlay::Bind(page) if page.bound["deals"].is_some()));
    me.clicks("Close");
    me.wait("it was looked at anew", |desk| {
        desk.tab()
            .is_some_and(|tab| tab.is_current() && tab.facts.as_ref().is_some_and(|facts| !facts.unbound.contains(&"deals".to_owned())))
    });
    me.clicks("Run");
    published(&mut me);
    // The export has the sample's deals: the statement is the one that another engine computed, to the cent.
    let installed = home.join("packages/sales-commissions");
    for name in ["statement.csv", "statement_lines.csv"] {
        let ours = std::fs::read_to_string(installed.join("out").join(name)).unwrap();
        let theirs = std::fs::read_to_string(package().join("tests/sample").join(name)).unwrap();
        assert_eq!(ours.lines().count(), theirs.lines().count(), "{name}");
    }
}
