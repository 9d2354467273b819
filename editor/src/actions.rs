//! What was asked for is done here, between two frames.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use egui::{Context, Key, Modifiers};
use serde_json::Value;
use weir_engine::run::Options;
use weir_engine::workflow::{Edit, PortRef, Workflow};
use weir_nodes::{registry, suggest};

use crate::canvas::group::{Comment, Group};
use crate::canvas::{Fit, geometry};
use crate::command::Command;
use crate::desk::{Ask, Attach, Desk, Overlay, Search, base_id, ports_of};
use crate::document::{Document, Label};
use crate::settings::Appearance;
use crate::text::{self, Language};
use crate::widgets::file::relative;
use crate::worker::Purpose;
use crate::{answers, app, edits};

/// Does everything that was asked for in this frame.
pub fn perform(ctx: &Context, desk: &mut Desk) {
    for ask in std::mem::take(&mut desk.asks) {
        match ask {
            Ask::Do(command) => {
                if app::available(desk, command) {
                    run(ctx, desk, command);
                }
            }
            Ask::Change(label, edits) => change(desk, label, &edits),
            Ask::Type(thing, edits) => {
                let result = desk.tab_mut().map(|tab| tab.document.change_on(&thing, &edits));
                if let Some(Err(problem)) = result {
                    desk.say(problem.to_string(), true);
                }
            }
            Ask::Go(node, field) => {
                if let Some(tab) = desk.tab_mut().filter(|tab| tab.workflow().nodes.contains_key(&node)) {
                    tab.selection.select(&node);
                    tab.selection.field = field;
                    let geometry = tab.canvas.geometry(tab.document.revision(), &Arc::clone(tab.document.workflow()));
                    if let Some(card) = geometry.card(&node) {
                        tab.canvas.center_on(card.rect);
                    }
                    desk.settings.properties = true;
                }
            }
            Ask::ShowPort(port) => {
                if let Some(tab) = desk.tab_mut() {
                    tab.selection.select(&port.node);
                    tab.selection.port = Some(port);
                }
                desk.bottom = crate::desk::Bottom::Data;
                desk.settings.bottom = true;
            }
            Ask::AddStep(kind, at, attach) => {
                let params = registry::find(kind).map(registry::Kind::blank).unwrap_or_default();
                add_step(desk, kind, params, at, attach);
            }
            Ask::AddSet(kind, params, attach) => add_step(desk, kind, params, None, attach),
            Ask::AddFile(path, at) => add_file(desk, &path, at),
            Ask::OpenPath(path) => desk.open(&path),
            Ask::Tab(place) => desk.current = place.min(desk.tabs.len().saturating_sub(1)),
            Ask::Discard(which) => close(ctx, desk, which),
            Ask::SaveAndClose(which) => {
                let places: Vec<usize> = which.map_or_else(|| (0..desk.tabs.len()).collect(), |place| vec![place]);
                let saved = places.into_iter().all(|place| !desk.tabs[place].document.is_dirty() || save(desk, place, None));
                if saved {
                    close(ctx, desk, which);
                }
            }
            Ask::View => {
                let Some(tab) = desk.tabs.get_mut(desk.current) else { continue };
                if let (Some(port), Some(grid), Some(facts)) = (tab.showing.clone(), tab.main.grid.clone(), tab.facts.clone()) {
                    tab.main.turn();
                    if !tab.main.view.is_plain() {
                        desk.worker.view(tab.id, port, grid, tab.main.view.clone(), Arc::clone(&facts.checked));
                    }
                }
            }
            Ask::Versions | Ask::Version(_) | Ask::Compare(_) | Ask::StopComparing | Ask::Effect => versions(desk, ask),
            Ask::Origin(port, condition, column, figure) => trace(desk, port, condition, column, figure),
            Ask::StopTracing => {
                if let Some(tab) = desk.tab_mut() {
                    tab.origin = None;
                }
            }
            Ask::Gallery
            | Ask::Package(_)
            | Ask::Sample(_)
            | Ask::InstallFolder
            | Ask::Install(_)
            | Ask::Suggest
            | Ask::BindFile
            | Ask::Bind
            | Ask::Unbind => crate::gallery::perform(desk, ask),
            Ask::Say(words, bad) => desk.say(words, bad),
        }
    }
}

/// What is asked about versions.
fn versions(desk: &mut Desk, ask: Ask) {
    // A version is of the file: what is on the screen is saved into it first.
    if matches!(ask, Ask::Version(crate::versions::Act::Save(_) | crate::versions::Act::Propose(..)))
        && desk.tab().is_some_and(|tab| tab.document.is_dirty())
    {
        save(desk, desk.current, None);
    }
    if matches!(ask, Ask::Version(crate::versions::Act::Rollback(_))) && desk.tab().is_some_and(|tab| tab.document.is_dirty()) {
        let words = text::either(
            "What is on the screen is not saved. Save it as a version, or undo it, then go back.",
            "Ce qui est à l'écran n'est pas enregistré. Enregistrez-le comme version ou annulez-le, puis revenez en arrière.",
        );
        return desk.say(words, true);
    }
    let Some(tab) = desk.tabs.get_mut(desk.current) else { return };
    let (Some(project), Some(file)) = (tab.project(), tab.document.path().map(Path::to_owned)) else { return };
    let set: Vec<(String, String)> = tab.set.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let workflow = Arc::clone(tab.document.workflow());
    match ask {
        Ask::Version(act) => desk.worker.act(tab.id, act, workflow, file, project, set),
        Ask::Compare(version) => desk.worker.compare(tab.id, *version, project),
        Ask::StopComparing => tab.comparison = None,
        Ask::Effect => {
            if let Some(comparison) = &mut tab.comparison {
                comparison.computing = true;
                comparison.effect = None;
                desk.worker.effect(tab.id, Arc::clone(&comparison.before), workflow, project, set);
            }
        }
        _ => desk.worker.versions(tab.id, file, project),
    }
}

/// Follows a figure back.
fn trace(desk: &mut Desk, port: crate::worker::Port, condition: String, column: String, figure: String) {
    let Some(tab) = desk.tabs.get_mut(desk.current) else { return };
    let Some(project) = tab.project() else { return };
    let file = tab.document.path().map(|path| project.shown(path)).unwrap_or_default();
    let set = tab.set.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    tab.origin = Some(crate::versions::Origin { port: port.clone(), figure: (column.clone(), figure), trace: None });
    desk.worker.trace(tab.id, Arc::clone(tab.document.workflow()), file, project, port, condition, column, set);
    desk.bottom = crate::desk::Bottom::Origin;
    desk.settings.bottom = true;
}

fn change(desk: &mut Desk, label: Option<Label>, edits: &[Edit]) {
    if edits.is_empty() {
        return;
    }
    let result = desk.tab_mut().map(|tab| tab.document.change(label, edits));
    if let Some(Err(problem)) = result {
        desk.say(problem.to_string(), true);
    }
}

fn close(ctx: &Context, desk: &mut Desk, which: Option<usize>) {
    match which {
        None => {
            desk.quitting = true;
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
        Some(place) => {
            if place < desk.tabs.len() {
                let tab = desk.tabs.remove(place);
                crate::autosave::forget(desk, tab.id);
            }
            desk.current = desk.current.min(desk.tabs.len().saturating_sub(1));
        }
    }
}

/// Saves a tab; asks where when it has no file yet. Whether it is saved now.
pub fn save(desk: &mut Desk, place: usize, path: Option<PathBuf>) -> bool {
    let Some(tab) = desk.tabs.get_mut(place) else { return false };
    if path.is_none() && tab.document.path().is_none() {
        let folder = tab.project().map(|project| project.root().to_owned());
        desk.worker.choose(Purpose::Save(tab.id), folder, Some("workflow.json".into()));
        return false;
    }
    match tab.document.save(path) {
        Ok(()) => {
            if let Some(path) = tab.document.path().map(Path::to_owned) {
                tab.project = weir_engine::project::Project::of(&path).ok();
                tab.sent = 0;
                tab.load_runs();
                desk.settings.opened(&path);
            }
            let id = desk.tabs[place].id;
            crate::autosave::forget(desk, id);
            desk.say(text::SAVED.get(), false);
            true
        }
        Err(problem) => {
            desk.say(problem.to_string(), true);
            false
        }
    }
}

/// Adds a step where there is room, connected as a person would expect, and selects it.
fn add_step(desk: &mut Desk, kind: &'static str, params: Value, at: Option<[f64; 2]>, attach: Attach) {
    let Some(kind) = registry::find(kind) else { return };
    if desk.tab().is_none() {
        desk.add_tab(Document::empty());
    }
    let Some(tab) = desk.tab_mut() else { return };
    let workflow = Arc::clone(tab.workflow());
    let mut node = edits::blank(kind);
    if let Value::Object(map) = params {
        node.params = map;
    }
    let id = tab.free_id(&base_id(kind));
    let ports = kind.ports(&Value::Object(node.params.clone()));
    let geometry = tab.canvas.geometry(tab.document.revision(), &workflow);
    let attach = match attach {
        // A step that only takes rows in follows what is selected; an input stands alone.
        Attach::Selected => match tab.selection.only().filter(|_| !ports.inputs.is_empty()) {
            Some(from) if !ports_of(&workflow, from).outputs.is_empty() => {
                let port = tab.selection.port.as_ref().filter(|port| port.node == from).map(|port| port.port.clone());
                let first = ports_of(&workflow, from).outputs.first().map(|port| port.name.to_owned());
                Attach::From(PortRef { node: from.to_owned(), port: port.filter(|port| Some(port) != first.as_ref()) })
            }
            _ => Attach::Nothing,
        },
        Attach::From(end) => {
            let first = ports_of(&workflow, &end.node).outputs.first().map(|port| port.name.to_owned());
            Attach::From(PortRef { port: end.port.filter(|port| Some(port) != first.as_ref()), node: end.node })
        }
        other => other,
    };
    let near = match &attach {
        Attach::From(end) => geometry.card(&end.node).map(|card| card.rect.right_top() + egui::vec2(80.0, 0.0)),
        Attach::To(end) => geometry.card(&end.node).map(|card| card.rect.left_top() - egui::vec2(geometry::WIDTH + 80.0, 0.0)),
        _ => None,
    };
    // A place that was pointed at is the card's middle, or its port where a wire was dropped.
    let half = egui::vec2(if matches!(attach, Attach::From(_)) { 0.0 } else { geometry::WIDTH / 2.0 }, geometry::HEIGHT / 2.0);
    let mut place = match (at, near) {
        (Some([x, y]), _) => egui::pos2(x as f32, y as f32) - half,
        (None, Some(near)) => near,
        (None, None) if geometry.cards.is_empty() => egui::pos2(0.0, 0.0),
        (None, None) => {
            let bounds = geometry.bounds([]).unwrap_or(egui::Rect::ZERO);
            egui::pos2(bounds.left(), bounds.bottom() + 40.0)
        }
    };
    place = geometry::snapped(place);
    let room = |place: egui::Pos2| egui::Rect::from_min_size(place, egui::vec2(geometry::WIDTH, geometry::HEIGHT)).expand(8.0);
    while at.is_none() && geometry.cards.iter().any(|card| card.rect.intersects(room(place))) {
        place.y += geometry::HEIGHT + 32.0;
    }
    let mut changes = vec![
        Edit::AddNode { id: id.clone(), node },
        Edit::Move { places: vec![(id.clone(), Some([f64::from(place.x), f64::from(place.y)]))] },
    ];
    let step = PortRef { node: id.clone(), port: None };
    let after = changes.iter().try_fold(Workflow::clone(&workflow), |now, edit| now.apply(edit));
    if let Ok(after) = after {
        match attach {
            Attach::From(from) if !ports.inputs.is_empty() => changes.extend(edits::connect(&after, from, step)),
            Attach::To(to) if !ports.outputs.is_empty() => changes.extend(edits::connect(&after, step, to)),
            Attach::Into(wire) => changes.extend(edits::insert(&after, &id, wire)),
            _ => {}
        }
    }
    let title = kind.identity.title;
    let label = Label::new(format!("add {}", title.en), format!("ajouter {}", title.fr));
    let result = tab.document.change(Some(label), &changes);
    tab.selection.select(&id);
    if geometry.cards.len() < 2 {
        tab.canvas.fit = Fit::All;
    }
    if let Err(problem) = result {
        desk.say(problem.to_string(), true);
    }
}

/// A file becomes the step that reads it; a workflow file is opened.
fn add_file(desk: &mut Desk, path: &Path, at: Option<[f64; 2]>) {
    if path.extension().is_some_and(|extension| extension == "json") {
        return desk.open(path);
    }
    if desk.tab().is_none() {
        desk.add_tab(Document::empty());
    }
    let Some(tab) = desk.tab_mut() else { return };
    let (kind, params) = suggest::reading(&relative(tab.project().as_ref(), path));
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    add_step(desk, kind, params, at, Attach::Nothing);
    // The step is called after its file.
    if let Some(tab) = desk.tab_mut()
        && let Some(id) = tab.selection.only().map(str::to_owned)
    {
        let to = tab.free_id(stem.split('.').next().unwrap_or(&stem));
        if tab.document.change_on("dropped file", &[Edit::RenameNode { id, to: to.clone() }]).is_ok() {
            tab.selection.select(&to);
        }
    }
}

/// Files dropped onto the window.
pub fn dropped(ctx: &Context, desk: &mut Desk) {
    let files = ctx.input(|input| input.raw.dropped_files.clone());
    let pointer = ctx.input(|input| input.pointer.latest_pos());
    for (number, file) in files.into_iter().map(|file| file.path().to_owned()).enumerate() {
        let at = desk.tab().zip(pointer).map(|(tab, at)| tab.canvas.to_canvas(at));
        let at = at.filter(|at| at.is_finite()).map(|at| [f64::from(at.x), f64::from(at.y) + number as f64 * 96.0]);
        desk.ask(Ask::AddFile(file, at));
    }
}

/// Steps on the clipboard come in; cells go to the table that asked for them.
pub fn pasted(ctx: &Context, desk: &mut Desk) {
    let texts: Vec<String> = ctx.input(|input| {
        let pasted = input.events.iter().filter_map(|event| match event {
            egui::Event::Paste(text) => Some(text.clone()),
            _ => None,
        });
        pasted.collect()
    });
    for content in texts {
        let wanted: Option<String> = ctx.data_mut(|data| data.remove_temp(egui::Id::unique("paste-table")));
        if let Some(node) = wanted {
            paste_table(desk, &node, &content);
        } else if !ctx.text_edit_focused() {
            paste(ctx, desk, &content);
        }
    }
}

fn paste_table(desk: &mut Desk, node: &str, content: &str) {
    let Some(step) = desk.tab().and_then(|tab| tab.workflow().nodes.get(node)) else { return };
    let length = |name: &str| step.params.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    let mut lines = step.params.get("table").and_then(Value::as_array).cloned().unwrap_or_default();
    lines.extend(crate::widgets::mapping::pasted(content, length("from"), length("to")));
    let edit = Edit::SetParam { id: node.to_owned(), name: "table".into(), value: Value::Array(lines) };
    change(desk, Some(Label::new("paste into the table", "coller dans la table")), &[edit]);
}

fn paste(ctx: &Context, desk: &mut Desk, content: &str) {
    let Ok(part) = Workflow::parse(content, "clipboard") else { return };
    let pointer = ctx.input(|input| input.pointer.latest_pos());
    let Some(tab) = desk.tab_mut() else { return };
    let corner = part.layout.nodes.values().fold([f64::INFINITY; 2], |low, at| [low[0].min(at[0]), low[1].min(at[1])]);
    let at = pointer.map_or(tab.canvas.middle(), |at| tab.canvas.to_canvas(at));
    let by = if corner[0].is_finite() { [f64::from(at.x) - corner[0], f64::from(at.y) - corner[1]] } else { [0.0, 0.0] };
    put(desk, &part, by.map(|d| (d / 8.0).round() * 8.0), Label::new("paste", "coller"));
}

fn put(desk: &mut Desk, part: &Workflow, by: [f64; 2], label: Label) {
    let Some(tab) = desk.tab_mut() else { return };
    let (edits, ids) = edits::paste(tab.workflow(), part, by);
    let result = tab.document.change(Some(label), &edits);
    tab.selection.clear();
    tab.selection.nodes.extend(ids);
    if let Err(problem) = result {
        desk.say(problem.to_string(), true);
    }
}

/// Arrows walk the graph; Enter opens what is selected.
pub fn walk(ctx: &Context, desk: &mut Desk) {
    if ctx.text_edit_focused() || egui::Popup::is_any_open(ctx) || ctx.memory(|memory| memory.focused().is_some()) {
        return;
    }
    let Some(tab) = desk.tab_mut() else { return };
    let arrows = [(Key::ArrowRight, 1.0, 0.0), (Key::ArrowLeft, -1.0, 0.0), (Key::ArrowDown, 0.0, 1.0), (Key::ArrowUp, 0.0, -1.0)];
    for (key, x, y) in arrows {
        if !ctx.input_mut(|input| input.consume_key(Modifiers::NONE, key)) {
            continue;
        }
        let geometry = tab.canvas.geometry(tab.document.revision(), &Arc::clone(tab.document.workflow()));
        let Some(here) = tab.selection.only().and_then(|id| geometry.card(id)) else {
            if let Some(first) = geometry.cards.iter().min_by(|a, b| a.rect.left().total_cmp(&b.rect.left())) {
                tab.selection.select(&first.id);
                tab.canvas.reveal(first.rect);
            }
            continue;
        };
        let linked: Vec<usize> = geometry
            .wires
            .iter()
            .filter_map(|wire| {
                let own = geometry.places.get(&here.id)?;
                (x > 0.0 && wire.from.0 == *own).then_some(wire.to.0).or((x < 0.0 && wire.to.0 == *own).then_some(wire.from.0))
            })
            .collect();
        let middle = here.rect.center();
        let far = |card: &geometry::Card| {
            let by = card.rect.center() - middle;
            let ahead = by.x * x + by.y * y;
            let aside = (by.x * y).abs() + (by.y * x).abs();
            (ahead > 1.0).then_some(ahead + 3.0 * aside)
        };
        // Along a wire where there is one, else to the nearest card that way.
        let others =
            geometry.cards.iter().enumerate().filter(|(place, card)| card.id != here.id && (linked.is_empty() || linked.contains(place)));
        let next = others.filter_map(|(_, card)| Some((far(card)?, card))).min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, card)) = next {
            tab.selection.select(&card.id);
            tab.canvas.reveal(card.rect);
        }
    }
    if ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter)) && tab.selection.only().is_some() {
        desk.settings.properties = true;
        desk.settings.bottom = true;
    }
}

fn run(ctx: &Context, desk: &mut Desk, command: Command) {
    match command {
        Command::New => desk.add_tab(Document::empty()),
        Command::Open => {
            let folder = desk.tab().and_then(|tab| tab.document.path()?.parent().map(Path::to_owned));
            desk.worker.choose(Purpose::Open, folder, None);
        }
        Command::ToggleTheme => {
            let dark = ctx.theme() == egui::Theme::Dark;
            desk.settings.appearance = if dark { Appearance::Light } else { Appearance::Dark };
        }
        Command::SwitchLanguage => {
            desk.settings.language = Some(match desk.settings.speaks() {
                Language::En => Language::Fr,
                Language::Fr => Language::En,
            });
            desk.tabs.iter_mut().for_each(|tab| tab.canvas.refresh());
        }
        Command::Larger => desk.settings.scale = (desk.settings.scale + 0.1).min(2.5),
        Command::Smaller => desk.settings.scale = (desk.settings.scale - 0.1).max(0.6),
        Command::Gallery => crate::gallery::open(desk),
        Command::BindFiles => crate::gallery::open_binding(desk),
        Command::Palette => desk.overlay = Overlay::Commands(Search::default()),
        Command::TogglePalette => desk.settings.palette = !desk.settings.palette,
        Command::ToggleProperties => desk.settings.properties = !desk.settings.properties,
        Command::ToggleBottom => desk.settings.bottom = !desk.settings.bottom,
        Command::ToggleMinimap => desk.settings.minimap = !desk.settings.minimap,
        Command::Save => {
            save(desk, desk.current, None);
        }
        Command::SaveAs | Command::ExportSvg => {
            let Some(tab) = desk.tab() else { return };
            let folder = tab.project().map(|project| project.root().to_owned());
            let name = crate::desk::slug(&tab.document.title());
            let (purpose, name) = match command {
                Command::SaveAs => (Purpose::Save(tab.id), format!("{name}.json")),
                _ => (Purpose::Export(tab.id), format!("{name}.svg")),
            };
            desk.worker.choose(purpose, folder, Some(name));
        }
        Command::CloseTab => match desk.tab().is_some_and(|tab| tab.document.is_dirty()) {
            true => desk.overlay = Overlay::Unsaved(Some(desk.current)),
            false => close(ctx, desk, Some(desk.current)),
        },
        Command::Find => desk.overlay = Overlay::Find(Search::default()),
        Command::AddStep => {
            let at = None;
            desk.overlay = Overlay::AddStep(Search::default(), at, Attach::Selected);
        }
        Command::Run => start_run(desk, Options::default()),
        Command::RunAgain => start_run(desk, Options { again: true, ..Options::default() }),
        Command::RunDraft => start_run(desk, Options { draft: true, ..Options::default() }),
        Command::RunShadow => start_run(desk, Options { shadow: true, again: true, ..Options::default() }),
        _ => on_tab(ctx, desk, command),
    }
}

fn start_run(desk: &mut Desk, options: Options) {
    let place = desk.current;
    let Some(tab) = desk.tabs.get(place) else { return };
    if tab.run.since.is_some() {
        return;
    }
    if tab.document.path().is_none() {
        desk.say(text::RUN_NEEDS_FILE.get(), true);
        save(desk, place, None);
        return;
    }
    // What runs is what is on the screen, and the file is what ran.
    if tab.document.is_dirty() && !save(desk, place, None) {
        return;
    }
    let Some(tab) = desk.tabs.get_mut(place) else { return };
    let (Some(file), Some(project)) = (tab.document.path().map(Path::to_owned), tab.project.clone()) else { return };
    tab.run.since = Some(Instant::now());
    tab.run.done.clear();
    tab.run.banner = false;
    let set = tab.set.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    desk.worker.run(tab.id, Arc::clone(tab.document.workflow()), file, project, set, options);
}

/// Commands that are about the workflow on the screen.
fn on_tab(ctx: &Context, desk: &mut Desk, command: Command) {
    let Some(tab) = desk.tabs.get_mut(desk.current) else { return };
    let workflow = Arc::clone(tab.workflow());
    let chosen: Vec<String> = tab.selection.nodes.iter().cloned().collect();
    let geometry = tab.canvas.geometry(tab.document.revision(), &workflow);
    let mut said = None;
    match command {
        Command::Undo => tab.document.undo(),
        Command::Redo => tab.document.redo(),
        Command::Copy | Command::Cut | Command::Duplicate if !chosen.is_empty() => {
            let part = edits::excerpt(&workflow, &tab.selection.nodes);
            let mut placed = part.clone();
            for id in part.nodes.keys() {
                if let Some(card) = geometry.card(id) {
                    placed.layout.nodes.insert(id.clone(), [f64::from(card.rect.left()), f64::from(card.rect.top())]);
                }
            }
            if command == Command::Duplicate {
                return put(desk, &placed, [32.0, 96.0], Label::new("duplicate", "dupliquer"));
            }
            match placed.to_canonical_json() {
                Ok(json) => ctx.copy_text(json),
                Err(problem) => said = Some(problem.to_string()),
            }
            if command == Command::Cut {
                let edits = edits::heal(&workflow, &chosen, true);
                change(desk, Some(Label::new("cut", "couper")), &edits);
            }
        }
        Command::Copy if tab.main.cells.is_some() => {
            desk.asks.push(Ask::Say(text::COPIED.get().to_owned(), false));
        }
        Command::Paste => ctx.send_viewport_cmd(egui::ViewportCommand::RequestPaste),
        Command::Delete => {
            let (edits, label) = if let Some(at) = tab.selection.wire {
                (vec![Edit::Disconnect { at }], None)
            } else if let Some(place) = tab.selection.comment {
                let mut layout = workflow.layout.clone();
                layout.comments.remove(place);
                (vec![Edit::SetLayout { layout }], Some(Label::new("remove a comment", "supprimer un commentaire")))
            } else {
                let label = match chosen.as_slice() {
                    [one] => Label::new(format!("remove {one}"), format!("supprimer {one}")),
                    several => Label::new(format!("remove {} nodes", several.len()), format!("supprimer {} étapes", several.len())),
                };
                (edits::heal(&workflow, &chosen, true), Some(label))
            };
            tab.selection.clear();
            change(desk, label, &edits);
        }
        Command::Bypass => {
            let edits = edits::heal(&workflow, &chosen, false);
            change(desk, Some(Label::new("bypass", "contourner")), &edits);
        }
        Command::SelectAll => tab.selection.nodes.extend(workflow.nodes.keys().cloned()),
        Command::Rename => {
            if let Some(id) = tab.selection.only() {
                let name = workflow.nodes.get(id).and_then(|node| node.title.clone()).unwrap_or_else(|| id.to_owned());
                desk.overlay = Overlay::Rename(id.to_owned(), name);
            }
        }
        Command::AddComment => {
            let at = geometry::snapped(tab.canvas.middle());
            let mut layout = workflow.layout.clone();
            layout.comments.push(Comment { text: text::NOTE.get().into(), at: [f64::from(at.x), f64::from(at.y)] }.write());
            let place = layout.comments.len() - 1;
            change(desk, Some(Label::new("add a comment", "ajouter un commentaire")), &[Edit::SetLayout { layout }]);
            desk.overlay = Overlay::Comment(place, String::new());
        }
        Command::Group if !chosen.is_empty() => {
            let mut layout = workflow.layout.clone();
            let colour = chosen.iter().find_map(|id| geometry.card(id)?.category).map(crate::theme::category);
            let colour = colour.map_or([0x8b, 0x95, 0xa3], |colour| [colour.r(), colour.g(), colour.b()]);
            let title = format!("{} {}", text::GROUP_NEW.get(), layout.groups.len() + 1);
            layout.groups.push(Group { title, colour, nodes: chosen, folded: false }.write());
            change(desk, Some(Label::new("group", "grouper")), &[Edit::SetLayout { layout }]);
        }
        Command::FoldGroup => {
            let mut layout = workflow.layout.clone();
            for value in &mut layout.groups {
                if let Some(mut group) = Group::read(value)
                    && group.nodes.iter().any(|id| chosen.contains(id))
                {
                    group.folded = !group.folded;
                    *value = group.write();
                }
            }
            change(desk, Some(Label::new("fold a group", "replier un groupe")), &[Edit::SetLayout { layout }]);
        }
        Command::LayOut => {
            let places = geometry::laid_out(&geometry, &chosen);
            change(desk, Some(Label::new("lay out", "ranger")), &[Edit::Move { places }]);
            if let Some(tab) = desk.tab_mut()
                && chosen.len() < 2
            {
                tab.canvas.fit = Fit::All;
            }
        }
        Command::AlignLeft | Command::AlignTop => {
            let rects: Vec<_> = chosen.iter().filter_map(|id| Some((id.clone(), geometry.card(id)?.rect))).collect();
            let left = rects.iter().map(|(_, rect)| rect.left()).fold(f32::INFINITY, f32::min);
            let top = rects.iter().map(|(_, rect)| rect.top()).fold(f32::INFINITY, f32::min);
            let place = |rect: egui::Rect| match command {
                Command::AlignLeft => [f64::from(left), f64::from(rect.top())],
                _ => [f64::from(rect.left()), f64::from(top)],
            };
            let places = rects.into_iter().map(|(id, rect)| (id, Some(place(rect)))).collect();
            change(desk, Some(Label::new("align", "aligner")), &[Edit::Move { places }]);
        }
        Command::FitAll => tab.canvas.fit = Fit::All,
        Command::FitSelection => tab.canvas.fit = Fit::Selection,
        Command::ShowSelected => {
            tab.showing_stale = true;
            desk.bottom = crate::desk::Bottom::Data;
            desk.settings.bottom = true;
        }
        Command::Cancel => {
            if desk.worker.cancel_run(tab.id) {
                tab.run.since = None;
                said = Some(answers::cancelled().to_owned());
            } else if tab.main.fading {
                desk.worker.cancel_show(tab.id);
                tab.main.fading = false;
            } else {
                tab.selection.clear();
            }
        }
        _ => {}
    }
    if let Some(words) = said {
        desk.say(words, false);
    }
}
