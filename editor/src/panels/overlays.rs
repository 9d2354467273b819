//! What lies above everything else for a moment: searches, a name, questions, explanations.

use egui::{Align2, Area, Context, Frame, Id, Key, Modal, Modifiers, Order, RichText, ScrollArea, TextEdit, Ui, vec2};
use weir_engine::run::{Outcome, RunError};
use weir_engine::workflow::{Edit, Node};
use weir_nodes::registry::Kind;

use super::{named, palette};
use crate::canvas::group::{Comment, Group};
use crate::command::{COMMANDS, Command};
use crate::desk::{Ask, Attach, Desk, Overlay, Search, slug};
use crate::document::Label;
use crate::icons;
use crate::text;
use crate::theme;
use crate::worker::Port;

/// What was decided.
enum Decided {
    /// Nothing yet.
    Open,
    /// Close it.
    Close,
    /// Close it and ask for something.
    Ask(Vec<Ask>),
}

/// Draws the overlay, if there is one.
pub fn show(ctx: &Context, desk: &mut Desk) {
    let mut overlay = std::mem::take(&mut desk.overlay);
    let decided = match &mut overlay {
        Overlay::None => Decided::Close,
        Overlay::AddStep(search, at, attach) => add_step(ctx, search, *at, attach),
        Overlay::Commands(search) => commands(ctx, search),
        Overlay::Find(search) => find(ctx, desk, search),
        Overlay::Rename(node, name) => rename(ctx, desk, node, name),
        Overlay::Comment(place, words) => comment(ctx, desk, *place, words),
        Overlay::Group(place, title) => group(ctx, desk, *place, title),
        Overlay::Gallery(gallery) => paged(super::gallery::show(ctx, gallery), &mut desk.asks),
        Overlay::Bind(page) => paged(super::bind::show(ctx, page), &mut desk.asks),
        Overlay::Unsaved(which) => unsaved(ctx, desk, *which),
        Overlay::Unreadable(path, problems) => {
            let mut decided = Decided::Open;
            let response = Modal::new(Id::unique("unreadable")).show(ctx, |ui| {
                ui.set_width(460.0);
                ui.label(RichText::new(path.display().to_string()).monospace());
                ui.label(text::UNREADABLE.get());
                for problem in problems.iter() {
                    ui.colored_label(theme::colours(ui).bad, problem.to_string());
                }
                ui.add_space(8.0);
                if ui.button(text::CLOSE.get()).clicked() {
                    decided = Decided::Close;
                }
            });
            if response.should_close() { Decided::Close } else { decided }
        }
    };
    match decided {
        Decided::Open => desk.overlay = overlay,
        Decided::Close => {}
        Decided::Ask(asks) => desk.asks.extend(asks),
    }
}

/// A page that stays or not, with what it asked for.
fn paged((stays, asked): (bool, Vec<Ask>), asks: &mut Vec<Ask>) -> Decided {
    asks.extend(asked);
    if stays { Decided::Open } else { Decided::Close }
}

/// What a search came to.
enum Picked {
    /// It goes on.
    Open,
    /// It was left.
    Left,
    /// This line was taken.
    Line(usize),
}

/// A field above a list of lines.
fn pick(ctx: &Context, id: &str, hint: &str, search: &mut Search, lines: &[Line]) -> Picked {
    let (down, up, enter, escape) = ctx.input_mut(|input| {
        (
            input.consume_key(Modifiers::NONE, Key::ArrowDown),
            input.consume_key(Modifiers::NONE, Key::ArrowUp),
            input.consume_key(Modifiers::NONE, Key::Enter),
            input.consume_key(Modifiers::NONE, Key::Escape),
        )
    });
    if down {
        search.line = (search.line + 1).min(lines.len().saturating_sub(1));
    }
    if up {
        search.line = search.line.saturating_sub(1);
    }
    search.line = search.line.min(lines.len().saturating_sub(1));
    let mut taken = None;
    if escape {
        return Picked::Left;
    }
    if enter && !lines.is_empty() {
        return Picked::Line(search.line);
    }
    let top = Area::new(Id::unique(id)).order(Order::Foreground).anchor(Align2::CENTER_TOP, vec2(0.0, 96.0)).show(ctx, |ui| {
        Frame::window(ui.style()).inner_margin(12.0).show(ui, |ui| {
            ui.set_width(440.0);
            let before = search.text.clone();
            let field = ui.add(
                TextEdit::singleline(&mut search.text).hint_text(hint).desired_width(f32::INFINITY).font(egui::FontId::proportional(15.0)),
            );
            field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, hint));
            if !search.focused {
                field.request_focus();
                search.focused = true;
            }
            if search.text != before {
                search.line = 0;
            }
            ui.add_space(6.0);
            ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
                for (place, line) in lines.iter().enumerate() {
                    let row = line.show(ui, place == search.line);
                    if (down || up) && place == search.line {
                        row.scroll_to_me(None);
                    }
                    if row.clicked() {
                        taken = Some(place);
                    }
                }
                if lines.is_empty() {
                    ui.weak(text::NOTHING_FITS.get());
                }
            });
        });
    });
    if let Some(place) = taken {
        return Picked::Line(place);
    }
    let outside =
        ctx.input(|input| input.pointer.any_pressed() && input.pointer.interact_pos().is_some_and(|at| !top.response.rect.contains(at)));
    if outside { Picked::Left } else { Picked::Open }
}

/// A line of a list.
struct Line {
    icon: &'static str,
    name: String,
    about: String,
}

impl Line {
    fn show(&self, ui: &mut Ui, current: bool) -> egui::Response {
        let colours = theme::colours(ui);
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), egui::Sense::click());
        named(&response, &self.name);
        if current || response.hovered() {
            ui.painter().rect_filled(
                rect,
                6.0,
                if current { ui.visuals().selection.bg_fill } else { ui.visuals().widgets.inactive.bg_fill },
            );
        }
        let middle = rect.center().y;
        ui.painter().text(
            egui::pos2(rect.left() + 8.0, middle),
            Align2::LEFT_CENTER,
            icons::icon(self.icon),
            icons::font(18.0),
            colours.soft,
        );
        let name = ui.painter().text(
            egui::pos2(rect.left() + 36.0, middle),
            Align2::LEFT_CENTER,
            &self.name,
            egui::FontId::proportional(13.5),
            colours.text,
        );
        let room = rect.right() - name.right() - 20.0;
        let mut job = egui::text::LayoutJob::single_section(
            self.about.clone(),
            egui::text::TextFormat::simple(egui::FontId::proportional(12.0), colours.soft),
        );
        job.wrap = egui::text::TextWrapping::truncate_at_width(room.max(0.0));
        let galley = ui.painter().layout_job(job);
        ui.painter().galley(egui::pos2(name.right() + 12.0, middle - galley.size().y / 2.0), galley, colours.soft);
        response
    }
}

fn kind_line(kind: &Kind) -> Line {
    Line {
        icon: kind.identity.icon,
        name: text::words(kind.identity.title).to_owned(),
        about: text::words(kind.identity.summary).to_owned(),
    }
}

fn add_step(ctx: &Context, search: &mut Search, at: Option<[f64; 2]>, attach: &Attach) -> Decided {
    let fits = |kind: &&'static Kind| {
        let ports = kind.ports(&kind.blank());
        match attach {
            Attach::From(_) => !ports.inputs.is_empty(),
            Attach::To(_) => !ports.outputs.is_empty(),
            Attach::Into(_) => !ports.inputs.is_empty() && !ports.outputs.is_empty(),
            Attach::Selected | Attach::Nothing => true,
        }
    };
    let kinds: Vec<&'static Kind> = palette::search(&search.text).into_iter().filter(fits).collect();
    let lines: Vec<Line> = kinds.iter().map(|kind| kind_line(kind)).collect();
    match pick(ctx, "add step", text::SEARCH.get(), search, &lines) {
        Picked::Open => Decided::Open,
        Picked::Left => Decided::Close,
        Picked::Line(place) => Decided::Ask(vec![Ask::AddStep(kinds[place].identity.id, at, attach.clone())]),
    }
}

fn commands(ctx: &Context, search: &mut Search) -> Decided {
    let wanted = search.text.trim().to_lowercase();
    let found: Vec<_> =
        COMMANDS.iter().filter(|entry| entry.command != Command::Palette && entry.name.get().to_lowercase().contains(&wanted)).collect();
    let lines: Vec<Line> = found
        .iter()
        .map(|entry| Line {
            icon: entry.icon,
            name: entry.name.get().to_owned(),
            about: entry.key.map_or_else(String::new, |key| ctx.format_shortcut(&key)),
        })
        .collect();
    match pick(ctx, "commands", text::SEARCH_COMMANDS.get(), search, &lines) {
        Picked::Open => Decided::Open,
        Picked::Left => Decided::Close,
        Picked::Line(place) => Decided::Ask(vec![Ask::Do(found[place].command)]),
    }
}

fn find(ctx: &Context, desk: &Desk, search: &mut Search) -> Decided {
    let Some(tab) = desk.tab() else { return Decided::Close };
    let wanted = search.text.trim().to_lowercase();
    let mut found: Vec<(String, Option<Port>, Line)> = Vec::new();
    for (id, node) in &tab.workflow().nodes {
        let kind = tab.kind(id);
        let title = crate::desk::title(id, node, kind);
        if title.to_lowercase().contains(&wanted) || id.contains(&wanted) {
            let line = Line { icon: kind.map_or("help", |kind| kind.identity.icon), name: title, about: id.clone() };
            found.push((id.clone(), None, line));
        }
    }
    if wanted.chars().count() > 1 {
        for (port, schema) in tab.facts.iter().flat_map(|facts| &facts.columns) {
            for field in schema.fields().iter().filter(|field| field.name().to_lowercase().contains(&wanted)) {
                let line = Line { icon: "view_column", name: field.name().clone(), about: format!("{} ▸ {}", port.node, port.port) };
                found.push((port.node.clone(), Some(port.clone()), line));
            }
        }
    }
    found.truncate(200);
    let lines: Vec<Line> =
        found.iter().map(|(_, _, line)| Line { icon: line.icon, name: line.name.clone(), about: line.about.clone() }).collect();
    match pick(ctx, "find", text::FIND.get(), search, &lines) {
        Picked::Open => Decided::Open,
        Picked::Left => Decided::Close,
        Picked::Line(place) => {
            let (node, port, _) = &found[place];
            let mut asks = vec![Ask::Go(node.clone(), None)];
            asks.extend(port.clone().map(Ask::ShowPort));
            Decided::Ask(asks)
        }
    }
}

/// The edits that give a step a name: its id as far as an id can be that, a title for the rest.
pub fn rename_edits(desk: &Desk, node: &str, name: &str) -> Vec<Edit> {
    let Some(tab) = desk.tab() else { return vec![] };
    let Some(step) = tab.workflow().nodes.get(node) else { return vec![] };
    let wanted = slug(name);
    let mut edits = Vec::new();
    let id = if wanted == node { node.to_owned() } else { tab.free_id(&wanted) };
    if id != node {
        edits.push(Edit::RenameNode { id: node.to_owned(), to: id.clone() });
    }
    let title = (name.trim() != id && text::spoken(&id) != name.trim()).then(|| name.trim().to_owned());
    if title != step.title {
        edits.push(Edit::SetNode { id, node: Node { title, ..step.clone() } });
    }
    edits
}

fn rename(ctx: &Context, desk: &Desk, node: &str, name: &mut String) -> Decided {
    let mut decided = Decided::Open;
    let response = Modal::new(Id::unique("rename")).show(ctx, |ui| {
        ui.set_width(320.0);
        let label = ui.label(RichText::new(text::NAME.get()).family(theme::strong_family()));
        let field = ui.add(TextEdit::singleline(name).desired_width(f32::INFINITY)).labelled_by(label.id);
        if !field.has_focus() && !field.lost_focus() {
            field.request_focus();
        }
        let enter = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        ui.horizontal(|ui| {
            if (ui.button(text::RENAME.get()).clicked() || enter) && !name.trim().is_empty() {
                let label = Label::new(format!("rename {node}"), format!("renommer {node}"));
                let edits = rename_edits(desk, node, name);
                let mut asks = vec![Ask::Change(Some(label), edits.clone())];
                if let Some(Edit::RenameNode { to, .. }) = edits.first() {
                    asks.push(Ask::Go(to.clone(), None));
                }
                decided = Decided::Ask(asks);
            }
            if ui.button(text::CANCEL.get()).clicked() {
                decided = Decided::Close;
            }
        });
    });
    if response.should_close() && matches!(decided, Decided::Open) { Decided::Close } else { decided }
}

fn comment(ctx: &Context, desk: &Desk, place: usize, words: &mut String) -> Decided {
    let mut decided = Decided::Open;
    let response = Modal::new(Id::unique("comment")).show(ctx, |ui| {
        ui.set_width(360.0);
        let field = ui.add(TextEdit::multiline(words).desired_rows(4).desired_width(f32::INFINITY));
        field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, text::COMMENT.get()));
        if !field.has_focus() && !field.lost_focus() {
            field.request_focus();
        }
        if ui.button("OK").clicked()
            && let Some(tab) = desk.tab()
        {
            let mut layout = tab.workflow().layout.clone();
            if let Some(value) = layout.comments.get_mut(place)
                && let Some(old) = Comment::read(value)
            {
                *value = Comment { text: words.clone(), ..old }.write();
            }
            let label = Label::new("write a comment", "écrire un commentaire");
            decided = Decided::Ask(vec![Ask::Change(Some(label), vec![Edit::SetLayout { layout }])]);
        }
    });
    if response.should_close() && matches!(decided, Decided::Open) { Decided::Close } else { decided }
}

/// Colours a group can have: those of the families of steps.
const GROUP_COLOURS: [[u8; 3]; 7] = [
    [0x00, 0x72, 0xb2],
    [0x56, 0xb4, 0xe9],
    [0x00, 0x9e, 0x73],
    [0xcc, 0x79, 0xa7],
    [0xd5, 0x5e, 0x00],
    [0xe6, 0x9f, 0x00],
    [0x8b, 0x95, 0xa3],
];

fn group(ctx: &Context, desk: &Desk, place: usize, title: &mut String) -> Decided {
    let mut decided = Decided::Open;
    let Some(tab) = desk.tab() else { return Decided::Close };
    let Some(group) = tab.workflow().layout.groups.get(place).and_then(Group::read) else { return Decided::Close };
    let set = |group: Option<Group>| {
        let mut layout = tab.workflow().layout.clone();
        match group {
            Some(group) => layout.groups[place] = group.write(),
            None => {
                layout.groups.remove(place);
            }
        }
        Decided::Ask(vec![Ask::Change(Some(Label::new("change a group", "modifier un groupe")), vec![Edit::SetLayout { layout }])])
    };
    let response = Modal::new(Id::unique("group")).show(ctx, |ui| {
        ui.set_width(360.0);
        let label = ui.label(RichText::new(text::NAME.get()).family(theme::strong_family()));
        let field = ui.add(TextEdit::singleline(title).desired_width(f32::INFINITY)).labelled_by(label.id);
        if !field.has_focus() && !field.lost_focus() {
            field.request_focus();
        }
        let enter = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        ui.horizontal(|ui| {
            for colour in GROUP_COLOURS {
                let [r, g, b] = colour;
                let swatch = ui.add(egui::Button::new("   ").fill(egui::Color32::from_rgb(r, g, b)));
                named(&swatch, &format!("{} {r} {g} {b}", text::either("Colour", "Couleur")));
                if swatch.clicked() {
                    decided = set(Some(Group { colour, title: title.clone(), ..group.clone() }));
                }
            }
        });
        ui.horizontal(|ui| {
            if ui.button(text::RENAME.get()).clicked() || enter {
                decided = set(Some(Group { title: title.clone(), ..group.clone() }));
            }
            if ui.button(text::either("Ungroup", "Dégrouper")).clicked() {
                decided = set(None);
            }
            if ui.button(text::CANCEL.get()).clicked() {
                decided = Decided::Close;
            }
        });
    });
    if response.should_close() && matches!(decided, Decided::Open) { Decided::Close } else { decided }
}

fn unsaved(ctx: &Context, desk: &Desk, which: Option<usize>) -> Decided {
    let mut decided = Decided::Open;
    let response = Modal::new(Id::unique("unsaved")).show(ctx, |ui| {
        ui.set_width(400.0);
        ui.label(RichText::new(text::QUIT_ASK.get()).family(theme::strong_family()));
        for tab in desk.tabs.iter().enumerate().filter(|(place, tab)| tab.document.is_dirty() && which.is_none_or(|which| which == *place))
        {
            ui.label(format!("• {}", tab.1.document.title()));
        }
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            if ui.button(text::SAVE_ALL.get()).clicked() {
                decided = Decided::Ask(vec![Ask::SaveAndClose(which)]);
            }
            if ui.button(text::DISCARD.get()).clicked() {
                decided = Decided::Ask(vec![Ask::Discard(which)]);
            }
            if ui.button(text::CANCEL.get()).clicked() {
                decided = Decided::Close;
            }
        });
    });
    if response.should_close() && matches!(decided, Decided::Open) { Decided::Close } else { decided }
}

/// How the last run ended, above the canvas.
pub fn banner(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    let mut asks = Vec::new();
    let Some(tab) = desk.tabs.get_mut(desk.current) else { return };
    if tab.document.changed_outside() {
        Frame::NONE.fill(colours.card.lerp_to_gamma(colours.warn, 0.15)).inner_margin(8.0).show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.set_width(ui.available_width());
                ui.label(icons::text("sync", 18.0).color(colours.warn));
                ui.label(text::CHANGED_OUTSIDE.get());
                if ui.button(text::RELOAD.get()).clicked()
                    && let Err(problems) = tab.document.reload()
                {
                    asks.push(Ask::Say(problems.first().map(ToString::to_string).unwrap_or_default(), true));
                }
                if ui.button(text::KEEP_MINE.get()).clicked() {
                    tab.document.keep_mine();
                }
            });
        });
    }
    if let Some(facts) = tab.facts.as_ref().filter(|facts| !facts.unbound.is_empty() && !tab.sample_seen) {
        Frame::NONE.fill(colours.card.lerp_to_gamma(colours.accent, 0.12)).inner_margin(8.0).show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.set_width(ui.available_width());
                ui.label(icons::text("info", 18.0).color(colours.accent));
                let words = text::either("This template reads its sample data", "Ce modèle lit ses données d'exemple");
                ui.label(format!("{words}: {}", facts.unbound.join(", ")));
                if ui.button(text::BIND.get()).clicked() {
                    asks.push(Ask::Do(Command::BindFiles));
                }
                let close = ui.add(egui::Button::new(icons::text("close", 15.0)).frame_when_inactive(false));
                named(&close, text::either("Hide this", "Masquer"));
                tab.sample_seen |= close.clicked();
            });
        });
    }
    if !tab.run.banner {
        desk.asks.append(&mut asks);
        return;
    }
    let (icon, colour, words) = match (&tab.run.certificate, &tab.run.error) {
        (_, Some(RunError::Invalid(problems))) => {
            let why = problems.iter().find(|problem| problem.is_error()).map(|problem| problem.message.clone()).unwrap_or_default();
            ("error", colours.bad, format!("{}: {why}", text::RUN_INVALID.get()))
        }
        (_, Some(RunError::Failed(problem))) => ("error", colours.bad, format!("{}: {problem}", text::RUN_FAILED.get())),
        (Some(certificate), None) => match certificate.outcome {
            Outcome::Published => {
                let outputs: Vec<String> =
                    certificate.outputs.iter().map(|output| format!("{} ({})", output.target, text::rows(output.rows))).collect();
                ("check_circle", colours.good, format!("{}: {}", text::PUBLISHED.get(), outputs.join(", ")))
            }
            Outcome::Blocked => {
                let failed = certificate.verdicts.iter().find(|verdict| !verdict.holds && verdict.severity == weir_nodes::Severity::Block);
                let why = failed.map_or_else(String::new, |verdict| match &verdict.figures {
                    Some(figures) if !figures.difference.is_zero() => {
                        let by = text::amount(figures.difference.abs());
                        text::either("totals differ by ", "écart de ").to_owned() + &by + &format!(" ({})", verdict.node)
                    }
                    _ => format!("{} ({})", verdict.title, verdict.node),
                });
                ("cancel", colours.bad, format!("{}{} {why}", text::BLOCKED.get(), text::either(":", " :")))
            }
        },
        (None, None) => return,
    };
    Frame::NONE.fill(colours.card.lerp_to_gamma(colour, 0.13)).inner_margin(8.0).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.set_width(ui.available_width());
            ui.label(icons::text(icon, 20.0).color(colour));
            let close = 28.0;
            let controls = if tab.run.certificate.is_some() && tab.run.error.is_none() { 100.0 } else { 0.0 };
            let label = egui::Label::new(RichText::new(words).family(theme::strong_family())).truncate();
            ui.add_sized(vec2(ui.available_width() - close - controls, 20.0), |ui: &mut Ui| {
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| ui.add(label)).inner
            });
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let close = ui.add(egui::Button::new(icons::text("close", 16.0)).frame(false));
                named(&close, text::either("Close the banner", "Fermer le bandeau"));
                if close.clicked() {
                    tab.run.banner = false;
                }
                if controls > 0.0 && ui.button(text::CONTROLS.get()).clicked() {
                    desk.bottom = crate::desk::Bottom::Controls;
                }
            });
        });
    });
    desk.asks.append(&mut asks);
}
