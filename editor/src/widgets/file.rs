//! The path of a file or a folder, with a dialog.

use std::path::Path;

use egui::{TextEdit, Ui};
use weir_engine::project::Project;

use super::Form;
use crate::text;
use crate::worker::Purpose;

/// The widget.
pub(super) fn edit(ui: &mut Ui, form: &mut Form<'_>, path: &str, value: &str, label: egui::Id, is_folder: bool) -> Option<String> {
    let mut buffer = value.to_owned();
    let response = ui.add(TextEdit::singleline(&mut buffer).id_salt(("file", path)).desired_width(f32::INFINITY)).labelled_by(label);
    let words = if is_folder { text::CHOOSE_FOLDER } else { text::CHOOSE_FILE };
    if ui.button(words.get()).clicked() {
        let folder = form.tab.project().map(|project| project.home().to_owned());
        form.worker.choose(Purpose::Param { tab: form.tab.id, node: form.node.clone(), field: path.to_owned(), is_folder }, folder, None);
    }
    response.changed().then_some(buffer)
}

/// A file as a workflow names it: relative where it lies in the project.
pub fn relative(project: Option<&Project>, file: &Path) -> String {
    match project {
        Some(project) => project.reference(file),
        None => file.display().to_string(),
    }
}
