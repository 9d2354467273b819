//! The rows of the selected port. However many there are, only those on the screen are read and drawn.

use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, SchemaRef};
use egui::{Align, Layout, Rect, RichText, Role, Sense, Stroke, StrokeKind, TextEdit, Ui, WidgetInfo, pos2, vec2};
use egui_table::{CellInfo, Column, HeaderCellInfo, HeaderRow, Table, TableDelegate, TableState};
use weir_engine::preview::cell::cell;
use weir_engine::preview::{Exactness, Grid, Profile, View};
use weir_engine::workflow::PortRef;
use weir_nodes::{ColumnType, suggest};

use super::{empty, named, shortened};
use crate::command::Command;
use crate::desk::{Ask, Attach, Desk, Shown, Tab};
use crate::icons;
use crate::text;
use crate::theme::{self, Colours};
use crate::worker::{Port, Worker};

/// Rows of a page that is read at once.
const PAGE: u64 = 256;
/// The height of a row.
const ROW: f32 = 24.0;
/// The height of the header: name and type, then the profile.
const HEADER: f32 = 58.0;

/// What stands beside the panel's tabs: which rows, how many, how sure; and what can be done with them.
pub(super) fn bar(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    let Some(tab) = desk.tabs.get_mut(desk.current) else { return };
    let Some(showing) = tab.showing.clone() else { return };
    let ports = tab.ports(&showing.node).outputs;
    let mut asks = Vec::new();
    ui.separator();
    if ports.len() > 1 {
        for port in &ports {
            let there = Port { node: showing.node.clone(), port: port.name.to_owned() };
            let rows = tab.counts.get(&there).map_or_else(String::new, |rows| format!(" {}", text::count(*rows)));
            if ui.selectable_label(there == showing, format!("{}{rows}", text::words(port.title))).clicked() {
                asks.push(Ask::ShowPort(there));
            }
        }
        ui.separator();
    }
    let shown = &mut tab.main;
    if let Some(grid) = shown.visible() {
        let rows = grid.rows();
        let (words, colour) = match (grid.exactness, grid.is_complete()) {
            (Exactness::Exact, true) => (format!("{} · {}", text::EXACT.get(), text::rows(rows)), colours.good),
            (Exactness::Exact, false) => (format!("{} · {}…", text::EXACT.get(), text::rows(rows)), colours.soft),
            (Exactness::Sample, _) => (format!("≈ {} · {}", text::SAMPLE.get(), text::rows(rows)), colours.warn),
        };
        ui.label(RichText::new(words).color(colour));
    }
    if shown.fading {
        ui.add(egui::Spinner::new().size(13.0));
        if ui.small_button(text::CANCEL.get()).clicked() {
            asks.push(Ask::Do(Command::Cancel));
        }
    }
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let compare = tab.compare.is_some();
        let button = ui.selectable_label(compare, text::COMPARE.get());
        egui::Popup::menu(&button).show(|ui| {
            ui.set_min_width(240.0);
            if compare && ui.button(text::CLOSE.get()).clicked() {
                tab.compare = None;
                ui.close();
            }
            egui::ScrollArea::vertical().max_height(300.0).show(ui, |ui| {
                let known: Vec<Port> = tab.facts.as_ref().map(|facts| facts.columns.keys().cloned().collect()).unwrap_or_default();
                for port in known.into_iter().filter(|port| *port != showing) {
                    if ui.button(format!("{} ▸ {}", port.node, port.port)).clicked() {
                        tab.compare = Some((port, Shown::default()));
                        tab.sent = 0;
                        ui.close();
                    }
                }
            });
        });
        let copy = ui.button(icons::text("content_copy", 14.0));
        named(&copy, text::COPY_CELLS.get());
        if copy.on_hover_text(text::COPY_CELLS.get()).clicked() {
            ui.ctx().copy_text(copied(&tab.main));
            asks.push(Ask::Say(text::COPIED.get().to_owned(), false));
        }
        let shown = &mut tab.main;
        if !shown.view.is_plain() {
            let clear = ui.button(icons::text("filter_list_off", 14.0));
            named(&clear, text::either("Clear filter and sort", "Effacer filtre et tri"));
            if clear.on_hover_text(text::either("Clear filter and sort", "Effacer filtre et tri")).clicked() {
                shown.view = View::default();
                shown.filter.clear();
                shown.viewed = None;
                shown.view_problems.clear();
                shown.turn();
            }
            let (name, (kind, params)) = match shown.view.filter.trim() {
                "" => (text::TO_SORT, suggest::sorting(&shown.view.sort)),
                filter => (text::TO_FILTER, suggest::filtering(filter)),
            };
            if ui.button(name.get()).clicked() {
                let from = PortRef { node: showing.node.clone(), port: Some(showing.port.clone()) };
                asks.push(Ask::AddSet(kind, params, Attach::From(from)));
            }
        }
        let field = TextEdit::singleline(&mut shown.filter)
            .hint_text(text::FILTER_VIEW.get())
            .desired_width(240.0)
            .font(egui::TextStyle::Monospace);
        let response = ui.add(field);
        response.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, text::FILTER_VIEW.get()));
        if response.lost_focus() && shown.filter != shown.view.filter {
            shown.view.filter = shown.filter.clone();
            shown.viewed = None;
            shown.view_problems.clear();
            asks.push(Ask::View);
        }
        if let Some(problem) = shown.view_problems.first() {
            ui.colored_label(colours.bad, shortened(&problem.message, 60)).on_hover_text(problem.help.clone().unwrap_or_default());
        }
    });
    desk.asks.append(&mut asks);
}

/// The rows.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    let mut asks = Vec::new();
    let Some(tab) = desk.tabs.get_mut(desk.current) else { return };
    if tab.showing.is_none() {
        return empty(ui, "table", text::DATA_EMPTY.get());
    }
    if let Some(problem) = tab.main.problem.clone() {
        let icon = icons::text("error", 24.0).color(colours.bad);
        ui.vertical_centered(|ui| {
            ui.add_space(16.0);
            ui.label(icon);
            ui.label(RichText::new(&problem.message).color(colours.bad));
            if let Some(help) = &problem.help {
                ui.label(help);
            }
            if let Some(node) = &problem.node
                && ui.link(node).clicked()
            {
                asks.push(Ask::Go(node.clone(), problem.field.clone()));
            }
        });
        desk.asks.append(&mut asks);
        return;
    }
    if tab.main.grid.is_none() {
        let blocked = tab.is_current()
            && tab.showing.as_ref().is_some_and(|port| tab.facts.as_ref().is_none_or(|facts| !facts.columns.contains_key(port)));
        return if blocked { empty(ui, "error", text::DATA_PROBLEM.get()) } else { empty(ui, "hourglass_empty", text::CHECKING.get()) };
    }
    let Tab { main, compare, .. } = tab;
    let worker = &desk.worker;
    match compare {
        None => grid(ui, "main", main, worker, colours, &mut asks),
        Some((port, other)) => {
            let half = (ui.available_width() - 12.0) / 2.0;
            ui.horizontal_top(|ui| {
                ui.allocate_ui(vec2(half, ui.available_height()), |ui| grid(ui, "main", main, worker, colours, &mut asks));
                ui.separator();
                ui.vertical(|ui| {
                    ui.label(RichText::new(format!("{} ▸ {}", port.node, port.port)).small().color(colours.soft));
                    match other.grid {
                        Some(_) => grid(ui, "compare", other, worker, colours, &mut Vec::new()),
                        None => empty(ui, "hourglass_empty", text::CHECKING.get()),
                    }
                });
            });
        }
    }
    desk.asks.append(&mut asks);
}

fn grid(ui: &mut Ui, name: &str, shown: &mut Shown, worker: &Worker, colours: Colours, asks: &mut Vec<Ask>) {
    let Some(rows) = shown.visible().map(Arc::clone) else { return };
    let schema: SchemaRef = Arc::new(rows.columns());
    let total = rows.rows();
    let id = ui.scope_id().with((name, &rows.node, &rows.port));
    let area = ui.available_rect_before_wrap();
    let fit = (((area.height() - HEADER - 14.0) / ROW).floor().max(1.0)) as u64;
    // Rows are counted, not measured in points: points of 32 bits are too coarse for millions of rows.
    let last = total.saturating_sub(fit);
    let mut top: f64 = ui.data(|data| data.get_temp(id)).unwrap_or(0.0);
    if ui.rect_contains_pointer(area) {
        let turned = ui.input(|input| input.smooth_scroll_delta.y);
        top -= f64::from(turned / ROW);
        if turned != 0.0 {
            ui.input_mut(|input| input.smooth_scroll_delta.y = 0.0);
        }
    }
    let bar = Rect::from_min_max(pos2(area.right() - 12.0, area.top() + HEADER), area.max);
    top = scrollbar(ui, bar, id.with("bar"), top, total, fit, colours);
    top = top.clamp(0.0, last as f64);
    ui.data_mut(|data| data.insert_temp(id, top));
    let first = top.round() as u64;
    let end = (first + fit).min(total);
    request(shown, worker, &rows, first, end);

    let profiles = rows.profiles();
    let from = PortRef { node: rows.node.clone(), port: Some(rows.port.clone()) };
    let mut delegate = Rows { shown, schema: &schema, profiles: profiles.as_deref(), first, from, colours, asks };
    let width = |place: usize| {
        let kind = schema.field(place).data_type();
        let name = schema.field(place).name().chars().count() as f32 * 8.0 + 40.0;
        name.clamp(if matches!(kind, DataType::Utf8View) { 140.0 } else { 110.0 }, 280.0)
    };
    let mut columns = vec![Column::new(f32::max(44.0, total.to_string().len() as f32 * 8.5 + 16.0)).resizable(false)];
    columns.extend(
        (0..schema.fields().len())
            .map(|place| Column::new(width(place)).range(48.0..=800.0).id(egui::Id::unique(schema.field(place).name()))),
    );
    let inner = Rect::from_min_max(area.min, pos2(area.right() - 14.0, area.bottom()));
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(inner).id_salt((name, &rows.node, &rows.port)));
    child.set_clip_rect(inner.intersect(ui.clip_rect()));
    let table = Table::new()
        .id_salt((name, &rows.node, &rows.port))
        .num_rows(end - first)
        .columns(columns.clone())
        .num_sticky_cols(1)
        .headers([HeaderRow::new(HEADER)]);
    // Widths come from what the columns hold; without a state the table would measure truncated words.
    let table_id = table.get_id(&child);
    if TableState::load(child.ctx(), table_id).is_none() {
        let col_widths = columns.iter().enumerate().map(|(place, column)| (column.id_for(place), column.current)).collect();
        TableState { col_widths, parent_width: Some(child.available_width()) }.store(child.ctx(), table_id);
    }
    table.show(&mut child, &mut delegate);
    ui.advance_cursor_after_rect(area);
}

/// A bar whose handle stands for the rows on the screen among all of them.
fn scrollbar(ui: &Ui, bar: Rect, id: egui::Id, top: f64, total: u64, fit: u64, colours: Colours) -> f64 {
    if total <= fit {
        return 0.0;
    }
    let last = (total - fit) as f64;
    let height = (bar.height() * fit as f32 / total as f32).max(24.0);
    let room = (bar.height() - height).max(1.0);
    let response = ui.interact(bar, id, Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::ScrollBar, true, text::either("Rows", "Lignes")));
    let mut top = top.clamp(0.0, last);
    if (response.dragged() || response.clicked())
        && let Some(at) = response.interact_pointer_pos()
    {
        top = f64::from(((at.y - bar.top() - height / 2.0) / room).clamp(0.0, 1.0)) * last;
    }
    let handle = Rect::from_min_size(pos2(bar.left() + 2.0, bar.top() + room * (top / last) as f32), vec2(8.0, height));
    let colour = if response.hovered() || response.dragged() { colours.soft } else { colours.wire };
    ui.painter().rect_filled(handle, 4.0, colour.gamma_multiply(0.7));
    top
}

/// Asks for the pages on the screen that are not there, and forgets those far away.
fn request(shown: &mut Shown, worker: &Worker, grid: &Arc<Grid>, first: u64, end: u64) {
    let (from, to) = (first / PAGE * PAGE, end.max(first + 1).div_ceil(PAGE) * PAGE);
    shown.pages.retain(|start, _| *start + 64 * PAGE > from && *start < to + 64 * PAGE);
    shown.asked.retain(|start| *start + 64 * PAGE > from && *start < to + 64 * PAGE);
    for start in (from..to).step_by(PAGE as usize) {
        // A page of a grid that grows is read again until it is full.
        let short = shown.pages.get(&start).is_some_and(|page| (page.num_rows() as u64) < PAGE.min(grid.rows().saturating_sub(start)));
        if (short || !shown.pages.contains_key(&start)) && start < grid.rows() && shown.asked.insert(start) {
            worker.rows(grid, start, PAGE as usize);
        }
    }
}

/// The selected cells with their headers, as a spreadsheet takes them; the rows on the screen where none are selected.
fn copied(shown: &Shown) -> String {
    let Some(grid) = shown.visible() else { return String::new() };
    let schema = grid.columns();
    let (rows, columns) = match shown.cells {
        Some(([r0, c0], [r1, c1])) => (r0.min(r1)..=r0.max(r1), c0.min(c1) as usize..=c0.max(c1) as usize),
        None => (0..=grid.rows().clamp(1, 100_000) - 1, 0..=schema.fields().len().saturating_sub(1)),
    };
    let count = (rows.end() - rows.start() + 1) as usize;
    let Ok(batch) = grid.page(*rows.start(), count) else { return String::new() };
    let plain = |text: String| text.replace(['\t', '\n', '\r'], " ");
    let columns: Vec<usize> = columns.filter(|column| *column < batch.num_columns()).collect();
    let mut lines = vec![columns.iter().map(|column| plain(schema.field(*column).name().clone())).collect::<Vec<_>>().join("\t")];
    for row in 0..batch.num_rows() {
        let value = |column: &usize| plain(cell(batch.column(*column), row).unwrap_or_default());
        lines.push(columns.iter().map(value).collect::<Vec<_>>().join("\t"));
    }
    lines.join("\n")
}

struct Rows<'a> {
    shown: &'a mut Shown,
    schema: &'a SchemaRef,
    profiles: Option<&'a Vec<Profile>>,
    first: u64,
    /// Where the rows leave.
    from: PortRef,
    colours: Colours,
    asks: &'a mut Vec<Ask>,
}

impl TableDelegate for Rows<'_> {
    fn default_row_height(&self) -> f32 {
        ROW
    }

    fn header_cell_ui(&mut self, ui: &mut Ui, info: &HeaderCellInfo) {
        let rect = ui.max_rect();
        ui.painter().rect_filled(rect, 0.0, self.colours.canvas);
        let Some(place) = info.col_range.start.checked_sub(1) else { return };
        let Some(field) = self.schema.fields().get(place) else { return };
        let name = field.name();
        let response = ui.interact(rect.shrink2(vec2(6.0, 0.0)), ui.scope_id().with(("header", place)), Sense::click());
        let sorted = self.shown.view.sort.iter().find(|(column, _)| column == name).map(|(_, descending)| *descending);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{}: {name}", text::COLUMN.get())));
        let sign = match sorted {
            Some(true) => " ↓",
            Some(false) => " ↑",
            None => "",
        };
        let kind = ColumnType::of(field.data_type()).map_or_else(String::new, |kind| kind.to_string());
        let warn = matches!(field.data_type(), DataType::Float64);
        ui.painter().line_segment([rect.right_top(), rect.right_bottom()], Stroke::new(1.0, self.colours.edge));
        let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(rect.shrink2(vec2(8.0, 5.0))).layout(Layout::top_down(Align::Min)));
        inside.spacing_mut().item_spacing.y = 1.0;
        inside.add(
            egui::Label::new(RichText::new(format!("{name}{sign}")).family(theme::strong_family()).size(12.5)).truncate().selectable(false),
        );
        let kind_colour = if warn { self.colours.warn } else { self.colours.soft };
        let words = self.profiles.and_then(|profiles| profiles.get(place)).map_or_else(String::new, summary);
        inside.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            ui.add(egui::Label::new(RichText::new(crate::widgets::type_name(&kind)).size(11.0).color(kind_colour)).selectable(false));
            ui.add(egui::Label::new(RichText::new(words).size(11.0).color(self.colours.soft)).truncate().selectable(false));
        });
        if let Some(profile) = self.profiles.and_then(|profiles| profiles.get(place)) {
            spread(&mut inside, profile, self.colours);
            response.clone().on_hover_ui(|ui| details(ui, profile));
        }
        response.context_menu(|ui| {
            for (words, (kind, params)) in suggest::about(name, ColumnType::of(field.data_type())) {
                if ui.button(text::either(words.en, words.fr)).clicked() {
                    self.asks.push(Ask::AddSet(kind, params, Attach::From(self.from.clone())));
                    ui.close();
                }
            }
        });
        if response.clicked() {
            let sort = &mut self.shown.view.sort;
            match sorted {
                None => *sort = vec![(name.clone(), false)],
                Some(false) => *sort = vec![(name.clone(), true)],
                Some(true) => sort.clear(),
            }
            self.shown.viewed = None;
            self.asks.push(Ask::View);
        }
    }

    fn row_ui(&mut self, ui: &mut Ui, row: u64) {
        if (self.first + row) % 2 == 1 {
            ui.painter().rect_filled(ui.max_rect(), 0.0, self.colours.stripe);
        }
    }

    fn cell_ui(&mut self, ui: &mut Ui, info: &CellInfo) {
        let row = self.first + info.row_nr;
        let rect = ui.max_rect();
        let font = egui::FontId::proportional(12.5);
        let faded = if self.shown.fading { 0.55 } else { 1.0 };
        let Some(column) = info.col_nr.checked_sub(1) else {
            let at = rect.right_center() - vec2(8.0, 0.0);
            ui.painter().text(
                at,
                egui::Align2::RIGHT_CENTER,
                text::count(row + 1),
                egui::FontId::proportional(11.0),
                self.colours.soft.gamma_multiply(faded),
            );
            return;
        };
        let response = ui.interact(rect, ui.scope_id().with((row, column)), Sense::click_and_drag());
        response.context_menu(|ui| {
            let start = row / PAGE * PAGE;
            let page = self.shown.pages.get(&start).filter(|page| page.num_columns() == self.schema.fields().len());
            if ui.button(text::either("Where does this come from?", "D'où vient cette valeur ?")).clicked() {
                if let Some(page) = page.filter(|page| ((row - start) as usize) < page.num_rows()) {
                    let place = (row - start) as usize;
                    let figure = cell(page.column(column), place).unwrap_or_else(|| "∅".into());
                    let port = Port { node: self.from.node.clone(), port: self.from.port.clone().unwrap_or_default() };
                    let name = self.schema.field(column).name().clone();
                    self.asks.push(Ask::Origin(port, weir_engine::trace::row_condition(page, place), name, figure));
                }
                ui.close();
            }
        });
        if response.clicked() || response.drag_started() {
            let here = [row, column as u64];
            let start = match (ui.input(|input| input.modifiers.shift), self.shown.cells) {
                (true, Some((start, _))) => start,
                _ => here,
            };
            self.shown.cells = Some((start, here));
        }
        if ui.input(|input| input.pointer.primary_down())
            && response.contains_pointer()
            && !response.drag_started()
            && let Some((_, end)) = &mut self.shown.cells
            && ui.input(|input| input.pointer.is_decidedly_dragging())
        {
            *end = [row, column as u64];
        }
        if let Some(([r0, c0], [r1, c1])) = self.shown.cells
            && (r0.min(r1)..=r0.max(r1)).contains(&row)
            && (c0.min(c1)..=c0.max(c1)).contains(&(column as u64))
        {
            ui.painter().rect_filled(rect, 0.0, ui.visuals().selection.bg_fill);
        }
        ui.painter().line_segment([rect.right_top(), rect.right_bottom()], Stroke::new(1.0, self.colours.edge.gamma_multiply(0.5)));
        let start = row / PAGE * PAGE;
        let Some(array) =
            self.shown.pages.get(&start).filter(|page| page.num_columns() == self.schema.fields().len()).map(|page| page.column(column))
        else {
            ui.painter().text(rect.left_center() + vec2(8.0, 0.0), egui::Align2::LEFT_CENTER, "…", font, self.colours.soft);
            return;
        };
        let place = (row - start) as usize;
        if place >= array.len() {
            return;
        }
        let number = ColumnType::of(array.data_type()).is_some_and(ColumnType::is_number);
        let (words, colour) = match cell(array, place) {
            None => ("∅".to_owned(), self.colours.soft),
            Some(value) if number => (text::number(&value), self.colours.text),
            Some(value) => (visible_spaces(&value), self.colours.text),
        };
        let mut job = egui::text::LayoutJob::single_section(words, egui::text::TextFormat::simple(font, colour.gamma_multiply(faded)));
        job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width() - 16.0);
        let galley = ui.painter().layout_job(job);
        let left = if number { rect.right() - 8.0 - galley.size().x } else { rect.left() + 8.0 };
        let at = pos2(left, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, colour);
    }
}

/// Spaces at the ends and breaks inside, made visible: they are why values do not match.
fn visible_spaces(value: &str) -> String {
    let inner = value.trim_matches(' ');
    let (head, tail) = (value.len() - value.trim_start_matches(' ').len(), value.len() - value.trim_end_matches(' ').len());
    if head + tail == 0 && !value.contains(['\n', '\t', '\u{a0}']) {
        return value.to_owned();
    }
    if inner.is_empty() {
        return "·".repeat(value.len());
    }
    let inner = inner.replace('\n', "↵").replace('\t', "→").replace('\u{a0}', "°");
    format!("{}{inner}{}", "·".repeat(head), "·".repeat(tail))
}

fn summary(profile: &Profile) -> String {
    let mut parts = Vec::new();
    if profile.nulls > 0 {
        parts.push(format!("{} {}", text::count(profile.nulls), text::NULL.get()));
    }
    match profile.distinct {
        Some(distinct) => parts.push(text::several(distinct, text::DIFFERENT_ONE, text::DIFFERENT)),
        None => parts.push(text::MANY_DIFFERENT.get().to_owned()),
    }
    parts.join(" · ")
}

/// Bars for numbers and dates; shares of the most frequent values for the rest.
fn spread(ui: &mut Ui, profile: &Profile, colours: Colours) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 12.0), Sense::hover());
    let painter = ui.painter();
    if !profile.bars.is_empty() {
        let width = (rect.width().min(120.0)) / profile.bars.len() as f32;
        for (place, height) in profile.bars.iter().enumerate() {
            let tall = (height * rect.height()).max(if *height > 0.0 { 1.5 } else { 0.5 });
            let bar = Rect::from_min_max(
                pos2(rect.left() + place as f32 * width, rect.bottom() - tall),
                pos2(rect.left() + (place as f32 + 1.0) * width - 1.0, rect.bottom()),
            );
            painter.rect_filled(bar, 0.0, colours.accent.gamma_multiply(0.6));
        }
        return;
    }
    if profile.rows == 0 || profile.top.is_empty() {
        return;
    }
    let line = Rect::from_min_size(rect.left_center() - vec2(0.0, 2.0), vec2(rect.width().min(120.0), 5.0));
    let mut left = line.left();
    for (place, (_, rows)) in profile.top.iter().take(6).enumerate() {
        let width = line.width() * *rows as f32 / profile.rows as f32;
        let part = Rect::from_min_size(pos2(left, line.top()), vec2((width - 1.0).max(0.5), line.height()));
        painter.rect_filled(part, 1.0, colours.accent.gamma_multiply(0.75 - 0.1 * place as f32));
        left += width;
    }
    painter.rect_stroke(line, 1.0, Stroke::new(0.5, colours.edge), StrokeKind::Outside);
}

fn details(ui: &mut Ui, profile: &Profile) {
    if let (Some(min), Some(max)) = (&profile.min, &profile.max) {
        ui.label(format!("{} … {}", text::number(min), text::number(max)));
    }
    ui.label(summary(profile));
    for (value, rows) in profile.top.iter().take(8) {
        ui.label(format!("{}  ×  {}", text::count(*rows), shortened(value, 40)));
    }
}
