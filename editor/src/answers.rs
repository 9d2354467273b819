//! What the engine says finds its place on the desk, and what the desk needs next is asked for.

use std::sync::Arc;

use weir_engine::preview::Exactness;
use weir_engine::run::{Outcome, Progress};
use weir_engine::workflow::Edit;

use crate::desk::{Ask, Desk, Evaluated, Shown, Tab};
use crate::text;
use crate::versions::Comparison;
use crate::widgets::file::relative;
use crate::worker::{Facts, Port, Purpose, Told};

/// Takes the answers that came.
pub fn take(desk: &mut Desk) {
    for told in desk.worker.answers() {
        match told {
            Told::Checked(id, facts) => {
                if let Some(tab) = desk.by_id(id) {
                    checked(tab, facts);
                }
            }
            Told::Shown(id, port, grid) => {
                let Some(tab) = desk.by_id(id) else { continue };
                let complete = grid.is_complete() && grid.exactness == Exactness::Exact;
                if complete {
                    for count in grid.counts() {
                        tab.fresh.insert(count.node.clone());
                        tab.counts.insert(Port { node: count.node, port: count.port }, count.rows);
                    }
                }
                let Some(shown) = shown_at(tab, &port) else { continue };
                shown.problem = None;
                shown.fading = !complete;
                let same = shown.grid.as_ref().is_some_and(|known| Arc::ptr_eq(known, &grid));
                if !same {
                    shown.grid = Some(grid);
                    shown.viewed = None;
                    shown.turn();
                }
                if complete && !shown.view.is_plain() {
                    desk.asks.push(Ask::View);
                }
            }
            Told::NotShown(id, port, problem) => {
                let Some(tab) = desk.by_id(id) else { continue };
                if let Some(shown) = shown_at(tab, &port) {
                    shown.fading = false;
                    shown.problem = Some(problem);
                }
            }
            Told::Viewed(id, port, view, result) => {
                let Some(tab) = desk.by_id(id) else { continue };
                let Some(shown) = shown_at(tab, &port) else { continue };
                if shown.view != view {
                    continue;
                }
                match result {
                    Ok(grid) => {
                        shown.viewed = Some(grid);
                        shown.view_problems.clear();
                    }
                    Err(problems) => shown.view_problems = problems,
                }
                shown.turn();
            }
            Told::Rows(grid, start, result) => {
                for tab in &mut desk.tabs {
                    let compared = tab.compare.as_mut().map(|(_, shown)| shown);
                    for shown in [Some(&mut tab.main), compared].into_iter().flatten() {
                        if shown.visible().is_some_and(|visible| Arc::ptr_eq(visible, &grid)) {
                            shown.asked.remove(&start);
                            match &result {
                                Ok(rows) => {
                                    shown.pages.insert(start, rows.clone());
                                }
                                Err(problem) => shown.problem = Some(problem.clone()),
                            }
                        }
                    }
                }
            }
            Told::Evaluated(field, formula, result) => {
                for tab in &mut desk.tabs {
                    if tab.evaluating.get(&field) == Some(&formula) {
                        tab.evaluated.insert(field.clone(), Evaluated { formula: formula.clone(), result: result.clone() });
                    }
                }
            }
            Told::Covered(id, node, result) => {
                if let Some(tab) = desk.by_id(id) {
                    tab.coverage = Some((node, result));
                }
            }
            Told::Progress(id, progress) => {
                if let (Some(tab), Progress::Step { node, rows, .. }) = (desk.by_id(id), progress) {
                    for (port, rows) in rows {
                        tab.counts.insert(Port { node: node.clone(), port }, rows);
                    }
                    tab.fresh.insert(node.clone());
                    tab.run.done.insert(node);
                }
            }
            Told::Ran(id, result) => ran(desk, id, result),
            Told::Versions(id, result) => {
                if let Some(tab) = desk.by_id(id) {
                    tab.versions = Some(result);
                }
            }
            Told::Acted(id, result) => {
                if let Some(tab) = desk.by_id(id) {
                    tab.versions_asked = false;
                    tab.comparison = None;
                    // A version that was brought back is in the file now.
                    if let (Ok(_), Some(path)) = (&result, tab.document.path().map(std::path::Path::to_owned))
                        && !tab.document.is_dirty()
                        && let Ok(there) = weir_engine::workflow::Workflow::load(&path)
                        && there != **tab.document.workflow()
                        && let Ok(document) = crate::document::Document::open(&path)
                    {
                        tab.document = document;
                        tab.sent = u64::MAX;
                    }
                }
                match result {
                    Ok(words) => desk.say(words, false),
                    Err(problem) => desk.say(problem.to_string(), true),
                }
            }
            Told::Compared(id, version, before) => {
                let Some(tab) = desk.by_id(id) else { continue };
                match before {
                    Ok(before) => {
                        let difference = weir_engine::history::Difference::between(&before, tab.document.workflow());
                        let difference = (tab.document.revision(), difference);
                        tab.comparison = Some(Comparison { version: *version, before, difference, effect: None, computing: false });
                    }
                    Err(problem) => desk.say(problem.to_string(), true),
                }
            }
            Told::Effect(id, result) => {
                if let Some(comparison) = desk.by_id(id).and_then(|tab| tab.comparison.as_mut()) {
                    comparison.computing = false;
                    comparison.effect = Some(result);
                }
            }
            Told::Traced(id, result) => {
                if let Some(origin) = desk.by_id(id).and_then(|tab| tab.origin.as_mut()) {
                    origin.trace = Some(result);
                }
            }
            Told::Gallery(news) => crate::gallery::take(desk, *news),
            Told::Chosen(purpose, path) => chosen(desk, purpose, path),
        }
    }
}

fn ran(desk: &mut Desk, id: u64, result: Result<Box<weir_engine::run::Certificate>, weir_engine::run::RunError>) {
    let Some(tab) = desk.by_id(id) else { return };
    tab.run.since = None;
    tab.run.banner = true;
    let mut panel = None;
    match result {
        Ok(certificate) => {
            for step in &certificate.steps {
                for (port, rows) in &step.rows_out {
                    if let Some(rows) = rows {
                        tab.counts.insert(Port { node: step.node.clone(), port: port.clone() }, *rows);
                    }
                }
                tab.fresh.insert(step.node.clone());
            }
            if certificate.outcome == Outcome::Blocked {
                panel = Some(crate::desk::Bottom::Controls);
            }
            tab.run.certificate = Some(certificate);
            tab.run.error = None;
        }
        Err(error) => {
            if matches!(error, weir_engine::run::RunError::Invalid(_)) {
                panel = Some(crate::desk::Bottom::Problems);
            }
            tab.run.error = Some(error);
            tab.run.certificate = None;
        }
    }
    tab.load_runs();
    if let Some(panel) = panel {
        desk.bottom = panel;
    }
}

fn chosen(desk: &mut Desk, purpose: Purpose, path: Option<std::path::PathBuf>) {
    let Some(path) = path else { return };
    match purpose {
        Purpose::Open => desk.open(&path),
        Purpose::Save(id) => {
            let path = if path.extension().is_none() { path.with_extension("json") } else { path };
            let place = desk.tabs.iter().position(|tab| tab.id == id);
            if let Some(place) = place {
                crate::actions::save(desk, place, Some(path));
            }
        }
        Purpose::Export(id) => {
            let Some(tab) = desk.by_id(id) else { return };
            let geometry = tab.canvas.geometry(tab.document.revision(), &Arc::clone(tab.document.workflow()));
            let svg = crate::canvas::export::svg(&tab.document.title(), &geometry, tab.workflow());
            let path = if path.extension().is_none() { path.with_extension("svg") } else { path };
            match std::fs::write(&path, svg) {
                Ok(()) => desk.say(path.display().to_string(), false),
                Err(error) => desk.say(format!("{}: {error}", path.display()), true),
            }
        }
        Purpose::Install | Purpose::Bind => crate::gallery::chosen(desk, &path),
        Purpose::Param { tab: id, node, field, .. } => {
            let Some(tab) = desk.by_id(id) else { return };
            let value = relative(tab.project().as_ref(), &path);
            let name = field.split(['.', '[']).next().unwrap_or(&field).to_owned();
            let edit = Edit::SetParam { id: node, name, value: serde_json::Value::String(value) };
            desk.ask(Ask::Change(None, vec![edit]));
        }
    }
}

fn shown_at<'a>(tab: &'a mut Tab, port: &Port) -> Option<&'a mut Shown> {
    if tab.showing.as_ref() == Some(port) {
        return Some(&mut tab.main);
    }
    tab.compare.as_mut().filter(|(there, _)| there == port).map(|(_, shown)| shown)
}

/// A workflow was looked at: what is shown of steps that changed is no longer fresh.
fn checked(tab: &mut Tab, facts: Arc<Facts>) {
    if facts.revision != tab.document.revision() {
        return;
    }
    let changed = |node: &str| {
        let before = tab.facts.as_ref().and_then(|before| before.checked.steps.get(node));
        match (before, facts.checked.steps.get(node)) {
            (Some(before), Some(after)) => before.params != after.params || before.wires != after.wires,
            _ => true,
        }
    };
    let mut stale: Vec<String> = Vec::new();
    for node in &facts.checked.order {
        let above = facts.checked.steps[node].wires.iter().flat_map(|(_, wires)| wires).any(|wire| stale.contains(&wire.node));
        if above || changed(node) {
            stale.push(node.clone());
        }
    }
    tab.fresh.retain(|node| !stale.contains(node) && facts.checked.steps.contains_key(node));
    tab.facts = Some(facts);
    // What is on the screen is asked for again: the engine knows what it still has.
    if tab.showing.as_ref().is_some_and(|port| stale.contains(&port.node)) || tab.main.grid.is_none() {
        tab.showing_stale = true;
    }
    tab.compare_stale = true;
}

/// Asks for what the desk needs: a look at what changed, the rows of what is selected.
pub fn follow(desk: &mut Desk) {
    let Some(tab) = desk.tabs.get_mut(desk.current) else { return };
    let revision = tab.document.revision();
    if let Some(comparison) = &mut tab.comparison {
        comparison.follow(revision, tab.document.workflow());
    }
    if tab.sent != revision
        && let Some(project) = tab.project()
    {
        tab.sent = revision;
        let set = tab.set.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        desk.worker.check(tab.id, revision, Arc::clone(tab.document.workflow()), project, set);
    }
    tab.selection.retain(&Arc::clone(tab.document.workflow()));
    let wanted = tab.wanted();
    let moved = wanted.is_some() && wanted != tab.showing;
    if moved {
        tab.main = Shown::default();
        tab.showing.clone_from(&wanted);
    }
    if tab.showing.as_ref().is_some_and(|port| !tab.document.workflow().nodes.contains_key(&port.node)) {
        tab.showing = None;
        tab.main = Shown::default();
    }
    let Some(facts) = tab.facts.clone().filter(|facts| facts.revision == revision) else { return };
    if let Some(port) = tab.showing.clone()
        && (moved || tab.showing_stale)
    {
        tab.showing_stale = false;
        if facts.columns.contains_key(&port) {
            tab.main.fading = true;
            tab.main.problem = None;
            desk.worker.show(tab.id, port, Arc::clone(&facts.checked), "main");
        } else {
            tab.main = Shown::default();
        }
    }
    if let Some((port, shown)) = &mut tab.compare
        && (tab.compare_stale || (shown.grid.is_none() && !shown.fading))
    {
        tab.compare_stale = false;
        if facts.columns.contains_key(port) {
            shown.fading = true;
            desk.worker.show(tab.id, port.clone(), Arc::clone(&facts.checked), "compare");
        }
    }
}

/// The words for a result that was cancelled.
pub fn cancelled() -> &'static str {
    text::either("Cancelled. Nothing was loaded.", "Annulé. Rien n'a été chargé.")
}
